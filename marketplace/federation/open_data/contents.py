"""What of a listing everybody may take and use: the feed's item without personal data.

Partners do not get them either, but for the address of each company by which they tell them apart. Here that is left out of one that is, or may be, a
natural person too, and what an entry of an older release still has is taken out as well.
"""

import json
from typing import Any

from django.conf import settings

from marketplace.federation import jsonld
from marketplace.federation.personal import ANONYMOUS, without_contact

#: Where an item's text has its listing (see export).
_LISTING = '"listing":'
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
