"""Keeps the stored rings in step with the synergies: a reader of the change log, behind them.

A ring may close anywhere in the town, so all links are looked at together; that takes milliseconds in a small town and seconds in
a large one. One look serves all changes since the last, and after a long one the reader rests: changes wait in the log
meanwhile. What the pages show holds at every moment, since they leave out rings of which a link is gone (`RingQuerySet.current`).
"""

import time
from dataclasses import dataclass

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from marketplace.core import changelog
from marketplace.core.models import Change
from marketplace.listings.enums import Kind

from . import exposure, refresh, rings
from .beyond import Ring, RingLink
from .beyond_querysets import live
from .enums import State
from .models import Synergy

READER = "rings"
#: So many changes are one look.
BATCH = 5_000
#: A look that took longer than LONG seconds is followed by a rest of so many times its time: the worker has other things to do.
LONG = 0.5
REST = 10

#: Kinds of changes that can make or break a link.
LINKING = {"listing", "synergy", "ring"}

_rested_at = 0.0


def run_once() -> int:
    """Take the next batch of changes and look at all links anew; how many changes. 0 while it rests from a long look."""
    return 0 if time.monotonic() < _rested_at else changelog.consume(READER, _handle, limit=BATCH, behind=refresh.READER)


def _handle(changes: list[Change]) -> None:
    global _rested_at  # noqa: PLW0603 - a worker's own pace, of no interest to others
    if any(change.kind in LINKING for change in changes):
        begun = time.monotonic()
        refresh_all()
        took = time.monotonic() - begun
        _rested_at = time.monotonic() + took * REST if took > LONG else 0.0


def refresh_all() -> int:
    """Find the rings anew and put them in the place of those stored, but for what companies set aside; how many there are."""
    best: dict[tuple[int, int], _Link] = {}
    for link in _links():
        if link.score > best.get(link.between, _NONE).score:
            best[link.between] = link
    refused = {companies_of(key) for key in Ring.objects.set_aside().values_list("key", flat=True)}
    found = rings.find(((*between, link.score) for between, link in best.items()), without=refused)
    return _store(found.rings, best)


@dataclass(frozen=True, slots=True)
class _Link:
    synergy: int
    between: tuple[int, int]
    score: float


_NONE = _Link(0, (0, 0), float("-inf"))


def links() -> QuerySet:
    """The synergies that can be a ring's link: both listings live, nobody said no."""
    return Synergy.objects.filter(live("offer", Kind.OFFER) & live("demand", Kind.DEMAND)).exclude(state=State.DISMISSED)


def _links() -> list[_Link]:
    rows = links().order_by("pk").values_list("pk", "offer__company", "demand__company", "score")
    return [_Link(pk, (offering, asking), score) for pk, offering, asking, score in rows.iterator(chunk_size=5_000)]


def key_of(companies: tuple[int, ...]) -> str:
    """A ring's name: its companies in the order in which they serve."""
    return ">".join(map(str, companies))


def companies_of(key: str) -> tuple[int, ...]:
    """The companies of a ring's name."""
    return tuple(map(int, key.split(">")))


@transaction.atomic
def _store(found: list[rings.Ring], best: dict[tuple[int, int], _Link]) -> int:
    # Nobody takes synergies away meanwhile.
    exposure.lock()
    links_of = {key_of(ring.companies): [best[between].synergy for between in _steps(ring.companies)] for ring in found}
    there = set(links().filter(pk__in={pk for several in links_of.values() for pk in several}).values_list("pk", flat=True))
    wanted = {key_of(ring.companies): ring for ring in found if there.issuperset(links_of[key_of(ring.companies)])}
    stored = {ring.key: ring for ring in Ring.objects.select_for_update().order_by("pk").prefetch_related("links")}
    for key in [key for key, ring in stored.items() if ring.dismissed_at]:
        wanted.pop(key, None)
        del stored[key]

    Ring.objects.filter(pk__in=[ring.pk for key, ring in stored.items() if key not in wanted]).delete()
    new = [Ring(key=key, size=len(ring.companies), weakest=ring.weakest, mean=ring.mean) for key, ring in wanted.items() if key not in stored]
    Ring.objects.bulk_create(new, batch_size=500)
    moved = [stored[key] for key in wanted.keys() & stored.keys() if [link.synergy_id for link in stored[key].links.all()] != links_of[key]]
    _renew([stored[key] for key in wanted.keys() & stored.keys()], wanted)
    RingLink.objects.filter(ring__in=[ring.pk for ring in moved]).delete()
    RingLink.objects.bulk_create(
        [RingLink(ring=ring, place=place, synergy_id=synergy) for ring in (*new, *moved) for place, synergy in enumerate(links_of[ring.key])], batch_size=500
    )
    return len(wanted)


def _steps(companies: tuple[int, ...]) -> list[tuple[int, int]]:
    return list(zip(companies, (*companies[1:], companies[0]), strict=True))


def _renew(stored: list[Ring], wanted: dict[str, rings.Ring]) -> None:
    """The scores as they are now."""
    changed = []
    for ring in stored:
        now = wanted[ring.key]
        if (ring.weakest, ring.mean) != (now.weakest, now.mean):
            ring.weakest, ring.mean, ring.modified = now.weakest, now.mean, timezone.now()
            changed.append(ring)
    Ring.objects.bulk_update(changed, ["weakest", "mean", "modified"], batch_size=500)
