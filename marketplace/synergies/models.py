"""Synergies: an offer and a demand that fit, why, and what the two companies made of it."""

from django.conf import settings
from django.db import models
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from marketplace.companies.models import Company
from marketplace.core.models import BaseModel
from marketplace.listings.models import Listing

from .enums import DismissReason, State
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

    def side_of(self, companies: set[int]) -> str | None:
        """Which side a person of these companies (primary keys) is on: "offer", "demand" or None."""
        if self.demand.company_id in companies:
            return "demand"
        return "offer" if self.offer.company_id in companies else None


class SynergyEvent(models.Model):
    """One step: suggested, interest, mutual, dismissed; who and when. Never changed afterwards."""

    synergy = models.ForeignKey(Synergy, models.CASCADE, related_name="events")
    step = models.CharField(_("step"), max_length=12, choices=[*State.choices, ("shown", _("Contact shown"))])
    company = models.ForeignKey(Company, models.SET_NULL, null=True, blank=True, related_name="+")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ("at", "id")

    def __str__(self) -> str:
        return f"{self.step} {self.at:%Y-%m-%d}"
