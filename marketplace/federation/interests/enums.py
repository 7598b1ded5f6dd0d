"""The closed lists of interests across marketplaces."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class State(models.TextChoices):
    """Where an interest is; the words go over the wire, but for the two that only its sender knows (WAITING, FAILED)."""

    WAITING = "waiting", _("On its way")
    FAILED = "failed", _("Did not arrive")
    RECEIVED = "received", _("Waiting for an answer")
    ACCEPTED = "accepted", _("Both said yes")
    DECLINED = "declined", _("They said no")
    WITHDRAWN = "withdrawn", _("Taken back")
    EXPIRED = "expired", _("Nobody answered")
    ERASED = "erased", _("Erased")


#: Something can still come of it, or has; personal data are kept for these.
LIVE = (State.WAITING, State.RECEIVED, State.ACCEPTED)
#: It waits for the other company.
OPEN = (State.WAITING, State.RECEIVED)
#: What a partner may tell us of one that we sent.
TOLD = (State.RECEIVED, State.ACCEPTED, State.DECLINED, State.WITHDRAWN, State.EXPIRED, State.ERASED)
