"""Sets of synergies, by their business names."""

from django.db import models
from django.db.models import Case, ExpressionWrapper, F, Q, When
from django.db.models.functions import Coalesce
from django.utils import timezone

from marketplace.companies.models import Company
from marketplace.listings.enums import Kind
from marketplace.listings.enums import State as ListingState

from .enums import State


def _both_live() -> Q:
    today = timezone.localdate()
    return Q(
        offer__state=ListingState.PUBLISHED,
        demand__state=ListingState.PUBLISHED,
        offer__valid_until__gte=today,
        demand__valid_until__gte=today,
        offer__company__hidden=False,
        demand__company__hidden=False,
        offer__kind=Kind.OFFER,
        demand__kind=Kind.DEMAND,
    )


def _held_back() -> Q:
    """Not put on the demand's list; ends with the first yes, and is not for what a curator put together."""
    return Q(is_held_back=True, state=State.SUGGESTED, proposed_at=None)


def _companies(user: object) -> models.QuerySet | list[int]:
    return [user.pk] if isinstance(user, Company) else user.memberships.active().values("company")


class SynergyQuerySet(models.QuerySet):
    """Synergies. `user` is a signed-in person, who acts for all of their companies, or one company, which a program's key is for."""

    def of(self, user: object) -> "SynergyQuerySet":
        """Those in which a company of `user` has the offer or the demand."""
        companies = _companies(user)
        return self.filter(Q(offer__company__in=companies) | Q(demand__company__in=companies))

    def current(self) -> "SynergyQuerySet":
        """Worth showing: both listings live, or both sides said yes already."""
        return self.filter(Q(state__in=(State.SUGGESTED, State.INTEREST)) & _both_live() | Q(state=State.MUTUAL))

    def open(self) -> "SynergyQuerySet":
        """Not decided: both listings live, at least one side has still to answer."""
        return self.filter(_both_live(), state__in=(State.SUGGESTED, State.INTEREST))

    def waiting_for(self, user: object) -> "SynergyQuerySet":
        """Open and on a list of `user`, and a company of theirs has not answered."""
        companies = _companies(user)
        return (
            self.open()
            .listed_for(user)
            .filter(Q(demand__company__in=companies, demand_interest_at=None) | Q(offer__company__in=companies, offer_interest_at=None))
        )

    def answered_by(self, user: object) -> "SynergyQuerySet":
        """Open, a company of `user` said yes and waits for the other one."""
        return self.open().filter(self._interest_of(user), state=State.INTEREST)

    def ranked(self) -> "SynergyQuerySet":
        """Those that have a place in the lists of both: both listings live, nobody said no, found by the engine."""
        return self._found_by_the_engine().filter(_both_live())

    def rankable(self) -> "SynergyQuerySet":
        """Those that have a place in both lists while `is_live` is true, which stands beside them.

        Not filtered by it: with some thousand pairs asked for, SQLite began with the companies and took a minute.
        """
        return self._found_by_the_engine().annotate(is_live=ExpressionWrapper(_both_live(), models.BooleanField()))

    def _found_by_the_engine(self) -> "SynergyQuerySet":
        return self.filter(proposed_at=None).exclude(state=State.DISMISSED)

    def listed_for(self, user: object) -> "SynergyQuerySet":
        """Of those of `user`, all but the offers that are held back from their demands; who offers sees everybody who asks."""
        return self.exclude(_held_back() & ~Q(offer__company__in=_companies(user)))

    def held_back_from(self, user: object) -> "SynergyQuerySet":
        """What `listed_for` leaves out and what still can come together."""
        return self.open().filter(_held_back() & ~Q(offer__company__in=_companies(user)))

    def not_held_back(self) -> "SynergyQuerySet":
        """Those that both sides have on their lists."""
        return self.exclude(_held_back())

    def mutual(self) -> "SynergyQuerySet":
        """Both sides said yes."""
        return self.filter(state=State.MUTUAL)

    def with_interest(self) -> "SynergyQuerySet":
        """At least one side said yes, whatever came of it."""
        return self.filter(Q(offer_interest_at__isnull=False) | Q(demand_interest_at__isnull=False))

    def set_aside_for(self, user: object) -> "SynergyQuerySet":
        """Dismissed by a company of `user`, or by the other one after ours had said yes."""
        return self.filter(Q(dismissed_by__in=_companies(user)) | self._interest_of(user), state=State.DISMISSED)

    def behind(self, tab: str, user: object) -> "SynergyQuerySet":
        """Those of one of the inbox's tabs: waiting, answered, mutual, closed, more; any other name: all that are current."""
        match tab:
            case "waiting":
                return self.waiting_for(user)
            case "answered":
                return self.answered_by(user)
            case "mutual":
                return self.mutual()
            case "closed":
                return self.set_aside_for(user)
            case "more":
                return self.held_back_from(user)
        return self.current().listed_for(user)

    def best_for(self, user: object) -> "SynergyQuerySet":
        """Those first where the other company waits for one of `user`, then the best for both sides."""
        companies = _companies(user)
        they_wait = Q(offer_interest_at__isnull=False, demand__company__in=companies, demand_interest_at=None) | Q(
            demand_interest_at__isnull=False, offer__company__in=companies, offer_interest_at=None
        )
        worth = Coalesce("promise", "score") + F("mutual_points")
        return self.annotate(they_wait=Case(When(they_wait, then=1), default=0), worth=worth).order_by("-they_wait", "-worth", "-id")

    def with_listing(self, listing: object) -> "SynergyQuerySet":
        """Those of one listing."""
        return self.filter(Q(offer=listing) | Q(demand=listing))

    def with_listing_at(self, source_uri: str) -> "SynergyQuerySet":
        """Those of a partner marketplace's listing, by its address there."""
        return self.filter(Q(offer__source_uri=source_uri) | Q(demand__source_uri=source_uri))

    def for_display(self) -> "SynergyQuerySet":
        """With all that a card shows, so that a list costs one query."""
        return self.select_related(
            "offer__company__sector", "offer__company__place", "offer__sector", "offer__place",
            "demand__company__sector", "demand__company__place", "demand__sector", "demand__place",
            "dismissed_by",
        )  # fmt: skip

    @staticmethod
    def _interest_of(user: object) -> Q:
        companies = _companies(user)
        return Q(demand__company__in=companies, demand_interest_at__isnull=False) | Q(offer__company__in=companies, offer_interest_at__isnull=False)
