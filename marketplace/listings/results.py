"""From a search to the listings on a page: asks the engine, loads the rows, and goes on without the engine if it must."""

import logging
from dataclasses import dataclass, field, replace

from django.core.paginator import Paginator

import search
from search import Hit, ListingDocument, Page, Query

from .enums import Kind
from .filters import PAGE_SIZE, ListingFilter
from .models import Listing

logger = logging.getLogger(__name__)

SAME_PLACE_KM = 0.1
#: Engines do not page further than this; nobody reads there.
DEEPEST_RESULT = 10_000
#: More than a synergy needs: two texts of one side share their trade's words more easily than a demand and its answer.
SIMILAR_THRESHOLD = 50.0


@dataclass(frozen=True)
class Row:
    """A found listing and what the engine says of it (None without an engine)."""

    listing: Listing
    hit: Hit | None = None


@dataclass(frozen=True)
class Results:
    """A page of found listings. `facets` is empty when nobody counted; `degraded` when the wanted engine did not answer."""

    rows: list[Row]
    total: int
    page: int
    page_size: int = PAGE_SIZE
    facets: dict[str, dict[str, int]] = field(default_factory=dict)
    degraded: bool = False


def look_up(wanted: ListingFilter, *, page_size: int = PAGE_SIZE) -> Results:
    """The wanted page; the last one if there are not so many."""
    query = wanted.query(page_size=page_size)
    try:
        found = _find(query)
    except search.SearchUnavailable:
        logger.warning("No search engine answers; searching the database.")
        return _from_database(wanted, query)
    return Results(rows=in_rank_order(found.hits), total=found.total, page=found.page, page_size=page_size, facets=found.facets, degraded=found.degraded)


def count(query: Query) -> int:
    """How many there are; 0 when no engine answers."""
    try:
        return search.find(replace(query, page=1, page_size=1)).total
    except search.SearchUnavailable:
        return 0


def in_rank_order(hits: tuple[Hit, ...]) -> list[Row]:
    """The listings of the hits, in one query. One that has ended since the index was written is left out."""
    live = {str(row.uid): row for row in Listing.objects.live().for_display().filter(uid__in=[hit.uid for hit in hits])} if hits else {}
    return [Row(live[hit.uid], _rounded(hit)) for hit in hits if hit.uid in live]


def _rounded(hit: Hit) -> Hit:
    """A place stands for its whole municipality: in the same one there is no distance to tell."""
    return replace(hit, distance_km=None) if hit.distance_km is not None and hit.distance_km < SAME_PLACE_KM else hit


def similar(document: ListingDocument, *, limit: int = 3) -> list[Listing]:
    """Live listings of other companies that are about the same thing and on the same side of the market, best first.

    What answers the opposite of a listing is like the listing: so this asks for the matches of its mirror image.
    Without an engine: the newest of the same division (two digits) of the sectors.
    """
    opposite = Kind.DEMAND if document.kind == Kind.OFFER else Kind.OFFER
    try:
        suggestions = search.suggest(replace(document, kind=opposite), limit=limit, threshold=SIMILAR_THRESHOLD, exclude_uids=(document.uid,))
    except search.SearchUnavailable:
        division = document.sectors[1] if len(document.sectors) > 1 else document.sector
        same = Listing.objects.live().for_display().filter(kind=document.kind, sector__path__contains=f" {division}")
        return list(same.exclude(uid=document.uid).exclude(company__uid=document.company_uid).order_by("-published_at", "-id")[:limit])
    live = {str(row.uid): row for row in Listing.objects.live().for_display().filter(uid__in=[found.uid for found in suggestions])} if suggestions else {}
    return [live[found.uid] for found in suggestions if found.uid in live]


def _find(query: Query) -> Page:
    found = search.find(query)
    last = max(1, -(-min(found.total, DEEPEST_RESULT) // query.page_size))
    return replace(search.find(replace(query, page=last)), page=last) if query.page > last else found


def _from_database(wanted: ListingFilter, query: Query) -> Results:
    page = Paginator(wanted.qs.for_display(), query.page_size).get_page(query.page)
    return Results(rows=[Row(listing) for listing in page], total=page.paginator.count, page=page.number, page_size=query.page_size, degraded=True)
