"""What every app builds on: the base model, the change log with its readers' checkpoints, the outbox of mails, the workers' signs of life."""

import uuid

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from uuid6 import uuid7


def new_uid() -> uuid.UUID:
    """A UUIDv7 (RFC 9562): public, unguessable enough, and sorted by time so that indexes stay dense."""
    return uuid.UUID(int=uuid7().int)


class BaseModel(models.Model):
    """A row with a public id and its two times."""

    uid = models.UUIDField(_("public id"), default=new_uid, unique=True, editable=False)
    created = models.DateTimeField(_("created"), default=timezone.now, editable=False)
    modified = models.DateTimeField(_("modified"), auto_now=True)

    class Meta:
        abstract = True


class Change(models.Model):
    """One line of the change log: something others follow was written. Use `changelog.append`, never this directly."""

    id = models.BigAutoField(primary_key=True)
    transaction = models.BigIntegerField(default=0)
    kind = models.CharField(max_length=20)
    uid = models.UUIDField()
    operation = models.CharField(max_length=10, choices=[("upsert", "upsert"), ("delete", "delete")])
    created = models.DateTimeField(default=timezone.now)

    class Meta:
        indexes = [models.Index(fields=["transaction", "id"], name="change_order"), models.Index(fields=["uid", "-id"], name="change_uid")]

    def __str__(self) -> str:
        return f"{self.id} {self.operation} {self.kind} {self.uid}"


class Reader(models.Model):
    """How far one follower of the change log has come."""

    name = models.CharField(max_length=40, primary_key=True)
    transaction = models.BigIntegerField(default=0)
    change_id = models.BigIntegerField(default=0)
    lease_until = models.DateTimeField(null=True)
    leased_by = models.CharField(max_length=80, blank=True)
    modified = models.DateTimeField(auto_now=True)

    def __str__(self) -> str:
        return f"{self.name} at {self.change_id}"


class Mail(BaseModel):
    """The outbox: one row a message, written in the transaction of what it tells, sent by the worker.

    `key` names the occasion ("listing-published:<uid>:<transition>"), so that the same news is never sent twice.
    """

    class State(models.TextChoices):
        WAITING = "waiting", _("Waiting")
        SENT = "sent", _("Sent")
        FAILED = "failed", _("Given up")

    key = models.CharField(max_length=200, unique=True)
    to = models.EmailField()
    subject = models.CharField(max_length=250)
    text = models.TextField()
    html = models.TextField(blank=True)
    headers = models.JSONField(default=dict, blank=True)
    state = models.CharField(max_length=10, choices=State, default=State.WAITING)
    attempts = models.PositiveSmallIntegerField(default=0)
    next_attempt_at = models.DateTimeField(default=timezone.now)
    lease_until = models.DateTimeField(null=True, blank=True)
    sent_at = models.DateTimeField(null=True, blank=True)
    error = models.TextField(blank=True)

    class Meta:
        indexes = [models.Index(fields=["state", "next_attempt_at"], name="mail_due")]

    def __str__(self) -> str:
        return f"{self.subject} → {self.to}"


class Heartbeat(models.Model):
    """That one part of a worker process lives and what it does, written every few seconds (see `heartbeats`). All times are the database's own."""

    process = models.CharField(max_length=80)
    part = models.CharField(max_length=20)
    host = models.CharField(max_length=64)
    pid = models.PositiveIntegerField()
    started = models.DateTimeField()
    beat = models.DateTimeField()
    #: The step that it is in, since when; empty while it rests. `did` is the last one that found something to do.
    doing = models.CharField(max_length=80, blank=True)
    since = models.DateTimeField()
    did = models.CharField(max_length=80, blank=True)
    rounds = models.PositiveBigIntegerField(default=0)
    failed = models.PositiveBigIntegerField(default=0)
    error = models.CharField(max_length=300, blank=True)
    #: What the process knows of its engines, by name: whether its breaker is open.
    breakers = models.JSONField(default=dict)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["process", "part"], name="heartbeat_once")]

    def __str__(self) -> str:
        return f"{self.process} {self.part}"
