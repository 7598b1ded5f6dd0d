"""Beyond pairs: several offers that together answer a demand, and companies that serve each other in a ring.

Both are found by the worker and may go with the next change of a listing. What a company set aside stays, so that it is not
proposed again.
"""

import uuid

from django.db import models
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from marketplace.companies.models import Company
from marketplace.core.models import BaseModel
from marketplace.listings.models import Listing

from .beyond_querysets import ConsortiumQuerySet, RingQuerySet


class _Proposal(BaseModel):
    """What both have: when it was found, and whether a company did not want it."""

    size = models.PositiveSmallIntegerField(_("companies"))
    suggested_at = models.DateTimeField(_("suggested"), default=timezone.now)
    dismissed_by = models.ForeignKey(Company, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("set aside by"))
    dismissed_at = models.DateTimeField(_("set aside"), null=True, blank=True)

    class Meta:
        abstract = True


class Consortium(_Proposal):
    """Offers of different companies that together answer a demand which none of them answers alone."""

    demand = models.ForeignKey(Listing, models.CASCADE, related_name="consortia", verbose_name=_("demand"))
    #: The offers, in the order of their primary keys: "12,45,46".
    key = models.CharField(max_length=100, editable=False)
    covered = models.FloatField(_("covered"), help_text=_("0 to 1, of what the demand wants"))
    best_alone = models.FloatField(_("best single offer"), help_text=_("0 to 1, of what the demand wants"))
    missing = models.JSONField(_("missing"), default=list, help_text=_("words of the demand that nobody answers"))
    engine_version = models.CharField(_("engine version"), max_length=40)

    objects = ConsortiumQuerySet.as_manager()

    class Meta:
        ordering = ("-covered", "-id")
        verbose_name, verbose_name_plural = _("group"), _("groups")
        constraints = [models.UniqueConstraint(fields=["demand", "key"], name="consortium_once")]

    def __str__(self) -> str:
        return f"{self.demand} ← {self.size}"

    def get_absolute_url(self) -> str:
        """The page for its companies."""
        return reverse("synergies:group", args=[self.uid])


class ConsortiumMember(models.Model):
    """An offer and its part. `pairs` are spans as a synergy's reasons have them, "mine" in the demand."""

    consortium = models.ForeignKey(Consortium, models.CASCADE, related_name="members")
    offer = models.ForeignKey(Listing, models.CASCADE, related_name="consortium_parts", verbose_name=_("offer"))
    share = models.FloatField(_("its part"), help_text=_("0 to 1, of what the demand wants"))
    pairs = models.JSONField(_("evidence"), default=list)

    class Meta:
        ordering = ("-share", "id")
        verbose_name, verbose_name_plural = _("member"), _("members")
        constraints = [models.UniqueConstraint(fields=["consortium", "offer"], name="consortium_member_once")]

    def __str__(self) -> str:
        return f"{self.offer} ({self.share:.0%})"


class ConsortiumDue(models.Model):
    """That a demand has to be looked at anew. `stamp` changes with every mark: what was marked while it was looked at stays due."""

    demand = models.OneToOneField(Listing, models.CASCADE, related_name="+")
    stamp = models.UUIDField(default=uuid.uuid4)

    class Meta:
        verbose_name, verbose_name_plural = _("demand to look at"), _("demands to look at")

    def __str__(self) -> str:
        return str(self.demand_id)


class Ring(_Proposal):
    """Companies of which each can serve the next, and the last one the first."""

    #: The companies in the order in which they serve, the smallest primary key first: "3>18>7".
    key = models.CharField(max_length=100, unique=True, editable=False)
    weakest = models.FloatField(_("weakest link"), help_text=_("0 to 100"))
    mean = models.FloatField(_("mean of its links"), help_text=_("0 to 100"))

    objects = RingQuerySet.as_manager()

    class Meta:
        ordering = ("-weakest", "-mean", "id")
        verbose_name, verbose_name_plural = _("ring"), _("rings")
        indexes = [models.Index(fields=["dismissed_at", "-weakest", "-mean"], name="ring_best")]

    def __str__(self) -> str:
        return f"{self.key} ({self.weakest:.0f})"

    def get_absolute_url(self) -> str:
        """The page for its companies."""
        return reverse("synergies:ring", args=[self.uid])


class RingLink(models.Model):
    """One company's offer serves the next one's demand: the best synergy between the two."""

    ring = models.ForeignKey(Ring, models.CASCADE, related_name="links")
    place = models.PositiveSmallIntegerField()
    synergy = models.ForeignKey("synergies.Synergy", models.CASCADE, related_name="ring_links")

    class Meta:
        ordering = ("ring", "place")
        verbose_name, verbose_name_plural = _("link"), _("links")
        constraints = [models.UniqueConstraint(fields=["ring", "place"], name="ring_link_once")]

    def __str__(self) -> str:
        return f"{self.place}: {self.synergy}"
