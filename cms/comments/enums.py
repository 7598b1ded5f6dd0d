"""The closed lists of this app and the one table of a comment's life."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class Moderation(models.TextChoices):
    """Who reads a comment first: the public or the office."""

    OFF = "off", _("No comments")
    BEFORE = "before", _("Read first, then public")
    AFTER = "after", _("Public at once, read later")
    CLOSED = "closed", _("What is there can be read, nothing new")


#: With these, people can write.
OPEN = (Moderation.BEFORE, Moderation.AFTER)


class State(models.TextChoices):
    """Where a comment is in its life."""

    WAITING = "waiting", _("Waiting")
    SHOWN = "shown", _("Public, nobody has read it yet")
    APPROVED = "approved", _("Approved")
    HIDDEN = "hidden", _("Hidden after reports")
    REFUSED = "refused", _("Refused")
    DELETED = "deleted", _("Deleted by its author")


#: What everybody can read.
VISIBLE = (State.SHOWN, State.APPROVED)


class Move(models.TextChoices):
    """What happens to a comment."""

    POST = "post", _("Written")
    EDIT = "edit", _("Changed by its author")
    APPROVE = "approve", _("Approved")
    REFUSE = "refuse", _("Refused")
    HIDE = "hide", _("Hidden after reports")
    DELETE = "delete", _("Deleted by its author")


#: From which states a step is possible. Where it leads is the step's own matter (an edit may lead back to waiting).
POSSIBLE: dict[Move, tuple[State, ...]] = {
    Move.EDIT: (State.WAITING, State.SHOWN, State.APPROVED),
    # Approved ones too: with it a moderator answers the reports about it.
    Move.APPROVE: (State.WAITING, State.SHOWN, State.APPROVED, State.HIDDEN, State.REFUSED),
    Move.REFUSE: (State.WAITING, State.SHOWN, State.APPROVED, State.HIDDEN),
    Move.HIDE: (State.SHOWN, State.APPROVED),
    Move.DELETE: (State.WAITING, State.SHOWN, State.APPROVED, State.HIDDEN, State.REFUSED),
}


class Held(models.TextChoices):
    """Why a comment waits for a moderator."""

    PAGE = "page", _("on this page every comment is read first")
    FIRST = "first", _("the author's first comment")
    LINKS = "links", _("many links")
    REPEATED = "repeated", _("the same text was posted before")
    FAST = "fast", _("written faster than a person types")
    TRAP = "trap", _("filled a field that people do not see")


class Complaint(models.TextChoices):
    """What somebody says is wrong with a comment."""

    SPAM = "spam", _("Advertising or spam")
    INSULT = "insult", _("Insults or hatred")
    PRIVATE = "private", _("Somebody's personal data")
    FALSE = "false", _("False or misleading information")
    OFF_TOPIC = "off_topic", _("Has nothing to do with this page")
    OTHER = "other", _("Something else")
