"""What values a fact can have at all, and the two facts that hang together."""

import datetime
from collections.abc import Mapping
from functools import cache

from cms.aid.enums import Beneficiary
from marketplace.companies import places, sectors
from marketplace.companies.enums import LegalForm

from .clauses import (
    FORM,
    FOUNDED,
    PLACE,
    SECTOR,
    SELF_EMPLOYED,
    WHO,
    YES_OR_NO,
    AllOf,
    AnyOf,
    Clause,
    FormIn,
    Not,
    Rule,
    SpanClause,
    WhoIn,
    facts_of,
)
from .days import A_DAY
from .known import ELSEWHERE, NEVER, Activity, Between, Known, OneOf, Seat, compatible, exactly, one

#: What one can be who has this legal form. What is not named can be anything.
KINDS_OF_FORM: Mapping[str, tuple[str, ...]] = {
    LegalForm.SELF_EMPLOYED: (Beneficiary.SELF_EMPLOYED,),
    LegalForm.SL: (Beneficiary.COMPANY, Beneficiary.SOCIAL_ENTERPRISE),
    LegalForm.SLU: (Beneficiary.COMPANY, Beneficiary.SOCIAL_ENTERPRISE),
    LegalForm.SA: (Beneficiary.COMPANY, Beneficiary.SOCIAL_ENTERPRISE),
    LegalForm.COOPERATIVE: (Beneficiary.COOPERATIVE, Beneficiary.SOCIAL_ENTERPRISE),
    LegalForm.ASSOCIATION: (Beneficiary.ASSOCIATION, Beneficiary.SOCIAL_ENTERPRISE),
    LegalForm.FOUNDATION: (Beneficiary.ASSOCIATION, Beneficiary.SOCIAL_ENTERPRISE),
    LegalForm.CIVIL_COMPANY: (Beneficiary.COMPANY, Beneficiary.SELF_EMPLOYED),
    LegalForm.COMMUNITY_OF_PROPERTY: (Beneficiary.COMPANY, Beneficiary.SELF_EMPLOYED),
}


def activity(code: str) -> Activity:
    """What is known of a company filed under this code."""
    return Activity(sectors.tree()[code].codes)


@cache
def activities() -> tuple[Activity, ...]:
    """Every class of the NACE tree."""
    return tuple(Activity(sector.codes) for sector in sectors.tree().values() if sector.level == sectors.CLASS_LEVEL)


@cache
def seats() -> tuple[Seat, ...]:
    """Every municipality, and everywhere else."""
    return (*(Seat(place.code, place.comarca, place.province) for place in places.known().values()), ELSEWHERE)


def values(fact: str, clauses: tuple[Clause, ...], known: Known | None, today: datetime.date) -> list[Known]:
    """Exact values of a fact, enough of them that every way in which `clauses` can come out is among them."""
    if fact == SECTOR:
        found = activities()
    elif fact == PLACE:
        # A municipality is known or not; it counts as it was told, were it none of today's.
        found = [known] if known else seats()
    elif isinstance(clauses[0], SpanClause):
        found = _edges(fact, clauses, known, today)
    else:
        choices = {FORM: LegalForm.values, WHO: Beneficiary.values}.get(fact, YES_OR_NO)
        found = [one(value) for value in choices]
    return [value for value in found if compatible(value, known)]


def _edges(fact: str, clauses: tuple[SpanClause, ...], known: Between | None, today: datetime.date) -> list[Between]:
    """The first and last values of every range, and those beside them."""
    days = fact in {FOUNDED, SELF_EMPLOYED}
    step = A_DAY if days else 1
    bounds = [span for clause in clauses for span in clause.spans(today)] + ([known] if known else [])
    found = {today if days else 0} | ({NEVER} if fact == SELF_EMPLOYED else set())
    for bound in bounds:
        for limit in (bound.low, bound.high):
            if limit is not None:
                found |= {limit} if limit == NEVER else {limit - step, limit, limit + step}
    return [exactly(value) for value in sorted(found) if days or value >= 0]


def implied(known: Mapping[str, Known]) -> dict[str, Known]:
    """With what legal form and kind of beneficiary say of each other, where only one of them is known."""
    form, who = known.get(FORM), known.get(WHO)
    if isinstance(form, OneOf) and who is None and form.values <= KINDS_OF_FORM.keys():
        return {**known, WHO: OneOf(frozenset().union(*(KINDS_OF_FORM[value] for value in form.values)))}
    if isinstance(who, OneOf) and form is None:
        return {**known, FORM: OneOf(frozenset(value for value in LegalForm.values if who.values.intersection(KINDS_OF_FORM.get(value, who.values))))}
    return dict(known)


def axioms(rule: Rule) -> Rule:
    """What is true of every company besides, of the facts this rule asks for: a self-employed person is no association."""
    if not {FORM, WHO} <= set(facts_of(rule)):
        return AllOf(())
    return AllOf(tuple(AnyOf((Not(FormIn((form,))), WhoIn(kinds))) for form, kinds in KINDS_OF_FORM.items()))
