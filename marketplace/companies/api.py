"""Companies, sectors and municipalities for programs. Contact data is not in it, not even asked for from the database."""

import uuid
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

from django.core.files.storage import default_storage
from django.db.models import QuerySet
from django.http import Http404, HttpResponse
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request

from marketplace.rest import paging, schema, selection
from marketplace.rest.answers import answer
from marketplace.rest.links import absolute, pattern
from marketplace.rest.problems import Problem, invalid_parameter
from marketplace.rest.views import ApiView

from . import places, sectors
from .forms import CompanyFilterForm
from .models import Company, Place, Sector
from .serializers import CompanyDetailOut, CompanyPageOut, PlaceDetailOut, PlacesOut, SectorDetailOut, SectorsOut

DEFAULT_LIMIT, MAX_LIMIT = 50, 1000
MOST_FOUND = 50
LONGEST_TEXT = 100
#: The order of lists: by name, as the public page.
ORDER = ("name", "id")
COLUMNS = (
    "id", "name", "uid", "description", "sector_id", "place_id", "size", "legal_form", "web", "logo", "verified", "source_uri", "source_name",
)  # fmt: skip
MEMBERS = selection.tree(CompanyDetailOut)
SECTOR_MEMBERS, PLACE_MEMBERS = selection.tree(SectorDetailOut), selection.tree(PlaceDetailOut)
READING = [schema.FIELDS, schema.IF_NONE_MATCH, schema.ETAG]
PUBLIC = [{}, {"key": []}]


def public(companies: QuerySet) -> QuerySet:
    """The rows that `written` takes."""
    return companies.values_list(*COLUMNS)


def written(rows: Iterable[tuple]) -> Iterator[dict[str, Any]]:
    """Each row as serializers.CompanyDetailOut describes it."""
    page, tree, known = pattern("companies:detail"), sectors.tree(), places.known()
    for _id, name, uid, description, sector, place, size, legal_form, web, logo, verified, source_uri, source_name in rows:
        yield {
            "uid": str(uid),
            "url": page % uid,
            "name": name,
            "description": description,
            "sector": {"code": sector, "label": tree[sector].label if sector in tree else sector},
            "place": {"code": place, "name": known[place].name if place in known else place},
            "size": size,
            "legal_form": legal_form,
            "web": web,
            "logo": absolute(default_storage.url(logo)) if logo else None,
            "verified": verified,
            "source": {"name": source_name, "uri": source_uri} if source_uri else None,
        }


class Companies(ApiView):
    """The companies that everybody may see."""

    schema_tag = "companies"

    @extend_schema(
        operation_id="listCompanies",
        summary="Companies by name",
        parameters=[
            OpenApiParameter("q", {"type": "string", "maxLength": LONGEST_TEXT}, description="Words in name, description, sector or municipality; accents do not count."),
            OpenApiParameter("sector", {"type": "string", "maxLength": 1}, description="A section of NACE Rev. 2, like C."),
            OpenApiParameter("place", {"type": "string", "maxLength": 6}, description="The INE code of a municipality."),
            schema.limit(DEFAULT_LIMIT, MAX_LIMIT), schema.CURSOR, schema.LINK, *READING,
        ],
        responses={200: CompanyPageOut, 304: schema.NOT_MODIFIED},
        auth=PUBLIC,
    )  # fmt: skip
    def get(self, request: Request) -> HttpResponse:
        """A page of them."""
        names = ("q", "sector", "place", "limit", "cursor", "fields")
        paging.refuse_unknown(request, names)
        paging.refuse_repeated(request, names)
        wanted = selection.chosen(request, MEMBERS)
        limit = paging.limit_of(request, default=DEFAULT_LIMIT, most=MAX_LIMIT)
        companies = self._narrowed(request)
        page = paging.keyset(request, public(companies), order=ORDER, limit=limit, positions=[1, 0])
        body, headers = paging.body(request, replace(page, rows=[selection.pruned(row, wanted) for row in written(page.rows)]))
        return answer(request, body, headers=headers)

    def _narrowed(self, request: Request) -> QuerySet:
        """After the filters of the public page; what it would leave out in silence is a problem here."""
        query = request.query_params
        if (place := query.get("place")) and place not in places.known():
            raise invalid_parameter("place", _("We know no municipality with this code."), "unknown")
        form = CompanyFilterForm({"text": query.get("q", ""), "section": query.get("sector", ""), "place": ""})
        if not form.is_valid():
            names = {"text": "q", "section": "sector"}
            errors = [{"parameter": names[name], "detail": " ".join(found), "code": "invalid"} for name, found in form.errors.items()]
            raise Problem("invalid-parameter", errors=errors)
        companies = form.narrowed(Company.objects.public())
        return companies.filter(place=place) if place else companies


class OneCompany(ApiView):
    """One company."""

    schema_tag = "companies"

    @extend_schema(
        operation_id="getCompany", summary="One company", parameters=READING, responses={200: CompanyDetailOut, 304: schema.NOT_MODIFIED}, auth=PUBLIC
    )
    def get(self, request: Request, uid: uuid.UUID) -> HttpResponse:
        """The company, if everybody may see it."""
        paging.refuse_unknown(request, ("fields",))
        paging.refuse_repeated(request, ("fields",))
        wanted = selection.chosen(request, MEMBERS)
        company = next(written(public(Company.objects.public().filter(uid=uid))), None)
        if company is None:
            raise Http404
        return answer(request, selection.pruned(company, wanted))


class Sectors(ApiView):
    """The tree of sectors."""

    schema_tag = "sectors and places"

    @extend_schema(
        operation_id="listSectors",
        summary="Sectors (NACE Rev. 2)",
        description="All of them in one answer: they change once in decades. With an ETag the next time costs nothing.",
        parameters=[
            OpenApiParameter(
                "q", {"type": "string", "maxLength": 200}, description="The beginnings of words in any language, or of a code; at most 50, the best first."
            ),
            OpenApiParameter("level", {"type": "integer", "minimum": 1, "maximum": 4}, description="Only this level."),
            OpenApiParameter("parent", {"type": "string", "maxLength": 4}, description="Only what lies under this code, at any depth."),
            *READING,
        ],
        responses={200: SectorsOut, 304: schema.NOT_MODIFIED},
        auth=PUBLIC,
    )
    def get(self, request: Request) -> HttpResponse:
        """The wanted ones."""
        names = ("q", "level", "parent", "fields")
        paging.refuse_unknown(request, names)
        paging.refuse_repeated(request, names)
        wanted, query = selection.chosen(request, SECTOR_MEMBERS), request.query_params
        level, parent = query.get("level"), query.get("parent")
        if level is not None and level not in {"1", "2", "3", "4"}:
            raise invalid_parameter("level", _("A number from 1 to 4."))
        if parent is not None and parent not in sectors.tree():
            raise invalid_parameter("parent", _("We know no sector with this code. Search for it by a word."), "unknown")
        found = sectors.find(_text(request), limit=MOST_FOUND) if "q" in query else sectors.tree().values()
        chosen = [one for one in found if level in (None, str(one.level)) and (parent is None or parent in one.codes[:-1])]
        return answer(request, {"results": [selection.pruned(_sector(one), wanted) for one in chosen]})


class Places(ApiView):
    """The municipalities."""

    schema_tag = "sectors and places"

    @extend_schema(
        operation_id="listPlaces",
        summary="Municipalities of Catalonia",
        parameters=[
            OpenApiParameter("q", {"type": "string", "maxLength": 200}, description="The name, or what it may have meant; at most 50."),
            OpenApiParameter("comarca", {"type": "string", "maxLength": 60}, description="Only of this comarca."),
            *READING,
        ],
        responses={200: PlacesOut, 304: schema.NOT_MODIFIED},
        auth=PUBLIC,
    )
    def get(self, request: Request) -> HttpResponse:
        """The wanted ones."""
        names = ("q", "comarca", "fields")
        paging.refuse_unknown(request, names)
        paging.refuse_repeated(request, names)
        wanted, query = selection.chosen(request, PLACE_MEMBERS), request.query_params
        comarca, found = query.get("comarca"), list(places.known().values())
        if comarca is not None and comarca not in {one.comarca for one in found}:
            raise invalid_parameter("comarca", _("We know no comarca of this name."), "unknown")
        if "q" in query:
            found = places.like(_text(request), limit=MOST_FOUND)
        return answer(request, {"results": [selection.pruned(_place(one), wanted) for one in found if comarca in (None, one.comarca)]})


def _text(request: Request) -> str:
    text = request.query_params["q"]
    if len(text) > sectors.MAX_TEXT:
        raise invalid_parameter("q", _("At most %(n)d characters.") % {"n": sectors.MAX_TEXT}, "long")
    return text


def _sector(sector: Sector) -> dict[str, Any]:
    return {"code": sector.code, "label": sector.label, "level": sector.level, "parent": sector.parent_id, "path": list(sector.codes)}


def _place(place: Place) -> dict[str, Any]:
    return {
        "code": place.code,
        "name": place.name,
        "comarca": place.comarca,
        "province": place.province,
        "latitude": place.latitude,
        "longitude": place.longitude,
    }
