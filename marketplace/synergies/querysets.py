"""Sets of synergies, by their business names."""

from django.db import models
from django.db.models import Q
from django.utils import timezone

from marketplace.listings.enums import State as ListingState

from .enums import State


class SynergyQuerySet(models.QuerySet):
    """Synergies."""

    def of(self, user: object) -> "SynergyQuerySet":
        """Those in which a company of `user` has the offer or the demand."""
        companies = list(user.memberships.active().values_list("company", flat=True))
        return self.filter(Q(offer__company__in=companies) | Q(demand__company__in=companies))

    def current(self) -> "SynergyQuerySet":
        """Worth showing: both listings live, or both sides said yes already."""
        today = timezone.localdate()
        live = Q(
            offer__state=ListingState.PUBLISHED,
            demand__state=ListingState.PUBLISHED,
            offer__valid_until__gte=today,
            demand__valid_until__gte=today,
            offer__company__hidden=False,
            demand__company__hidden=False,
        )
        return self.exclude(state=State.DISMISSED).filter(live | Q(state=State.MUTUAL))

    def for_display(self) -> "SynergyQuerySet":
        """With all that a card shows, so that a list costs one query."""
        return self.select_related(
            "offer__company__sector", "offer__company__place", "offer__sector", "offer__place",
            "demand__company__sector", "demand__company__place", "demand__sector", "demand__place",
        )  # fmt: skip
