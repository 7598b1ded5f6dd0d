"""What came from partners: how far each was read, whose listing is which here, what was no good, what people decided about it."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from marketplace.companies.models import Company
from marketplace.federation.enums import Decision
from marketplace.listings.models import Listing

from .partners import Partner

URI_LENGTH = 500


class Checkpoint(models.Model):
    """How far a partner was read, who reads it now, and when it is read next. Moved in the transaction of the rows it covers.

    `state` is the reader's own. `generation` is the number of the snapshot that runs (`in_snapshot`) or ran last: what a snapshot shows is
    marked with it. `held_at`: so many listings of so many would go at once that a person has to say whether (RemoteListing.leaving).
    """

    partner = models.OneToOneField(Partner, models.CASCADE, related_name="checkpoint")
    state = models.JSONField(default=dict, blank=True)
    generation = models.PositiveIntegerField(default=0)
    in_snapshot = models.BooleanField(default=False)
    lease_until = models.DateTimeField(null=True, blank=True)
    leased_by = models.CharField(max_length=80, blank=True)
    next_at = models.DateTimeField(_("next visit"), default=timezone.now)
    last_attempt_at = models.DateTimeField(_("last visit"), null=True, blank=True)
    last_success_at = models.DateTimeField(_("last visit that came to its end"), null=True, blank=True)
    failures = models.PositiveIntegerField(_("failures in a row"), default=0)
    error_code = models.CharField(max_length=40, blank=True)
    error = models.TextField(_("error"), blank=True)
    lag = models.PositiveBigIntegerField(_("changes still to come"), null=True, blank=True)
    held_at = models.DateTimeField(_("removals held since"), null=True, blank=True)
    held_count = models.PositiveIntegerField(_("removals held"), default=0)
    held_of = models.PositiveIntegerField(_("of so many listings"), default=0)

    class Meta:
        verbose_name, verbose_name_plural = _("checkpoint"), _("checkpoints")
        indexes = [models.Index(fields=["next_at"], name="checkpoint_due")]

    def __str__(self) -> str:
        return f"{self.partner}: {self.state}"


class HarvestRun(models.Model):
    """One visit to a partner, from its first page to its last or to the error that ended it."""

    partner = models.ForeignKey(Partner, models.CASCADE, related_name="runs")
    started_at = models.DateTimeField(_("began"), default=timezone.now)
    ended_at = models.DateTimeField(_("ended"), null=True, blank=True)
    is_snapshot = models.BooleanField(_("everything was read"), default=False)
    pages = models.PositiveIntegerField(_("pages"), default=0)
    created = models.PositiveIntegerField(_("new"), default=0)
    changed = models.PositiveIntegerField(_("changed"), default=0)
    ended = models.PositiveIntegerField(_("removed"), default=0)
    erased = models.PositiveIntegerField(_("erased"), default=0)
    unchanged = models.PositiveIntegerField(_("unchanged"), default=0)
    left_out = models.PositiveIntegerField(_("not wanted"), default=0)
    quarantined = models.PositiveIntegerField(_("quarantined"), default=0)
    held = models.PositiveIntegerField(_("removals held"), default=0)
    error_code = models.CharField(max_length=40, blank=True)
    error = models.TextField(_("error"), blank=True)

    class Meta:
        ordering = ("-started_at", "-id")
        verbose_name, verbose_name_plural = _("visit"), _("visits")
        indexes = [models.Index(fields=["partner", "-started_at"], name="harvest_run_latest")]

    def __str__(self) -> str:
        return f"{self.partner} {self.started_at:%Y-%m-%d %H:%M}"


class RemoteCompany(models.Model):
    """A partner's company and the row that stands for it here. Its identity is kept of legal persons only."""

    partner = models.ForeignKey(Partner, models.CASCADE, related_name="remote_companies")
    company = models.OneToOneField(Company, models.CASCADE, related_name="of_partner")
    uri = models.CharField(max_length=URI_LENGTH, unique=True)
    # Of what the origin says of it: nothing is written as long as it stays the same.
    digest = models.CharField(max_length=80)
    scheme = models.CharField(max_length=10, blank=True)
    identifier = models.CharField(max_length=40, blank=True)

    class Meta:
        verbose_name, verbose_name_plural = _("company of a partner"), _("companies of partners")
        indexes = [models.Index(fields=["scheme", "identifier"], name="remote_company_identity", condition=~Q(identifier=""))]

    def __str__(self) -> str:
        return self.uri


class RemoteListing(models.Model):
    """A partner's listing as its origin knows it. Stays as a tombstone, without content, when the listing is gone.

    `seen` is the generation in which it was seen last, `born` that in which it came. `fingerprint` is of what people read, so that the same
    text under another address is noticed. `leaving` is the reason for which it is to go, at the worker's next step or as soon as a person lets it
    (MISSING: a snapshot did not show it any more).
    """

    MISSING = "missing"

    partner = models.ForeignKey(Partner, models.CASCADE, related_name="remote_listings")
    listing = models.OneToOneField(Listing, models.SET_NULL, null=True, blank=True, related_name="of_partner")
    uri = models.CharField(max_length=URI_LENGTH, unique=True)
    version = models.BigIntegerField(default=0)
    digest = models.CharField(max_length=80, blank=True)
    fingerprint = models.CharField(max_length=64, blank=True)
    updated_at = models.DateTimeField(_("changed at its origin"), null=True, blank=True)
    harvested_at = models.DateTimeField(_("read"), default=timezone.now)
    seen = models.PositiveIntegerField(default=0)
    born = models.PositiveIntegerField(default=0)
    tombstoned_at = models.DateTimeField(_("gone since"), null=True, blank=True)
    reason = models.CharField(_("why it is gone"), max_length=12, blank=True)
    leaving = models.CharField(max_length=12, blank=True)
    leaving_version = models.BigIntegerField(default=0)
    # It went, or is to go, by the partner's word alone; those of one day count together (see brake).
    unasked = models.BooleanField(default=False)
    # Not shown until a curator has said that it is no duplicate of another one.
    held_back = models.BooleanField(default=False)

    class Meta:
        verbose_name, verbose_name_plural = _("listing of a partner"), _("listings of partners")
        indexes = [
            models.Index(fields=["partner", "tombstoned_at", "seen"], name="remote_listing_live"),
            models.Index(fields=["partner", "leaving"], name="remote_listing_leaving", condition=~Q(leaving="")),
            models.Index(fields=["fingerprint"], name="remote_listing_same_text", condition=~Q(fingerprint="")),
        ]

    def __str__(self) -> str:
        return self.uri


class QuarantinedItem(models.Model):
    """An item that was no good, with the reason; the same fault of the same item is one row, however often it comes."""

    partner = models.ForeignKey(Partner, models.CASCADE, related_name="quarantine")
    # Of the uri, or of the text where there is none.
    key = models.CharField(max_length=64)
    uri = models.CharField(max_length=URI_LENGTH, blank=True)
    code = models.CharField(_("fault"), max_length=40)
    message = models.TextField(_("what is wrong"))
    item = models.TextField(_("the item"), blank=True)
    first_seen = models.DateTimeField(_("first seen"), default=timezone.now)
    last_seen = models.DateTimeField(_("last seen"), default=timezone.now)
    times = models.PositiveIntegerField(_("times"), default=1)
    # Set when a good version of the item came, or when a person has seen to it.
    resolved_at = models.DateTimeField(_("settled"), null=True, blank=True)

    class Meta:
        ordering = ("-last_seen", "-id")
        verbose_name, verbose_name_plural = _("item in quarantine"), _("items in quarantine")
        constraints = [models.UniqueConstraint(fields=["partner", "key", "code"], name="quarantined_once")]
        indexes = [models.Index(fields=["partner", "resolved_at", "-last_seen"], name="quarantine_open")]

    def __str__(self) -> str:
        return f"{self.code} {self.uri}"


class DuplicateCandidate(models.Model):
    """Two listings that may be one. A curator decides; nothing is ever merged by itself. `first` was here before `second`."""

    first = models.ForeignKey(Listing, models.CASCADE, related_name="+")
    second = models.ForeignKey(Listing, models.CASCADE, related_name="duplicate_candidates")
    similarity = models.FloatField(_("similarity"), help_text=_("0 to 1; 1: the same text."))
    created = models.DateTimeField(default=timezone.now)
    decision = models.CharField(_("decision"), max_length=10, choices=Decision, blank=True)
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    decided_at = models.DateTimeField(_("decided"), null=True, blank=True)

    class Meta:
        ordering = ("-similarity", "id")
        verbose_name, verbose_name_plural = _("possible duplicate"), _("possible duplicates")
        constraints = [
            models.UniqueConstraint(fields=["first", "second"], name="duplicate_candidate_once"),
            models.CheckConstraint(condition=~Q(first=F("second")), name="duplicate_candidate_two"),
        ]

    def __str__(self) -> str:
        return f"{self.first_id} ~ {self.second_id}"


class Overlay(models.Model):
    """What a curator laid over a partner's listing. The origin's text stays below it (`original`) and every later harvest keeps it on top.

    `original` has what the origin said last of the fields that are covered: {"title": …, "description": …, "language": …, "keywords": …}.
    """

    listing = models.OneToOneField(Listing, models.CASCADE, related_name="overlay")
    hidden = models.BooleanField(_("hidden here"), default=False)
    reason = models.CharField(_("why it is hidden"), max_length=300, blank=True)
    tags = models.CharField(_("more keywords"), max_length=200, blank=True, help_text=_("Separated by commas."))
    language = models.CharField(_("language of the translation"), max_length=2, choices=settings.LANGUAGES, blank=True)
    title = models.CharField(_("translated title"), max_length=120, blank=True)
    description = models.TextField(_("translated description"), max_length=6000, blank=True)
    original = models.JSONField(default=dict, blank=True)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    modified = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name, verbose_name_plural = _("overlay"), _("overlays")

    def __str__(self) -> str:
        return f"{self.listing_id}"
