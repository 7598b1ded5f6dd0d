"""The closed lists of what curators edit."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class EntryKind(models.TextChoices):
    """What an entry of the vocabulary does."""

    TWO_WAY = "two_way", _("Mean the same")
    ONE_WAY = "one_way", _("One finds the other")
    STOP = "stop", _("Say nothing")


class Action(models.TextChoices):
    """What a curator did to an entry."""

    ADDED = "added", _("Added")
    CHANGED = "changed", _("Changed")
    SWITCHED_ON = "on", _("Switched on")
    SWITCHED_OFF = "off", _("Switched off")
    DELETED = "deleted", _("Deleted")


class Work(models.TextChoices):
    """What can be asked for of an engine's whole index."""

    COMPARE = "compare", _("Compare with the database")
    REPAIR = "repair", _("Repair the differences")
    REBUILD = "rebuild", _("Build anew")
