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
