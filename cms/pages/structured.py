"""What search engines read: schema.org data as JSON-LD."""

import datetime
import json
from collections.abc import Iterable, Sequence
from typing import Any

from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from wagtail.images.models import AbstractRendition

CONTEXT = "https://schema.org"
# As in Django's json_script: nothing in a text can end the element it stands in.
ESCAPES = {ord("<"): "\\u003C", ord(">"): "\\u003E", ord("&"): "\\u0026", 0x2028: "\\u2028", 0x2029: "\\u2029"}


def script(data: dict[str, Any]) -> SafeString:
    """`data` as an element for the page's head. A browser never runs it, so the content security policy has nothing against it."""
    text = json.dumps({"@context": CONTEXT} | without_empty(data), cls=DjangoJSONEncoder, ensure_ascii=False).translate(ESCAPES)
    return format_html('<script type="application/ld+json">{}</script>', mark_safe(text))  # noqa: S308 - escaped above


def scripts(parts: Iterable[dict[str, Any]]) -> SafeString:
    """One element for each part."""
    return format_html_join("\n", "{}", ((script(part),) for part in parts))


def without_empty(data: object) -> object:
    """Without what is not known: search engines take an empty value for a wrong one. A nought and False are known."""
    if isinstance(data, dict):
        return {key: without_empty(value) for key, value in data.items() if not _empty(value)}
    if isinstance(data, (list, tuple)):
        return [without_empty(value) for value in data if not _empty(value)]
    return data


def _empty(value: object) -> bool:
    return value is None or value == "" or value in ([], (), {})


def absolute(address: str) -> str:
    """With the site's public name in front, unless it has one."""
    return address if "://" in address else f"{settings.SITE_URL}{address}"


def organization() -> dict[str, Any]:
    """Who runs the site: a publisher, an organizer, a provider."""
    return {
        "@type": "GovernmentOrganization",
        "@id": f"{settings.SITE_URL}/#organization",
        "name": settings.SITE_NAME,
        "url": f"{settings.SITE_URL}/",
        "logo": f"{settings.SITE_URL}{settings.STATIC_URL}img/icon-180.png",
        "areaServed": settings.CITY_NAME,
    }


def breadcrumbs(items: Sequence[tuple[str, str]], here: str, address: str) -> dict[str, Any]:
    """The way to a page; `items`: (label, address) from the top, without the page itself."""
    steps = [*items, (here, address)]
    return {
        "@type": "BreadcrumbList",
        "itemListElement": [{"@type": "ListItem", "position": n, "name": label, "item": absolute(url)} for n, (label, url) in enumerate(steps, 1)],
    }


def questions(pairs: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """A page of questions; answers are HTML."""
    return {
        "@type": "FAQPage",
        "mainEntity": [{"@type": "Question", "name": question, "acceptedAnswer": {"@type": "Answer", "text": answer}} for question, answer in pairs],
    }


def address(street: str, postcode: str, town: str) -> dict[str, Any]:
    """A postal address in Spain."""
    return {"@type": "PostalAddress", "streetAddress": street, "postalCode": postcode, "addressLocality": town, "addressCountry": "ES"}


def moment(value: datetime.date | None) -> str | None:
    """A day or a moment as schema.org wants it."""
    return value and value.isoformat()


def picture(rendition: AbstractRendition | None) -> str | None:
    """The address of a picture."""
    return absolute(rendition.url) if rendition else None
