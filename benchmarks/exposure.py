"""How evenly the suggestions share out the readers, and what that costs: with and without counting both directions and the cap.

    python benchmarks/exposure.py DIR [DIR ...] [--vectors FILE] [--every N] [--most 20] [--points 10] [--threshold 0]

Each set is a market: everybody asks at once, and search.exposure makes the short lists from what the product's own `suggest`
found. Told are nDCG@10 with the difference to the plain suggestions (95 % interval of the paired bootstrap), the Gini coefficient
of how many top tens an offer is in (0: all in equally many; offers in none count), how many the most shown one is in, in how
many percent of the offers are in none, and how long the lists are. Several values of --most give a row each.
"""

import argparse
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass, field
from statistics import fmean
from unittest import mock

from trial import Part, Trial, parser, progress, trial

from search import evaluation, exposure
from search.engine import suggest_on
from search.evaluation import TOP
from search.evaluation_report import share, signed, table
from search.exposure import Pair
from search.significance import paired_difference

UNLIMITED = 1_000_000


@dataclass(frozen=True, slots=True)
class Way:
    """How lists are made: with these points for a first place, each offer on at most so many."""

    name: str
    points: float
    most: int


@dataclass(slots=True)
class Market:
    """What everybody in a set found: scores, how far the lists vouch, and the plain lists."""

    part: Part
    scores: dict[Pair, float] = field(default_factory=dict)
    vouched: dict[Pair, float] = field(default_factory=dict)
    plain: dict[str, list[str]] = field(default_factory=dict)

    def lists(self, way: Way | None) -> dict[str, list[str]]:
        """The short lists made that way; None for what `suggest` gave."""
        if way is None:
            return self.plain
        with mock.patch.object(exposure, "POINTS_OF_FIRST", way.points):
            return exposure.short_lists(exposure.spread(self.scores, self.vouched, most=way.most))


@dataclass(slots=True)
class Figures:
    """Of one way in one group of markets: a figure for each query, and those of each market."""

    ndcg: list[float] = field(default_factory=list)
    lengths: list[int] = field(default_factory=list)
    ginis: list[float] = field(default_factory=list)
    highest: list[int] = field(default_factory=list)
    unseen: list[float] = field(default_factory=list)

    def add(self, market: Market, lists: dict[str, list[str]]) -> None:
        """Measure one market's lists."""
        dataset = market.part.dataset
        for demand in dataset.demands:
            found = lists.get(demand.uid, [])
            self.ndcg.append(evaluation.ndcg(found, dataset.judgements[demand.uid]))
            self.lengths.append(len(found[:TOP]))
        seen = Counter(offer for found in lists.values() for offer in found[:TOP])
        exposures = [seen[offer.uid] for offer in dataset.offers]
        self.ginis.append(exposure.gini(exposures))
        self.highest.append(max(exposures))
        self.unseen.append(exposures.count(0) / len(exposures))


def ask(part: Part, trial_: Trial, *, threshold: float, bar: progress) -> Market:
    """Ask for every demand of a set."""
    market = Market(part)
    with ExitStack() as stack:
        dataset, index = trial_.indexed(part, stack)
        for demand in dataset.demands:
            found = suggest_on(index, demand, limit=evaluation.DEPTH, threshold=threshold, today=evaluation.TODAY)
            market.plain[demand.uid] = [suggestion.uid for suggestion in found]
            for suggestion in found:
                market.scores[suggestion.uid, demand.uid] = suggestion.score
                market.vouched[suggestion.uid, demand.uid] = suggestion.vouched
            bar.update()
    return market


def ways(points: float, mosts: list[int]) -> list[Way]:
    """Each remedy alone, then both, for every cap asked for."""
    return [
        Way("both directions count", points, UNLIMITED),
        *(Way(f"at most {most} lists", 0.0, most) for most in mosts),
        *(Way(f"both, {most} lists", points, most) for most in mosts),
    ]


def rows(markets: list[Market], chosen: list[Way]) -> list[list[str]]:
    """The table's rows for one group of markets."""
    told, plain = [], Figures()
    for way in (None, *chosen):
        figures = plain if way is None else Figures()
        for market in markets:
            figures.add(market, market.lists(way))
        difference = "" if way is None else signed(paired_difference(figures.ndcg, plain.ndcg))
        of_markets = [share(fmean(figures.ginis)), str(max(figures.highest)), f"{100 * fmean(figures.unseen):.0f} %", f"{fmean(figures.lengths):.1f}"]
        told.append([way.name if way else "as suggested", share(fmean(figures.ndcg)), difference, *of_markets])
    return told


def main(options: argparse.Namespace) -> None:
    """Ask, make the lists each way, print a table for each group."""
    with trial(options) as trial_, progress(trial_, 1) as bar:
        markets: dict[str, list[Market]] = {}
        for part in trial_.parts:
            markets.setdefault(part.group, []).append(ask(part, trial_, threshold=options.threshold, bar=bar))
    for group, own in markets.items():
        demands, offers = (sum(len(getattr(market.part.dataset, name)) for market in own) for name in ("demands", "offers"))
        print(f"\n{group}: {demands} demands, {offers} offers\n")
        print(table(["Lists", "nDCG@10", "difference", "Gini", "most", "unseen", "length"], rows(own, ways(options.points, options.most))))


if __name__ == "__main__":
    wanted = parser(__doc__.split("\n", 1)[0])
    wanted.add_argument("--most", type=int, nargs="+", default=[exposure.MOST_DEMANDS], metavar="N", help="on how many lists an offer is put")
    wanted.add_argument("--points", type=float, default=exposure.POINTS_OF_FIRST, metavar="P", help="what the first place in a list is worth")
    wanted.add_argument("--threshold", type=float, default=0.0, metavar="T", help="only suggestions from this score on; 0 fills every top ten")
    main(wanted.parse_args())
