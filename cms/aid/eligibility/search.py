"""Whether a tree can come out as YES, and with which values; exact while the work stays within a budget."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from .cells import Cell
from .compiled import Tree, can_be, literals, reduced
from .truth import Truth

#: Trees looked at before giving up. A rule of a dozen clauses needs some tens.
BUDGET = 5_000


class TooMuchWorkError(Exception):
    """The budget is used up: nothing can be said."""


@dataclass
class Budget:
    """What is left of the work that may be done."""

    left: int = BUDGET

    def spend(self) -> None:
        """One more tree, or an end."""
        if self.left <= 0:
            raise TooMuchWorkError
        self.left -= 1


def way_to_yes(tree: Tree, choices: Mapping[str, Sequence[Cell]], fact_of: Mapping[int, str], budget: Budget) -> dict[str, Cell] | None:
    """A cell for some facts with which the tree is YES whatever the others are, or None if there is none.

    Each fact is tried in the order of its cells, so that the caller says which to prefer. Clauses of facts without choices stay open.
    """
    budget.spend()
    if tree is Truth.YES:
        return {}
    if not can_be(tree, Truth.YES):
        return None
    fact = next((fact_of[literal[1]] for literal in literals(tree) if fact_of[literal[1]] in choices), None)
    if fact is None:
        return None
    for cell in choices[fact]:
        found = way_to_yes(reduced(tree, cell.truths), choices, fact_of, budget)
        if found is not None:
            return {fact: cell, **found}
    return None
