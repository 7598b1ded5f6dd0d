"""What the two companies tell of an outcome, and what curators say about a pair or about a listing that has none."""

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from marketplace.core.models import BaseModel
from marketplace.listings.models import Listing

from .enums import NoDeal, Outcome, Side, Unmet, Verdict


class OutcomeQuestion(models.Model):
    """That one side of a mutual synergy was asked how it went: the ledger that keeps it from being asked twice."""

    synergy = models.ForeignKey("synergies.Synergy", models.CASCADE, related_name="questions")
    side = models.CharField(max_length=6, choices=Side)
    days = models.PositiveSmallIntegerField(help_text="30, 90 or 180")
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name, verbose_name_plural = _("question about an outcome"), _("questions about outcomes")
        constraints = [models.UniqueConstraint(fields=["synergy", "side", "days"], name="outcome_asked_once")]

    def __str__(self) -> str:
        return f"{self.side} after {self.days} days"


class OutcomeAnswer(BaseModel):
    """How it went, as one side tells it. Never changed: a later answer of the same side is a row of its own and counts instead."""

    synergy = models.ForeignKey("synergies.Synergy", models.CASCADE, related_name="answers")
    side = models.CharField(_("side"), max_length=6, choices=Side)
    outcome = models.CharField(_("how it went"), max_length=10, choices=Outcome)
    reason = models.CharField(_("why not"), max_length=12, choices=NoDeal, blank=True)
    comment = models.CharField(_("comment"), max_length=500, blank=True)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")

    class Meta:
        ordering = ("created", "id")
        verbose_name, verbose_name_plural = _("outcome"), _("outcomes")

    def __str__(self) -> str:
        return f"{self.side}: {self.outcome}"


class Judgement(BaseModel):
    """What one curator thinks of a pair, suggested or not. Each has one say on a pair; the newest of all counts."""

    offer = models.ForeignKey(Listing, models.CASCADE, related_name="+", verbose_name=_("offer"))
    demand = models.ForeignKey(Listing, models.CASCADE, related_name="+", verbose_name=_("demand"))
    verdict = models.CharField(_("judgement"), max_length=6, choices=Verdict)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ("-at", "-id")
        verbose_name, verbose_name_plural = _("judgement"), _("judgements")
        constraints = [models.UniqueConstraint(fields=["offer", "demand", "by"], name="judgement_once_a_curator")]

    def __str__(self) -> str:
        return f"{self.demand} ↔ {self.offer}: {self.verdict}"


class Advice(BaseModel):
    """What a curator tells a company to add to a listing that finds nobody. Shown until the listing changes."""

    listing = models.ForeignKey(Listing, models.CASCADE, related_name="advice")
    listing_version = models.PositiveIntegerField()
    text = models.TextField(_("what to add to the text"), max_length=1000)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")

    class Meta:
        ordering = ("-created", "-id")
        verbose_name, verbose_name_plural = _("advice"), _("pieces of advice")

    def __str__(self) -> str:
        return self.text[:60]


class UnmetMark(BaseModel):
    """That a curator looked and nothing is to be had for a listing as it stands. A listing that changes is looked at again."""

    listing = models.OneToOneField(Listing, models.CASCADE, related_name="unmet_mark")
    listing_version = models.PositiveIntegerField()
    reason = models.CharField(_("why nothing is to be had"), max_length=10, choices=Unmet)
    comment = models.CharField(_("comment"), max_length=500, blank=True)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")

    class Meta:
        verbose_name, verbose_name_plural = _("nothing to be had"), _("nothing to be had")

    def __str__(self) -> str:
        return f"{self.listing}: {self.reason}"
