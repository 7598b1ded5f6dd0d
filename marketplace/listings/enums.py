"""The closed lists of this app and the one table of a listing's life."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class Kind(models.TextChoices):
    """Which side of the market."""

    OFFER = "offer", _("Offer")
    DEMAND = "demand", _("Demand")


class Category(models.TextChoices):
    """What is offered or asked for."""

    SOLUTION = "solution", _("Solution or service")
    PRODUCT = "product", _("Product")
    KNOWLEDGE = "knowledge", _("Knowledge")
    SPACE = "space", _("Space or equipment")


class State(models.TextChoices):
    """Where a listing is in its life."""

    DRAFT = "draft", _("Draft")
    SUBMITTED = "submitted", _("In review")
    CHANGES_REQUESTED = "changes_requested", _("Changes requested")
    PUBLISHED = "published", _("Published")
    EXPIRED = "expired", _("Expired")
    CLOSED = "closed", _("Closed")
    WITHDRAWN = "withdrawn", _("Withdrawn")
    REJECTED = "rejected", _("Rejected")


class Move(models.TextChoices):
    """What can happen to a listing."""

    SUBMIT = "submit", _("Sent for review")
    PUBLISH = "publish", _("Published")
    REQUEST_CHANGES = "request_changes", _("Changes requested")
    REJECT = "reject", _("Rejected")
    EDIT = "edit", _("Edited")
    RENEW = "renew", _("Renewed")
    CLOSE = "close", _("Closed")
    WITHDRAW = "withdraw", _("Withdrawn")
    EXPIRE = "expire", _("Expired")
    REOPEN = "reopen", _("Back to draft")


# The only place that says which move leads where. A published listing that its company edits stays published: curators see
# the edit in the history and can ask for changes afterwards; waiting a second time would punish those who keep theirs fresh.
TRANSITIONS: dict[Move, dict[State, State]] = {
    Move.SUBMIT: {State.DRAFT: State.SUBMITTED, State.CHANGES_REQUESTED: State.SUBMITTED},
    Move.PUBLISH: {State.SUBMITTED: State.PUBLISHED},
    Move.REQUEST_CHANGES: {State.SUBMITTED: State.CHANGES_REQUESTED, State.PUBLISHED: State.CHANGES_REQUESTED},
    Move.REJECT: {State.SUBMITTED: State.REJECTED, State.PUBLISHED: State.REJECTED},
    Move.EDIT: {state: state for state in (State.DRAFT, State.SUBMITTED, State.CHANGES_REQUESTED, State.PUBLISHED)},
    Move.RENEW: {State.PUBLISHED: State.PUBLISHED, State.EXPIRED: State.PUBLISHED},
    Move.CLOSE: {State.PUBLISHED: State.CLOSED, State.EXPIRED: State.CLOSED},
    Move.WITHDRAW: dict.fromkeys((State.DRAFT, State.SUBMITTED, State.CHANGES_REQUESTED, State.PUBLISHED, State.EXPIRED), State.WITHDRAWN),
    Move.EXPIRE: {State.PUBLISHED: State.EXPIRED},
    Move.REOPEN: {State.CLOSED: State.DRAFT, State.WITHDRAWN: State.DRAFT},
}

# What may happen here to a partner marketplace's listing: curators let it in or hide it. All else is its origin's (see federated).
PARTNER_MOVES = frozenset((Move.PUBLISH, Move.REJECT, Move.EXPIRE))


class Origin(models.TextChoices):
    """How a listing came here."""

    FORM = "form", _("Form")
    IMPORT = "import", _("Import")
    API = "api", _("API")
    PARTNER = "partner", _("Partner marketplace")
