"""The page that explains the open data, the downloads, the catalogue. No key is needed."""

import json
from typing import Any

from django.conf import settings
from django.http import FileResponse, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.cache import get_conditional_response
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from marketplace.federation.accepting import takes_gzip
from marketplace.federation.models import FeedEntry
from marketplace.federation.models.feed import Op
from marketplace.listings import jsonld

from . import contents, dcat, files

USES = {
    files.CSV: gettext_lazy("For a spreadsheet: a row for each offer and demand."),
    files.JSON_LD: gettext_lazy("For programs: schema.org's words, with all that the table has."),
}
FIELDS = [
    ("uri, page", gettext_lazy("Its name, which never changes, and its page.")),
    ("kind, kind_of_thing", gettext_lazy("Offer or demand; solution, product, knowledge or space.")),
    ("title, description, keywords, language", gettext_lazy("The company's own words and their language. Phone numbers and e-mail addresses are taken out.")),
    ("sector_code, sector", gettext_lazy("The sector after NACE Rev. 2 (in Spain CNAE-2009).")),
    ("place_code, place, latitude, longitude", gettext_lazy("The municipality, with the code of the statistics institute (INE).")),
    ("reach_km, remote", gettext_lazy("How far it goes from there, empty for anywhere; and whether it works at a distance.")),
    ("valid_from, valid_until", gettext_lazy("First and last day.")),
    (
        "company_uri, company_name, company_nif, company_size, company_place",
        gettext_lazy("The company. Self-employed people have neither name nor NIF here: those are personal data."),
    ),
]


@require_safe
def page(request: HttpRequest) -> HttpResponse:
    """What there is, for whom, under which licence."""
    name, address = contents.licence()
    count = FeedEntry.objects.filter(op=Op.UPSERT).count()
    modified = dcat.modified() if count else None
    context = {
        "count": count,
        "modified": modified,
        "downloads": [(form, USES[form], reverse("open_data_file", args=[form.ending]), files.size(form)) for form in USES],
        "fields": FIELDS,
        "licence": name,
        "licence_url": address,
        "data": jsonld.script(_dataset(request)),
    }
    return render(request, "federation/open_data.html", context)


def _dataset(request: HttpRequest) -> dict[str, Any]:
    """In the words of schema.org, for search engines of data sets."""
    here = settings.SITE_URL + request.path
    downloads = [
        {"@type": "DataDownload", "encodingFormat": form.media_type, "contentUrl": settings.SITE_URL + reverse("open_data_file", args=[form.ending])}
        for form in files.FORMATS.values()
    ]
    return {
        "@context": "https://schema.org",
        "@type": "Dataset",
        "@id": here,
        "url": here,
        "name": _("Offers and demands of companies"),
        "description": _(
            "Every offer and demand that is public now, with its text, sector (NACE Rev. 2), municipality (INE code), reach and dates. No contact data."
        ),
        "license": contents.licence()[1],
        "isAccessibleForFree": True,
        "creator": {"@type": "Organization", "name": settings.SITE_NAME, "url": settings.SITE_URL},
        "distribution": downloads,
    }


@require_safe
def download(request: HttpRequest, ending: str) -> HttpResponseBase:
    """All offers and demands in one file."""
    form, is_packed = files.FORMATS[ending], takes_gzip(request)
    version, content = files.opened(form, is_packed=is_packed)
    etag = f'W/"{version}"'
    response = get_conditional_response(request, etag=etag)
    if response is None:
        response = FileResponse(content, content_type=form.content_type)
        response["Content-Disposition"] = f'attachment; filename="listings.{form.ending}"'
        if is_packed:
            response["Content-Encoding"] = "gzip"
    else:
        content.close()
    return _for_all(response, etag)


@require_safe
def catalogue(request: HttpRequest) -> HttpResponse:
    """The DCAT-AP catalogue."""
    body = json.dumps(dcat.catalogue(), ensure_ascii=False, indent=1).encode()
    return _for_all(HttpResponse(body, content_type="application/ld+json"))


def _for_all(response: HttpResponseBase, etag: str = "") -> HttpResponseBase:
    if etag:
        response["ETag"] = etag
    response["Access-Control-Allow-Origin"] = "*"
    response["Cache-Control"] = "public, no-cache"
    response["Vary"] = "Accept-Encoding"
    return response
