"""The rule of an aid page: what the editor composed, and the facts of the page that limit who may ask."""

import datetime
from functools import lru_cache
from typing import TYPE_CHECKING

from django.utils import timezone

from .blocks import RULES_BLOCKS, contradiction
from .clauses import AllOf, Clause, Not, PlaceIn, Rule, SectorIn, SizeIn, WhoIn
from .conflicts import can_hold, conflict

if TYPE_CHECKING:
    from cms.aid.models import AidPage


def rule_of(page: "AidPage") -> Rule:
    """All that a company has to fulfil. Reads `sector_rows` and `place_rows`: prefetch them for lists.

    The kinds of beneficiary, sizes, sectors and places of the page's facts count like clauses, so that nobody writes them twice.
    """
    composed = RULES_BLOCKS.parts(page.rules)
    facts = [fact for fact in _of_facts(page) if not any(_says_more(part, fact) for part in composed)]
    return AllOf(tuple(dict.fromkeys([*facts, *composed])))


def problem_of(page: "AidPage") -> str:
    """A sentence for the editor where the page's facts and its rules contradict each other; the rules alone are `RulesBlock.clean`'s."""
    found = conflict(rule_of(page), timezone.localdate())
    return contradiction(found) if found else ""


@lru_cache(maxsize=1024)
def _says_more(part: Rule, fact: Clause) -> bool:
    """Whether a composed clause leaves a fact nothing to say: "at most 9 people" beside "small" in the facts."""
    return isinstance(part, Clause) and part.fact == fact.fact and not can_hold(AllOf((part, Not(fact))), datetime.date.min)


def _of_facts(page: "AidPage") -> list[Rule]:
    found: list[Rule] = []
    if page.beneficiaries:
        found.append(WhoIn(tuple(page.beneficiaries)))
    if codes := [row.sector_id for row in page.sector_rows.all()]:
        found.append(SectorIn(tuple(sorted(codes))))
    if page.sizes:
        found.append(SizeIn(tuple(page.sizes)))
    if codes := [row.place_id for row in page.place_rows.all()]:
        found.append(PlaceIn(tuple(codes)))
    return found
