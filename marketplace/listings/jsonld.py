"""A listing in the words of schema.org, for search engines and partners.

An offer is an Offer of its company; a demand is a Demand that its company `seeks` (schema.org knows no "asked by" on Demand).
No contact data, as everywhere that is public.
"""

import json
from typing import Any

from django.conf import settings
from django.utils.html import SafeString, format_html

from .enums import Category, Kind
from .models import Listing

#: What stands for a category. "Space or equipment" is offered as a service: it is let, not sold.
ITEM_TYPES = {Category.PRODUCT: "Product", Category.SOLUTION: "Service", Category.KNOWLEDGE: "Service", Category.SPACE: "Service"}

# Inside <script> a text must not end the element or begin a comment, whatever it holds.
_ESCAPES = {ord("<"): "\\u003C", ord(">"): "\\u003E", ord("&"): "\\u0026", 0x2028: "\\u2028", 0x2029: "\\u2029"}


def script(data: dict[str, Any]) -> SafeString:
    """The data block for the page's head. The browser runs nothing of it, so that the content security policy lets it stand."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":")).translate(_ESCAPES)
    return format_html('<script type="application/ld+json">{}</script>', SafeString(text))


def listing(listing: Listing) -> dict[str, Any]:
    """The listing and its company as a graph."""
    address = absolute(listing.get_absolute_url())
    node = {
        "@type": "Offer" if listing.kind == Kind.OFFER else "Demand",
        "@id": address,
        "url": address,
        "name": listing.title,
        "description": listing.description,
        "category": listing.sector.label,
        "itemOffered": {"@type": ITEM_TYPES[Category(listing.category)], "name": listing.title, "description": listing.description},
        "areaServed": area(listing),
        "validFrom": listing.published_at.date().isoformat() if listing.published_at else None,
        "validThrough": listing.valid_until.isoformat(),
    }
    organization = {
        "@type": "Organization",
        "@id": absolute(listing.company.get_absolute_url()),
        "url": absolute(listing.company.get_absolute_url()),
        "name": listing.company.name,
        "address": {"@type": "PostalAddress", "addressLocality": listing.company.place.name, "addressCountry": "ES"},
    }
    if listing.company.logo:
        organization["logo"] = absolute(listing.company.logo.url)
    if listing.kind == Kind.OFFER:
        node["offeredBy"] = {"@id": organization["@id"]}
    else:
        organization["seeks"] = {"@id": address}
    return {"@context": "https://schema.org", "@graph": [{key: value for key, value in node.items() if value is not None}, organization]}


def area(listing: Listing) -> dict[str, Any]:
    """Where it holds: a circle around the place, or the country when distance does not matter."""
    if listing.reach_km is None or listing.remote:
        return {"@type": "Country", "name": "ES"}
    place = listing.place
    centre = {"@type": "GeoCoordinates", "latitude": place.latitude, "longitude": place.longitude}
    return {"@type": "GeoCircle", "name": place.name, "geoMidpoint": centre, "geoRadius": listing.reach_km * 1000}


def absolute(path: str) -> str:
    """The address with the site's scheme and host."""
    return path if "://" in path else settings.SITE_URL + path
