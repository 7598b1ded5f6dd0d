"""Does a company fulfil a rule? With the clauses that decide it, and what would change it."""

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations, islice

from .cells import Cell, cells
from .clauses import FORM, WHO, AllOf, Clause, Rule, clauses_of, facts_of
from .compiled import Compiled, Tree, compiled, literals, reduced, value
from .known import Profile
from .search import Budget, TooMuchWorkError, way_to_yes
from .truth import Truth
from .world import axioms

#: Changes of more facts at once help nobody.
MOST_CHANGED = 3
MOST_CHANGES = 4
#: Sets of facts looked at for changes; 12 known facts have 298 of at most three.
MOST_TRIED = 300

ready = lru_cache(maxsize=512)(compiled)


@dataclass(frozen=True)
class Condition:
    """A clause, or with `positive` false its opposite, and whether the company fulfils it."""

    clause: Clause
    positive: bool
    met: Truth


@dataclass(frozen=True)
class Change:
    """Facts that would have to be otherwise, all of them, each with the conditions that would then be met."""

    conditions: tuple[Condition, ...]

    @property
    def facts(self) -> frozenset[str]:
        """Which facts they are about."""
        return frozenset(condition.clause.fact for condition in self.conditions)


@dataclass(frozen=True)
class Verdict:
    """What came out.

    deciding  a smallest set of conditions: without any one of them it would not be decided. For UNKNOWN, those still open that matter
    changes   the smallest sets of facts that would turn NO into YES, as far as what is unknown then comes out well; bounded
    unknown   the facts that could still decide it, in the rule's order
    """

    answer: Truth
    deciding: tuple[Condition, ...] = ()
    changes: tuple[Change, ...] = ()
    unknown: tuple[str, ...] = ()


def truth(rule: Rule, profile: Profile, today: datetime.date) -> Truth:
    """The answer alone."""
    made = ready(rule)
    return value(made.tree, made.truths(profile, today).__getitem__)


def evaluate(rule: Rule, profile: Profile, today: datetime.date) -> Verdict:
    """The answer and its reasons, from what is known in `profile`."""
    made = ready(rule)
    truths = made.truths(profile, today)
    answer = value(made.tree, truths.__getitem__)
    if answer is Truth.UNKNOWN:
        rest = still_open(made, truths)
        open_now = [(number, positive) for _, number, positive in literals(rest)]
        return Verdict(answer, _conditions(made, open_now, truths), unknown=tuple(dict.fromkeys(made.clauses[number].fact for number, _ in open_now)))
    changes = _changes(rule, profile, today) if answer is Truth.NO else ()
    return Verdict(answer, _conditions(made, _deciding(made.tree, truths, answer), truths), changes)


def still_open(made: Compiled, truths: Sequence[Truth]) -> Tree:
    """What is left of a rule once the clauses that are decided are settled."""
    return reduced(made.tree, {number: truth for number, truth in enumerate(truths) if truth is not Truth.UNKNOWN})


def _conditions(made: Compiled, found: list[tuple[int, bool]], truths: Sequence[Truth]) -> tuple[Condition, ...]:
    """In the rule's order, each clause once."""
    signs = dict(reversed(found))
    return tuple(
        Condition(made.clauses[number], signs[number], truths[number] if signs[number] else ~truths[number]) for number in sorted(signs)
    )  # fmt: skip


def _deciding(tree: Tree, truths: Sequence[Truth], answer: Truth) -> list[tuple[int, bool]]:
    """Literals that decide the tree, none of which can be left out."""
    found = _enough(tree, truths)
    # Parts that share a clause may bring one that another part's makes superfluous.
    for literal in list(found):
        kept = {number for number, _ in found if number != literal[0]}
        if value(tree, lambda number, kept=kept: truths[number] if number in kept else Truth.UNKNOWN) is answer:
            found = [one for one in found if one[0] != literal[0]]
    return found


def _enough(tree: Tree, truths: Sequence[Truth]) -> list[tuple[int, bool]]:
    """Literals that decide a decided tree: of parts that decide by themselves, the one with the fewest."""
    if isinstance(tree, Truth):
        return []
    if tree[0] == "is":
        return [tree[1:]]
    absorbing = Truth.NO if tree[0] == "all" else Truth.YES
    alone = [_enough(part, truths) for part in tree[2] if value(part, truths.__getitem__) is absorbing]
    if alone:
        return min(alone, key=len)
    return [literal for part in tree[2] for literal in _enough(part, truths)]


# --- What would change it -------------------------------------------------------------------------------------------------


def _changes(rule: Rule, profile: Profile, today: datetime.date) -> tuple[Change, ...]:
    """Sets of facts, the smallest first, tried one after another: the chosen ones free, what is unknown free, the rest as it is."""
    made = ready(AllOf((rule, axioms(rule))))
    # What was only concluded from the legal form changes with it.
    profile = {fact: known for fact, known in profile.items() if not (fact == WHO and FORM in made.of_fact and FORM in profile)}
    truths = made.truths(profile, today)
    facts = [fact for fact in facts_of(rule) if any(truths[number] is not Truth.UNKNOWN for number in made.of_fact[fact])]
    fact_of = {number: clause.fact for number, clause in enumerate(made.clauses)}
    as_it_is = {fact: cells(made, fact, profile.get(fact), today) for fact in made.of_fact}
    otherwise = {fact: _nearest_first(cells(made, fact, None, today), truths) for fact in facts}
    own, budget = frozenset(clauses_of(rule)), Budget()
    found: dict[frozenset[str], Change] = {}
    sets = (chosen for count in range(1, MOST_CHANGED + 1) for chosen in combinations(facts, count))
    for chosen in islice(sets, MOST_TRIED):
        if any(smaller <= set(chosen) for smaller in found):
            continue
        try:
            way = way_to_yes(made.tree, as_it_is | {fact: otherwise[fact] for fact in chosen}, fact_of, budget)
        except TooMuchWorkError:
            break
        if way is not None:
            found[frozenset(chosen)] = _change(made, chosen, way, truths, own)
        if len(found) == MOST_CHANGES:
            break
    return tuple(found.values())


def _nearest_first(found: tuple[Cell, ...], truths: Sequence[Truth]) -> list[Cell]:
    """The cells in which the fewest clauses come out otherwise than they do now, first."""
    return sorted(found, key=lambda cell: sum(truth is not truths[number] for number, truth in cell.truths.items()))


def _change(made: Compiled, chosen: tuple[str, ...], way: Mapping[str, Cell], truths: Sequence[Truth], own: frozenset[Clause]) -> Change:
    """The rule's own clauses about the chosen facts that come out otherwise than now; failing that, those that follow from them."""
    flips = [
        (fact, number, truth)
        for fact, cell in way.items()
        for number, truth in cell.truths.items()
        if truth is not truths[number] and made.clauses[number] in own
    ]
    direct = [flip for flip in flips if flip[0] in chosen]
    return Change(tuple(Condition(made.clauses[number], truth is Truth.YES, Truth.NO) for _, number, truth in direct or flips))
