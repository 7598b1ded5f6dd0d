"""The closed lists of this app."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class PartnerState(models.TextChoices):
    """Where a partnership is."""

    NEW = "new", _("Being set up")
    ACTIVE = "active", _("Active")
    PAUSED = "paused", _("Paused")
    ENDED = "ended", _("Ended")


class ReaderKind(models.TextChoices):
    """What a partner has for us to read."""

    PROTOCOL = "protocol", _("A marketplace like this one")
    TABLE = "table", _("A table (CSV or XLSX) at an address")
    FEED = "feed", _("A news feed (RSS or Atom)")
    JSON = "json", _("A JSON interface")
    WEB = "web", _("Web pages with schema.org data")
    NONE = "none", _("Nothing; it only reads from us")


class Reason(models.TextChoices):
    """Why a listing is gone."""

    WITHDRAWN = "withdrawn", _("Withdrawn")
    EXPIRED = "expired", _("Expired")
    MODERATED = "moderated", _("Taken down by the marketplace")
    ERASURE = "erasure", _("Erased")


class PartnerAction(models.TextChoices):
    """What can happen to a partnership. Those of MOVES change its state."""

    CREATED = "created", _("Added")
    CHANGED = "changed", _("Changed")
    INTRODUCED = "introduced", _("Presented itself anew")
    ACTIVATED = "activated", _("Activated")
    PAUSED = "paused", _("Paused")
    RESUMED = "resumed", _("Resumed")
    ENDED = "ended", _("Ended")
    REOPENED = "reopened", _("Taken up again")
    KEY_SET = "key_set", _("Their key to their site was kept")
    KEY_REMOVED = "key_removed", _("Their key to their site was deleted")
    KEY_ISSUED = "key_issued", _("Key made for them")
    KEY_ROTATED = "key_rotated", _("Key replaced")
    KEY_REVOKED = "key_revoked", _("Key revoked")
    VISIT_ASKED = "visit_asked", _("Visit asked for")
    SNAPSHOT_ASKED = "snapshot_asked", _("Asked to read all anew")
    SWEEP_RELEASED = "sweep_released", _("Held removals let go")
    SWEEP_DISCARDED = "sweep_discarded", _("Held removals kept")
    REPLAYED = "replayed", _("Messages sent again")


# The only place that says which step leads where.
MOVES: dict[PartnerAction, dict[PartnerState, PartnerState]] = {
    PartnerAction.ACTIVATED: {PartnerState.NEW: PartnerState.ACTIVE},
    PartnerAction.PAUSED: {PartnerState.ACTIVE: PartnerState.PAUSED},
    PartnerAction.RESUMED: {PartnerState.PAUSED: PartnerState.ACTIVE},
    PartnerAction.ENDED: dict.fromkeys((PartnerState.NEW, PartnerState.ACTIVE, PartnerState.PAUSED), PartnerState.ENDED),
    PartnerAction.REOPENED: {PartnerState.ENDED: PartnerState.NEW},
}


class Decision(models.TextChoices):
    """What a curator says of two listings that may be one."""

    SAME = "same", _("The same: hide the second one")
    DIFFERENT = "different", _("Two different ones")


class Condition(models.TextChoices):
    """How a partner does, in a word."""

    WELL = "well", _("Well")
    UNVISITED = "unvisited", _("Not visited yet")
    LATE = "late", _("Late")
    FAILING = "failing", _("Fails")
    HELD = "held", _("Waits for a decision")
    READS_ONLY = "reads_only", _("Only reads from us")
    OFF = "off", _("Off")


class Scheme(models.TextChoices):
    """What a partner has words of its own for."""

    SECTOR = "sector", _("Sector")
    PLACE = "place", _("Municipality")
    CATEGORY = "category", _("Category")
    KIND = "kind", _("Offer or demand")
    LANGUAGE = "language", _("Language")


class MappingState(models.TextChoices):
    """Whether somebody has said what a partner's word means."""

    PROPOSED = "proposed", _("To be decided")
    CONFIRMED = "confirmed", _("Decided")
    IGNORED = "ignored", _("Says nothing to us")
