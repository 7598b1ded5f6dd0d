"""Rules that nobody can meet, or that everybody meets: told to the editor when saving.

What is told is true of every possible company; a rule too large to look through is let pass.
"""

import datetime
from dataclasses import dataclass

from .cells import cells
from .clauses import AllOf, AnyOf, Clause, Not, Rule
from .compiled import compiled
from .search import Budget, TooMuchWorkError, way_to_yes
from .world import axioms


@dataclass(frozen=True)
class Conflict:
    """Clauses, mostly two, that no company can meet together; with `positive` false the opposite of a clause."""

    clauses: tuple[tuple[Clause, bool], ...]


def can_hold(rule: Rule, today: datetime.date) -> bool:
    """Whether some company meets it; True as well where that is too much work to find out."""
    made = compiled(AllOf((rule, axioms(rule))))
    choices = {fact: cells(made, fact, None, today) for fact in made.of_fact}
    fact_of = {number: clause.fact for number, clause in enumerate(made.clauses)}
    try:
        return way_to_yes(made.tree, choices, fact_of, Budget()) is not None
    except TooMuchWorkError:
        return True


def always_holds(rule: Rule, today: datetime.date) -> bool:
    """Whether every company meets it, so that it says nothing. A rule without clauses is meant so and is not told."""
    return rule != AllOf(()) and not can_hold(Not(rule), today)


def conflict(rule: Rule, today: datetime.date) -> Conflict | None:
    """What in a rule cannot be met together, or None if somebody can meet it."""
    if can_hold(rule, today):
        return None
    return Conflict(tuple(dict.fromkeys(_core(_flat(rule, positive=True), today))))


def _flat(rule: Rule, *, positive: bool) -> list[tuple[Rule, bool]]:
    """The parts that have to hold together, down to clauses and alternatives."""
    if isinstance(rule, Not):
        return _flat(rule.part, positive=not positive)
    if isinstance(rule, AllOf if positive else AnyOf):
        return [part for one in rule.parts for part in _flat(one, positive=positive)]
    return [(rule, positive)]


def _core(parts: list[tuple[Rule, bool]], today: datetime.date) -> list[tuple[Clause, bool]]:
    """Of parts that cannot hold together, as few as possible that cannot either; of alternatives, the first one that is in the way."""
    kept = list(parts)
    for part in parts:
        fewer = [one for one in kept if one is not part]
        if not can_hold(AllOf(tuple(_signed(one) for one in fewer)), today):
            kept = fewer
    clauses = [one for one in kept if isinstance(one[0], Clause)]
    groups = [one for one in kept if not isinstance(one[0], Clause)]
    if not groups:
        return clauses
    (group, positive), *others = groups
    alternatives = [(part, positive) for part in ([group.part] if isinstance(group, Not) else group.parts)]
    if not alternatives:
        return clauses
    rest = [*clauses, *others]
    return _core([*rest, *_flat(alternatives[0][0], positive=positive)], today)


def _signed(part: tuple[Rule, bool]) -> Rule:
    return part[0] if part[1] else Not(part[0])
