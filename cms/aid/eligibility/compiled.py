"""A rule made ready for counting: negations pushed down to the clauses, clauses numbered, the decided parts taken out.

A tree is a Truth, a literal ("is", number, positive) or a group ("all" | "any", stuck, parts). `stuck` says that a part of it is
unknown for good, so that the group cannot come out well ("all") or badly ("any") any more; then only parts that can still turn it
the other way are left in it.
"""

import datetime
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from .clauses import AllOf, Clause, Not, Rule, clauses_of
from .known import Profile
from .truth import Truth

Literal = tuple[str, int, bool]
Group = tuple[str, bool, tuple]
Tree = Truth | Literal | Group
YES, NO, UNKNOWN = Truth.YES, Truth.NO, Truth.UNKNOWN


@dataclass(frozen=True)
class Compiled:
    """A rule's tree, its clauses in order, and which of them are about which fact."""

    tree: Tree
    clauses: tuple[Clause, ...]
    of_fact: Mapping[str, tuple[int, ...]] = field(hash=False, compare=False)

    def truths(self, profile: Profile, today: datetime.date) -> tuple[Truth, ...]:
        """What each clause comes to."""
        return tuple(clause.truth(profile.get(clause.fact), today) for clause in self.clauses)


def compiled(rule: Rule) -> Compiled:
    """`rule` with its clauses numbered."""
    clauses = clauses_of(rule)
    numbers = {clause: number for number, clause in enumerate(clauses)}
    of_fact: dict[str, tuple[int, ...]] = {}
    for number, clause in enumerate(clauses):
        of_fact[clause.fact] = (*of_fact.get(clause.fact, ()), number)
    # Groups without parts are constants: taken out at once.
    return Compiled(reduced(_tree(rule, numbers, positive=True), {}), clauses, of_fact)


def _tree(rule: Rule, numbers: Mapping[Clause, int], *, positive: bool) -> Tree:
    if isinstance(rule, Clause):
        return ("is", numbers[rule], positive)
    if isinstance(rule, Not):
        return _tree(rule.part, numbers, positive=not positive)
    # De Morgan: the negation of "all" is "any" of the negations. It holds for three values too.
    name = "all" if isinstance(rule, AllOf) is positive else "any"
    return (name, False, tuple(_tree(part, numbers, positive=positive) for part in rule.parts))


def literals(tree: Tree) -> Iterator[Literal]:
    """Every literal in a tree, in order."""
    if isinstance(tree, Truth):
        return
    if tree[0] == "is":
        yield tree
    else:
        for part in tree[2]:
            yield from literals(part)


def value(tree: Tree, truth_of: Callable[[int], Truth]) -> Truth:
    """What the tree comes to when each clause comes to `truth_of` its number."""
    if isinstance(tree, Truth):
        return tree
    if tree[0] == "is":
        truth = truth_of(tree[1])
        return truth if tree[2] else ~truth
    absorbing, neutral = (NO, YES) if tree[0] == "all" else (YES, NO)
    found = UNKNOWN if tree[1] else neutral
    for part in tree[2]:
        truth = value(part, truth_of)
        if truth is absorbing:
            return absorbing
        if truth is UNKNOWN:
            found = UNKNOWN
    return found


def reduced(tree: Tree, settled: Mapping[int, Truth]) -> Tree:
    """What is left of a tree once these clauses are settled (UNKNOWN: for good); a Truth where nothing is left to ask."""
    if isinstance(tree, Truth):
        return tree
    if tree[0] == "is":
        truth = settled.get(tree[1])
        return tree if truth is None else truth if tree[2] else ~truth
    name, stuck, parts = tree
    absorbing, neutral = (NO, YES) if name == "all" else (YES, NO)
    left = []
    for part in parts:
        rest = reduced(part, settled)
        if rest is absorbing:
            return absorbing
        if rest is UNKNOWN:
            stuck = True
        elif rest is not neutral:
            left.append(rest)
    if stuck:
        left = [part for part in left if can_be(part, absorbing)]
    if not left:
        return UNKNOWN if stuck else neutral
    if len(left) == 1 and not stuck:
        return left[0]
    return (name, stuck, tuple(left))


def can_be(tree: Tree, truth: Truth) -> bool:
    """Whether a reduced tree can still come out so, its open clauses taken as free of each other."""
    if isinstance(tree, Truth):
        return tree is truth
    if tree[0] == "is":
        return True
    name, stuck, parts = tree
    if truth is (NO if name == "all" else YES):
        return any(can_be(part, truth) for part in parts)
    return not stuck and all(can_be(part, truth) for part in parts)
