"""New results of saved searches in the daily mail: each listing once to a person, whichever of their searches found it.

When a mail cannot name all, it counts the rest and links to the page that has them: they are told by that, and not again.
"""

from collections.abc import Callable
from dataclasses import dataclass

from django.conf import settings
from django.core import signing
from django.db.models import Exists, F, OuterRef, QuerySet
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from marketplace.accounts import daily
from marketplace.accounts.models import User
from marketplace.companies.models import Membership
from marketplace.listings.models import Listing

from . import operations
from .enums import Alert
from .models import Finding, Mention, SavedSearch

#: Of one search, and in the whole mail.
MOST_OF_SEARCH, MOST_IN_MAIL = 5, 20
_SIGNER = signing.Signer(salt="alerts.stop")


@dataclass(frozen=True)
class Section:
    """What one search found: the newest, and how many besides."""

    search: SavedSearch
    listings: list[Listing]
    more: int
    stop: str

    @property
    def number(self) -> int:
        """All of them."""
        return len(self.listings) + self.more


class DailyNews:
    """The part of the daily mail about saved searches."""

    name = "alerts"
    label = _("New results of your saved searches")

    def people(self) -> QuerySet[User]:
        """Owners of searches that found something they have not heard of."""
        return User.objects.filter(Exists(to_tell().filter(search__owner=OuterRef("pk"))), is_active=True)

    def news(self, user: User) -> daily.News | None:
        """What is new, by search, the oldest search first."""
        found = _once_each(to_tell().filter(search__owner=user))
        if not found:
            return None
        sections = _sections(user, found)
        told = [Mention(user=user, listing_id=pk) for listings in found.values() for pk in listings]
        context = {"sections": sections, "total": len(told), "all": settings.SITE_URL + reverse("alerts:list")}
        return daily.News("alerts/mail/news", context, note=_noting(told))

    def is_wanted(self, user: User) -> bool:
        """Whether any of their searches is mailed."""
        return SavedSearch.objects.of(user).filter(alert=Alert.ON).exists()

    def stop(self, user: User) -> None:
        """No mail about any of them."""
        operations.stop(SavedSearch.objects.of(user))

    def resume(self, user: User) -> None:
        """Mail again about those that were stopped from a mail."""
        operations.resume_stopped(SavedSearch.objects.of(user))


def to_tell() -> QuerySet[Finding]:
    """What owners should hear of: not what their own companies published."""
    own = Membership.objects.active().filter(user=OuterRef("search__owner"), company=OuterRef("listing__company"))
    return Finding.objects.to_tell().filter(~Exists(own))


def _noting(told: list[Mention]) -> Callable[[], object]:
    return lambda: Mention.objects.bulk_create(told, batch_size=500)


def _once_each(findings: QuerySet[Finding]) -> dict[int, list[int]]:
    """Listings by search, the newest first; what two searches found stands under the older one."""
    ordered = findings.order_by("search__created", "search_id", F("listing__published_at").desc(), "-listing_id")
    found: dict[int, list[int]] = {}
    known: set[int] = set()
    for search, listing in ordered.values_list("search_id", "listing_id"):
        if listing not in known:
            known.add(listing)
            found.setdefault(search, []).append(listing)
    return found


def _sections(user: User, found: dict[int, list[int]]) -> list[Section]:
    room, named = MOST_IN_MAIL, {}
    for search, listings in found.items():
        named[search] = listings[: min(MOST_OF_SEARCH, room)]
        room -= len(named[search])
    shown = Listing.objects.for_display().in_bulk([pk for listings in named.values() for pk in listings])
    searches = SavedSearch.objects.of(user).in_bulk(list(found))
    return [
        Section(searches[search], [shown[pk] for pk in named[search]], len(listings) - len(named[search]), stop_url(searches[search]))
        for search, listings in found.items()
    ]


# --- Leaving one search -----------------------------------------------------------------------------------------------------


def stop_url(saved: SavedSearch) -> str:
    """Where the mails about this one search are stopped without signing in."""
    return settings.SITE_URL + reverse("alerts:stop", args=[_SIGNER.sign(saved.uid.hex)])


def of_token(token: str) -> SavedSearch | None:
    """Whose address this is; None if it was not made here, or the search is deleted."""
    try:
        return SavedSearch.objects.filter(uid=_SIGNER.unsign(token)).first()
    except signing.BadSignature:
        return None
