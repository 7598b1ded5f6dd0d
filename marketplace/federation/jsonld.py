"""A listing as partners get it: schema.org's words, and our own for what schema.org lacks.

The page's data block (listings/jsonld.py) is for search engines; this is what another marketplace can rebuild the listing from.
No contact data, and of a company that is, or may be, a natural person neither name nor NIF nor description: personal data cross with an interest only.
"""

import uuid
from typing import Any

from django.conf import settings
from django.utils import timezone

from marketplace.companies.models import Company, Place
from marketplace.companies.validators import is_legal_person
from marketplace.listings import jsonld
from marketplace.listings.enums import Category, Kind
from marketplace.listings.models import Listing

from .personal import without_contact

#: Our own words, the same at every node. A URN of a UUID needs no registry and belongs to nobody's domain.
VOCABULARY = "urn:uuid:0198c2d4-7a10-7c3e-9b52-3f1d6a0e84b7#"
SCHEMA_ORG = "https://schema.org"
CONTEXT_PATH = "/api/federation/v1/context"
#: The code sets that categories and places are told in.
SECTORS, PLACES = "NACE Rev. 2", "INE municipalities"


def listing_uri(uid: uuid.UUID) -> str:
    """The listing's name for ever, and where it can be asked for."""
    return f"{settings.SITE_URL}/id/listing/{uid}"


def company_uri(uid: uuid.UUID) -> str:
    """As `listing_uri`."""
    return f"{settings.SITE_URL}/id/company/{uid}"


def listing(listing: Listing, uri: str = "") -> dict[str, Any]:
    """The listing, whose company, sector and place are loaded, under the URI that it was given first. Addresses of pages are those of the active language."""
    is_offer, title = listing.kind == Kind.OFFER, without_contact(listing.title)
    return {
        "@context": [SCHEMA_ORG, settings.SITE_URL + CONTEXT_PATH],
        "@type": "Offer" if is_offer else "Demand",
        "@id": uri or listing_uri(listing.uid),
        "url": jsonld.absolute(listing.get_absolute_url()),
        "name": title,
        "description": without_contact(listing.description),
        "inLanguage": listing.language,
        "keywords": [without_contact(word) for word in listing.keyword_list],
        "category": {
            "@type": "CategoryCode",
            "inCodeSet": SECTORS,
            "codeValue": listing.sector_id,
            "name": getattr(listing.sector, f"label_{listing.language}"),
        },
        "mp:kindOfThing": listing.category,
        "itemOffered": {"@type": jsonld.ITEM_TYPES[Category(listing.category)], "name": title},
        "areaServed": jsonld.area(listing),
        "mp:place": _place(listing.place),
        "mp:reachKm": listing.reach_km,
        "mp:remote": listing.remote,
        "validFrom": timezone.localdate(listing.published_at or listing.created).isoformat(),
        "validThrough": listing.valid_until.isoformat(),
        "offeredBy" if is_offer else "mp:soughtBy": company(listing.company),
    }


def company(company: Company) -> dict[str, Any]:
    """What partners get to know of a company; what is not known is absent."""
    told = {
        "@type": "Organization",
        "@id": company_uri(company.uid),
        "mp:size": company.size,
        "address": {"@type": "PostalAddress", "addressLocality": company.place.name, "addressCountry": "ES"},
    }
    if is_legal_person(company.tax_id):
        told |= {
            "name": company.name,
            "description": without_contact(company.description),
            "url": company.web,
            "identifier": {"@type": "PropertyValue", "propertyID": "NIF", "value": company.tax_id},
        }
    return {name: value for name, value in told.items() if value}


def _place(place: Place) -> dict[str, Any]:
    return {
        "@type": "City",
        "identifier": place.code,
        "name": place.name,
        "geo": {"@type": "GeoCoordinates", "latitude": place.latitude, "longitude": place.longitude},
    }


def context() -> dict[str, Any]:
    """The JSON-LD context of our own words (JSON-LD 1.1)."""
    number, truth = "http://www.w3.org/2001/XMLSchema#integer", "http://www.w3.org/2001/XMLSchema#boolean"
    return {
        "@context": {
            "@version": 1.1,
            "mp": {"@id": VOCABULARY, "@prefix": True},
            # Who asks for what a Demand asks for; schema.org has `seeks`, from the company to the demand, only.
            "mp:soughtBy": {"@id": "mp:soughtBy", "@type": "@id"},
            # "solution", "product", "knowledge" or "space".
            "mp:kindOfThing": {"@id": "mp:kindOfThing"},
            "mp:place": {"@id": "mp:place"},
            # Kilometres around the place; null: anywhere.
            "mp:reachKm": {"@id": "mp:reachKm", "@type": number},
            "mp:remote": {"@id": "mp:remote", "@type": truth},
            # "micro", "small", "medium" or "large", as in Recommendation 2003/361/EC.
            "mp:size": {"@id": "mp:size"},
        }
    }
