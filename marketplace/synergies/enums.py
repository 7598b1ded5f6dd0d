"""The closed lists of this app and the one table of a synergy's life."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class State(models.TextChoices):
    """Where a synergy is in its life."""

    SUGGESTED = "suggested", _("Suggested")
    INTEREST = "interest", _("One side is interested")
    MUTUAL = "mutual", _("Both sides are interested")
    DISMISSED = "dismissed", _("Set aside")


class Side(models.TextChoices):
    """The two companies of a synergy, by what they brought."""

    DEMAND = "demand", _("The one who asks")
    OFFER = "offer", _("The one who offers")

    @property
    def other(self) -> "Side":
        """The one across the table."""
        return Side.OFFER if self == Side.DEMAND else Side.DEMAND


class Step(models.TextChoices):
    """What can happen to a synergy, for its history."""

    SUGGESTED = "suggested", _("Suggested")
    INTEREST = "interest", _("Interested")
    MUTUAL = "mutual", _("Both sides are interested")
    SHOWN = "shown", _("Contact data shown")
    DISMISSED = "dismissed", _("Set aside")
    UNDONE = "undone", _("Taken back")


class DismissReason(models.TextChoices):
    """Why a company does not want a suggestion; what people say here teaches the engine later."""

    OTHER_THING = "other_thing", _("It is about something else")
    TOO_FAR = "too_far", _("Too far away")
    KNOWN = "known", _("We know each other already")
    TIMING = "timing", _("Not at this moment")
    OTHER = "other", _("Another reason")
