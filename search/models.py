"""What curators teach the engine (see `vocabulary`), and every edit of it; what was done to the index. Who is a public id: accounts are above this package."""

from typing import Self

from django.db import models
from django.db.models import Count, Max
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from marketplace.core.models import BaseModel, new_uid

from .analysis import LANGUAGES
from .enums import Action, EntryKind, Work
from .vocabulary import Expression, Rule

NOTE_LENGTH = 200


class EntryQuerySet(models.QuerySet):
    """Entries of the vocabulary."""

    def in_language(self, language: str) -> Self:
        """Those with an expression in this language."""
        return self.exclude(**{language: "", f"also_{language}": ""})


class Entry(BaseModel):
    """Words that mean the same, words that find others, or phrases that say nothing; one expression a line.

    `also_…` is what a one-way synonym finds besides. `revision` rises with every edit, so that of two curators on the same
    entry the later one learns of the earlier.
    """

    kind = models.CharField(_("kind"), max_length=10, choices=EntryKind)
    ca = models.TextField(_("Catalan"), blank=True)
    es = models.TextField(_("Spanish"), blank=True)
    en = models.TextField(_("English"), blank=True)
    also_ca = models.TextField(_("Catalan"), blank=True)
    also_es = models.TextField(_("Spanish"), blank=True)
    also_en = models.TextField(_("English"), blank=True)
    note = models.CharField(_("note"), max_length=NOTE_LENGTH, blank=True)
    active = models.BooleanField(_("in use"), default=True)
    revision = models.PositiveIntegerField(default=1, editable=False)
    edited_by = models.UUIDField(null=True, editable=False)

    objects = EntryQuerySet.as_manager()

    class Meta:
        verbose_name = _("vocabulary entry")
        verbose_name_plural = _("vocabulary entries")
        ordering = ["kind", "id"]

    def __str__(self) -> str:
        asked, found = (", ".join(dict.fromkeys(text for _, text in side)) for side in (self.asked, self.found))
        return f"{asked} → {found}" if found else asked

    @property
    def asked(self) -> tuple[Expression, ...]:
        """The expressions that mean the same, that find others, or that say nothing."""
        return tuple((language, text) for language in LANGUAGES for text in getattr(self, language).splitlines())

    @property
    def found(self) -> tuple[Expression, ...]:
        """What a one-way synonym finds besides."""
        if self.kind != EntryKind.ONE_WAY:
            return ()
        return tuple((language, text) for language in LANGUAGES for text in getattr(self, f"also_{language}").splitlines())

    def rule(self) -> Rule:
        """As the engine uses it."""
        return Rule(str(self.uid), self.kind, self.asked, self.found)

    def facts(self) -> dict[str, object]:
        """What an edit can change, as it is kept in the history."""
        return {name: getattr(self, name) for name in FACTS}


FACTS = ("kind", *LANGUAGES, *(f"also_{language}" for language in LANGUAGES), "note", "active")


class EditQuerySet(models.QuerySet):
    """The history."""

    def version(self) -> tuple[int, int]:
        """Changes with every edit that is committed, in whatever order: an id alone would hide one that commits late."""
        return tuple(self.aggregate(last=Coalesce(Max("id"), 0), count=Count("id")).values())


class Edit(models.Model):
    """One edit of an entry: what it was and what it became, empty before it was made and after it was deleted."""

    uid = models.UUIDField(default=new_uid, unique=True, editable=False)
    entry = models.UUIDField(db_index=True)
    action = models.CharField(max_length=10, choices=Action)
    by = models.UUIDField(null=True)
    at = models.DateTimeField(default=timezone.now)
    before = models.JSONField(default=dict)
    after = models.JSONField(default=dict)

    objects = EditQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.action} {self.entry}"

    @property
    def entry_before(self) -> Entry | None:
        """The entry as it was, unsaved; None if this edit made it."""
        return self._entry(self.before)

    @property
    def entry_after(self) -> Entry | None:
        """The entry as it became, unsaved; None if this edit deleted it."""
        return self._entry(self.after)

    def _entry(self, facts: dict) -> Entry | None:
        return Entry(uid=self.entry, **facts) if facts else None

    def rules(self) -> list[Rule]:
        """The entry before and after, as far as it was in use."""
        return [entry.rule() for entry in (self.entry_before, self.entry_after) if entry and entry.active]


class KeptVector(models.Model):
    """A vector of a text, by a hash of the text and of all else that shapes it (see `vectors`). Holds no text and names no listing."""

    key = models.CharField(max_length=64, primary_key=True)
    vector = models.TextField()
    #: The last day on which a listing was seen to need it; who is not needed any more goes.
    needed_on = models.DateField(default=timezone.localdate)

    def __str__(self) -> str:
        return self.key


class IndexBuild(models.Model):
    """One rebuild of an engine's index; while it runs, the lease that keeps a second one away and its new index from being cleared up.

    `lease_until` is moved on with every batch. A row whose lease ran out was killed; the next rebuild ends it.
    """

    engine = models.CharField(max_length=20)
    started = models.DateTimeField(default=timezone.now)
    lease_until = models.DateTimeField()
    finished = models.DateTimeField(null=True)
    documents = models.PositiveIntegerField(default=0)
    #: Why it failed, in English or as the engine said it; empty if it did not.
    error = models.TextField(blank=True)

    class Meta:
        ordering = ["-id"]
        constraints = [models.UniqueConstraint(fields=["engine"], condition=models.Q(finished=None), name="one_build_at_a_time")]

    def __str__(self) -> str:
        return f"{self.engine} {self.started:%Y-%m-%d %H:%M}"

    @property
    def is_running(self) -> bool:
        """Whether its process was alive a moment ago."""
        return self.finished is None and self.lease_until > timezone.now()


class IndexCheck(models.Model):
    """What one comparison of an engine's index with the database found: how many documents of each kind of drift."""

    engine = models.CharField(max_length=20)
    started = models.DateTimeField(default=timezone.now)
    finished = models.DateTimeField(default=timezone.now)
    documents = models.PositiveIntegerField()
    missing = models.PositiveIntegerField()
    extra = models.PositiveIntegerField()
    stale = models.PositiveIntegerField()
    without_vectors = models.PositiveIntegerField()
    repaired = models.BooleanField()

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.engine} {self.started:%Y-%m-%d %H:%M}"


class RequestQuerySet(models.QuerySet):
    """What was asked for."""

    def due(self) -> Self:
        """Those that a worker may take up now, the oldest first."""
        free = models.Q(lease_until=None) | models.Q(lease_until__lt=timezone.now())
        return self.filter(free, finished=None).order_by("id")


class IndexRequest(models.Model):
    """Work on an engine's whole index that a person asked for, or the day (see `upkeep`); of each kind there is one open request at a time."""

    engine = models.CharField(max_length=20)
    work = models.CharField(max_length=10, choices=Work)
    asked = models.DateTimeField(default=timezone.now)
    started = models.DateTimeField(null=True)
    finished = models.DateTimeField(null=True)
    #: How many documents are done, of how many as far as that is known.
    documents = models.PositiveIntegerField(default=0)
    of = models.PositiveIntegerField(default=0)
    #: Until when its worker has it, or it rests after an error.
    lease_until = models.DateTimeField(null=True)
    leased_by = models.CharField(max_length=80, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    #: Why it failed or waits, in English or as the engine said it.
    error = models.TextField(blank=True)

    objects = RequestQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        constraints = [models.UniqueConstraint(fields=["engine", "work"], condition=models.Q(finished=None), name="one_request_at_a_time")]
        default_permissions = ()
        permissions = [("operate_index", "Can compare, repair and rebuild the search index")]

    def __str__(self) -> str:
        return f"{self.work} {self.engine} {self.asked:%Y-%m-%d %H:%M}"

    @property
    def is_running(self) -> bool:
        """Whether a worker is at it, or was a moment ago."""
        return self.finished is None and bool(self.leased_by) and self.lease_until is not None and self.lease_until > timezone.now()

    @property
    def percent(self) -> int | None:
        """How much of it is done, as far as one can tell."""
        return min(99, 100 * self.documents // self.of) if self.of else None
