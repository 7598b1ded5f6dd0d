from dataclasses import dataclass
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cms.aid.enums import State
from cms.aid.states import ASKABLE, CLOSING_SOON_DAYS, standing, state_of

TODAY = date(2020, 5, 4)


@dataclass
class Call:
    opens_on: date | None = None
    deadline: date | None = None
    exhausted_on: date | None = None


def day(offset: int | None) -> date | None:
    return None if offset is None else TODAY + timedelta(days=offset)


@pytest.mark.parametrize(
    ("opens", "deadline", "exhausted", "state"),
    [
        (1, 30, None, State.ANNOUNCED),
        (0, 30, None, State.OPEN),
        (-9, CLOSING_SOON_DAYS + 1, None, State.OPEN),
        (-9, CLOSING_SOON_DAYS, None, State.CLOSING_SOON),
        (-9, 0, None, State.CLOSING_SOON),
        (-9, -1, None, State.CLOSED),
        (-9, 30, 0, State.EXHAUSTED),
        (-9, 30, 1, State.OPEN),
        (-9, -2, -5, State.EXHAUSTED),
        (-9, None, None, State.PERMANENT),
        (None, None, None, State.PERMANENT),
        (3, None, None, State.ANNOUNCED),
    ],
)
def test_state_of_a_call_follows_from_its_days(opens, deadline, exhausted, state):
    assert state_of(Call(day(opens), day(deadline), day(exhausted)), TODAY) == state


def test_standing_without_calls_is_always_open():
    assert standing([], TODAY).state == State.PERMANENT


def test_standing_is_that_of_the_call_one_can_still_use():
    past, now, later = Call(day(-90), day(-30)), Call(day(-3), day(60)), Call(day(100), day(130))
    assert standing([past, later, now], TODAY).call is now
    assert standing([past, later], TODAY).call is later
    assert standing([past], TODAY).state == State.CLOSED


def test_standing_prefers_the_call_that_closes_first_and_the_last_that_closed():
    soon, sooner = Call(day(-3), day(9)), Call(day(-3), day(4))
    assert standing([soon, sooner], TODAY).call is sooner
    old, older = Call(day(-90), day(-10)), Call(day(-190), day(-100))
    assert standing([older, old], TODAY).call is old


def test_days_left_are_counted_to_the_last_day_only_while_one_can_ask():
    assert standing([Call(day(-3), day(0))], TODAY).days_left(TODAY) == 0
    assert standing([Call(day(-3), day(-1))], TODAY).days_left(TODAY) is None
    assert standing([Call(day(1), day(9))], TODAY).days_left(TODAY) is None


offsets = st.one_of(st.none(), st.integers(-40, 40))
any_call = st.builds(lambda a, b, c: Call(day(a), day(b), day(c)), offsets, offsets, offsets)
# Crossed dates are refused when they are saved.
calls = st.lists(any_call.filter(lambda call: not (call.opens_on and call.deadline) or call.opens_on <= call.deadline), max_size=4)


@given(calls)
def test_standing_stays_until_the_day_it_names(some):
    """Whoever caches or indexes a state may keep it that long; a naive "until the deadline" would miss the opening."""
    told = standing(some, TODAY)
    last = told.until or TODAY + timedelta(days=400)
    for offset in range(min((last - TODAY).days, 60)):
        assert standing(some, TODAY + timedelta(days=offset)).state == told.state
    assert told.until is None or told.until > TODAY


@given(calls)
def test_standing_is_askable_exactly_when_a_call_is(some):
    expected = not some or any(state_of(call, TODAY) in ASKABLE for call in some)
    assert (standing(some, TODAY).state in ASKABLE) == expected
