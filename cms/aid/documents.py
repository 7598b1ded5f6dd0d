"""What the search engine gets to know of aid: one document for each language's version of a page.

The engine's listing has a place for everything an aid has to say: the funders stand where the company does, the kind of aid
where the category does. An aid for several sectors or places names none: half the points, as for what is not known.
"""

import datetime
import uuid
from collections.abc import Container, Iterable, Iterator

from django.db.models import Max, Prefetch, QuerySet
from wagtail.models import Page

from marketplace.core.models import Change
from search.documents import ListingDocument

from .models import AidPage, Call, FunderRow, PlaceRow, SectorRow

#: The change log's and the engine's name for a version of an aid page.
KIND = "aid"

#: For what never closes.
NEVER = datetime.date(9999, 12, 31)


def uid_of(page: AidPage) -> uuid.UUID:
    """The engine's name of this version of the page; it stays when the page is moved or renamed."""
    return uid_of_version(page.translation_key, page.locale.language_code)


def uid_of_version(translation_key: uuid.UUID, language: str) -> uuid.UUID:
    """The same from the two columns that make it."""
    return uuid.uuid5(translation_key, language)


def document(page: AidPage, *, version: int = 0) -> ListingDocument:
    """The indexable facts of a page from `with_facts`; `version` as in listings.documents."""
    sectors, places = page.sectors, page.places
    sector = sectors[0] if len(sectors) == 1 else None
    place = places[0] if len(places) == 1 else None
    return ListingDocument(
        uid=str(uid_of(page)),
        version=version,
        kind=KIND,
        category=page.kind,
        language=page.locale.language_code,
        title=page.title,
        description="\n".join([page.summary, *_texts(page)]),
        sector=sector.code if sector else "",
        sectors=sector.codes if sector else (),
        company_name=", ".join(dict.fromkeys(funder.name for funder in page.funders)),
        place=place.code if place else "",
        place_name=place.name if place else "",
        latitude=place.latitude if place else None,
        longitude=place.longitude if place else None,
        published_at=page.last_published_at or page.first_published_at,
        valid_until=last_day(page.calls.all()),
    )


def last_day(calls: Iterable[Call]) -> datetime.date:
    """The last day on which one can ask in any of the calls; NEVER where there is none."""
    days = [min(day for day in (call.deadline, call.exhausted_on, NEVER) if day) for call in calls]
    return max(days, default=NEVER)


def _texts(page: AidPage) -> list[str]:
    return [text for field in (page.body, page.how_to_apply) for text in field.stream_block.get_searchable_content(field) if text]


def with_facts(pages: QuerySet[AidPage]) -> QuerySet[AidPage]:
    """With everything that documents, cards and filters ask of them, in a constant number of queries."""
    return pages.select_related("locale").prefetch_related(
        "calls",
        Prefetch("funder_rows", FunderRow.objects.select_related("funder")),
        Prefetch("sector_rows", SectorRow.objects.select_related("sector")),
        Prefetch("place_rows", PlaceRow.objects.select_related("place")),
    )


class AidSource:
    """Loads aid pages for the engine (see settings.SEARCH_SOURCES)."""

    kind = KIND

    def load(self, uids: Iterable[str | uuid.UUID]) -> dict[str, ListingDocument | None]:
        """The present document of each uid; None for one that must not be found (gone, not live, private)."""
        documents: dict[str, ListingDocument | None] = dict.fromkeys(map(str, uids))
        return documents | {found.uid: found for found in _documents(_named(_findable(), documents))}

    def lock(self, uids: Iterable[str]) -> None:
        """Hold the rows until the end of the transaction, so that the ids of their changes rise in the order of the commits."""
        wanted = _named(_keys(AidPage.objects.all()), set(map(str, uids)))
        list(Page.objects.select_for_update(no_key=True).filter(pk__in=wanted).order_by("pk").values_list("pk"))

    def all(self, batch: int = 500) -> Iterator[list[ListingDocument]]:
        """Every findable document, in batches by id."""
        last = 0
        while rows := list(_findable().filter(pk__gt=last).order_by("pk")[:batch]):
            yield _documents({pk: uid_of_version(key, language) for pk, key, language in rows})
            last = rows[-1][0]

    def versions(self, batch: int = 500) -> Iterator[list[tuple[str, int]]]:
        """Uid and version of every findable document, by uid, in one batch: some hundred at most."""
        uids = [uid_of_version(key, language) for _, key, language in _findable()]
        last = _last_changes(uids)
        yield sorted((str(uid), last.get(uid, 0)) for uid in uids)


def _keys(pages: QuerySet) -> QuerySet:
    """Of each page its primary key and what its uid is made of: of some hundred pages at most, so that reading them all is cheaper than a column for the uid."""
    return pages.values_list("pk", "translation_key", "locale__language_code")


def _findable() -> QuerySet:
    return _keys(AidPage.objects.live().public())


def _named(keys: QuerySet, uids: Container[str]) -> dict[int, uuid.UUID]:
    """The uids of those pages that are among `uids`, by primary key."""
    found = {pk: uid_of_version(key, language) for pk, key, language in keys}
    return {pk: uid for pk, uid in found.items() if str(uid) in uids}


def _documents(pages: dict[int, uuid.UUID]) -> list[ListingDocument]:
    """The documents of these pages, each with the id of its last change as version.

    The versions are read first. A change in between makes a newer document of an older version, which that change's own turn
    replaces; read the other way round, the older document would have the newer version and keep the newer one out.
    """
    last = _last_changes(pages.values())
    rows = with_facts(AidPage.objects.live().public().filter(pk__in=pages)).order_by("pk")
    return [document(page, version=last.get(pages[page.pk], 0)) for page in rows]


def _last_changes(uids: Iterable[uuid.UUID]) -> dict[uuid.UUID, int]:
    changes = Change.objects.filter(kind=KIND, uid__in=list(uids)).values("uid").annotate(last=Max("id")).order_by()
    return dict(changes.values_list("uid", "last"))
