"""Sets of consortia and rings, by their business names."""

from django.apps import apps
from django.db import models
from django.db.models import Count, Exists, F, OuterRef, Q
from django.utils import timezone

from marketplace.listings.enums import Kind
from marketplace.listings.enums import State as ListingState

from .enums import State


def live(prefix: str, kind: Kind) -> Q:
    """Whether the listing at the end of `prefix` is public today and of that kind."""
    values = {"state": ListingState.PUBLISHED, "valid_until__gte": timezone.localdate(), "company__hidden": False, "kind": kind}
    return Q(**{f"{prefix}__{name}": value for name, value in values.items()})


def _companies(user: object) -> models.QuerySet:
    return user.memberships.active().values("company")


class ConsortiumQuerySet(models.QuerySet):
    """Consortia. `user` is always a signed-in person."""

    def of(self, user: object) -> "ConsortiumQuerySet":
        """Those whose demand, or one of whose offers, is of a company of `user`."""
        return self.filter(
            Q(demand__company__in=_companies(user)) | Exists(self._members().filter(consortium=OuterRef("pk"), offer__company__in=_companies(user)))
        )

    def asked_by(self, user: object) -> "ConsortiumQuerySet":
        """Those for a demand of a company of `user`."""
        return self.filter(demand__company__in=_companies(user))

    def with_listing(self, listing: object) -> "ConsortiumQuerySet":
        """Those whose demand it is, or of which it is an offer."""
        return self.filter(Q(demand=listing) | Exists(self._members().filter(consortium=OuterRef("pk"), offer=listing)))

    def of_pair(self, offer: object, demand: object) -> "ConsortiumQuerySet":
        """Those in which the offer does a part of the demand."""
        return self.filter(Exists(self._members().filter(consortium=OuterRef("pk"), offer=offer)), demand=demand)

    def current(self) -> "ConsortiumQuerySet":
        """Worth showing: nobody set it aside, every listing is public, and no two of them have been set aside as a pair."""
        refused = apps.get_model("synergies", "Synergy").objects.filter(
            state=State.DISMISSED, demand=OuterRef("demand"), offer__consortium_parts__consortium=OuterRef("pk")
        )
        whole = self.filter(live("demand", Kind.DEMAND), dismissed_at=None).alias(present=Count("members", filter=live("members__offer", Kind.OFFER)))
        return whole.filter(~Exists(refused), present=F("size"))

    def set_aside(self) -> "ConsortiumQuerySet":
        """Those that a company did not want."""
        return self.exclude(dismissed_at=None)

    def for_display(self) -> "ConsortiumQuerySet":
        """With all that a card shows; a list costs two queries."""
        members = self._members().select_related("offer__company__sector", "offer__company__place", "offer__place", "offer__sector")
        return self.select_related("demand__company__place", "demand__company__sector", "demand__place", "demand__sector", "dismissed_by").prefetch_related(
            models.Prefetch("members", members)
        )

    @staticmethod
    def _members() -> models.QuerySet:
        return apps.get_model("synergies", "ConsortiumMember").objects.all()


class RingQuerySet(models.QuerySet):
    """Rings. `user` is always a signed-in person."""

    def of(self, user: object) -> "RingQuerySet":
        """Those in which a company of `user` is; each company of a ring has the offer of one link."""
        return self.filter(Exists(self._links().filter(ring=OuterRef("pk"), synergy__offer__company__in=_companies(user))))

    def current(self) -> "RingQuerySet":
        """Worth showing: nobody set it aside, and every link holds: both listings public, the pair not set aside."""
        holds = live("links__synergy__offer", Kind.OFFER) & live("links__synergy__demand", Kind.DEMAND) & ~Q(links__synergy__state=State.DISMISSED)
        return self.filter(dismissed_at=None).alias(present=Count("links", filter=holds)).filter(present=F("size"))

    def set_aside(self) -> "RingQuerySet":
        """Those that a company did not want."""
        return self.exclude(dismissed_at=None)

    def best_first(self) -> "RingQuerySet":
        """By the weakest link, then by the mean."""
        return self.order_by("-weakest", "-mean", "size", "id")

    def for_display(self) -> "RingQuerySet":
        """With all that a card shows; a list costs two queries."""
        links = self._links().select_related(
            "synergy__offer__company__place", "synergy__offer__company__sector", "synergy__offer__place", "synergy__offer__sector",
            "synergy__demand__company", "synergy__demand__place", "synergy__demand__sector",
        )  # fmt: skip
        return self.select_related("dismissed_by").prefetch_related(models.Prefetch("links", links))

    @staticmethod
    def _links() -> models.QuerySet:
        return apps.get_model("synergies", "RingLink").objects.all()
