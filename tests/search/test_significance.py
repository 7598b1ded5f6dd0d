"""The paired bootstrap: what must hold whatever the figures."""

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from search.significance import Interval, mean_difference, paired_difference

FIGURE = st.floats(0, 1, allow_nan=False, width=32)
PAIRS = st.lists(st.tuples(FIGURE, FIGURE), min_size=1, max_size=60)
QUICK = 200


def difference(pairs, **options) -> Interval:
    return paired_difference(*zip(*pairs, strict=True), resamples=QUICK, **options)


@given(st.lists(FIGURE, min_size=1, max_size=60))
def test_difference_of_a_system_with_itself_is_nothing(figures):
    assert paired_difference(figures, figures, resamples=QUICK) == Interval(0, 0, 0)
    assert not paired_difference(figures, figures, resamples=QUICK).is_clear


@given(PAIRS, st.integers(0, 2**32))
def test_difference_turned_round_is_its_negative(pairs, seed):
    one, other = difference(pairs, seed=seed), difference([(b, a) for a, b in pairs], seed=seed)
    assert (one.mean, one.low, one.high) == pytest.approx((-other.mean, -other.high, -other.low), abs=1e-9)


@given(PAIRS, st.integers(0, 2**32))
def test_difference_is_the_same_by_the_same_seed(pairs, seed):
    assert difference(pairs, seed=seed) == difference(pairs, seed=seed)


@given(PAIRS)
def test_difference_lies_among_the_single_ones(pairs):
    single = [a - b for a, b in pairs]
    found = difference(pairs)
    assert min(single) - 1e-9 <= found.low <= found.high <= max(single) + 1e-9
    assert found.mean == pytest.approx(sum(single) / len(single), abs=1e-9)


@given(st.lists(FIGURE, min_size=2, max_size=60), st.floats(0.01, 1))
def test_difference_that_is_the_same_everywhere_is_certain(figures, step):
    found = paired_difference([figure + step for figure in figures], figures, resamples=QUICK)
    assert (found.low, found.mean, found.high) == pytest.approx((step, step, step))
    assert found.is_clear


@settings(max_examples=30)
@given(st.lists(st.floats(-1, 1, width=32), min_size=8, max_size=40))
def test_more_of_the_same_queries_narrow_the_interval(differences):
    assume(max(differences) - min(differences) > 0.1)
    few = paired_difference(differences, [0] * len(differences))
    many = paired_difference(differences * 9, [0] * len(differences) * 9)
    assert many.high - many.low < 0.6 * (few.high - few.low)


def test_interval_is_that_of_theory():
    # 400 queries, half of them won: the mean's standard error is 0.5 / √400 = 0.025, and 95 % lie within 1.96 of it.
    found = paired_difference([1.0, 0.0] * 200, [0.0] * 400)
    assert (found.low, found.high) == pytest.approx((0.5 - 1.96 * 0.025, 0.5 + 1.96 * 0.025), abs=0.003)


def test_interval_is_paired():
    # Queries differ far more among themselves than the two systems do on each: unpaired draws would see nothing.
    theirs = [number / 100 for number in range(100)]
    assert paired_difference([figure + 0.01 for figure in theirs], theirs).is_clear


@pytest.mark.parametrize(("ours", "theirs"), [([], []), ([0.5], []), ([0.5], [0.5, 0.5])])
def test_figures_that_are_no_pairs_are_refused(ours, theirs):
    with pytest.raises(ValueError, match="no pairs"):
        paired_difference(ours, theirs)


def test_mean_of_several_sets_counts_each_the_same():
    small, large = ([1.0, 0.0], [0.0, 0.0]), ([0.1] * 50, [0.0] * 50)
    found = mean_difference([small, large])
    assert found.mean == pytest.approx((0.5 + 0.1) / 2)
    # The large one is certain; drawn within its set the small one is 0, 0.5 or 1.
    assert (found.low, found.high) == pytest.approx((0.05, 0.55))


@given(PAIRS, st.integers(0, 2**32))
def test_mean_of_one_set_is_its_difference(pairs, seed):
    ours, theirs = zip(*pairs, strict=True)
    assert mean_difference([(ours, theirs)], seed=seed, resamples=QUICK) == paired_difference(ours, theirs, seed=seed, resamples=QUICK)
