"""Which question to ask next, so that a visitor answers as few as possible.

After each answer the rule is reduced to what still matters, and of the facts left in it one is chosen by looking ahead through every
answer that the rule tells apart (see `cells`):

1. the smallest expected number of further questions, each distinguishable answer taken as equally likely (nobody told us otherwise);
2. then the smallest number in the worst case;
3. then the editor's order.

What is promised to the visitor ("at most 4 questions") holds for "I don't know" too: as many as there are facts left.

The look ahead is exact while it needs no more than EFFORT trees (seven or eight facts); after that it is one step deep: the question
after which the fewest facts are expected to be left.

It ends when the answer is decided, or when no answer any more can decide it: so the outcome is always that of the whole evaluation
with every question answered (`truth.Truth` only grows, see `known`). No fact is asked twice.
"""

import datetime
from collections.abc import Iterable
from dataclasses import dataclass, field

from .cells import Cell, telling
from .clauses import Rule
from .compiled import Compiled, Tree, literals, reduced
from .evaluation import ready, still_open
from .known import Profile
from .search import Budget, TooMuchWorkError
from .truth import Truth

EFFORT = 1_500


@dataclass(frozen=True)
class Step:
    """The next question: the fact it is about, and how many may still come, this one included."""

    fact: str
    at_most: int


@dataclass(frozen=True)
class _Prospect:
    """What lies ahead of a tree: expected and greatest number of questions, the outcomes there may be, and what to ask."""

    expected: float = 0.0
    worst: int = 0
    outcomes: frozenset[Truth] = frozenset()
    fact: str | None = None


@dataclass
class _Outlook:
    """The look ahead, which remembers the trees it has seen."""

    made: Compiled
    profile: Profile
    today: datetime.date
    facts: tuple[str, ...]
    budget: Budget = field(default_factory=lambda: Budget(EFFORT))
    seen: dict[Tree, _Prospect] = field(default_factory=dict)
    answers: dict[str, tuple[Cell, ...]] = field(default_factory=dict)

    def prospect(self, tree: Tree) -> _Prospect:
        """What lies ahead, exactly; raises TooMuchWorkError."""
        if isinstance(tree, Truth):
            return _Prospect(outcomes=frozenset({tree}))
        if tree not in self.seen:
            self.budget.spend()
            self.seen[tree] = self._best([self._after(tree, fact) for fact in self.left(tree)])
        return self.seen[tree]

    def left(self, tree: Tree) -> list[str]:
        """The facts that may be asked and are left in a tree, in the editor's order."""
        mentioned = {self.made.clauses[number].fact for _, number, _ in literals(tree)}
        return [fact for fact in self.facts if fact in mentioned]

    def _after(self, tree: Tree, fact: str) -> _Prospect:
        """When this fact is asked first."""
        answers = [self.prospect(reduced(tree, cell.truths)) for cell in self.cells(fact)]
        return _Prospect(
            1 + sum(answer.expected for answer in answers) / len(answers),
            1 + max(answer.worst for answer in answers),
            frozenset().union(*(answer.outcomes for answer in answers)),
            fact,
        )

    def _best(self, ways: list[_Prospect]) -> _Prospect:
        if not ways:
            return _Prospect(outcomes=frozenset({Truth.UNKNOWN}))
        best = min(ways, key=lambda way: (way.expected, way.worst))
        # As it stands the tree is unknown: where every answer leaves it so, no question matters.
        return _Prospect(outcomes=best.outcomes) if best.outcomes == {Truth.UNKNOWN} else best

    def cells(self, fact: str) -> tuple[Cell, ...]:
        """What can be answered."""
        if fact not in self.answers:
            self.answers[fact] = telling(self.made, fact, self.profile.get(fact), self.today)
        return self.answers[fact]

    def one_step(self, tree: Tree) -> _Prospect:
        """The question after which the fewest facts are expected to be left."""

        def left_after(fact: str) -> float:
            found = [len(self.left(reduced(tree, cell.truths))) for cell in self.cells(fact)]
            return sum(found) / len(found)

        left = self.left(tree)
        return _Prospect(fact=min(left, key=left_after)) if left else _Prospect()


def next_step(rule: Rule, profile: Profile, today: datetime.date, *, asked: Iterable[str] = ()) -> Step | None:
    """What to ask now, or None when nothing that one could ask matters. `asked`: facts asked already, answered or not."""
    made = ready(rule)
    asked = frozenset(asked)
    tree = still_open(made, made.truths(profile, today))
    closed = {number: Truth.UNKNOWN for fact in asked & made.of_fact.keys() for number in made.of_fact[fact]}
    # A clause decided already is out of the tree: only those of facts that were asked in vain are closed for good.
    tree = reduced(tree, closed)
    outlook = _Outlook(made, profile, today, tuple(fact for fact in made.of_fact if fact not in asked))
    try:
        ahead = outlook.prospect(tree)
    except TooMuchWorkError:
        ahead = outlook.one_step(tree)
    return Step(ahead.fact, len(outlook.left(tree))) if ahead.fact else None
