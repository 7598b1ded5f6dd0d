"""Rules that nobody can meet, and rules that everybody meets."""

import datetime

import pytest
from hypothesis import given, settings

from cms.aid.eligibility import clauses as c
from cms.aid.eligibility.clauses import AllOf, AnyOf, Not
from cms.aid.eligibility.conflicts import always_holds, can_hold, conflict
from cms.aid.eligibility.truth import Truth
from tests.cms.aid.eligibility.rules import CLAUSES, TODAY, all_companies, outcome, question, rules

# Without the two facts that hang together: brute force takes each value with each.
SMALL_WORLD = [clause for clause in CLAUSES if clause.fact in (c.PEOPLE, c.FORM, c.TAXES, c.PLACE, c.FOUNDED)]


@settings(max_examples=150, deadline=None)
@given(rules(SMALL_WORLD, leaves=5))
def test_somebody_can_meet_it_exactly_when_one_of_all_companies_does(rule):
    outcomes = {outcome(rule, company) for company in all_companies(rule)}
    assert can_hold(rule, TODAY) == (Truth.YES in outcomes)
    found = conflict(rule, TODAY)
    assert (found is None) == (Truth.YES in outcomes)
    assert always_holds(rule, TODAY) == (outcomes == {Truth.YES} and rule != AllOf(()))


@settings(max_examples=150, deadline=None)
@given(rules(SMALL_WORLD, leaves=5))
def test_the_clauses_named_contradict_each_other(rule):
    found = conflict(rule, TODAY)
    if found is None or not found.clauses:
        return
    parts = tuple(clause if positive else Not(clause) for clause, positive in found.clauses)
    assert not can_hold(AllOf(parts), TODAY)


@pytest.mark.parametrize(
    ("rule", "named"),
    [
        (AllOf((c.SizeIn(("micro",)), c.UpToDate(c.TAXES), c.PeopleBetween(least=20))), [(c.SizeIn(("micro",)), True), (c.PeopleBetween(least=20), True)]),
        (AllOf((question(1), Not(question(1)))), [(question(1), True), (question(1), False)]),
        (AllOf((c.FormIn(("sl",)), c.WhoIn(("self_employed",)))), [(c.FormIn(("sl",)), True), (c.WhoIn(("self_employed",)), True)]),
        (AllOf((c.PlaceIn((), ("Bages",)), c.PlaceIn((), (), ("Girona",)))), [(c.PlaceIn((), ("Bages",)), True), (c.PlaceIn((), (), ("Girona",)), True)]),
        (AllOf((c.SectorIn(("C",)), AllOf((c.UpToDate(c.TAXES), c.SectorIn(("56", "62")))))), [(c.SectorIn(("C",)), True), (c.SectorIn(("56", "62")), True)]),
        (
            AllOf((c.Founded(c.When.SINCE, day=datetime.date(2024, 1, 1)), c.Founded(c.When.OLDER, years=5))),
            [(c.Founded(c.When.SINCE, day=datetime.date(2024, 1, 1)), True), (c.Founded(c.When.OLDER, years=5), True)],
        ),
        (
            # Every alternative is in the way of the size; the first one is named.
            AllOf((c.SizeIn(("large",)), AnyOf((c.PeopleBetween(most=9), c.SizeIn(("small",)))))),
            [(c.SizeIn(("large",)), True), (c.PeopleBetween(most=9), True)],
        ),
    ],
)  # fmt: skip
def test_a_contradiction_names_its_two_clauses(rule, named):
    assert list(conflict(rule, TODAY).clauses) == named


def test_facts_that_only_look_alike_do_not_contradict():
    assert conflict(AllOf((c.SizeIn(("micro", "small")), c.PeopleBetween(least=20))), TODAY) is None
    assert conflict(AllOf((c.FormIn(("sl", "self_employed")), c.WhoIn(("self_employed",)))), TODAY) is None
    assert conflict(AllOf((c.SectorIn(("C",)), c.SectorIn(("2229",)))), TODAY) is None


def test_a_rule_that_everybody_meets_says_nothing():
    assert always_holds(AnyOf((c.SizeIn(("micro", "small")), c.PeopleBetween(least=50))), TODAY)
    assert always_holds(c.SizeIn(("micro", "small", "medium", "large")), TODAY)
    assert not always_holds(c.SizeIn(("micro", "small")), TODAY)
    assert not always_holds(AllOf(()), TODAY)


def test_a_rule_too_large_to_look_through_is_let_pass():
    """Eight pigeons in seven holes: nobody can meet it, and to find that out takes too long. Nothing is said of it."""
    sits = {(pigeon, hole): question(10 * pigeon + hole) for pigeon in range(8) for hole in range(7)}
    somewhere = [AnyOf(tuple(sits[pigeon, hole] for hole in range(7))) for pigeon in range(8)]
    alone = [Not(AllOf((sits[one, hole], sits[other, hole]))) for hole in range(7) for one in range(8) for other in range(one)]
    assert conflict(AllOf((*somewhere, *alone)), TODAY) is None
