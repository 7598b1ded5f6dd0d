"""The rule of an aid page: what the editor composed, and the facts of the page that limit who may ask."""

from typing import TYPE_CHECKING

from .blocks import RULES_BLOCKS
from .clauses import AllOf, PlaceIn, Rule, SectorIn, SizeIn, WhoIn

if TYPE_CHECKING:
    from cms.aid.models import AidPage


def rule_of(page: "AidPage") -> Rule:
    """All that a company has to fulfil. Reads `sector_rows` and `place_rows`: prefetch them for lists.

    The kinds of beneficiary, sizes, sectors and places of the page's facts count like clauses, so that nobody writes them twice.
    """
    parts = dict.fromkeys([*_of_facts(page), *RULES_BLOCKS.parts(page.rules)])
    return AllOf(tuple(parts))


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
