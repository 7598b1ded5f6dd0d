"""Kleene's strong logic of three values: what is unknown stays so unless the rest decides."""

from collections.abc import Iterable
from enum import StrEnum


class Truth(StrEnum):
    """Whether something holds, as far as is known."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"

    def __invert__(self) -> "Truth":
        return _NEGATED[self]


_NEGATED = {Truth.YES: Truth.NO, Truth.NO: Truth.YES, Truth.UNKNOWN: Truth.UNKNOWN}


def conjunction(truths: Iterable[Truth]) -> Truth:
    """NO if one is, else UNKNOWN if one is; YES for none at all."""
    found = set(truths)
    return next((truth for truth in (Truth.NO, Truth.UNKNOWN) if truth in found), Truth.YES)


def disjunction(truths: Iterable[Truth]) -> Truth:
    """YES if one is, else UNKNOWN if one is; NO for none at all."""
    found = set(truths)
    return next((truth for truth in (Truth.YES, Truth.UNKNOWN) if truth in found), Truth.NO)
