"""What may be known of a fact. Always a set of possible values, so that "between 10 and 49 people" is knowledge too.

A fact of which nothing is known has no entry in a profile. To learn more is to leave fewer values; a clause that is decided stays so.
"""

import datetime
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

#: Whoever never registered as self-employed did so later than any day a rule can name.
NEVER = datetime.date.max


@dataclass(frozen=True)
class Between:
    """A whole number or a day, from `low` to `high` inclusive; None is no limit."""

    low: int | datetime.date | None = None
    high: int | datetime.date | None = None

    def within(self, other: "Between") -> bool:
        """Whether every value of this is one of the other."""
        return _at_most(other.low, self.low, none_first=True) and _at_most(self.high, other.high, none_first=False)

    def apart(self, other: "Between") -> bool:
        """Whether the two have no value in common."""
        return _before(self.high, other.low) or _before(other.high, self.low)

    @property
    def exact(self) -> bool:
        """Whether it is a single value."""
        return self.low is not None and self.low == self.high


def exactly(value: int | datetime.date) -> Between:
    """Just one number or day."""
    return Between(value, value)


def _at_most(one, other, *, none_first: bool) -> bool:
    """Compare two limits; None is minus infinity for lower limits, plus infinity for upper ones."""
    if none_first:
        return one is None or (other is not None and one <= other)
    return other is None or (one is not None and one <= other)


def _before(high, low) -> bool:
    return high is not None and low is not None and high < low


@dataclass(frozen=True)
class OneOf:
    """One value of a closed list."""

    values: frozenset[str]

    @property
    def exact(self) -> bool:
        """Whether it is a single value."""
        return len(self.values) == 1


def one(*values: str) -> OneOf:
    """Any of these."""
    return OneOf(frozenset(values))


@dataclass(frozen=True)
class Activity:
    """A node of the NACE tree, told by its path from the section down; or only that it is none of `without` and nothing below them."""

    path: tuple[str, ...] = ()
    without: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Seat:
    """A municipality with the comarca and the province it is in; all empty: not in Catalonia."""

    code: str = ""
    comarca: str = ""
    province: str = ""


ELSEWHERE = Seat()

Known = Between | OneOf | Activity | Seat
Profile = Mapping[str, Known]


def compatible(value: Known, known: Known | None) -> bool:
    """Whether an exact value is among those that `known` leaves."""
    if known is None:
        return True
    if isinstance(known, Between):
        return value.within(known)
    if isinstance(known, OneOf):
        return value.values <= known.values
    if isinstance(known, Activity):
        return value.path[: len(known.path)] == known.path and not known.without.intersection(value.path)
    return value == known


def spans(ranges: Iterable[Between]) -> tuple[Between, ...]:
    """Ranges of whole numbers that touch or overlap made one, in their order: 0–9 and 10–49 are 0–49."""
    merged: list[Between] = []
    for span in sorted(ranges, key=lambda span: (span.low is not None, span.low)):
        if merged and (merged[-1].high is None or (span.low is not None and span.low <= merged[-1].high + 1)):
            last = merged.pop()
            high = None if last.high is None or span.high is None else max(last.high, span.high)
            merged.append(Between(last.low, high))
        else:
            merged.append(span)
    return tuple(merged)
