"""Listings for programs: searching them, making one, reading and changing one. Lists of a company's own, steps and batches are in own_api.py."""

import uuid
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from django.http import Http404, HttpResponse
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.request import Request

import search
from marketplace.rest import idempotency, paging, schema, selection
from marketplace.rest.answers import answer
from marketplace.rest.models import Scope
from marketplace.rest.paging import Page
from marketplace.rest.problems import Problem, invalid_parameter
from marketplace.rest.views import ApiView
from search import Hit

from . import facets, latest, rows, writing
from .filters import MAX_VALUES, ListingFilter
from .models import Listing
from .results import DEEPEST_RESULT, SAME_PLACE_KM
from .serializers import (
    FoundListingOut,
    ListingChangeIn,
    ListingIn,
    ListingOut,
    ListingPageOut,
    OwnListingOut,
)

DEFAULT_LIMIT, MAX_LIMIT = 50, 1000
#: A page is no filter here: it is reached by a cursor.
FILTERS = tuple(name for name in ListingFilter.base_filters if name != "page")
SINGLE = ("q", "near", "km", "sort", "cursor", "limit", "fields", "facets")
SEARCH = (*FILTERS, "cursor", "limit", "fields", "facets")
#: What says nothing about which listings.
PLAIN = {"cursor", "limit", "fields"}
ORDERS = {"expiring": ("valid_until", "id"), "": ("-published_at", "-id")}
TAG = "listings"
#: With one of these a key sees the company's own listing also while it is not public.
OWN_SCOPES = frozenset({Scope.READ, Scope.WRITE})

MEMBERS = selection.tree(FoundListingOut)
OWN_MEMBERS = selection.tree(OwnListingOut)

EXAMPLE = OpenApiExample(
    "A demand",
    request_only=True,
    value={
        "kind": "demand", "category": "solution", "title": "Laser cutting of stainless steel, 2 mm",
        "description": "Some 400 pieces a month, 2 mm sheets of AISI 304, drawings as DXF.", "sector": "2562", "reach_km": 60, "valid_until": "2027-06-30",
    },
)  # fmt: skip
FILTER_PARAMETERS = [
    OpenApiParameter("q", {"type": "string", "maxLength": 200}, description="Words; the results are ranked by how well they fit."),
    OpenApiParameter("kind", {"type": "array", "items": {"type": "string", "enum": ["offer", "demand"]}}, description="Any of these."),
    OpenApiParameter(
        "category", {"type": "array", "items": {"type": "string", "enum": ["solution", "product", "knowledge", "space"]}}, description="Any of these."
    ),
    OpenApiParameter("sector", {"type": "array", "items": {"type": "string", "maxLength": 4}}, description="Codes of NACE Rev. 2, of any level."),
    OpenApiParameter("place", {"type": "array", "items": {"type": "string", "maxLength": 6}}, description="INE codes of municipalities."),
    OpenApiParameter("near", {"type": "string", "maxLength": 80}, description="A municipality by its name or INE code."),
    OpenApiParameter("km", {"type": "integer", "minimum": 1, "maximum": 1000}, description="At most so far from “near”, or from this city."),
    OpenApiParameter("language", {"type": "array", "items": {"type": "string", "enum": ["ca", "es", "en"]}}, description="Of the text: any of these."),
    OpenApiParameter(
        "size", {"type": "array", "items": {"type": "string", "enum": ["micro", "small", "medium", "large"]}}, description="Of the company: any of these."
    ),
    OpenApiParameter(
        "sort",
        {"type": "string", "enum": ["relevance", "recent", "nearest", "expiring"]},
        description="“nearest” needs “near”. Without “q”, relevance is recent.",
    ),
]
FACETS = OpenApiParameter("facets", {"type": "string", "enum": ["true", "false"]}, description="true: count what each filter would give.")


def understood(request: Request) -> ListingFilter:
    """The search of the request; raises a Problem that names every parameter which cannot be understood."""
    paging.refuse_unknown(request, SEARCH)
    paging.refuse_repeated(request, SINGLE)
    query = request.query_params
    for name in FILTERS:
        if len(query.getlist(name)) > MAX_VALUES:
            raise invalid_parameter(name, _("At most %(n)d values.") % {"n": MAX_VALUES}, "many")
    wanted = ListingFilter(query)
    if wanted.ignored:
        errors = [{"parameter": one.name, "detail": f"{one.value}: {one.message}" if one.value else one.message, "code": "invalid"} for one in wanted.ignored]
        raise Problem("invalid-parameter", errors=errors)
    if query.get("sort") == "nearest" and not wanted.values["near"]:
        raise invalid_parameter("sort", _("“nearest” needs “near”."), "nearest")
    if query.get("facets", "false") not in {"true", "false"}:
        raise invalid_parameter("facets", _("“true” or “false”."))
    return wanted


class Listings(ApiView):
    """The public listings, and new ones of the key's company."""

    schema_tag = TAG

    @extend_schema(
        operation_id="searchListings",
        summary="Search listings",
        description=(
            "The same filters, facets and ranking as the search page. Without “q” or “near” the newest come first and the walk is exact: nothing is missed or "
            "doubled while others publish. A ranked search goes down to the 10,000th result."
        ),
        parameters=[
            *FILTER_PARAMETERS,
            FACETS,
            schema.limit(DEFAULT_LIMIT, MAX_LIMIT),
            schema.CURSOR,
            schema.FIELDS,
            schema.IF_NONE_MATCH,
            schema.ETAG,
            schema.LINK,
        ],
        responses={200: ListingPageOut, 304: schema.NOT_MODIFIED},
        auth=[{}, {"key": []}],
    )
    def get(self, request: Request) -> HttpResponse:
        """A page of what is public."""
        # Nothing asked for is what programs ask for most, and forms take as long as the rows.
        wanted = understood(request) if request.query_params.keys() - PLAIN else None
        fields = selection.chosen(request, MEMBERS)
        limit = paging.limit_of(request, default=DEFAULT_LIMIT, most=MAX_LIMIT)
        with_facets = request.query_params.get("facets") == "true"
        if wanted and (wanted.values["q"] or wanted.values["near"]):
            page, more = self._ranked(wanted, limit, with_facets=with_facets)
        else:
            page = self._ordered(wanted, limit)
            more = self._counted(wanted) if with_facets else {"total": None, "degraded": False}
        if fields is not None:
            page = replace(page, rows=selection.pruned(page.rows, fields))
        body, headers = paging.body(request, page, **more)
        return answer(request, body, headers=headers)

    def _ordered(self, wanted: ListingFilter | None, limit: int) -> Page:
        """A page in the order of a column; None wants everything."""
        paging.refuse_repeated(self.request, PLAIN)
        order = ORDERS.get(wanted.values["sort"] or "" if wanted else "", ORDERS[""])
        positions = [rows.POSITIONS[step.lstrip("-")] for step in order]
        if wanted:
            listings = rows.public(wanted.qs.exclude(published_at=None))
            found = paging.keyset(self.request, listings, order=order, limit=limit, positions=positions)
        else:
            found = paging.page(self.request, latest.fetched, order=order, limit=limit, positions=positions)
        return replace(found, rows=list(rows.written(found.rows)))

    def _ranked(self, wanted: ListingFilter, limit: int, *, with_facets: bool) -> tuple[Page, dict[str, Any]]:
        """A page in the engine's order; its cursor holds how many results were seen."""
        content = paging.unseal(self.request) or {"seen": 0, "of": limit}
        number, limit = content["seen"] // content["of"] + 1, content["of"]
        query = wanted.query(page_size=limit)
        try:
            found = search.find(replace(query, page=number))
        except search.SearchUnavailable:
            return self._from_database(wanted, number, limit)
        last = -(-min(found.total, DEEPEST_RESULT) // limit)
        page = self._paged(found_rows(found.hits), number, limit, is_last=number >= last)
        more: dict[str, Any] = {"total": found.total, "degraded": found.degraded}
        return page, more | ({"facets": written_facets(wanted, found.facets)} if with_facets else {})

    def _from_database(self, wanted: ListingFilter, number: int, limit: int) -> tuple[Page, dict[str, Any]]:
        """What the database finds by itself, newest first, while no engine answers."""
        first = (number - 1) * limit
        found = list(rows.written(rows.public(wanted.qs)[first : first + limit + 1]))
        return self._paged(found[:limit], number, limit, is_last=len(found) <= limit), {"total": None, "degraded": True}

    def _paged(self, found: list[dict[str, Any]], number: int, limit: int, *, is_last: bool) -> Page:
        def cursor(page: int) -> str:
            return paging.seal(self.request, {"seen": (page - 1) * limit, "of": limit})

        deepest = number * limit >= DEEPEST_RESULT
        return Page(found, next="" if is_last or deepest else cursor(number + 1), previous=cursor(number - 1) if number > 1 else "")

    def _counted(self, wanted: ListingFilter) -> dict[str, Any]:
        """Facets and total of a list that needs no ranking."""
        try:
            found = search.find(wanted.query(page_size=1))
        except search.SearchUnavailable:
            return {"total": None, "degraded": True, "facets": written_facets(wanted, {})}
        return {"total": found.total, "degraded": found.degraded, "facets": written_facets(wanted, found.facets)}

    @extend_schema(
        operation_id="createListing",
        summary="Create a draft",
        description="A draft of the key's company; send it for review with the step “submit”. Send an Idempotency-Key, so that a repeated request makes no second one.",
        parameters=[schema.IDEMPOTENCY_KEY, schema.ETAG, schema.LOCATION],
        request=ListingIn,
        responses={201: OpenApiResponse(OwnListingOut, description="The draft."), 409: schema.problem("request-in-progress")},
        examples=[EXAMPLE],
        auth=[{"key": ["write"]}],
    )
    def post(self, request: Request) -> HttpResponse:
        """Make a draft."""
        company = writing.company_of(request)
        return idempotency.once(request, lambda: created(request, writing.create(company, request.data, by=request.user)))


def found_rows(hits: tuple[Hit, ...]) -> list[dict[str, Any]]:
    """The listings of the hits in their order; one that has ended since the index was written is left out."""
    if not hits:
        return []
    live = {row["uid"]: row for row in rows.written(rows.public(Listing.objects.live().filter(uid__in=[hit.uid for hit in hits])))}
    return [{**live[hit.uid], "match": _match(hit)} for hit in hits if hit.uid in live]


def _match(hit: Hit) -> dict[str, float | None]:
    """A place stands for its whole municipality: in the same one there is no distance to tell."""
    km = hit.distance_km
    return {"score": round(hit.score, 4), "distance_km": None if km is None or km < SAME_PLACE_KM else round(km, 1)}


def written_facets(wanted: ListingFilter, counts: Mapping[str, Mapping[str, int]]) -> dict[str, list[dict[str, Any]]]:
    """Every facet with its options, as beside the search page's results."""
    return {name: [{**option, "label": str(option["label"])} for option in group.options] for name, group in facets.groups(wanted, counts).items()}


def created(request: Request, listing: Listing) -> HttpResponse:
    """The answer to a creation."""
    headers = {"Location": rows.address(listing.uid)}
    return answer(request, rows.own_one(listing), status=201, version=listing.version, headers=headers)


class OneListing(ApiView):
    """One listing."""

    schema_tag = TAG

    @extend_schema(
        operation_id="getListing",
        summary="One listing",
        description="While it is public; with a key of the scope read or write also the company's own, in any state and with what is its own business.",
        parameters=[schema.FIELDS, schema.IF_NONE_MATCH, schema.ETAG],
        responses={200: ListingOut, 304: schema.NOT_MODIFIED, 410: schema.problem("gone")},
        auth=[{}, {"key": []}],
    )
    def get(self, request: Request, uid: uuid.UUID) -> HttpResponse:
        """The listing, 404 if it was never public, 410 if it is not any more."""
        paging.refuse_unknown(request, ("fields",))
        paging.refuse_repeated(request, ("fields",))
        is_own, found, version = self._found(request, uid)
        wanted = selection.chosen(request, OWN_MEMBERS if is_own else MEMBERS)
        return answer(request, selection.pruned(found, wanted), version=version)

    def _found(self, request: Request, uid: uuid.UUID) -> tuple[bool, dict[str, Any], int]:
        # A key for something else sees what everybody sees.
        company = getattr(request.auth.client, "company", None) if request.auth and OWN_SCOPES.intersection(request.auth.scopes) else None
        if company:
            listing = next(rows.written_own(rows.own(Listing.objects.filter(uid=uid, company=company))), None)
            if listing:
                return True, listing, listing["version"]
        listing = next(rows.written(rows.public(Listing.objects.live().filter(uid=uid))), None)
        if listing is None:
            raise Problem("gone") if was_public(uid) else Http404
        return False, listing, listing["version"]

    @extend_schema(
        operation_id="changeListing",
        summary="Change a listing",
        description=(
            "What is sent changes, the rest stays (RFC 7396). If-Match is required: with the ETag of an earlier version the answer is 412, so that nobody's change is "
            "lost. A published listing stays public."
        ),
        parameters=[schema.IF_MATCH, schema.ETAG],
        request={"application/json": ListingChangeIn},
        responses={
            200: OwnListingOut,
            409: schema.problem("illegal-move"),
            412: schema.problem("precondition-failed"),
            428: schema.problem("precondition-required"),
        },
        auth=[{"key": ["write"]}],
    )
    def patch(self, request: Request, uid: uuid.UUID) -> HttpResponse:
        """Change some of it."""
        listing = writing.own_listing(request, uid)
        listing = writing.update(listing, request.data, by=request.user, if_match=request.headers.get("If-Match"))
        return answer(request, rows.own_one(listing), version=listing.version)


def was_public(uid: uuid.UUID) -> bool:
    """Whether everybody could once see what is not there now."""
    return Listing.objects.exclude(published_at=None).filter(uid=uid).exists()
