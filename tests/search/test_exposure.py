"""Both directions and the cap, for every market that hypothesis can think of."""

from collections import Counter, defaultdict
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from search import exposure

OFFERS, DEMANDS = [f"o{n}" for n in range(6)], [f"d{n}" for n in range(12)]
#: Few different scores, so that ties are common.
MARKETS = st.dictionaries(st.tuples(st.sampled_from(OFFERS), st.sampled_from(DEMANDS)), st.integers(0, 12).map(lambda n: n * 7.5), max_size=60)
CAPS = st.integers(1, 5)
HALF = 45.0


def listed(standings, side=1):
    """What is put on the lists, by demand (1) or by offer (0)."""
    lists = defaultdict(set)
    for pair, standing in standings.items():
        if not standing.is_held_back:
            lists[pair[side]].add(pair)
    return lists


def only_by_score(scores, *, most):
    """What one would write first: the best-scored demands of each offer. It leaves demands with nothing, and the hub to who needs it least."""
    kept = set()
    for offer in {offer for offer, _ in scores}:
        kept.update(sorted((pair for pair in scores if pair[0] == offer), key=lambda pair: (-scores[pair], pair))[:most])
    return kept


# --- The cap ------------------------------------------------------------------------------------------------------------


@given(MARKETS, CAPS)
def test_no_offer_is_on_more_lists_than_the_cap_but_as_the_only_one(scores, most):
    standings = exposure.spread(scores, most=most)
    by_demand = listed(standings)
    for pairs in listed(standings, side=0).values():
        beyond = [pair for pair in pairs if standings[pair].turn > most]
        assert len(pairs) - len(beyond) <= most
        assert all(by_demand[demand] == {(offer, demand)} for offer, demand in beyond)


@given(MARKETS, CAPS)
def test_nobody_who_found_something_is_left_with_nothing(scores, most):
    good = {demand for (_, demand), score in scores.items() if score >= HALF}
    assert listed(exposure.spread(scores, most=most, threshold=HALF)).keys() == good


@given(MARKETS, CAPS)
def test_nothing_under_the_threshold_is_shown(scores, most):
    standings = exposure.spread(scores, most=most, threshold=HALF)
    assert standings.keys() == {pair for pair, score in scores.items() if score >= HALF}


@given(MARKETS)
def test_without_a_hub_nothing_is_held_back(scores):
    most = max(Counter(offer for offer, _ in scores).values(), default=1)
    assert not any(standing.is_held_back for standing in exposure.spread(scores, most=most).values())


@given(MARKETS, CAPS)
def test_a_higher_cap_never_takes_a_pair_that_found_a_turn(scores, most):
    fewer, more = exposure.spread(scores, most=most), exposure.spread(scores, most=most + 1)
    assert {pair for pair, s in fewer.items() if s.turn <= most} <= {pair for pair, s in more.items() if not s.is_held_back}


@given(MARKETS, CAPS, st.data())
def test_a_better_score_never_costs_a_pair_its_place(scores, most, data):
    if not scores:
        return
    pair = data.draw(st.sampled_from(sorted(scores)))
    better = scores | {pair: scores[pair] + data.draw(st.sampled_from([2.5, 7.5, 50.0]))}
    before, after = exposure.spread(scores, most=most), exposure.spread(better, most=most)
    assert after[pair].is_held_back <= before[pair].is_held_back
    assert after[pair].turn <= before[pair].turn
    assert after[pair].mutual_points >= before[pair].mutual_points
    if not before[pair].is_held_back:
        place = [exposure.short_lists(standings)[pair[1]].index(pair[0]) for standings in (before, after)]
        assert place[1] <= place[0]


@given(MARKETS, CAPS, st.randoms())
def test_the_order_in_which_pairs_come_does_not_matter(scores, most, random):
    mixed = list(scores.items())
    random.shuffle(mixed)
    assert exposure.spread(dict(mixed), most=most) == exposure.spread(scores, most=most)


def test_the_hub_goes_to_who_has_nothing_better_and_the_others_move_up():
    """A catalogue of everything scores a little for all and most for who has a better offer anyway."""
    scores = {("hub", "d1"): 80.0, ("special", "d1"): 90.0, ("hub", "d2"): 60.0, ("other", "d2"): 50.0, ("hub", "d3"): 55.0}
    standings = exposure.spread(scores, most=2)
    assert exposure.short_lists(standings) == {"d1": ["special"], "d2": ["hub", "other"], "d3": ["hub"]}
    assert ("hub", "d1") in only_by_score(scores, most=2)
    assert ("hub", "d3") not in only_by_score(scores, most=2), "whose only offer it is"


# --- Both directions ----------------------------------------------------------------------------------------------------


def test_the_one_for_whom_i_am_first_passes_a_slightly_better_one_for_whom_i_am_not():
    scores = {("hub", f"d{n}"): 70.0 + n for n in range(10)} | {("special", "d0"): 68.0}
    lists = exposure.short_lists(exposure.spread(scores))
    assert lists["d0"] == ["special", "hub"]
    scores["special", "d0"] = 45.0
    assert exposure.short_lists(exposure.spread(scores))["d0"] == ["hub", "special"], "points for places are no substitute for a fit"


@given(MARKETS)
def test_who_is_better_by_more_than_all_points_for_places_stays_before(scores):
    standings = exposure.spread(scores)
    for demand, offers in exposure.short_lists(standings).items():
        for one, other in combinations(offers, 2):
            assert scores[other, demand] - scores[one, demand] <= 2 * exposure.POINTS_OF_FIRST


@given(st.integers(1, 500), st.integers(1, 500))
def test_mutual_points_are_the_same_for_both_and_fall_with_the_places(one, other):
    assert exposure.mutual_points(one, other) == exposure.mutual_points(other, one)
    assert 0 < exposure.mutual_points(one + 1, other) < exposure.mutual_points(one, other) <= 2 * exposure.POINTS_OF_FIRST


def test_what_a_list_vouches_for_stands_before_what_it_does_not_and_leaves_the_level_of_scores():
    promised = exposure.promises({"vouched": (50.0, 30.0), "not": (52.0, 10.0), "new": (51.0, None)})
    assert promised == {"vouched": 60.0, "not": 42.0, "new": 51.0}
    assert exposure.promises({"alone": (50.0, 30.0)}) == {"alone": 50.0}


# --- The measure --------------------------------------------------------------------------------------------------------


def test_gini_of_known_shares():
    assert exposure.gini([]) == 0
    assert exposure.gini([0, 0]) == 0
    assert exposure.gini([7, 7, 7]) == pytest.approx(0)
    assert exposure.gini([1, 2, 3, 4]) == pytest.approx(0.25)
    assert exposure.gini([0] * 99 + [5]) == pytest.approx(0.99)


EXPOSURES = st.lists(st.integers(0, 1_000), min_size=1, max_size=20)


@given(EXPOSURES, st.integers(2, 9))
def test_gini_is_half_the_relative_mean_difference_whatever_the_unit(exposures, factor):
    total = sum(exposures)
    expected = sum(abs(a - b) for a in exposures for b in exposures) / (2 * len(exposures) * total) if total else 0
    assert exposure.gini(exposures) == pytest.approx(expected, abs=1e-9)
    assert exposure.gini([factor * one for one in exposures]) == pytest.approx(expected, abs=1e-9)


@given(EXPOSURES, st.data())
def test_giving_from_who_has_more_to_who_has_less_lowers_gini(exposures, data):
    low, high = min(exposures), max(exposures)
    if high - low < 2:
        return
    given_away = data.draw(st.integers(1, (high - low) // 2))
    fairer = list(exposures)
    fairer[fairer.index(high)] -= given_away
    fairer[fairer.index(low)] += given_away
    assert exposure.gini(fairer) < exposure.gini(exposures)
