"""What a record of a source can tell of a listing. Whom to write to is not among it: contact data of people is never read."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class Field(models.TextChoices):
    """One fact; its value is a text. The names are those of `imports.enums.Target` where both mean the same."""

    ID = "id", _("Identifier")
    KIND = "kind", _("Offer or demand")
    TITLE = "title", _("Title")
    DESCRIPTION = "description", _("Description")
    OFFER = "offer", _("What the company offers")
    DEMAND = "demand", _("What the company needs")
    CATEGORY = "category", _("Category (solution, product, knowledge, space)")
    KEYWORDS = "keywords", _("Keywords")
    SECTOR = "sector", _("Sector")
    PLACE = "place", _("Municipality")
    REACH = "reach_km", _("Reach in kilometres")
    REMOTE = "remote", _("Also at a distance")
    LANGUAGE = "language", _("Language of the text")
    VALID_FROM = "valid_from", _("Published on")
    VALID_UNTIL = "valid_until", _("Valid until")
    UPDATED = "updated", _("Last changed")
    URL = "url", _("Its page on the web")
    COMPANY = "company", _("Company name")
    TAX_ID = "tax_id", _("NIF of the company")
    COMPANY_PLACE = "company_place", _("Municipality of the company")
    SIZE = "size", _("Size of the company")
    ABOUT = "about", _("What the company does")
    WEB = "web", _("Web of the company")


#: Several columns may feed one of these; their texts are joined. The others take one column each.
JOINED = frozenset({Field.DESCRIPTION, Field.OFFER, Field.DEMAND, Field.KEYWORDS, Field.ABOUT})
#: Those whose values a person may translate into ours, word by word ("Es busca" → demand).
TRANSLATED = (Field.KIND, Field.CATEGORY, Field.SECTOR, Field.PLACE, Field.LANGUAGE)
