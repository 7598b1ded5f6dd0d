"""The answers that a rule tells apart: for each fact, the ways in which its clauses can come out together.

A rule with "at most 49 people" and "at least 3" tells three numbers of people apart, not all of them.
"""

import datetime
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from . import world
from .clauses import FORM, WHO, Clause
from .compiled import Compiled
from .known import Known
from .truth import Truth


@dataclass(frozen=True)
class Cell:
    """A value of a fact, standing for all with which the clauses come out the same, and how they do (by number)."""

    value: Known
    truths: Mapping[int, Truth]


def cells(rule: Compiled, fact: str, known: Known | None, today: datetime.date) -> tuple[Cell, ...]:
    """The distinguishable answers to a fact of which `known` is known already."""
    numbers = rule.of_fact[fact]
    ways = _ways(fact, tuple(rule.clauses[number] for number in numbers), known, today)
    return tuple(Cell(value, dict(zip(numbers, truths, strict=True))) for truths, value in ways)


def telling(rule: Compiled, fact: str, known: Known | None, today: datetime.date) -> tuple[Cell, ...]:
    """As `cells`, with what an answer says of the other fact that hangs together with it: an SL is no association."""
    other = {FORM: WHO, WHO: FORM}.get(fact)
    if other not in rule.of_fact:
        return cells(rule, fact, known, today)
    own, others = rule.of_fact[fact], rule.of_fact[other]
    found: dict[tuple[tuple[int, Truth], ...], Known] = {}
    for value in world.values(fact, tuple(rule.clauses[number] for number in own), known, today):
        concluded = world.implied({fact: value}).get(other)
        truths = [(number, rule.clauses[number].truth(value, today)) for number in own]
        truths += [(number, truth) for number in others if (truth := rule.clauses[number].truth(concluded, today)) is not Truth.UNKNOWN]
        found.setdefault(tuple(truths), value)
    return tuple(Cell(value, dict(truths)) for truths, value in found.items())


@lru_cache(maxsize=512)
def _ways(fact: str, clauses: tuple[Clause, ...], known: Known | None, today: datetime.date) -> tuple[tuple[tuple[Truth, ...], Known], ...]:
    found: dict[tuple[Truth, ...], Known] = {}
    for value in world.values(fact, clauses, known, today):
        found.setdefault(tuple(clause.truth(value, today) for clause in clauses), value)
    return tuple(found.items())
