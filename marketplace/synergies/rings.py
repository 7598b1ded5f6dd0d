"""Rings: companies of which each can serve the next, and the last one the first. Pure functions over a graph, no database.

An edge A → B says that an offer of A serves a demand of B, with its score. A ring is worth as much as its weakest link, then as
its mean. Edges are put in one by one, the strongest first: the edge put in last is the weakest link of every ring that it
closes, so the rings come out in the order of their weakest links and the search can end when there are enough. A company that
has its share of rings takes no further part; that is what keeps a hub with thousands of partners from costing millions of
steps. What work is left is counted, and the search ends when it has cost too much: what is missing then is weaker than all
that was found.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

#: Reciprocal pairs, rings of three and of four; nobody oversees longer ones.
SIZES = (2, 3, 4)

#: Rings of one size that a company is in at most: nobody reads more, and a hub shall not be in everybody's.
PER_COMPANY = 5

#: Rings of one size altogether.
OVERALL = 2_000

#: Steps (looking at one company, or comparing two lists by one entry) after which the search ends: two to four seconds on one slow core.
MOST_STEPS = 5_000_000

#: What a ring costs, in steps: it is weighed and compared with others.
RING_STEPS = 20

Edge = tuple[int, int, float]
"""Who serves, who is served, how well."""


@dataclass(frozen=True, slots=True)
class Ring:
    """Each company serves the next, the last one the first; begins with the smallest number, so that a ring has one name."""

    companies: tuple[int, ...]
    weakest: float
    mean: float


@dataclass(frozen=True, slots=True)
class Found:
    """The rings, best first. `complete` is False if the work had to end before the weakest edges."""

    rings: list[Ring]
    complete: bool


def find(
    edges: Iterable[Edge],
    *,
    without: Collection[tuple[int, ...]] = (),
    per_company: int = PER_COMPANY,
    overall: int = OVERALL,
    most_steps: int = MOST_STEPS,
) -> Found:
    """The best rings of two, three and four companies; `without` are those not wanted, by their companies as in `Ring`.

    In the order of their weakest links, then of their means, a ring is taken unless one of its companies is in `per_company`
    better ones of its size, or `overall` of its size have been taken. Of several edges between the same two the best counts.
    """
    search = _Search(frozenset(without), per_company, overall, most_steps)
    for a, b, score in _strongest_first(edges):
        if not search.is_open:
            break
        search.put_in(a, b, score)
    return Found(sorted(search.taken, key=rank), complete=not search.is_exhausted)


def rank(ring: Ring) -> tuple:
    """What comes first: the stronger weakest link, the higher mean, the fewer companies."""
    return -ring.weakest, -ring.mean, len(ring.companies), ring.companies


def turned(companies: tuple[int, ...]) -> tuple[int, ...]:
    """The same ring, beginning with its smallest number."""
    start = companies.index(min(companies))
    return companies[start:] + companies[:start]


def _strongest_first(edges: Iterable[Edge]) -> list[Edge]:
    """The best edge of each ordered pair; only between companies that serve and are served, for no other is in a ring."""
    best: dict[tuple[int, int], float] = {}
    for a, b, score in edges:
        if a != b and score > best.get((a, b), float("-inf")):
            best[a, b] = score
    serving, served = {a for a, _ in best}, {b for _, b in best}
    ringed = serving & served
    kept = [(a, b, score) for (a, b), score in best.items() if a in ringed and b in ringed]
    return sorted(kept, key=lambda edge: (-edge[2], edge[0], edge[1]))


class _Search:
    """The graph so far, and what was taken."""

    def __init__(self, without: frozenset[tuple[int, ...]], per_company: int, overall: int, most_steps: int) -> None:
        self.without, self.per_company, self.overall, self.steps_left = without, per_company, overall, most_steps
        self.scores: dict[tuple[int, int], float] = {}
        self.serves: dict[int, set[int]] = {}
        self.served_by: dict[int, set[int]] = {}
        self.taken: list[Ring] = []
        self.shares: dict[int, Counter[int]] = {size: Counter() for size in SIZES}
        #: By size the companies that have their share, and those that have it in every size.
        self.full: dict[int, set[int]] = {size: set() for size in SIZES}
        self.retired: set[int] = set()
        self.room = dict.fromkeys(SIZES, overall)
        self.ways = [(size, way) for size, way in ((2, self._pairs), (3, self._threes), (4, self._fours)) if overall and per_company]

    @property
    def is_exhausted(self) -> bool:
        """The work has cost too much."""
        return self.steps_left <= 0

    @property
    def is_open(self) -> bool:
        """There is work left and room for a ring."""
        return self.steps_left > 0 and bool(self.ways)

    def put_in(self, a: int, b: int, score: float) -> None:
        """Add an edge weaker than those before, and take the rings it closes."""
        if a in self.retired or b in self.retired:
            return
        ahead, behind = self.serves.get(b), self.served_by.get(a)
        if ahead and behind:
            for size, way in self.ways:
                full = self.full[size]
                if a not in full and b not in full and (back := list(way(a, b, ahead, behind))):
                    self._take(size, [self._ring((a, b, *others), score) for others in back])
        if a not in self.retired and b not in self.retired:
            self.serves.setdefault(a, set()).add(b)
            self.served_by.setdefault(b, set()).add(a)
            self.scores[a, b] = score

    # --- The ways back from b to a, each as the companies between; `ahead` are those that b serves, `behind` those that serve a ---

    def _pairs(self, a: int, b: int, ahead: set[int], behind: set[int]) -> Iterator[tuple[int, ...]]:
        self.steps_left -= 1
        if a in ahead:
            yield ()

    def _threes(self, a: int, b: int, ahead: set[int], behind: set[int]) -> Iterator[tuple[int, ...]]:
        self.steps_left -= min(len(ahead), len(behind))
        if not ahead.isdisjoint(behind):
            met = (ahead & behind) - self.full[3]
            self.steps_left -= len(met) * RING_STEPS
            yield from ((middle,) for middle in met)

    def _fours(self, a: int, b: int, ahead: set[int], behind: set[int]) -> Iterator[tuple[int, ...]]:
        """From whichever end has fewer ways: the cost is that of the smaller lists."""
        from_ahead = len(ahead) <= len(behind)
        ends, beyond, others = (ahead, self.serves, behind) if from_ahead else (behind, self.served_by, ahead)
        full, width = self.full[4], len(others)
        for end in ends - full:
            near = beyond.get(end)
            self.steps_left -= 1
            if not near or end in (a, b):
                continue
            self.steps_left -= min(len(near), width)
            if self.steps_left <= 0:
                return
            if not near.isdisjoint(others):
                met = (near & others) - full - {a, b}
                self.steps_left -= len(met) * RING_STEPS
                yield from ((end, other) if from_ahead else (other, end) for other in met)

    # --- What is taken --------------------------------------------------------------------------------------------------

    def _ring(self, companies: tuple[int, ...], weakest: float) -> Ring:
        # The new edge is from the first of `companies` to the second, and not in the graph yet.
        following = (*companies[2:], companies[0])
        total = weakest + sum(self.scores[edge] for edge in zip(companies[1:], following, strict=True))
        return Ring(turned(companies), weakest, total / len(companies))

    def _take(self, size: int, rings: list[Ring]) -> None:
        full = self.full[size]
        for ring in sorted(rings, key=rank):
            if ring.companies not in self.without and self.room[size] and full.isdisjoint(ring.companies):
                self.taken.append(ring)
                self.shares[size].update(ring.companies)
                self._close(size, [company for company in ring.companies if self.shares[size][company] == self.per_company])

    def _close(self, size: int, companies: list[int]) -> None:
        """Note who has its share now, and whether there is room for another ring of this size."""
        self.full[size].update(companies)
        self.room[size] -= 1
        if not self.room[size]:
            self.ways = [(other, way) for other, way in self.ways if other != size]
        for company in companies:
            if all(company in self.full[other] for other, _ in self.ways):
                self._retire(company)

    def _retire(self, company: int) -> None:
        """Nothing goes through a company any more: its edges are taken out."""
        self.retired.add(company)
        for other in self.serves.pop(company, ()):
            self.served_by[other].discard(company)
        for other in self.served_by.pop(company, ()):
            self.serves[other].discard(company)
