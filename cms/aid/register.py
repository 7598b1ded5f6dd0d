"""All aid of a language with what lists show, kept in memory until something is published.

The finder, each aid's page, calendar, comparison and home page need the same few hundred rows. The page cache's tokens tell when they
have changed (see cms.pages.cache.generations); without that cache they are read anew each time. The pages are shared by all requests:
nothing of a visitor and nothing of a day may be kept on them.
"""

import threading
from collections.abc import Iterable, Mapping

from django.db.models import CharField, Model, Prefetch, QuerySet, Value
from django.db.models.functions import Cast

from cms.pages.cache import generations
from cms.pages.models.base import for_everybody
from marketplace.companies import places, sectors

from .models import AidIndexPage, AidPage, FunderRow, PlaceRow, RelatedRow, SectorRow

#: What the rows are made of.
KINDS = ("page", "funder")
#: What lists show is short; the long texts stay in the database.
LONG_TEXTS = ("body", "how_to_apply", "legal_base", "legal_base_url", "procedure_name", "procedure_url")
#: Rows that say no more than a code, by their name on the page, each with its model and the code's column.
CODE_ROWS: Mapping[str, tuple[type[Model], str]] = {
    "sector_rows": (SectorRow, "sector_id"),
    "place_rows": (PlaceRow, "place_id"),
    "related_rows": (RelatedRow, "aid_id"),
}
FACT_ROWS = ("calls", "funder_rows", *CODE_ROWS)

_kept: dict[tuple[str, int], tuple[dict[str, str], list[AidPage]]] = {}
_lock = threading.Lock()


def pages(index: AidIndexPage) -> list[AidPage]:
    """The public aid below a finder, in four queries or none."""
    # Read before the rows: what is published meanwhile makes them old.
    tokens = generations.read(KINDS)
    key = (generations.database(), index.pk)
    kept = _kept.get(key)
    if tokens is not None and kept is not None and kept[0] == tokens:
        return kept[1]
    found = _load(index)
    if tokens is not None:
        with _lock:
            _kept[key] = (tokens, found)
    return found


def _load(index: AidIndexPage) -> list[AidPage]:
    found = (
        for_everybody(AidPage.objects.child_of(index))
        .defer(*LONG_TEXTS)
        .prefetch_related("calls", Prefetch("funder_rows", FunderRow.objects.select_related("funder")))
    )
    pages = list(found)
    _hand_code_rows(pages)
    for page in pages:
        page.locale = index.locale
    return pages


def _hand_code_rows(pages: list[AidPage]) -> None:
    """Give each page its rows of CODE_ROWS, as prefetching would: all in one query, and what the codes mean from the tables in memory."""
    rows: dict[tuple[str, int], list[Model]] = {}
    for name, page, code, order in _codes([page.pk for page in pages]):
        model, column = CODE_ROWS[name]
        row = model(page_id=page, sort_order=order, **{column: int(code) if model is RelatedRow else code})
        if model is SectorRow:
            row.sector = sectors.tree()[code]
        elif model is PlaceRow:
            row.place = places.known()[code]
        rows.setdefault((name, page), []).append(row)
    for page in pages:
        own = {name: _as_fetched(model, rows.get((name, page.pk), [])) for name, (model, _column) in CODE_ROWS.items()}
        page._prefetched_objects_cache |= own  # noqa: SLF001 - Django has no public way to hand prefetched rows on


def _codes(numbers: list[int]) -> Iterable[tuple[str, int, str, int | None]]:
    """(name of the rows, page, code, place in the order) of the pages of these numbers."""
    each = [
        model.objects.filter(page__in=numbers).order_by().values_list(Value(name, output_field=CharField()), "page_id", Cast(column, CharField()), "sort_order")
        for name, (model, column) in CODE_ROWS.items()
    ]
    found = each[0].union(*each[1:], all=True) if numbers else []
    return sorted(found, key=lambda row: (row[3] is None, row[3] or 0))


def _as_fetched(model: type[Model], rows: list[Model]) -> QuerySet:
    found = model.objects.all()
    found._result_cache, found._prefetch_done = rows, True  # noqa: SLF001 - as above
    return found


def lend_facts(page: AidPage, known: list[AidPage]) -> None:
    """Give a published page the rows of its entry here, so that nobody asks for them again. A draft has its own."""
    entry = next((one for one in known if one.pk == page.pk), None)
    if entry is None or getattr(page, "_cluster_related_objects", None):
        return
    rows = entry._prefetched_objects_cache  # noqa: SLF001 - Django has no public way to hand prefetched rows on
    page._prefetched_objects_cache = getattr(page, "_prefetched_objects_cache", {}) | {name: rows[name] for name in FACT_ROWS}  # noqa: SLF001
