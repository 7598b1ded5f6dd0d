"""Who did what about a partner: one row a step, never changed afterwards."""

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from marketplace.federation.enums import PartnerAction

from .partners import Partner


class PartnerEvent(models.Model):
    """One step in the life of a partnership.

    `details`: {"changes": {field: [before, after]}, "key": its first letters, "reason": words, …}; what is secret or about a person is named,
    its value is left out: {"changes": {"contact_email": None}}.
    """

    partner = models.ForeignKey(Partner, models.CASCADE, related_name="events")
    action = models.CharField(_("step"), max_length=20, choices=PartnerAction)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    at = models.DateTimeField(_("when"), default=timezone.now)
    details = models.JSONField(default=dict, blank=True)

    class Meta:
        ordering = ("-at", "-id")
        verbose_name, verbose_name_plural = _("step with a partner"), _("steps with partners")
        indexes = [models.Index(fields=["partner", "-at"], name="partner_event_latest")]

    def __str__(self) -> str:
        return f"{self.partner} {self.action}"
