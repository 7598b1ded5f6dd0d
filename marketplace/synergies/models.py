"""Synergies: an offer and a demand that fit, why, and what the two companies made of it."""

import datetime
from collections.abc import Iterable

from django.conf import settings
from django.db import models
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from marketplace.companies.models import Company
from marketplace.core.models import BaseModel
from marketplace.listings.enums import Kind
from marketplace.listings.models import Listing

from .enums import DismissReason, Side, State, Step
from .querysets import SynergyQuerySet


class Synergy(BaseModel):
    """A stored, explained match of one offer and one demand."""

    offer = models.ForeignKey(Listing, models.CASCADE, related_name="synergies_as_offer", verbose_name=_("offer"))
    demand = models.ForeignKey(Listing, models.CASCADE, related_name="synergies_as_demand", verbose_name=_("demand"))
    score = models.FloatField(_("score"), help_text=_("0 to 100"))
    signals = models.JSONField(_("signals"), default=list, help_text=_("[{name, points, maximum}]"))
    reasons = models.JSONField(_("reasons"), default=list, help_text=_("[{code, positive, data}], spans “mine” in the demand, “theirs” in the offer"))
    engine_version = models.CharField(_("engine version"), max_length=40)
    offer_version = models.PositiveIntegerField(default=0)
    demand_version = models.PositiveIntegerField(default=0)
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.SUGGESTED)
    offer_interest_at = models.DateTimeField(_("the offering side is interested since"), null=True, blank=True)
    demand_interest_at = models.DateTimeField(_("the asking side is interested since"), null=True, blank=True)
    mutual_at = models.DateTimeField(_("both are interested since"), null=True, blank=True)
    dismissed_by = models.ForeignKey(Company, models.SET_NULL, null=True, blank=True, related_name="+")
    dismissed_reason = models.CharField(_("why dismissed"), max_length=20, choices=DismissReason, blank=True)
    dismissed_comment = models.CharField(_("comment"), max_length=500, blank=True)
    suggested_at = models.DateTimeField(_("suggested"), default=timezone.now)
    # A curator put the two together by hand: the engine renews the reasons, but never takes the suggestion away.
    proposed_at = models.DateTimeField(_("proposed by the Innovation Service"), null=True, blank=True)
    proposed_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    proposed_note = models.CharField(_("why, in a curator's words"), max_length=500, blank=True)
    # What the pair is to the two lists it stands in, kept by `exposure`; None before its first turn.
    vouched = models.FloatField(_("points by which the demand's list ranks it higher, beside the score"), null=True, editable=False)
    promise = models.FloatField(_("by what the demand's list is ordered"), null=True, editable=False)
    place_for_demand = models.PositiveIntegerField(_("place in the demand's list"), null=True, editable=False)
    place_for_offer = models.PositiveIntegerField(_("place in the offer's list"), null=True, editable=False)
    turn = models.PositiveIntegerField(_("turn among those who wish for the offer"), null=True, editable=False)
    mutual_points = models.FloatField(_("points for standing high in both lists"), default=0, editable=False)
    is_held_back = models.BooleanField(_("not put on the demand's list, since the offer is on many others"), default=False, editable=False)

    objects = SynergyQuerySet.as_manager()

    class Meta:
        ordering = ("-score", "-id")
        verbose_name, verbose_name_plural = _("synergy"), _("synergies")
        constraints = [models.UniqueConstraint(fields=["offer", "demand"], name="synergy_pair_once")]
        indexes = [models.Index(fields=["state", "-score"], name="synergy_best")]

    def __str__(self) -> str:
        return f"{self.demand} ↔ {self.offer} ({self.score:.0f})"

    def get_absolute_url(self) -> str:
        """The page for the two companies."""
        return reverse("synergies:detail", args=[self.uid])

    @property
    def is_open(self) -> bool:
        """Whether the two can still come together: both listings are public and still an offer and a demand."""
        return self.offer.is_live and self.demand.is_live and (self.offer.kind, self.demand.kind) == (Kind.OFFER, Kind.DEMAND)

    @property
    def is_off_the_list(self) -> bool:
        """Whether it is held back from the demand's list now: the first yes ends that, and a curator's word prevents it."""
        return self.is_held_back and self.state == State.SUGGESTED and self.proposed_at is None

    def listing(self, side: Side) -> Listing:
        """The listing of that side."""
        return self.demand if side == Side.DEMAND else self.offer

    def interest_at(self, side: Side) -> datetime.datetime | None:
        """Since when that side is interested."""
        return self.demand_interest_at if side == Side.DEMAND else self.offer_interest_at

    def set_interest(self, side: Side, moment: datetime.datetime | None) -> None:
        """Note that side's interest, or take it away."""
        setattr(self, f"{side.value}_interest_at", moment)

    def sides_of(self, companies: Iterable[int]) -> list[Side]:
        """The sides on which these companies (primary keys) are, the demand's first; most people have one at most."""
        companies = set(companies)
        return [side for side in Side if self.listing(side).company_id in companies]

    def side_to_answer(self, companies: Iterable[int]) -> Side | None:
        """The side for which a person of these companies speaks now, None for somebody else.

        Who acts for both speaks for one company at a time, first for one that has not answered: a press of a button
        never binds two companies at once.
        """
        sides = self.sides_of(companies)
        return next((side for side in sides if self.interest_at(side) is None), sides[0] if sides else None)


class SynergyEvent(models.Model):
    """One step: which company took it, who and when. Never changed afterwards."""

    synergy = models.ForeignKey(Synergy, models.CASCADE, related_name="events")
    step = models.CharField(_("step"), max_length=12, choices=Step)
    company = models.ForeignKey(Company, models.SET_NULL, null=True, blank=True, related_name="+")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ("at", "id")
        verbose_name, verbose_name_plural = _("step"), _("steps")

    def __str__(self) -> str:
        return f"{self.step} {self.at:%Y-%m-%d}"


class Announcement(models.Model):
    """That a person was told of a pair by the digest: the ledger that keeps it from being told twice.

    It names the pair, not the synergy: a suggestion that goes away with an expired listing and comes back with its renewal
    is no news.
    """

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="announcements")
    offer = models.ForeignKey(Listing, models.CASCADE, related_name="+")
    demand = models.ForeignKey(Listing, models.CASCADE, related_name="+")
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name, verbose_name_plural = _("announcement"), _("announcements")
        constraints = [models.UniqueConstraint(fields=["user", "offer", "demand"], name="announcement_once")]
        indexes = [models.Index(fields=["user", "-at"], name="announcement_latest")]

    def __str__(self) -> str:
        return f"{self.user}: {self.demand} ↔ {self.offer}"


# --- What people say about them afterwards ---------------------------------------------------------------------------------

from .beyond import Consortium, ConsortiumDue, ConsortiumMember, Ring, RingLink  # noqa: E402 - Django looks for models here
from .feedback import Advice, Judgement, OutcomeAnswer, OutcomeQuestion, UnmetMark  # noqa: E402 - Django looks for models here

__all__ = [
    "Advice",
    "Announcement",
    "Consortium",
    "ConsortiumDue",
    "ConsortiumMember",
    "Judgement",
    "OutcomeAnswer",
    "OutcomeQuestion",
    "Ring",
    "RingLink",
    "Synergy",
    "SynergyEvent",
    "UnmetMark",
]
