"""Saved searches, what they found, and who was told of it."""

from django.conf import settings
from django.db import models
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from marketplace.core.models import BaseModel
from marketplace.listings.models import Listing

from .enums import Alert
from .querysets import FindingQuerySet, SavedSearchQuerySet

NAME_LENGTH = 100


class SavedSearch(BaseModel):
    """A search that its owner wants to hear of. Change it through `operations` only.

    `is_ready` says that what it found when it was saved is known. Until then the place that the index's reader had in the
    change log at the saving tells what is news: whatever changed after it.
    """

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="saved_searches")
    name = models.CharField(_("name"), max_length=NAME_LENGTH)
    parameters = models.TextField(_("search"), blank=True, help_text=_("The query string of the search page, without order and page."))
    fingerprint = models.CharField(max_length=64)
    alert = models.CharField(_("alert"), max_length=7, choices=Alert, default=Alert.ON)
    alert_since = models.DateTimeField(_("mail what was found after"), default=timezone.now)
    looked_at = models.DateTimeField(_("last looked at"), default=timezone.now)
    index_transaction = models.BigIntegerField(default=0)
    index_change = models.BigIntegerField(default=0)
    is_ready = models.BooleanField(default=False)

    objects = SavedSearchQuerySet.as_manager()

    class Meta:
        ordering = ("-created", "-id")
        verbose_name, verbose_name_plural = _("saved search"), _("saved searches")
        constraints = [models.UniqueConstraint(fields=["owner", "fingerprint"], name="saved_search_once")]
        indexes = [models.Index(fields=["fingerprint"], name="saved_search_same"), models.Index(fields=["is_ready"], name="saved_search_ready")]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        """What is new in it, for its owner."""
        return reverse("alerts:detail", args=[self.uid])

    @property
    def is_mailed(self) -> bool:
        """Whether new results are mailed."""
        return self.alert == Alert.ON

    @property
    def results_url(self) -> str:
        """Everything it finds, on the public page."""
        return reverse("listings:search") + (f"?{self.parameters}" if self.parameters else "")


class Finding(models.Model):
    """That a search found a listing: as news, or among what it found already when it was saved.

    It stays when the listing fits no more: one that is edited to and fro is news once.
    """

    search = models.ForeignKey(SavedSearch, models.CASCADE, related_name="findings")
    listing = models.ForeignKey(Listing, models.CASCADE, related_name="+")
    is_news = models.BooleanField()
    at = models.DateTimeField(default=timezone.now)

    objects = FindingQuerySet.as_manager()

    class Meta:
        verbose_name, verbose_name_plural = _("found listing"), _("found listings")
        constraints = [models.UniqueConstraint(fields=["search", "listing"], name="finding_once")]
        indexes = [models.Index(fields=["search", "is_news", "-at"], name="finding_latest")]

    def __str__(self) -> str:
        return f"{self.search}: {self.listing}"


class Mention(models.Model):
    """That a person was told of a listing, or of an aid, by mail: the ledger that keeps it from being told twice, whichever searches find it.

    An aid is told again when its facts change: `facts` are those that were told, and `number` counts the times.
    """

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="mentions")
    listing = models.ForeignKey(Listing, models.CASCADE, null=True, blank=True, related_name="+")
    # The aid's name in all its languages. This app knows no pages, so it is no key.
    aid = models.UUIDField(null=True, blank=True)
    number = models.PositiveIntegerField(null=True, blank=True)
    facts = models.JSONField(default=dict, blank=True)
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name, verbose_name_plural = _("mention in a mail"), _("mentions in mails")
        constraints = [
            models.UniqueConstraint(fields=["user", "listing"], name="mention_once"),
            models.UniqueConstraint(fields=["user", "aid", "number"], name="mention_of_aid_once"),
            models.CheckConstraint(condition=models.Q(listing__isnull=True) ^ models.Q(aid__isnull=True), name="mention_of_one_thing"),
        ]

    def __str__(self) -> str:
        return f"{self.user}: {self.listing or self.aid}"
