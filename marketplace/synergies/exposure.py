"""Keeps the pairs' places in both lists, and which offers are not put on a demand's list, in step with the synergies.

What the numbers mean and why is told in `search.exposure`; here is how they stay right while listings come and go. Each fact
depends on lists, never on the whole town: a place on its own list, a turn on the places in the lists of those who wish for the
offer, holding back on the turns in one demand's list. So three steps outwards from what changed reach everything, and any
order of changes ends where `spread_all` does. An offer at its cap to which a better demand comes loses the last in turn; when a
demand closes or says no, the next in turn moves up.
"""

import uuid
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from django.db import connection, transaction
from django.db.models import Q

from marketplace.core.models import Reader
from search import exposure

from .models import Synergy

#: The row whose lock lets one worker at a time write synergies: two of them, each ranking what it sees of a list, would both be wrong.
LOCK = "synergies"
#: What this module writes.
FIELDS = ("promise", "place_for_demand", "place_for_offer", "turn", "mutual_points", "is_held_back")
#: A pair that has no place yet comes after those that have one.
_NOWHERE = 1_000_000


def lock() -> None:
    """Be the only one to write synergies until the end of the transaction; to be taken before any other lock."""
    Reader.objects.bulk_create([Reader(name=LOCK)], ignore_conflicts=True)
    Reader.objects.select_for_update().get(name=LOCK)


@transaction.atomic
def spread_around(uids: Iterable[uuid.UUID]) -> int:
    """For synergies that people changed: bring the lists of their listings up to date; how many pairs changed."""
    lock()
    ends = Synergy.objects.filter(uid__in=list(uids)).values_list("offer", "demand")
    return spread({listing for pair in ends for listing in pair})


@transaction.atomic
def spread_gaps() -> int:
    """Bring the lists up to date from which a pair went without a word, with its listing, or that were never counted."""
    lock()
    rows = Synergy.objects.rankable().order_by().values_list("is_live", "offer", "demand", "place_for_demand", "place_for_offer", "turn", "is_held_back")
    places: dict[tuple[int, str], list[int]] = defaultdict(list)
    listed: dict[int, bool] = defaultdict(bool)
    for is_live, offer, demand, *numbers, is_held_back in rows:
        if is_live:
            for owner, name, number in zip((demand, offer, offer), ("place", "place", "turn"), numbers, strict=True):
                places[owner, name].append(number or _NOWHERE)
            listed[demand] |= not is_held_back
    gaps = {owner for (owner, _), found in places.items() if sorted(found) != list(range(1, len(found) + 1))}
    return spread(gaps | {demand for demand, is_listed in listed.items() if not is_listed})


def spread(listings: Iterable[int]) -> int:
    """Bring everything up to date that depends on the lists of these listings (primary keys); how many pairs changed.

    To be called under `lock`, with the other end of every pair that came, went or changed its score among the listings.
    """
    view = _View()
    changed = set(listings)
    view.load(Q(offer__in=changed) | Q(demand__in=changed))
    view.note("demand", changed, "promise", view.found, exposure.promises)
    view.note("demand", changed, "place_for_demand", view.promises, exposure.places)
    view.note("offer", changed, "place_for_offer", view.scores, exposure.places)

    wished = changed | {row.offer_id for row in view.moved("place_for_demand")}
    view.load(Q(offer__in=wished))
    view.note("offer", wished, "turn", view.wishes, exposure.turns)

    served = changed | {row.demand_id for row in view.moved("place_for_demand", "turn")}
    view.load(Q(demand__in=served))
    view.hold_back(served)
    return view.write()


@dataclass(slots=True)
class _Row:
    """What counts of a synergy; a town's worth of whole ones would take a minute to make."""

    pk: int
    offer_id: int
    demand_id: int
    score: float
    vouched: float | None
    promise: float | None
    place_for_demand: int | None
    place_for_offer: int | None
    turn: int | None
    mutual_points: float
    is_held_back: bool


@dataclass
class _View:
    """The pairs that have been looked at, by primary key, and what stood in them."""

    rows: dict[int, _Row] = field(default_factory=dict)
    before: dict[int, tuple] = field(default_factory=dict)

    def load(self, wanted: Q) -> None:
        found = Synergy.objects.rankable().filter(wanted).order_by("pk")
        for is_live, *values in found.values_list("is_live", "pk", "offer", "demand", "score", "vouched", *FIELDS):
            if is_live and values[0] not in self.rows:
                row = _Row(*values)
                self.rows[row.pk], self.before[row.pk] = row, _values(row)

    def _list(self, owner: str, listings: set[int]) -> Iterable[list[_Row]]:
        """The lists of these listings as their `owner`, "offer" or "demand"."""
        lists: dict[int, list[_Row]] = {}
        for row in self.rows.values():
            if (key := getattr(row, f"{owner}_id")) in listings:
                lists.setdefault(key, []).append(row)
        return lists.values()

    def note(self, owner: str, listings: set[int], name: str, measure: Callable, judge: Callable) -> None:
        """Give the pairs of each list as `name` what `judge` makes of their measures."""
        other = "demand_id" if owner == "offer" else "offer_id"
        for rows in self._list(owner, listings):
            values = judge({getattr(row, other): measure(row) for row in rows})
            for row in rows:
                setattr(row, name, values[getattr(row, other)])

    @staticmethod
    def scores(row: _Row) -> float:
        return row.score

    @staticmethod
    def found(row: _Row) -> tuple[float, float | None]:
        return row.score, row.vouched

    @staticmethod
    def promises(row: _Row) -> float:
        return row.promise

    @staticmethod
    def wishes(row: _Row) -> tuple[int, float]:
        return row.place_for_demand or _NOWHERE, row.score

    def moved(self, *names: str) -> list[_Row]:
        """The pairs in which one of these fields is not what it was."""
        places = [FIELDS.index(name) for name in names]
        return [row for row in self.rows.values() if any(getattr(row, FIELDS[place]) != self.before[row.pk][place] for place in places)]

    def hold_back(self, demands: set[int]) -> None:
        for rows in self._list("demand", demands):
            found = {row.offer_id: (row.place_for_demand or _NOWHERE, row.turn or _NOWHERE) for row in rows}
            held = exposure.held_back(found, most=exposure.MOST_DEMANDS)
            for row in rows:
                row.is_held_back = row.offer_id in held

    def write(self) -> int:
        for row in self.rows.values():
            if row.place_for_demand and row.place_for_offer:
                row.mutual_points = exposure.mutual_points(row.place_for_demand, row.place_for_offer)
        changed = [row for row in self.rows.values() if _values(row) != self.before[row.pk]]
        _write(changed)
        return len(changed)


def _write(rows: list[_Row]) -> None:
    """One prepared statement for all: `bulk_update` took a hundred times as long for numbers that differ in every row."""
    if not rows:
        return
    quote, columns = connection.ops.quote_name, [Synergy._meta.get_field(name).column for name in (*FIELDS, "id")]  # noqa: SLF001 - Django's documented API
    *settings, key = (f"{quote(column)} = %s" for column in columns)
    with connection.cursor() as cursor:
        statement = f"UPDATE {quote(Synergy._meta.db_table)} SET {', '.join(settings)} WHERE {key}"  # noqa: S608, SLF001 - names of our own columns
        cursor.executemany(statement, [(*_values(row), row.pk) for row in rows])


def _values(row: _Row) -> tuple:
    return tuple(getattr(row, name) for name in FIELDS)
