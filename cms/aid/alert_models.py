"""What people want to hear of by mail."""

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from marketplace.alerts.enums import Alert
from marketplace.core.models import BaseModel

NAME_LENGTH = 100


class AidAlertQuerySet(models.QuerySet):
    """Alerts."""

    def of(self, user: object) -> "AidAlertQuerySet":
        """The person's own; nobody else ever sees them."""
        return self.filter(owner=user)

    def mailed(self) -> "AidAlertQuerySet":
        """Those about which mails go out."""
        return self.filter(alert=Alert.ON)


class AidAlert(BaseModel):
    """That a person wants a mail about new or changed aid: what a search of the finder finds, or one aid. Change it through `alerts` only.

    `known` has the facts of what it found when it was made, by the aid's name in all languages, and when that was: it is no news.
    """

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="aid_alerts")
    name = models.CharField(_("name"), max_length=NAME_LENGTH)
    parameters = models.TextField(_("search"), blank=True, help_text=_("The query string of the finder, without order and page; of one aid, its name."))
    aid = models.UUIDField(null=True, blank=True, help_text=_("The one aid that it follows."))
    known = models.JSONField(default=dict)
    known_at = models.DateTimeField(default=timezone.now)
    alert = models.CharField(_("alert"), max_length=7, choices=Alert, default=Alert.ON)

    objects = AidAlertQuerySet.as_manager()

    class Meta:
        ordering = ("-created", "-id")
        verbose_name, verbose_name_plural = _("aid alert"), _("aid alerts")
        constraints = [models.UniqueConstraint(fields=["owner", "parameters"], name="aid_alert_once")]

    def __str__(self) -> str:
        return self.name

    @property
    def is_mailed(self) -> bool:
        """Whether mails go out about it."""
        return self.alert == Alert.ON
