"""Where an aid stands on a day: a pure function of its calls, so that nobody has to close anything at midnight."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Protocol

from .enums import State

#: From so many days before its deadline on a call is "closing soon": time enough to gather papers, short enough to hurry.
CLOSING_SOON_DAYS = 14

#: Where one can still ask, or soon can.
ALIVE = frozenset({State.OPEN, State.CLOSING_SOON, State.PERMANENT, State.ANNOUNCED})
ASKABLE = frozenset({State.OPEN, State.CLOSING_SOON, State.PERMANENT})

#: Of several calls the one in the best state speaks for the aid.
_BEST_FIRST = (State.CLOSING_SOON, State.OPEN, State.PERMANENT, State.ANNOUNCED, State.EXHAUSTED, State.CLOSED)


class Dates(Protocol):
    """What counts of a call; None is not known, or no end. The deadline is the last day on which one can ask."""

    opens_on: date | None
    deadline: date | None
    exhausted_on: date | None


@dataclass(frozen=True, slots=True)
class Standing:
    """The state of an aid, the call that decides it (None without any), and the day on which it may be another one (None: never)."""

    state: State
    call: Dates | None
    until: date | None

    def days_left(self, today: date) -> int | None:
        """Days until the deadline, 0 on the last one; None where there is none to wait for."""
        return (self.call.deadline - today).days if self.call and self.call.deadline and self.state in ASKABLE else None


def standing(calls: Iterable[Dates], today: date) -> Standing:
    """Where an aid stands. An aid without calls is always open: advice, a tax relief in the law."""
    own = [(state_of(call, today), call) for call in calls]
    if not own:
        return Standing(State.PERMANENT, None, None)
    state, call = min(own, key=lambda one: (_BEST_FIRST.index(one[0]), *_nearest_first(*one)))
    days = [day for one in own if (day := _changes_on(*one))]
    days += [call.exhausted_on for _, call in own if call.exhausted_on and call.exhausted_on > today]
    return Standing(state, call, min(days, default=None))


def state_of(call: Dates, today: date) -> State:
    """The state of a single call."""
    if call.exhausted_on and call.exhausted_on <= today:
        return State.EXHAUSTED
    if call.deadline and call.deadline < today:
        return State.CLOSED
    if call.opens_on and call.opens_on > today:
        return State.ANNOUNCED
    if call.deadline is None:
        return State.PERMANENT
    return State.CLOSING_SOON if (call.deadline - today).days <= CLOSING_SOON_DAYS else State.OPEN


def _nearest_first(state: State, call: Dates) -> tuple[int, int]:
    """Of calls in one state: the first to close, the first to open, the last that closed."""
    if state in {State.CLOSED, State.EXHAUSTED}:
        return (0, -(call.deadline or call.exhausted_on or date.min).toordinal())
    day = call.opens_on if state == State.ANNOUNCED else call.deadline
    return (0, day.toordinal()) if day else (1, 0)


def _changes_on(state: State, call: Dates) -> date | None:
    """The day on which a call's state turns by itself."""
    match state:
        case State.ANNOUNCED:
            return call.opens_on
        case State.OPEN:
            return call.deadline - timedelta(days=CLOSING_SOON_DAYS)
        case State.CLOSING_SOON:
            return call.deadline + timedelta(days=1)
    return None
