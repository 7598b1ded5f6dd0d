"""Sets of companies and people in them, by their business names."""

import re

from django.db import models
from django.db.models import Q

from search import analysis

from .enums import MembershipState, Role

MAX_WORDS = 8
# Neither database folds accents by itself: SQLite has no function for it, PostgreSQL only with an extension.
_VARIANTS = {"a": "aàáâä", "c": "cç", "e": "eèéêë", "i": "iìíîï", "l": "l·", "n": "nñ", "o": "oòóôö", "u": "uùúûü"}


def _accents_ignored(word: str) -> str:
    """A pattern that finds a folded word in a text with accents: "mecanica" → "me[cç][aàáâä]n…"."""
    return "".join(f"[{_VARIANTS[letter]}]" if letter in _VARIANTS else re.escape(letter) for letter in word)


class CompanyQuerySet(models.QuerySet):
    """Companies."""

    def public(self) -> "CompanyQuerySet":
        """Those that everybody may see."""
        return self.filter(hidden=False)

    def of_this_marketplace(self) -> "CompanyQuerySet":
        """Those that registered here, not those whose listings a partner marketplace shares."""
        return self.filter(source_uri=None)

    def of(self, user: object) -> "CompanyQuerySet":
        """Those in whose name `user` may act; none for a visitor who is not signed in."""
        if not user.is_authenticated:
            return self.none()
        return self.filter(memberships__user=user, memberships__state=MembershipState.ACTIVE)

    def visible_to(self, user: object) -> "CompanyQuerySet":
        """What `user` may open: the public ones, the own ones, everything for curators."""
        if user.has_perm("listings.curate_listing"):
            return self
        if not user.is_authenticated:
            return self.public()
        return self.filter(Q(hidden=False) | Q(pk__in=user.memberships.active().values("company")))

    def about(self, text: str) -> "CompanyQuerySet":
        """Those that have every word of `text` in their name, description, sector or place, whatever accents and capitals."""
        companies = self
        for word in filter(None, map(analysis.fold, re.split(r"[\W_]+", text)[:MAX_WORDS])):
            pattern = _accents_ignored(word)
            columns = ("name", "description", "sector__label_ca", "sector__label_es", "sector__label_en", "place__name")
            companies = companies.filter(Q.create([(f"{column}__iregex", pattern) for column in columns], Q.OR))
        return companies

    def in_section(self, code: str) -> "CompanyQuerySet":
        """Those whose sector is this section of the NACE tree or under it."""
        return self.filter(Q(sector=code) | Q(sector__path__startswith=f"{code} "))

    def for_display(self) -> "CompanyQuerySet":
        """With sector and place, so that a list costs one query."""
        return self.select_related("sector", "place")


class MembershipQuerySet(models.QuerySet):
    """People in companies."""

    def active(self) -> "MembershipQuerySet":
        """Those who may act for their company."""
        return self.filter(state=MembershipState.ACTIVE)

    def waiting(self) -> "MembershipQuerySet":
        """Those who asked to join and have no answer yet."""
        return self.filter(state=MembershipState.REQUESTED)

    def owners(self) -> "MembershipQuerySet":
        """Those who answer for their company."""
        return self.active().filter(role=Role.OWNER)
