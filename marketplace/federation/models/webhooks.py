"""Messages between marketplaces: our signing keys, where partners want to be told, what was told, and what they told us."""

import datetime

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from marketplace.core.models import BaseModel

from .partners import Partner


class NodeKeyQuerySet(models.QuerySet):
    """Our signing keys."""

    def published(self) -> "NodeKeyQuerySet":
        """Those that sign now, the newest first; a replaced one does so for some days more."""
        return self.filter(Q(ends_at=None) | Q(ends_at__gt=timezone.now())).order_by("ends_at", "-pk")


class NodeKey(BaseModel):
    """A key pair (Ed25519) with which this node signs its messages. The private part is sealed, see core.sealing."""

    public = models.CharField(_("public key"), max_length=80, unique=True)
    sealed = models.TextField(editable=False)
    # When a replaced key stops to sign and to be published; None: it has not been replaced.
    ends_at = models.DateTimeField(_("ends"), null=True, blank=True)

    objects = NodeKeyQuerySet.as_manager()

    class Meta:
        ordering = ("-created",)
        verbose_name, verbose_name_plural = _("signing key"), _("signing keys")

    def __str__(self) -> str:
        return self.public


class Hook(BaseModel):
    """Where a partner wants to be told that something changed here. Active once the address has answered our challenge."""

    class OffReason(models.TextChoices):
        GONE = "gone", _("The address answered 410: it wants no messages any more")
        UNPROVEN = "unproven", _("The address did not give our challenge back")
        MOVED = "moved", _("The address is on a host that is not the partner's any more")

    partner = models.OneToOneField(Partner, models.CASCADE, related_name="hook")
    url = models.URLField(_("address"), max_length=500)
    is_active = models.BooleanField(_("active"), default=False)
    # Sent to the address, which has to give it back.
    challenge = models.CharField(max_length=64, editable=False)
    checked_at = models.DateTimeField(_("checked"), null=True, blank=True)
    # Why nothing is sent although the partner asked for it; empty while it is active or being checked.
    off_reason = models.CharField(_("turned off because"), max_length=12, choices=OffReason, blank=True)
    off_at = models.DateTimeField(_("turned off"), null=True, blank=True)
    # Attempts that failed one after the other, since when, and until when the address is left in peace.
    failures = models.PositiveIntegerField(_("failed attempts in a row"), default=0)
    failing_since = models.DateTimeField(_("failing since"), null=True, blank=True)
    pause_until = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name, verbose_name_plural = _("hook"), _("hooks")

    def __str__(self) -> str:
        return f"{self.partner} → {self.url}"

    @property
    def state(self) -> str:
        """In a word for the partner's program: active, checking, off."""
        if self.is_active:
            return "active"
        return "off" if self.off_reason else "checking"


class Announced(models.Model):
    """Up to where of the feed log the hooks were told: one row, moved in the transaction that writes the messages."""

    transaction = models.BigIntegerField(default=0)
    entry_id = models.BigIntegerField(default=0)
    # Of the log's own counter: when it was put into a new order, the place of before means nothing.
    renumbered = models.PositiveIntegerField(default=0)

    def __str__(self) -> str:
        return f"told up to {self.position}"

    @property
    def position(self) -> tuple[int, int]:
        """A place in the log, see models.feed."""
        return self.transaction, self.entry_id


class Delivery(models.Model):
    """One message to one hook. Its id and its body are the same at every attempt; signature and time are those of the attempt."""

    class State(models.TextChoices):
        WAITING = "waiting", _("Waiting")
        SENT = "sent", _("Delivered")
        FAILED = "failed", _("Given up")

    hook = models.ForeignKey(Hook, models.CASCADE, related_name="deliveries")
    # The webhook-id: one for an event, whoever is told of it.
    message_id = models.CharField(_("id"), max_length=100)
    type = models.CharField(_("type"), max_length=40)
    body = models.TextField(_("message"))
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.WAITING)
    attempts = models.PositiveIntegerField(_("attempts"), default=0)
    created = models.DateTimeField(_("created"), default=timezone.now)
    next_attempt_at = models.DateTimeField(_("next attempt"), default=timezone.now)
    lease_until = models.DateTimeField(null=True, blank=True)
    # The end of all patience is counted from here; a replay begins anew.
    since = models.DateTimeField(default=timezone.now)
    sent_at = models.DateTimeField(_("delivered"), null=True, blank=True)

    class Meta:
        ordering = ("-created", "-pk")
        verbose_name, verbose_name_plural = _("message"), _("messages")
        constraints = [models.UniqueConstraint(fields=["hook", "message_id"], name="delivery_once")]
        indexes = [
            models.Index(fields=["hook", "next_attempt_at"], condition=Q(state="waiting"), name="delivery_due"),
            models.Index(fields=["hook", "-created"], name="delivery_latest"),
        ]

    def __str__(self) -> str:
        return f"{self.type} {self.message_id} → {self.hook.partner}"


class DeliveryAttempt(models.Model):
    """What came of sending a message once. `status` 0: there was no answer, `error` says why."""

    delivery = models.ForeignKey(Delivery, models.CASCADE, related_name="tries")
    at = models.DateTimeField(_("when"), default=timezone.now)
    status = models.PositiveSmallIntegerField(_("status"), default=0)
    error = models.CharField(_("error"), max_length=200, blank=True)
    milliseconds = models.PositiveIntegerField(_("milliseconds"), default=0)

    class Meta:
        ordering = ("-at", "-pk")
        verbose_name, verbose_name_plural = _("attempt"), _("attempts")

    def __str__(self) -> str:
        return f"{self.status or self.error} ({self.milliseconds} ms)"


class Subscription(models.Model):
    """Our side of it: that a partner shall tell us. It is asked for until the partner's challenge has come."""

    partner = models.OneToOneField(Partner, models.CASCADE, related_name="subscription")
    # The address of ours that the partner was told, and when its challenge came to it.
    url = models.URLField(_("our address"), max_length=500)
    confirmed_at = models.DateTimeField(_("confirmed"), null=True, blank=True)
    asked_at = models.DateTimeField(_("asked"), null=True, blank=True)
    attempts = models.PositiveIntegerField(_("attempts"), default=0)
    next_attempt_at = models.DateTimeField(_("next attempt"), null=True, blank=True, default=timezone.now)
    error = models.CharField(_("error"), max_length=300, blank=True)
    last_message_at = models.DateTimeField(_("last message"), null=True, blank=True)
    # A signature of a key that we do not know: the worker looks at the partner's discovery again, not more often than every few minutes.
    keys_wanted_at = models.DateTimeField(null=True, blank=True)
    keys_asked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name, verbose_name_plural = _("subscription"), _("subscriptions")
        indexes = [models.Index(fields=["next_attempt_at"], name="subscription_due")]

    def __str__(self) -> str:
        return f"{self.partner} ← {self.url}"


class ReceivedMessage(models.Model):
    """The id of a message that took effect, so that it does so once, however often it comes."""

    KEPT = datetime.timedelta(days=30)

    partner = models.ForeignKey(Partner, models.CASCADE, related_name="received_messages")
    message_id = models.CharField(_("id"), max_length=100)
    type = models.CharField(_("type"), max_length=40)
    at = models.DateTimeField(_("when"), default=timezone.now)

    class Meta:
        ordering = ("-at", "-pk")
        verbose_name, verbose_name_plural = _("received message"), _("received messages")
        constraints = [models.UniqueConstraint(fields=["partner", "message_id"], name="received_once")]
        indexes = [models.Index(fields=["at"], name="received_age")]

    def __str__(self) -> str:
        return f"{self.type} {self.message_id} ← {self.partner}"
