"""What the search engine gets to know of a listing."""

import uuid
from collections.abc import Iterable, Iterator
from operator import attrgetter

from django.db.models import QuerySet
from django.db.models.functions import Coalesce

from search.documents import ListingDocument

from .models import Listing

#: What a document is made of, as attributes of a listing and as columns of its row: thousands are indexed at a time, and no model object is made of them.
_FACTS = (
    "uid", "kind", "category", "language", "title", "description", "keywords", "reach_km", "remote", "valid_until",
    "sector.code", "sector.path", "company.uid", "company.name", "company.size", "place.code", "place.name", "place.latitude", "place.longitude",
)  # fmt: skip
_COLUMNS = tuple(name.replace(".", "__") for name in _FACTS)
_facts = attrgetter(*_FACTS)


def document(listing: Listing, *, version: int = 0) -> ListingDocument:
    """The indexable facts of a listing whose company, sector and place are loaded; no contact data.

    `version` is the id of the listing's last change, needed by who writes to the index, not by who only asks it.
    """
    return _document(*_facts(listing), listing.published_at or listing.created, version)


def _document(  # noqa: PLR0913, PLR0917 - a row
    uid, kind, category, language, title, description, keywords, reach_km, remote, valid_until,
    sector, path, company_uid, company_name, company_size, place, place_name, latitude, longitude, published_at, version,
) -> ListingDocument:  # fmt: skip
    return ListingDocument(
        uid=str(uid),
        version=version,
        kind=kind,
        category=category,
        language=language,
        title=title,
        description=description,
        keywords=tuple(filter(None, map(str.strip, keywords.split(",")))),
        sector=sector,
        sectors=tuple(path.split()),
        company_uid=str(company_uid),
        company_name=company_name,
        company_size=company_size,
        place=place,
        place_name=place_name,
        latitude=latitude,
        longitude=longitude,
        reach_km=reach_km,
        remote=remote,
        published_at=published_at,
        valid_until=valid_until,
    )


def _rows(listings: QuerySet) -> QuerySet:
    return listings.with_last_change().values_list("id", *_COLUMNS, Coalesce("published_at", "created"), "last_change")


class ListingSource:
    """Loads listings for the engine (see settings.SEARCH_SOURCES)."""

    kind = "listing"

    def load(self, uids: Iterable[str | uuid.UUID]) -> dict[str, ListingDocument | None]:
        """The present document of each uid; None for one that must not be found (gone, not live)."""
        uids = list(uids)
        documents: dict[str, ListingDocument | None] = dict.fromkeys(map(str, uids))
        for row in _rows(Listing.objects.live().filter(uid__in=uids).order_by()):
            found = _document(*row[1:])
            documents[found.uid] = found
        return documents

    def lock(self, uids: Iterable[str]) -> None:
        """Hold the rows until the end of the transaction, so that the ids of their changes rise in the order of the commits."""
        list(Listing.objects.select_for_update(no_key=True).filter(uid__in=list(uids)).order_by("pk").values_list("pk"))

    def all(self, batch: int = 500) -> Iterator[list[ListingDocument]]:
        """Every findable document, in batches by id, so that memory stays bounded and no row is skipped while others are written."""
        last = 0
        while rows := list(_rows(Listing.objects.live().filter(id__gt=last).order_by("id"))[:batch]):
            yield [_document(*row[1:]) for row in rows]
            last = rows[-1][0]

    def versions(self, batch: int = 500) -> Iterator[list[tuple[str, int]]]:
        """Uid and version of every findable document, by uid."""
        listings = Listing.objects.live().with_last_change().order_by("uid").values_list("uid", "last_change")
        rows = list(listings[:batch])
        while rows:
            yield [(str(uid), version) for uid, version in rows]
            rows = list(listings.filter(uid__gt=rows[-1][0])[:batch])
