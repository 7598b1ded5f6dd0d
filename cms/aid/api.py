"""Aid for programs: the finder's filters, order and texts. Only what everybody can open on the site."""

import uuid
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from django.http import Http404, HttpResponse
from django.utils import timezone
from django.utils.datastructures import MultiValueDict
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request

from cms.pages import exported
from cms.pages.models.base import for_everybody
from marketplace.companies.enums import Size
from marketplace.companies.models import Company
from marketplace.listings.filters import MAX_VALUES
from marketplace.rest import paging, schema, selection
from marketplace.rest.answers import answer
from marketplace.rest.links import absolute
from marketplace.rest.models import Scope
from marketplace.rest.paging import Page
from marketplace.rest.permissions import require
from marketplace.rest.problems import Problem, invalid_parameter
from marketplace.rest.views import ApiView

from . import facets, finder
from .documents import with_facts
from .enums import Beneficiary, Kind, Level, State
from .filters import SORTS, AidFilter, Fit
from .models import AidIndexPage, AidPage, Call
from .serializers import AidOut, AidPageOut, AidSummaryOut

DEFAULT_LIMIT, MAX_LIMIT = 50, 200
MANY = ("kind", "state", "beneficiary", "size", "sector", "level", "funder", "fit")
SINGLE = ("q", "ended", "sort", "limit", "cursor", "fields", "facets")
MEMBERS, FULL_MEMBERS = selection.tree(AidSummaryOut), selection.tree(AidOut)
#: In these orders languages are tried where the asked one has no version.
LANGUAGES = ("ca", "es", "en")
READING = [schema.FIELDS, schema.IF_NONE_MATCH, schema.ETAG]
PUBLIC = [{}, {"key": []}]


def _choices(name: str, values: Iterable[str], description: str = "Any of these.") -> OpenApiParameter:
    return OpenApiParameter(name, {"type": "array", "items": {"type": "string", "enum": list(values)}}, description=description)


PARAMETERS = [
    OpenApiParameter("q", {"type": "string", "maxLength": 200}, description="Words, or the official number of a call."),
    _choices("kind", Kind.values),
    _choices("state", State.values),
    _choices("beneficiary", Beneficiary.values),
    _choices("size", Size.values),
    OpenApiParameter("sector", {"type": "array", "items": {"type": "string", "maxLength": 4}}, description="Codes of NACE Rev. 2, of any level."),
    _choices("level", Level.values),
    OpenApiParameter("funder", {"type": "array", "items": {"type": "string", "pattern": "^[0-9]{1,9}$"}}, description="The ids of funders."),
    _choices("fit", Fit.values, "What the rules say of the key's company; needs a company's key with the scope read."),
    OpenApiParameter("ended", {"type": "string", "enum": ["true", "false"]}, description="true: closed aid too."),
    OpenApiParameter(
        "sort", {"type": "string", "enum": [value for value, _label in SORTS]}, description="“relevance” needs “q”, “fit” a company's key. Without: deadline."
    ),
    OpenApiParameter("facets", {"type": "string", "enum": ["true", "false"]}, description="true: count what each filter would give."),
]


class Aid(ApiView):
    """Aid for companies."""

    schema_tag = "aid"

    @extend_schema(
        operation_id="searchAid",
        summary="Search aid",
        description="The filters and the order of the aid finder, in the language of the answer: what is not translated is not there in it.",
        parameters=[*PARAMETERS, schema.limit(DEFAULT_LIMIT, MAX_LIMIT), schema.CURSOR, schema.LINK, *READING],
        responses={200: AidPageOut, 304: schema.NOT_MODIFIED},
        auth=PUBLIC,
    )
    def get(self, request: Request) -> HttpResponse:
        """A page of it."""
        paging.refuse_unknown(request, (*MANY, *SINGLE))
        paging.refuse_repeated(request, SINGLE)
        fields = selection.chosen(request, MEMBERS)
        limit = paging.limit_of(request, default=DEFAULT_LIMIT, most=MAX_LIMIT)
        company = _company(request)
        wanted = understood(request, company)
        index = _index()
        content = paging.unseal(request)
        if index is None:
            body, headers = paging.body(request, Page([]), total=0, degraded=False)
            return answer(request, body, headers=headers)
        found = finder.find(wanted, index, company=company, page_size=1)
        page = _cut(request, found.all_items, content, limit)
        rows = [selection.pruned(summary(one, index), fields) for one in page.rows]
        more: dict[str, Any] = {"total": found.total, "degraded": found.degraded}
        if request.query_params.get("facets") == "true":
            groups = facets.groups(wanted, found.facets, found.funders)
            more["facets"] = {name: [{**option, "label": str(option["label"])} for option in group.options] for name, group in groups.items()}
        body, headers = paging.body(request, replace(page, rows=rows), **more)
        return answer(request, body, headers=headers)


class OneAid(ApiView):
    """One aid."""

    schema_tag = "aid"

    @extend_schema(
        operation_id="getAid",
        summary="One aid with its texts",
        description="In the language of the answer, else in the first there is: “language” tells in which.",
        parameters=READING,
        responses={200: AidOut, 304: schema.NOT_MODIFIED},
        auth=PUBLIC,
    )
    def get(self, request: Request, uid: uuid.UUID) -> HttpResponse:
        """It, if everybody may see it."""
        paging.refuse_unknown(request, ("fields",))
        paging.refuse_repeated(request, ("fields",))
        wanted = selection.chosen(request, FULL_MEMBERS)
        versions = {page.locale.language_code: page for page in with_facts(for_everybody(AidPage.objects.filter(translation_key=uid)))}
        page = next((versions[language] for language in (get_language(), *LANGUAGES) if language in versions), None)
        if page is None:
            raise Http404
        return answer(request, selection.pruned(_whole(page, versions.values()), wanted))


# --- Reading ------------------------------------------------------------------------------------------------------------


def understood(request: Request, company: Company | None) -> AidFilter:
    """The search of the request; raises a Problem that names every parameter which cannot be understood."""
    query = request.query_params
    for name in MANY:
        if len(query.getlist(name)) > MAX_VALUES:
            raise invalid_parameter(name, _("At most %(n)d values.") % {"n": MAX_VALUES}, "many")
    for name in ("ended", "facets"):
        if query.get(name, "false") not in {"true", "false"}:
            raise invalid_parameter(name, _("“true” or “false”."))
    data = {name: query.getlist(name) for name in (*MANY, "q", "ended", "sort") if name in query}
    wanted = AidFilter(MultiValueDict(data | ({"company": [str(company.uid)]} if company else {})))
    if wanted.ignored:
        errors = [{"parameter": one.name, "detail": f"{one.value}: {one.message}" if one.value else one.message, "code": "invalid"} for one in wanted.ignored]
        raise Problem("invalid-parameter", errors=errors)
    if (sort := query.get("sort")) and sort not in wanted.sorts(wanted.values):
        raise invalid_parameter("sort", _("“relevance” needs “q”, and “fit” the key of a company."))
    if "sort" not in query and company and wanted.sort == "fit":
        # With a key the order is the same as without.
        wanted.values["sort"] = "relevance" if wanted.values["q"] else "deadline"
    return wanted


def _company(request: Request) -> Company | None:
    """The key's company, where what fits it is asked for."""
    if "fit" not in request.query_params and request.query_params.get("sort") != "fit":
        return None
    company = getattr(request.auth.client, "company", None) if request.auth else None
    if company is None:
        name = "fit" if "fit" in request.query_params else "sort"
        raise invalid_parameter(name, _("What fits is told to a company: send the company's key."), "company")
    require(request.auth, Scope.READ)
    return company


def _index() -> AidIndexPage | None:
    """The finder in the language of the answer, if everybody may open it."""
    finders = for_everybody(AidIndexPage.objects.filter(locale__language_code=get_language()))
    return finders.select_related("locale").order_by("path").first()


def _cut(request: Request, items: list[finder.Item], content: dict[str, Any] | None, limit: int) -> Page:
    """The page behind (or before) the aid that the cursor names; where that one is gone meanwhile, behind where it was."""
    backward = bool(content) and content.get("to") == paging.BACKWARD
    places = {one.page.pk: place for place, one in enumerate(items)}
    if content is None:
        first = 0
    elif backward:
        first = max(places.get(content["at"], content["place"]) - limit, 0)
    else:
        first = places[content["at"]] + 1 if content["at"] in places else content["place"]
    last = places.get(content["at"], content["place"]) if backward else first + limit
    rows = items[first:last]

    def cursor(direction: str, place: int) -> str:
        return paging.seal(request, {"to": direction, "at": items[place].page.pk, "place": place})

    following = first + len(rows) < len(items) and rows
    return Page(
        rows, next=cursor(paging.FORWARD, first + len(rows) - 1) if following else "", previous=cursor(paging.BACKWARD, first) if first and rows else ""
    )


# --- Writing ------------------------------------------------------------------------------------------------------------


def summary(item: finder.Item, index: AidIndexPage) -> dict[str, Any]:
    """An aid as lists give it."""
    return _facts(item, index.locale.language_code) | ({"fit": item.fit} if item.fit else {})


def _facts(item: finder.Item, language: str) -> dict[str, Any]:
    page, standing = item.page, item.standing
    return {
        "uid": str(page.translation_key),
        "language": language,
        "url": absolute(item.url),
        "title": page.title,
        "summary": page.summary,
        "kind": page.kind,
        "kind_label": str(page.get_kind_display()),
        "state": standing.state.value,
        "state_label": str(standing.state.label),
        "opens_on": _day(standing.call and standing.call.opens_on),
        "deadline": _day(standing.call and standing.call.deadline),
        "days_left": item.days_left,
        "funders": [{"id": funder.pk, "name": funder.name, "level": funder.level, "url": funder.url} for funder in page.funders],
        "beneficiaries": list(page.beneficiaries),
        "sizes": list(page.sizes),
        "sectors": [{"code": sector.code, "label": sector.label} for sector in page.sectors],
        "places": [{"code": place.code, "name": place.name} for place in page.places],
        "amount_min": _amount(page.amount_min),
        "amount_max": _amount(page.amount_max),
        "share_max": page.share_max,
        "budget": _amount(page.budget),
        "calls": [_call(call, item) for call in page.calls.all()],
        "example": page.is_example,
        "checked_on": _day(page.reviewed_on),
        "published_at": _moment(page.first_published_at),
        "updated_at": _moment(page.last_published_at),
    }


def _whole(page: AidPage, versions: Iterable[AidPage]) -> dict[str, Any]:
    item = finder.Item(page, page.get_url() or "", timezone.localdate())
    return _facts(item, page.locale.language_code) | {
        "body": _text(page.body),
        "how_to_apply": _text(page.how_to_apply),
        "procedure": {"name": page.procedure_name, "url": page.procedure_url},
        "legal_base": {"name": page.legal_base, "url": page.legal_base_url},
        "translations": [
            {"language": one.locale.language_code, "url": absolute(one.get_url() or "")} for one in sorted(versions, key=lambda one: one.locale.language_code)
        ],
    }


def _text(body: object) -> dict[str, str]:
    html = exported.semantic(str(body))
    return {"html": html, "plain": exported.plain(html)}


def _call(call: Call, item: finder.Item) -> dict[str, Any]:
    return {
        "uid": str(call.uid),
        "number": call.number,
        "state": finder.states.state_of(call, item.today).value,
        "opens_on": _day(call.opens_on),
        "deadline": _day(call.deadline),
        "exhausted_on": _day(call.exhausted_on),
        "budget": _amount(call.budget),
        "url": call.url,
    }


def _amount(amount: object) -> str | None:
    return None if amount is None else f"{amount:.2f}"


def _day(day: object) -> str | None:
    return day.isoformat() if day else None


_moment = _day
