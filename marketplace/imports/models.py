"""Imports: a file, how its columns are read, and what became of each of its rows."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from marketplace.companies.models import Company
from marketplace.core.models import BaseModel
from marketplace.listings.models import Listing

from .enums import Outcome, State


class ImportQuerySet(models.QuerySet):
    """Imports."""

    def due(self) -> "ImportQuerySet":
        """Those that a worker should take now: waiting, or left by a worker that died."""
        free = Q(lease_until=None) | Q(lease_until__lt=timezone.now())
        return self.filter(free, state__in=(State.QUEUED, State.RUNNING)).order_by("created", "id")

    def for_display(self) -> "ImportQuerySet":
        """Without the file, which may be large."""
        return self.defer("content").select_related("by")


class Import(BaseModel):
    """One file. Its content is kept in the database, where nobody can fetch it by an address: it holds personal data."""

    name = models.CharField(_("file"), max_length=200)
    content = models.BinaryField()
    sha256 = models.CharField(_("fingerprint"), max_length=64, db_index=True)
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.DRAFT)
    reading = models.JSONField(default=dict, help_text=_("How the file was read: format, encoding, delimiter, notes."))
    mapping = models.JSONField(default=dict, help_text=_("Column → what it holds."))
    options = models.JSONField(default=dict, help_text=_("Publish at once, and what to take where a row says nothing."))
    total = models.PositiveIntegerField(_("rows"), default=0)
    position = models.PositiveIntegerField(_("rows done"), default=0)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("by"))
    started_at = models.DateTimeField(_("started"), null=True, blank=True)
    finished_at = models.DateTimeField(_("finished"), null=True, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    error = models.TextField(_("error"), blank=True)
    undone = models.JSONField(default=dict, help_text=_("What an undo took away and what it had to leave."))

    objects = ImportQuerySet.as_manager()

    class Meta:
        ordering = ("-created",)
        verbose_name, verbose_name_plural = _("import"), _("imports")

    def __str__(self) -> str:
        return self.name

    @property
    def percent(self) -> int:
        """How far it has come."""
        return 100 * self.position // self.total if self.total else 0

    @property
    def is_under_way(self) -> bool:
        """Waiting for the worker or being worked on."""
        return self.state in (State.QUEUED, State.RUNNING)


class ImportRow(models.Model):
    """What became of one row, or of one half of a row that holds an offer and a demand. Written with what it tells."""

    source = models.ForeignKey(Import, models.CASCADE, related_name="rows")
    number = models.PositiveIntegerField(_("row"))
    part = models.CharField(_("kind"), max_length=6, blank=True)
    outcome = models.CharField(_("outcome"), max_length=10, choices=Outcome)
    messages = models.JSONField(default=list, help_text=_("[{level, text}], in the language of who started the import."))
    title = models.CharField(_("title"), max_length=120, blank=True)
    listing = models.ForeignKey(Listing, models.SET_NULL, null=True, blank=True, related_name="+")
    # The companies that this row brought: those an undo may take away again.
    new_company = models.ForeignKey(Company, models.SET_NULL, null=True, blank=True, related_name="+")

    class Meta:
        ordering = ("number", "part")
        verbose_name, verbose_name_plural = _("row"), _("rows")
        constraints = [models.UniqueConstraint(fields=["source", "number", "part"], name="import_row_once")]
        indexes = [models.Index(fields=["source", "outcome"], name="import_row_outcome")]

    def __str__(self) -> str:
        return f"{self.number} {self.part}".strip()


class ImportedListing(models.Model):
    """Which row of the outside world a listing stands for. The unique key keeps two imports at once from making it twice."""

    key = models.CharField(max_length=64, unique=True)
    listing = models.OneToOneField(Listing, models.CASCADE, related_name="imported")
    source = models.ForeignKey(Import, models.PROTECT, related_name="made", help_text=_("The import that made the listing."))
    # What the row said last time, and the listing's version after that: so that a person's later work is seen and kept.
    facts = models.JSONField(default=dict)
    version = models.PositiveIntegerField()

    class Meta:
        verbose_name, verbose_name_plural = _("imported listing"), _("imported listings")

    def __str__(self) -> str:
        return self.key
