"""The catalogue of our open data after DCAT-AP 3.0, as JSON-LD. Portals (datos.gob.es, data.europa.eu) harvest it.

Mandatory there: a catalogue's title, description, publisher; a dataset's title and description; a distribution's accessURL.
Codes are those of the EU's authority tables.
"""

import datetime
from typing import Any

from django.conf import settings
from django.db.models import Max
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from marketplace.companies import places
from marketplace.federation.models import FeedEntry

from . import contents, files

AUTHORITY = "http://publications.europa.eu/resource/authority"
MEDIA_TYPES = "https://www.iana.org/assignments/media-types/"
LANGUAGES = {"ca": "CAT", "es": "SPA", "en": "ENG"}
CONTEXT = {
    "dcat": "http://www.w3.org/ns/dcat#",
    "dct": "http://purl.org/dc/terms/",
    "foaf": "http://xmlns.com/foaf/0.1/",
    "vcard": "http://www.w3.org/2006/vcard/ns#",
    "skos": "http://www.w3.org/2004/02/skos/core#",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
    "geo": "http://www.opengis.net/ont/geosparql#",
}

Node = dict[str, Any]


def catalogue() -> Node:
    """The document."""
    page, last = _page("ca"), modified()
    return {
        "@context": CONTEXT,
        "@id": _iri("catalogue"),
        "@type": "dcat:Catalog",
        "dct:title": _in_each_language(lambda: _("Open data of %(site)s") % {"site": settings.SITE_NAME}),
        "dct:description": _in_each_language(lambda: _("What companies of %(city)s and around it offer and look for.") % {"city": settings.CITY_NAME}),
        "dct:publisher": _publisher(),
        "dct:language": [_code("language", code) for code in LANGUAGES.values()],
        "dct:license": _license(),
        "dct:spatial": _city(),
        "dct:modified": _moment(last),
        "foaf:homepage": {"@id": page},
        "dcat:themeTaxonomy": {"@id": f"{AUTHORITY}/data-theme"},
        "dcat:dataset": [_dataset(page, last)],
        "dcat:service": [_service()],
    }


def modified() -> datetime.datetime:
    """When the data changed last; now, if there never was any."""
    return FeedEntry.objects.aggregate(last=Max("updated_at"))["last"] or timezone.now()


def _dataset(page: str, last: datetime.datetime) -> Node:
    return {
        "@id": _iri("listings"),
        "@type": "dcat:Dataset",
        "dct:title": _in_each_language(lambda: _("Offers and demands of companies")),
        "dct:description": _in_each_language(
            lambda: _(
                "Every offer and demand that is public now, with its text, sector (NACE Rev. 2), municipality (INE code), reach and dates. No contact data."
            )
        ),
        "dct:identifier": _iri("listings"),
        "dct:publisher": {"@id": _publisher()["@id"]},
        "dct:accessRights": _code("access-right", "PUBLIC"),
        "dct:accrualPeriodicity": _code("frequency", "CONT"),
        "dct:language": [_code("language", code) for code in LANGUAGES.values()],
        "dct:modified": _moment(last),
        "dct:spatial": {"@id": _iri("city")},
        "dcat:theme": [_code("data-theme", "ECON")],
        "dcat:keyword": [
            word for text in (lambda: _("companies"), lambda: _("offers"), lambda: _("demands"), lambda: _("suppliers")) for word in _in_each_language(text)
        ],
        "dcat:landingPage": {"@id": page},
        "dcat:contactPoint": {"@type": "vcard:Organization", "vcard:fn": settings.SITE_NAME, "vcard:hasURL": {"@id": settings.SITE_URL}},
        "dcat:distribution": [_distribution(form, page, last) for form in files.FORMATS.values()],
    }


def _distribution(form: files.Format, page: str, last: datetime.datetime) -> Node:
    told = {
        "@id": _iri(form.ending),
        "@type": "dcat:Distribution",
        "dct:title": form.ending.upper().replace("JSONLD", "JSON-LD"),
        "dct:format": _code("file-type", form.authority),
        "dct:license": _license(),
        "dct:modified": _moment(last),
        "dcat:accessURL": {"@id": page},
        "dcat:downloadURL": {"@id": settings.SITE_URL + reverse("open_data_file", args=[form.ending])},
        "dcat:mediaType": {"@id": MEDIA_TYPES + form.media_type},
    }
    if (size := files.size(form)) is not None:
        told["dcat:byteSize"] = {"@value": str(size), "@type": "xsd:nonNegativeInteger"}
    return told


def _service() -> Node:
    """The API, which gives the same and more, and takes questions."""
    return {
        "@id": _iri("api"),
        "@type": "dcat:DataService",
        "dct:title": _in_each_language(lambda: _("API of %(site)s") % {"site": settings.SITE_NAME}),
        "dct:license": _license(),
        "dcat:endpointURL": {"@id": f"{settings.SITE_URL}/api/v1/"},
        "dcat:endpointDescription": {"@id": f"{settings.SITE_URL}/api/v1/schema/"},
        "dcat:servesDataset": {"@id": _iri("listings")},
    }


def _publisher() -> Node:
    return {"@id": _iri("publisher"), "@type": "foaf:Agent", "foaf:name": settings.SITE_NAME, "foaf:homepage": {"@id": settings.SITE_URL}}


def _city() -> Node:
    told = {"@id": _iri("city"), "@type": "dct:Location", "skos:prefLabel": settings.CITY_NAME}
    if place := places.match(settings.CITY_NAME):
        told["dcat:centroid"] = {"@value": f"POINT({place.longitude} {place.latitude})", "@type": "geo:wktLiteral"}
        told["dct:identifier"] = place.code
    return told


def _license() -> Node:
    return {"@id": contents.licence()[1]}


def _in_each_language(text) -> list[Node]:
    texts = []
    for language in LANGUAGES:
        with translation.override(language):
            texts.append({"@value": text(), "@language": language})
    return texts


def _code(table: str, name: str) -> Node:
    return {"@id": f"{AUTHORITY}/{table}/{name}"}


def _moment(moment: datetime.datetime) -> Node:
    return {"@value": moment.astimezone(datetime.UTC).isoformat(timespec="seconds"), "@type": "xsd:dateTime"}


def _iri(name: str) -> str:
    """Names that lead to this document."""
    return f"{settings.SITE_URL}{reverse('open_data_catalogue')}#{name}"


def _page(language: str) -> str:
    with translation.override(language):
        return settings.SITE_URL + reverse("open_data:page")
