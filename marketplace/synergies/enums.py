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
    PROPOSED = "proposed", _("Proposed by the Innovation Service")
    OUTCOME = "outcome", _("Told how it went")


class DismissReason(models.TextChoices):
    """Why a company does not want a suggestion; what people say here teaches the engine later."""

    OTHER_THING = "other_thing", _("It is about something else")
    TOO_FAR = "too_far", _("Too far away")
    KNOWN = "known", _("We know each other already")
    TIMING = "timing", _("Not at this moment")
    OTHER = "other", _("Another reason")


class Outcome(models.TextChoices):
    """What became of two companies that both said yes, as one of them tells it."""

    AGREED = "agreed", _("We agreed on something")
    TALKING = "talking", _("We are still talking")
    NOT_AGREED = "not_agreed", _("We did not agree")


class NoDeal(models.TextChoices):
    """Why two companies did not agree; only the first says that they did not fit."""

    NOT_FITTING = "not_fitting", _("It was not what was needed")
    TERMS = "terms", _("Price, quantity or dates")
    SILENCE = "silence", _("We could not reach each other")
    ELSEWHERE = "elsewhere", _("Solved in another way")
    OTHER = "other", _("Another reason")


class Verdict(models.TextChoices):
    """What a curator thinks of a pair."""

    FITS = "fits", _("Fits")
    PARTLY = "partly", _("Fits partly")
    NOT = "not", _("Does not fit")


class Unmet(models.TextChoices):
    """Why nothing is to be had for a listing."""

    NOBODY = "nobody", _("Nobody here offers or needs it")
    SPECIAL = "special", _("Too special for this region")
    VAGUE = "vague", _("The text is too vague, and the company does not answer")
    ELSEWHERE = "elsewhere", _("Solved outside the marketplace")
    OTHER = "other", _("Another reason")
