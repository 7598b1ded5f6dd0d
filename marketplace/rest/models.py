"""Who may use the API beyond what everybody may: clients, and the keys they hold."""

from django.conf import settings
from django.db import models
from django.db.models import ExpressionWrapper, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from marketplace.core.models import BaseModel

from . import holders


class Scope(models.TextChoices):
    """What a key may be used for."""

    READ = "read", _("Read, what only you see included")
    WRITE = "write", _("Write the company's own listings")
    FEDERATION = "federation", _("Read the federation feed")
    INTERESTS = "interests", _("Send and answer interests")


class ApiClient(BaseModel):
    """A program's owner: a company (`client.company`) or a partner marketplace (`client.partner`); both point here."""

    name = models.CharField(_("name"), max_length=160)
    # Requests a minute for all its keys together; None: what the settings say.
    rate = models.PositiveIntegerField(_("requests a minute"), null=True, blank=True)

    class Meta:
        ordering = ("name",)
        verbose_name, verbose_name_plural = _("API client"), _("API clients")

    def __str__(self) -> str:
        return self.name


class ApiKeyQuerySet(models.QuerySet):
    """Keys."""

    def usable(self) -> "ApiKeyQuerySet":
        """Neither revoked nor expired."""
        return self.filter(Q(expires_at=None) | Q(expires_at__gt=timezone.now()), revoked_at=None)

    def with_acts(self) -> "ApiKeyQuerySet":
        """Each with `acts`: whether somebody vouches for it (see holders)."""
        return self.annotate(acts=ExpressionWrapper(holders.acting(), models.BooleanField()))

    def acting(self) -> "ApiKeyQuerySet":
        """Those that a request can use now."""
        return self.usable().filter(holders.acting())


class ApiKey(BaseModel):
    """A secret that a client's program sends. Only its digest is kept: it is shown once, when it is made."""

    client = models.ForeignKey(ApiClient, models.CASCADE, related_name="keys")
    name = models.CharField(_("name"), max_length=80)
    # The first characters, by which people tell their keys apart and the database finds the row.
    prefix = models.CharField(_("begins with"), max_length=16, unique=True)
    digest = models.CharField(max_length=64)
    scopes = models.JSONField(_("scopes"), default=list)
    # For whom the key acts (a company's key): what this person may not do any more, the key may not either.
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="api_keys")
    expires_at = models.DateTimeField(_("expires"), null=True, blank=True)
    revoked_at = models.DateTimeField(_("revoked"), null=True, blank=True)
    last_used_at = models.DateTimeField(_("last used"), null=True, blank=True)
    # The key that takes this one's place; both work until this one expires.
    replaced_by = models.OneToOneField("self", models.SET_NULL, null=True, blank=True, related_name="replaces")

    objects = ApiKeyQuerySet.as_manager()

    class Meta:
        ordering = ("-created",)
        verbose_name, verbose_name_plural = _("API key"), _("API keys")

    def __str__(self) -> str:
        return f"{self.prefix}… ({self.name})"

    @property
    def is_usable(self) -> bool:
        """Neither revoked nor expired."""
        return self.revoked_at is None and (self.expires_at is None or self.expires_at > timezone.now())


class Usage(models.Model):
    """How many requests a key made in an hour, and how many of them were refused or failed."""

    key = models.ForeignKey(ApiKey, models.CASCADE, related_name="usage")
    hour = models.DateTimeField(_("hour"))
    requests = models.PositiveIntegerField(_("requests"), default=0)
    refused = models.PositiveIntegerField(_("refused"), default=0)

    class Meta:
        verbose_name, verbose_name_plural = _("usage"), _("usage")
        constraints = [models.UniqueConstraint(fields=["key", "hour"], name="usage_key_hour_once")]

    def __str__(self) -> str:
        return f"{self.key.prefix} {self.hour:%Y-%m-%d %H}: {self.requests}"


class Counter(models.Model):
    """How often something was done in a minute, where the cache cannot count by itself (see throttling). `name` holds who, what and the minute."""

    name = models.CharField(max_length=120, primary_key=True)
    number = models.PositiveIntegerField()
    until = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return f"{self.name}: {self.number}"


class IdempotentRequest(models.Model):
    """A creation that a client sent under an Idempotency-Key, and what it was answered: sent again, it is answered the same.

    Kept for a day. `fingerprint` is the SHA-256 of method, path and body: the same key with another content is an error.
    """

    client = models.ForeignKey(ApiClient, models.CASCADE, related_name="+")
    key = models.CharField(max_length=255)
    fingerprint = models.CharField(max_length=64)
    status = models.PositiveSmallIntegerField(null=True)
    headers = models.JSONField(default=dict)
    body = models.TextField(blank=True)
    created = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["client", "key"], name="idempotent_once")]
        indexes = [models.Index(fields=["created"], name="idempotent_age")]

    def __str__(self) -> str:
        return f"{self.client} {self.key}"
