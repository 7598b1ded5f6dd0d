"""What the search engine gets to know of a listing."""

from collections.abc import Iterable, Iterator

from search.documents import ListingDocument

from .models import Listing


def document(listing: Listing, *, version: int = 0) -> ListingDocument:
    """The indexable facts of a listing whose company, sector and place are loaded; no contact data.

    `version` is the id of the listing's last change, needed by who writes to the index, not by who only asks it.
    """
    return ListingDocument(
        uid=str(listing.uid),
        version=version,
        kind=listing.kind,
        category=listing.category,
        language=listing.language,
        title=listing.title,
        description=listing.description,
        keywords=tuple(listing.keyword_list),
        sector=listing.sector_id,
        sectors=listing.sector.codes,
        company_uid=str(listing.company.uid),
        company_name=listing.company.name,
        company_size=listing.company.size,
        place=listing.place_id,
        place_name=listing.place.name,
        latitude=listing.place.latitude,
        longitude=listing.place.longitude,
        reach_km=listing.reach_km,
        remote=listing.remote,
        published_at=listing.published_at or listing.created,
        valid_until=listing.valid_until,
    )


class ListingSource:
    """Loads listings for the engine (see settings.SEARCH_SOURCES)."""

    kind = "listing"

    def load(self, uids: Iterable[str]) -> dict[str, ListingDocument | None]:
        """The present document of each uid; None for one that must not be found (gone, not live)."""
        documents: dict[str, ListingDocument | None] = dict.fromkeys(map(str, uids))
        for listing in Listing.objects.live().for_display().with_last_change().filter(uid__in=list(documents)):
            documents[str(listing.uid)] = document(listing, version=listing.last_change)
        return documents

    def all(self, batch: int = 500) -> Iterator[list[ListingDocument]]:
        """Every findable document, in batches by id, so that memory stays bounded and no row is skipped while others are written."""
        last = 0
        while rows := list(Listing.objects.live().for_display().with_last_change().filter(id__gt=last).order_by("id")[:batch]):
            yield [document(row, version=row.last_change) for row in rows]
            last = rows[-1].id
