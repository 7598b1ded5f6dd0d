"""All aid of a language with what lists show, kept in memory until something is published.

The finder, each aid's page, calendar, comparison and home page need the same few hundred rows. The page cache's tokens tell when they
have changed (see cms.pages.cache.generations); without that cache they are read anew each time. The pages are shared by all requests:
nothing of a visitor and nothing of a day may be kept on them.
"""

import threading

from django.db.models import Prefetch

from cms.pages.cache import generations
from cms.pages.models.base import for_everybody

from .models import AidIndexPage, AidPage, FunderRow, PlaceRow, SectorRow

#: What the rows are made of.
KINDS = ("page", "funder")
#: What lists show is short; the long texts stay in the database.
LONG_TEXTS = ("body", "how_to_apply", "legal_base", "legal_base_url", "procedure_name", "procedure_url")
FACT_ROWS = ("calls", "funder_rows", "sector_rows", "place_rows")

_kept: dict[tuple[str, int], tuple[dict[str, str], list[AidPage]]] = {}
_lock = threading.Lock()


def pages(index: AidIndexPage) -> list[AidPage]:
    """The public aid below a finder, in five queries or none."""
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
        .prefetch_related(
            "calls",
            Prefetch("funder_rows", FunderRow.objects.select_related("funder")),
            Prefetch("sector_rows", SectorRow.objects.select_related("sector")),
            Prefetch("place_rows", PlaceRow.objects.select_related("place")),
        )
    )
    pages = list(found)
    for page in pages:
        page.locale = index.locale
    return pages


def lend_facts(page: AidPage, known: list[AidPage]) -> None:
    """Give a published page the rows of its entry here, so that nobody asks for them again. A draft has its own."""
    entry = next((one for one in known if one.pk == page.pk), None)
    if entry is None or getattr(page, "_cluster_related_objects", None):
        return
    rows = entry._prefetched_objects_cache  # noqa: SLF001 - Django has no public way to hand prefetched rows on
    page._prefetched_objects_cache = getattr(page, "_prefetched_objects_cache", {}) | {name: rows[name] for name in FACT_ROWS}  # noqa: SLF001
