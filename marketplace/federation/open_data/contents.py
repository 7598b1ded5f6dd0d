"""What of a listing everybody may take and use: the feed's item without personal data.

Partners get names by agreement; open data go to anybody for any use. So a company that is, or may be, a natural person has no name here, no
address for programs and no description, and mail addresses and phone numbers that people wrote into their texts are taken out.
"""

import json
import re
from typing import Any

from django.conf import settings

from marketplace.federation import jsonld

#: Where an item's text has its listing (see export).
_LISTING = '"listing":'
#: Of a company that may be a natural person.
ANONYMOUS = ("@type", "mp:size", "address")
_MAIL = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
# Nine digits of a Spanish number, or ten to fifteen after a plus or 0034; with the usual signs between them. Not within a longer number or an address:
# "Tel.931234567" is one, "1.931.234.567" is none; of "931234567/612345678" both are, in "/item/612345678" there is none.
_PHONE = re.compile(r"(?<!\w)(?<!\d[.,])(?<![^\W\d]/)(?:(?:\+|00(?=34))\d(?:[ .()/-]{0,2}\d){8,14}|\(?[6-9]\d(?:[ .()-]{0,2}\d){7})(?!\w|/[^\W\d]|[.,]\d)")
TAKEN_OUT = "[…]"

COLUMNS = [
    "uri", "page", "kind", "kind_of_thing", "title", "description", "keywords", "language", "sector_code", "sector", "place_code", "place", "latitude", "longitude",
    "reach_km", "remote", "valid_from", "valid_until", "company_uri", "company_name", "company_nif", "company_size", "company_place",
]  # fmt: skip


def context() -> list[dict[str, Any]]:
    """All words in the document itself: who reads it has to fetch nothing."""
    return [{"@vocab": f"{jsonld.SCHEMA_ORG}/", "offeredBy": {"@type": "@id"}, "url": {"@type": "@id"}, "inCodeSet": {}}, jsonld.context()["@context"]]


def listing(item_text: str) -> dict[str, Any]:
    """The listing of a stored item, as everybody may have it."""
    told = json.loads(item_text[item_text.index(_LISTING) + len(_LISTING) : -1])
    del told["@context"]
    for name in ("name", "description"):
        told[name] = without_contact(told[name])
    told["keywords"] = [without_contact(word) for word in told["keywords"]]
    told["itemOffered"]["name"] = told["name"]
    role = "offeredBy" if "offeredBy" in told else "mp:soughtBy"
    told[role] = _company(told[role])
    return told


def without_contact(text: str) -> str:
    """The text without mail addresses and phone numbers."""
    return _PHONE.sub(TAKEN_OUT, _MAIL.sub(TAKEN_OUT, text))


def _company(company: dict[str, Any]) -> dict[str, Any]:
    if "identifier" not in company:
        # No NIF is told: it is a natural person's, or nobody knows whose.
        return {name: company[name] for name in ANONYMOUS if name in company}
    if "description" in company:
        company["description"] = without_contact(company["description"])
    return company


def row(told: dict[str, Any]) -> list[object]:
    """A listing (what `listing` gives) in the order of COLUMNS."""
    company = told.get("offeredBy") or told["mp:soughtBy"]
    place = told["mp:place"]
    return [
        told["@id"], told["url"], told["@type"].lower(), told["mp:kindOfThing"], told["name"], told["description"], ", ".join(told["keywords"]), told["inLanguage"],
        told["category"]["codeValue"], told["category"]["name"], place["identifier"], place["name"], place["geo"]["latitude"], place["geo"]["longitude"],
        told["mp:reachKm"], "yes" if told["mp:remote"] else "no", told["validFrom"], told["validThrough"], company.get("@id", ""), company.get("name", ""),
        company.get("identifier", {}).get("value", ""), company.get("mp:size", ""), company["address"]["addressLocality"],
    ]  # fmt: skip


def licence() -> tuple[str, str]:
    """Its name and where it stands."""
    return settings.OPEN_DATA_LICENCE, settings.OPEN_DATA_LICENCE_URL
