"""The closed lists of this app."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class Alert(models.TextChoices):
    """Whether new results of a search are mailed. Stopped is paused by an address in a mail, so that one click there takes it back exactly."""

    ON = "on", _("By mail")
    PAUSED = "paused", _("Paused")
    STOPPED = "stopped", _("Stopped from a mail")
