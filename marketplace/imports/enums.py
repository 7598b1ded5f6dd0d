"""The closed lists of this app."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class State(models.TextChoices):
    """Where an import is in its life."""

    DRAFT = "draft", _("To be confirmed")
    QUEUED = "queued", _("Waiting for the worker")
    RUNNING = "running", _("Running")
    DONE = "done", _("Done")
    FAILED = "failed", _("Failed")
    UNDONE = "undone", _("Undone")


class Outcome(models.TextChoices):
    """What became of one row."""

    CREATED = "created", _("New listing")
    UPDATED = "updated", _("Listing updated")
    UNCHANGED = "unchanged", _("Nothing new")
    KEPT = "kept", _("Left as it is")
    ERROR = "error", _("Not imported")


class Target(models.TextChoices):
    """What a column can hold."""

    ID = "id", _("Identifier of the answer")
    TIMESTAMP = "timestamp", _("When it was sent")
    COMPANY = "company", _("Company name")
    TAX_ID = "tax_id", _("NIF")
    KIND = "kind", _("Offer or demand")
    TITLE = "title", _("Title")
    DESCRIPTION = "description", _("Description")
    OFFER = "offer", _("What the company offers")
    DEMAND = "demand", _("What the company needs")
    CATEGORY = "category", _("Category")
    KEYWORDS = "keywords", _("Keywords")
    SECTOR = "sector", _("Sector")
    PLACE = "place", _("Municipality")
    LANGUAGE = "language", _("Language of the text")
    REACH = "reach_km", _("Reach in kilometres")
    REMOTE = "remote", _("Also at a distance")
    VALID_UNTIL = "valid_until", _("Valid until")
    SIZE = "size", _("Size of the company")
    ABOUT = "about", _("What the company does")
    WEB = "web", _("Web")
    CONTACT_NAME = "contact_name", _("Contact person")
    CONTACT_EMAIL = "contact_email", _("Contact e-mail")
    CONTACT_PHONE = "contact_phone", _("Contact phone")


# Several columns may feed one of these; their texts are joined. The others take one column each.
JOINED = frozenset({Target.DESCRIPTION, Target.OFFER, Target.DEMAND, Target.KEYWORDS, Target.ABOUT})
