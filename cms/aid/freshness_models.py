"""What keeps aid true: the links of the site's pages, the looks that officers took, and calls that came from a file."""

import datetime
import uuid
from http import HTTPStatus

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from marketplace.core.addresses import Reason
from marketplace.core.models import BaseModel


class LinkState(models.TextChoices):
    """What is known of an address."""

    NEW = "new", _("Not checked yet")
    FINE = "fine", _("Works")
    UNSURE = "unsure", _("Answers, but does not let us in")
    FAILING = "failing", _("Failed, to be tried again")
    BROKEN = "broken", _("Broken")


class LinkQuerySet(models.QuerySet):
    """Addresses."""

    def watched(self) -> "LinkQuerySet":
        """Those that nobody decided to leave alone."""
        return self.filter(ignored_at=None)

    def broken(self) -> "LinkQuerySet":
        """What somebody has to mend."""
        return self.watched().filter(state=LinkState.BROKEN)

    def due(self, now: datetime.datetime) -> "LinkQuerySet":
        """To be checked now, and by nobody else at this moment."""
        return self.watched().filter(Q(lease_until=None) | Q(lease_until__lt=now), next_check_at__lte=now).order_by("next_check_at", "pk")


class LinkCheck(BaseModel):
    """One address of the world outside, wherever our pages lead to it."""

    url = models.CharField(_("address"), max_length=1000, unique=True)
    host = models.CharField(max_length=255, db_index=True)
    state = models.CharField(_("state"), max_length=10, choices=LinkState, default=LinkState.NEW)
    status = models.PositiveSmallIntegerField(_("answer"), null=True, blank=True)
    reason = models.CharField(_("reason"), max_length=12, choices=Reason, blank=True)
    moved_to = models.CharField(_("moved to"), max_length=2000, blank=True)
    fails = models.PositiveSmallIntegerField(_("failures in a row"), default=0)
    first_failed_at = models.DateTimeField(_("fails since"), null=True, blank=True)
    checked_at = models.DateTimeField(_("checked"), null=True, blank=True)
    next_check_at = models.DateTimeField(_("next check"), default=timezone.now)
    lease_until = models.DateTimeField(null=True, blank=True)
    ignored_at = models.DateTimeField(_("left alone since"), null=True, blank=True)
    ignored_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("left alone by"))
    ignored_because = models.CharField(_("why"), max_length=200, blank=True)

    objects = LinkQuerySet.as_manager()

    class Meta:
        ordering = ("url",)
        verbose_name, verbose_name_plural = _("link"), _("links")
        indexes = [models.Index(fields=["next_check_at"], name="link_next_check"), models.Index(fields=["state"], name="link_state")]

    def __str__(self) -> str:
        return self.url

    @property
    def why(self) -> str:
        """What is wrong with it, in plain words; empty if nothing is."""
        if self.reason:
            return str(Reason(self.reason).label)
        if self.state == LinkState.UNSURE:
            return _now("The site works, but keeps programs or strangers out (%(status)s). Click on it and see.") % {"status": self.status}
        if self.status is None or self.state in (LinkState.NEW, LinkState.FINE):
            return ""
        if self.status in (HTTPStatus.NOT_FOUND, HTTPStatus.GONE):
            return _now("The site is there, this page is not (%(status)s).") % {"status": self.status}
        if self.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            return _now("The site has a fault of its own (%(status)s).") % {"status": self.status}
        return _now("The site refuses the address (%(status)s).") % {"status": self.status}


class LinkUse(models.Model):
    """Where an address stands: on a page, or with a funder whom pages name."""

    link = models.ForeignKey(LinkCheck, models.CASCADE, related_name="uses")
    page = models.ForeignKey("wagtailcore.Page", models.CASCADE, null=True, blank=True, related_name="+", verbose_name=_("page"))
    funder = models.ForeignKey("aid.Funder", models.CASCADE, null=True, blank=True, related_name="+", verbose_name=_("funder"))
    field = models.CharField(_("field"), max_length=60, help_text=_("The name of the model's field."))
    text = models.CharField(_("text of the link"), max_length=200, blank=True)

    class Meta:
        verbose_name, verbose_name_plural = _("use of a link"), _("uses of links")

    def __str__(self) -> str:
        return f"{self.page or self.funder}: {self.field}"


class Review(models.Model):
    """That somebody looked whether an aid is still as its page says. One row for all its languages."""

    page = models.ForeignKey("aid.AidPage", models.CASCADE, related_name="reviews")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("by"))
    at = models.DateTimeField(_("when"), default=timezone.now)
    note = models.CharField(_("note"), max_length=300, blank=True)

    class Meta:
        ordering = ("-at", "-pk")
        verbose_name, verbose_name_plural = _("review"), _("reviews")

    def __str__(self) -> str:
        return f"{self.page}: {self.at:%Y-%m-%d}"


class Upkeep(models.Model):
    """What was last told about an aid, by its translation key: its state to the change log, its due review to an officer."""

    translation_key = models.UUIDField(unique=True)
    state = models.CharField(max_length=12, blank=True)
    reminded_on = models.DateField(null=True, blank=True)
    # The due date of the reminder: another one means that somebody looked meanwhile.
    reminded_of = models.DateField(null=True, blank=True)

    def __str__(self) -> str:
        return f"{self.translation_key} {self.state}"


class CallFileState(models.TextChoices):
    """The life of a file of calls."""

    DRAFT = "draft", _("To be looked at")
    RUNNING = "running", _("Being applied")
    DONE = "done", _("Applied")


class Outcome(models.TextChoices):
    """What becomes of a call of a file."""

    NEW = "new", _("New")
    CHANGED = "changed", _("Changed")
    UNCHANGED = "unchanged", _("Unchanged")
    REFUSED = "refused", _("Not taken")


class CallFile(BaseModel):
    """A file of calls, as somebody uploaded it, and what became of it."""

    name = models.CharField(_("file"), max_length=200)
    content = models.BinaryField()
    sha256 = models.CharField(_("fingerprint"), max_length=64, db_index=True)
    reading = models.JSONField(default=dict)
    total = models.PositiveIntegerField(_("calls"), default=0)
    state = models.CharField(_("state"), max_length=10, choices=CallFileState, default=CallFileState.DRAFT)
    publish = models.BooleanField(_("changes published at once"), default=False)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("by"))
    applied_at = models.DateTimeField(_("applied"), null=True, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("-created",)
        verbose_name, verbose_name_plural = _("file of calls"), _("files of calls")

    def __str__(self) -> str:
        return self.name


class CallRow(models.Model):
    """What became of one call of a file. `changes` holds [label, before, after] as they were shown."""

    file = models.ForeignKey(CallFile, models.CASCADE, related_name="rows")
    number = models.PositiveIntegerField(_("line"))
    source_id = models.CharField(_("call number"), max_length=40, blank=True)
    title = models.CharField(_("title"), max_length=255, blank=True)
    outcome = models.CharField(_("outcome"), max_length=10, choices=Outcome)
    changes = models.JSONField(default=list)
    messages = models.JSONField(default=list)
    page = models.ForeignKey("aid.AidPage", models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("page"))

    class Meta:
        ordering = ("number",)
        verbose_name, verbose_name_plural = _("call of a file"), _("calls of a file")
        constraints = [models.UniqueConstraint(fields=["file", "number"], name="call_row_once")]

    def __str__(self) -> str:
        return f"{self.number} {self.source_id}"


class ImportedCall(models.Model):
    """Which call of another database an aid page stands for. The unique key keeps two uploads at once from making it twice."""

    source = models.CharField(_("database"), max_length=20)
    source_id = models.CharField(_("call number"), max_length=40)
    translation_key = models.UUIDField(default=uuid.uuid4, db_index=True)
    # What the file said last time: an officer's correction of it is kept until the file itself says something new.
    facts = models.JSONField(default=dict)

    class Meta:
        verbose_name, verbose_name_plural = _("imported call"), _("imported calls")
        constraints = [models.UniqueConstraint(fields=["source", "source_id"], name="imported_call_once")]

    def __str__(self) -> str:
        return f"{self.source} {self.source_id}"
