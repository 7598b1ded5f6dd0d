"""Listings as the API gives them, from plain rows: no model object and no serializer for each, since lists are what programs ask for most."""

from collections.abc import Iterable, Iterator
from typing import Any

from django.db.models import QuerySet

from marketplace.companies import places, sectors
from marketplace.rest.links import pattern

from .enums import TRANSITIONS, State
from .models import Listing
from .serializers import STEPS

#: The two by which lists are ordered come first, see paging.keyset.
COLUMNS = (
    "id", "published_at", "valid_until", "uid", "kind", "category", "title", "description", "keywords", "language", "sector_id", "place_id", "reach_km",
    "remote", "version", "source_uri", "source_name", "source_url", "company__uid", "company__name", "company__size", "company__verified",
)  # fmt: skip
POSITIONS = {name: number for number, name in enumerate(COLUMNS)}
OWN_COLUMNS = (*COLUMNS, "state", "last_reason")


def public(listings: QuerySet) -> QuerySet:
    """The rows that `written` takes."""
    return listings.values_list(*COLUMNS)


def own(listings: QuerySet) -> QuerySet:
    """The rows that `written_own` takes."""
    return listings.with_last_reason().values_list(*OWN_COLUMNS)


def written(rows: Iterable[tuple]) -> Iterator[dict[str, Any]]:
    """Each row of `public` as serializers.ListingOut describes it; moments and days are written by renderers.dumps (RFC 3339)."""
    page, company_page = pattern("listings:detail"), pattern("companies:detail")
    tree, known = sectors.tree(), places.known()
    # Of what many rows share there is one object, made once.
    in_sectors, in_places, companies = {}, {}, {}
    for (
        _id, published_at, valid_until, uid, kind, category, title, description, keywords, language, sector, place, reach_km,
        remote, version, source_uri, source_name, source_url, company_uid, company_name, company_size, company_verified,
    ) in rows:  # fmt: skip
        text = str(uid)
        if sector not in in_sectors:
            in_sectors[sector] = {"code": sector, "label": tree[sector].label if sector in tree else sector}
        if place not in in_places:
            in_places[place] = {"code": place, "name": known[place].name if place in known else place}
        if company_uid not in companies:
            name = str(company_uid)
            companies[company_uid] = {"uid": name, "name": company_name, "url": company_page % name, "size": company_size, "verified": company_verified}
        yield {
            "uid": text,
            "url": page % text,
            "kind": kind,
            "category": category,
            "title": title,
            "description": description,
            "keywords": [stripped for word in keywords.split(",") if (stripped := word.strip())] if keywords else [],
            "language": language,
            "sector": in_sectors[sector],
            "place": in_places[place],
            "reach_km": reach_km,
            "remote": remote,
            "published_at": published_at,
            "valid_until": valid_until,
            "company": companies[company_uid],
            "source": {"name": source_name, "uri": source_uri, "url": source_url} if source_uri else None,
            "version": version,
        }


def written_own(rows: Iterable[tuple]) -> Iterator[dict[str, Any]]:
    """Each row of `own` as serializers.OwnListingOut describes it."""
    rows = list(rows)
    extra = len(OWN_COLUMNS) - len(COLUMNS)
    for listing, (state, reason) in zip(written(row[:-extra] for row in rows), (row[-extra:] for row in rows), strict=True):
        steps = [step.value for step in STEPS if state in TRANSITIONS[step]]
        yield {**listing, "state": state, "state_label": str(State(state).label), "reason": reason, "steps": steps}


def own_one(listing: Listing) -> dict[str, Any]:
    """One listing as its company sees it."""
    return next(written_own(own(Listing.objects.filter(pk=listing.pk))))


def address(uid: object) -> str:
    """Where a program finds the listing."""
    return pattern("api:listing") % uid
