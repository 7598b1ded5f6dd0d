"""Random rules over a small world, and what they come to by plain recursion: the naive reading that the code is compared with."""

import datetime
from itertools import product

from hypothesis import strategies as st

from cms.aid.eligibility import clauses as c
from cms.aid.eligibility.known import ELSEWHERE, NEVER, Activity, Between, OneOf, Seat, exactly, one
from cms.aid.eligibility.truth import conjunction, disjunction
from cms.aid.eligibility.world import KINDS_OF_FORM

TODAY = datetime.date(2026, 11, 22)
TERRASSA, MANRESA = Seat("082798", "Vallès Occidental", "Barcelona"), Seat("081136", "Bages", "Barcelona")
PERIOD = c.Period(2020, 3, 5)


def question(number):
    return c.Answered(f"Pregunta {number}?", f"¿Pregunta {number}?", f"Question {number}?")


#: Clauses of which many are about the same fact, so that they overlap and contradict each other.
CLAUSES = [
    c.SizeIn(("micro",)),
    c.SizeIn(("micro", "small")),
    c.SizeIn(("small", "large")),
    c.PeopleBetween(most=25),
    c.PeopleBetween(least=3),
    c.PeopleBetween(least=20, most=60),
    c.SectorIn(("C",)),
    c.SectorIn(("22", "56")),
    c.SectorIn(("2229",)),
    c.PlaceIn(("082798",)),
    c.PlaceIn((), ("Bages",)),
    c.PlaceIn((), (), ("Barcelona",)),
    c.Founded(c.When.SINCE, day=datetime.date(2019, 1, 1)),
    c.Founded(c.When.BEFORE, day=datetime.date(2022, 6, 1)),
    c.Founded(c.When.YOUNGER, years=5),
    c.Founded(c.When.OLDER, years=2),
    c.FormIn(("sl", "slu")),
    c.FormIn(("self_employed", "cooperative")),
    c.WhoIn(("self_employed", "company")),
    c.WhoIn(("association",)),
    c.RevenueFell(PERIOD, 30),
    c.SelfEmployedSince(months=12),
    c.UpToDate(c.TAXES),
    c.UpToDate(c.SOCIAL_SECURITY),
    c.DeMinimisBelow(300_000),
    question(1),
    question(2),
]

#: For each fact values with which every one of these clauses comes out both ways.
VALUES = {
    c.PEOPLE: [exactly(number) for number in (0, 2, 3, 9, 10, 19, 20, 25, 26, 49, 50, 60, 61, 249, 250)],
    c.SECTOR: [Activity(("C", "22", "222", "2229")), Activity(("C", "22", "221", "2211")), Activity(("C", "10", "101", "1011")), Activity(("I", "56", "561", "5610")), Activity(("J", "62", "620", "6201"))],
    c.PLACE: [TERRASSA, MANRESA, Seat("171792", "Pla de l'Estany", "Girona"), ELSEWHERE],
    c.FOUNDED: [exactly(datetime.date(*day)) for day in ((2015, 1, 1), (2018, 12, 31), (2019, 1, 1), (2021, 11, 22), (2021, 11, 23), (2022, 5, 31), (2022, 6, 1), (2024, 11, 22), (2024, 11, 23))],
    c.FORM: [one(form) for form in ("sl", "self_employed", "cooperative", "association", "public_body")],
    c.WHO: [one(kind) for kind in ("company", "self_employed", "association", "individual")],
    c.RevenueFell(PERIOD, 1).fact: [exactly(number) for number in (0, 29, 30, 80)],
    c.SELF_EMPLOYED: [exactly(NEVER), exactly(datetime.date(2025, 11, 22)), exactly(datetime.date(2025, 11, 23))],
    c.TAXES: [one("yes"), one("no")],
    c.SOCIAL_SECURITY: [one("yes"), one("no")],
    c.DE_MINIMIS: [exactly(0), exactly(299_999), exactly(300_000)],
    question(1).fact: [one("yes"), one("no")],
    question(2).fact: [one("yes"), one("no")],
}  # fmt: skip
#: Some of what may be known less exactly.
VAGUE = {
    c.PEOPLE: [Between(0, 9), Between(10, 49), Between(50, 249), Between(250, None), Between(3, None)],
    c.SECTOR: [Activity(("C",)), Activity(("C", "22")), Activity(without=frozenset({"C"})), Activity(without=frozenset({"22", "56"}))],
    c.FOUNDED: [Between(datetime.date(2019, 1, 1), datetime.date(2019, 12, 31)), Between(None, datetime.date(2021, 12, 31))],
    c.WHO: [OneOf(frozenset({"company", "social_enterprise"}))],
}


def rules(of=CLAUSES, leaves=7):
    """Nested rules of up to so many clauses."""
    return st.recursive(
        st.sampled_from(of),
        lambda part: st.one_of(
            st.lists(part, max_size=3).map(lambda parts: c.AllOf(tuple(parts))),
            st.lists(part, max_size=3).map(lambda parts: c.AnyOf(tuple(parts))),
            part.map(c.Not),
        ),
        max_leaves=leaves,
    )


def companies():
    """A value for each fact: all there is to know. Nobody is a limited company and an association."""
    found = st.fixed_dictionaries({fact: st.sampled_from(values) for fact, values in VALUES.items()})
    return found.filter(lambda company: not company[c.WHO].values.isdisjoint(KINDS_OF_FORM.get(*company[c.FORM].values, company[c.WHO].values)))


def parts_of(company):
    """Some of what there is to know, some of it vaguely."""
    return st.fixed_dictionaries({fact: st.sampled_from([None, value, *(vague for vague in VAGUE.get(fact, ()) if holds(vague, value))]) for fact, value in company.items()}).map(
        lambda known: {fact: value for fact, value in known.items() if value is not None}
    )  # fmt: skip


def holds(vague, value):
    if isinstance(value, Between):
        return value.within(vague)
    if isinstance(value, Activity):
        return value.path[: len(vague.path)] == vague.path and not vague.without & set(value.path)
    return value.values <= vague.values


def plainly(rule, truth_of):
    """What a rule comes to, read as it is written."""
    if isinstance(rule, c.AllOf):
        return conjunction(plainly(part, truth_of) for part in rule.parts)
    if isinstance(rule, c.AnyOf):
        return disjunction(plainly(part, truth_of) for part in rule.parts)
    return ~plainly(rule.part, truth_of) if isinstance(rule, c.Not) else truth_of(rule)


def outcome(rule, profile):
    return plainly(rule, lambda clause: clause.truth(profile.get(clause.fact), TODAY))


def all_companies(rule, fixed=None):
    """Every combination of values of the facts that a rule asks for, those in `fixed` as they are."""
    facts = c.facts_of(rule)
    fixed = fixed or {}
    for values in product(*([fixed[fact]] if fact in fixed else VALUES[fact] for fact in facts)):
        yield dict(zip(facts, values, strict=True))
