"""Both sides of a match: who stands high in whose list, and no offer in everybody's. Pure functions, no I/O.

A score tells how well one offer answers one demand and nothing about the others. In any space of many dimensions some points
are near to everybody (Radovanović, Nanopoulos and Ivanović 2010 call them hubs): the catalogue of everything is the third best
answer to two hundred demands. Two hundred companies then read about it, its owner can answer twenty, and whoever offers just
the one thing is never found. Two remedies; neither touches the score, which stays a matter of the two texts.

`mutual_points` counts the other direction: a demand's list is ordered by score plus some points for standing high in the
offer's own list, and the other way round. A hub has one first place to give, a specialist gives it to who asks for just that.
It is what reciprocal recommenders do (Pizzato et al. 2010), by places as in local scaling (Jégou et al. 2010, CSLS of Conneau
et al. 2018), without a mean over all scores that would have to be known.

`spread` caps what is left: an offer is put on the short lists of MOST_DEMANDS demands, those in whose list it stands highest;
the next ones of the other lists move up. The classical answer, a b-matching by falling score, costs more quality (the best pairs
of a hub are not those that need it most) and one change can run through the whole town. Here each fact depends on its own two
lists, so a changed listing is a matter of its neighbours.
"""

from collections.abc import Callable, Collection, Hashable, Iterable, Mapping
from dataclasses import dataclass
from math import fsum
from typing import TypeVar

Pair = tuple[str, str]
"""The ids of an offer and of a demand."""

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")

#: On how many demands' lists an offer is put: as many as the suggestions one listing asks the engine for, so that neither side
#: has more of the other to answer. Among ten suggestions a demand, this is twice an equal share where there are as many offers
#: as demands. 15 cost 0.004 and 0.011 nDCG@10 on the two sets of real contracts, 20 nothing that is more than chance.
MOST_DEMANDS = 20

#: What the first place in a list is worth, in points of the score; halved at SHORT_LIST + 1. So no pair passes another that is
#: 20 points better. From 4 to 20 it costs no set more than 0.003 nDCG@10; exposure evens out with it.
POINTS_OF_FIRST = 10.0

#: As many as people read.
SHORT_LIST = 10


@dataclass(frozen=True, slots=True)
class Standing:
    """What a pair is to its two lists.

    `promise` is the score as the demand's list sees it (see `promises`) and `place_for_demand` the offer's place in that list;
    `place_for_offer` is the demand's in the offer's list, by score; `turn` the demand's among those that wish for the offer
    (see `turns`). `is_held_back`: the offer is not put on the demand's list.
    """

    promise: float
    place_for_demand: int
    place_for_offer: int
    turn: int
    mutual_points: float
    is_held_back: bool


def gini(exposures: Collection[float]) -> float:
    """How unequally exposure is shared: 0 if all have the same, towards 1 if one has everything. Nobody's exposure is a 0 in it."""
    count, total = len(exposures), sum(exposures)
    if not total:
        return 0.0
    weighted = sum(rank * exposure for rank, exposure in enumerate(sorted(exposures), 1))
    return (2 * weighted) / (count * total) - (count + 1) / count


def promises(found: Mapping[Key, tuple[float, float | None]]) -> dict[Key, float]:
    """What one demand's list is ordered by, of (score, points by which the list vouches for the offer, None if not asked).

    The score, more or less as far as the list vouches for this offer more than for its others; so it can be compared with
    what other lists promise, and an offer that came after the list was made stands where its score alone puts it.
    """
    known = [vouched for _, vouched in found.values() if vouched is not None]
    # fsum: the same whatever the order in which they come.
    usual = fsum(known) / len(known) if known else 0.0
    return {key: score if vouched is None else score + vouched - usual for key, (score, vouched) in found.items()}


def places(scores: Mapping[Key, float]) -> dict[Key, int]:
    """The places in one list, from 1, by falling score; equal scores by key, so that every run gives the same."""
    return {key: place for place, key in enumerate(sorted(scores, key=lambda key: (-scores[key], key)), 1)}


def mutual_points(place_for_demand: int, place_for_offer: int) -> float:
    """What a pair gains in the order of both lists by standing high in them; the same for both sides."""
    return sum(POINTS_OF_FIRST * SHORT_LIST / (SHORT_LIST - 1 + place) for place in (place_for_demand, place_for_offer))


def turns(wishes: Mapping[Key, tuple[int, float]]) -> dict[Key, int]:
    """In which order an offer goes to the demands that wish for it, from 1; a wish is (place in the demand's list, score).

    Places first: who has this offer on top needs it more than who has nine better ones, whatever the scores.
    """
    return {key: turn for turn, key in enumerate(sorted(wishes, key=lambda key: (wishes[key][0], -wishes[key][1], key)), 1)}


def held_back(found: Mapping[Key, tuple[int, int]], *, most: int = MOST_DEMANDS) -> set[Key]:
    """Which of the offers that one demand found are not put on its list; an offer comes as (place, turn).

    Never all: who would be left with nothing keeps the best, though its offer then is on one list more.
    """
    over = {key for key, (_, turn) in found.items() if turn > most}
    return over - {min(found, key=lambda key: (found[key][0], key))} if over and len(over) == len(found) else over


def spread(
    scores: Mapping[Pair, float], vouched: Mapping[Pair, float | None] | None = None, *, most: int = MOST_DEMANDS, threshold: float = 0.0
) -> dict[Pair, Standing]:
    """The standing of every pair from `threshold` on, all lists taken together; `vouched` as in `promises`."""
    vouched = vouched or {}
    good = {pair: score for pair, score in scores.items() if score >= threshold}
    of_offer, of_demand = _lists(good, 0), _lists(good, 1)
    for_offer = _each(of_offer, lambda pairs: places({pair: good[pair] for pair in pairs}))
    promise = _each(of_demand, lambda pairs: promises({pair: (good[pair], vouched.get(pair)) for pair in pairs}))
    for_demand = _each(of_demand, lambda pairs: places({pair: promise[pair] for pair in pairs}))
    turn = _each(of_offer, lambda pairs: turns({pair: (for_demand[pair], good[pair]) for pair in pairs}))
    held = {pair for pairs in of_demand.values() for pair in held_back({pair: (for_demand[pair], turn[pair]) for pair in pairs}, most=most)}
    points = {pair: mutual_points(for_demand[pair], for_offer[pair]) for pair in good}
    return {pair: Standing(promise[pair], for_demand[pair], for_offer[pair], turn[pair], points[pair], pair in held) for pair in good}


def short_lists(standings: Mapping[Pair, Standing]) -> dict[str, list[str]]:
    """By demand, the offers put on its list, in the order of what they promise with the points for standing high in both lists."""
    lists = _lists((pair for pair, standing in standings.items() if not standing.is_held_back), 1)
    return {
        demand: [offer for offer, _ in sorted(pairs, key=lambda p: (-standings[p].promise - standings[p].mutual_points, p))] for demand, pairs in lists.items()
    }


def _lists(pairs: Iterable[Pair], side: int) -> dict[str, list[Pair]]:
    lists: dict[str, list[Pair]] = {}
    for pair in pairs:
        lists.setdefault(pair[side], []).append(pair)
    return lists


def _each(lists: Mapping[str, list[Pair]], number: Callable[[list[Pair]], dict[Pair, Value]]) -> dict[Pair, Value]:
    return {pair: value for pairs in lists.values() for pair, value in number(pairs).items()}
