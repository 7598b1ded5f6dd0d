"""The verdict: which conditions decide it, and what would change it."""

import datetime
from itertools import combinations

import pytest
import time_machine
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from cms.aid.eligibility import clauses as c
from cms.aid.eligibility import evaluation
from cms.aid.eligibility.evaluation import evaluate
from cms.aid.eligibility.known import Between, exactly, one
from cms.aid.eligibility.truth import Truth
from tests.cms.aid.eligibility.rules import CLAUSES, TERRASSA, TODAY, VALUES, companies, outcome, parts_of, plainly, rules

YES, NO, UNKNOWN = Truth.YES, Truth.NO, Truth.UNKNOWN
SMALL_WORLD = [clause for clause in CLAUSES if clause.fact in (c.PEOPLE, c.FORM, c.TAXES, c.PLACE)]


@given(rules(), companies().flatmap(parts_of))
def test_the_deciding_conditions_decide_and_none_can_be_left_out(rule, profile):
    verdict = evaluate(rule, profile, TODAY)
    assert verdict.answer is outcome(rule, profile)
    if verdict.answer is UNKNOWN:
        return
    deciding = [condition.clause for condition in verdict.deciding]
    for left_out in [None, *deciding]:
        known = {clause: clause.truth(profile.get(clause.fact), TODAY) for clause in deciding if clause != left_out}
        decided = plainly(rule, lambda clause, known=known: known.get(clause, UNKNOWN))
        assert (decided is verdict.answer) == (left_out is None)


def test_a_clause_that_another_part_makes_superfluous_is_left_out():
    """Reading part by part would name both: the first alternative by one clause, the second condition by the other."""
    first, second = c.UpToDate(c.TAXES), c.UpToDate(c.SOCIAL_SECURITY)
    profile = {c.TAXES: one("yes"), c.SOCIAL_SECURITY: one("yes")}
    verdict = evaluate(c.AllOf((c.AnyOf((first, second)), second)), profile, TODAY)
    assert [condition.clause for condition in verdict.deciding] == [second]


def test_what_is_open_and_no_longer_matters_is_not_named():
    rule = c.AllOf((c.AnyOf((c.UpToDate(c.TAXES), c.FormIn(("sl",)))), c.PeopleBetween(most=9)))
    verdict = evaluate(rule, {c.FORM: one("sl")}, TODAY)
    assert (verdict.answer, verdict.unknown) == (UNKNOWN, (c.PEOPLE,))
    assert [(condition.clause, condition.met) for condition in verdict.deciding] == [(c.PeopleBetween(most=9), UNKNOWN)]


@settings(max_examples=60)
@given(rules(SMALL_WORLD, leaves=5), companies())
def test_changes_are_the_smallest_sets_of_facts_that_turn_no_into_yes(rule, company):
    facts = c.facts_of(rule)
    profile = {fact: company[fact] for fact in facts}
    assume(outcome(rule, profile) is NO)
    verdict = evaluate(rule, profile, TODAY)
    smallest = set()
    for count in range(1, evaluation.MOST_CHANGED + 1):
        for chosen in map(frozenset, combinations(facts, count)):
            if not any(smaller < chosen for smaller in smallest) and _can_become_yes(rule, profile, chosen):
                smallest.add(chosen)
    found = {change.facts for change in verdict.changes}
    assert found == smallest if len(smallest) <= evaluation.MOST_CHANGES else found < smallest


def _can_become_yes(rule, profile, chosen):
    def tried(facts, present):
        if not facts:
            return outcome(rule, present) is YES
        return any(tried(facts[1:], present | {facts[0]: value}) for value in VALUES[facts[0]])

    return tried(sorted(chosen), profile)


def test_a_change_names_what_would_have_to_hold():
    rule = c.AllOf((c.SizeIn(("micro", "small")), c.UpToDate(c.TAXES), c.Founded(c.When.OLDER, years=2)))
    verdict = evaluate(rule, {c.PEOPLE: Between(50, 249), c.TAXES: one("no")}, TODAY)
    assert verdict.answer is NO
    assert [[one.clause for one in change.conditions] for change in verdict.changes] == [[c.SizeIn(("micro", "small")), c.UpToDate(c.TAXES)]]


def test_more_than_three_changes_are_no_advice():
    rule = c.AllOf((c.UpToDate(c.TAXES), c.UpToDate(c.SOCIAL_SECURITY), c.PeopleBetween(most=3), c.FormIn(("sl",))))
    profile = {c.TAXES: one("no"), c.SOCIAL_SECURITY: one("no"), c.PEOPLE: exactly(9), c.FORM: one("sa")}
    assert evaluate(rule, profile, TODAY).changes == ()


def test_the_work_is_bounded_for_a_rule_of_many_alternatives():
    def pair(number):
        return c.AnyOf(tuple(c.Answered(f"{number}-{other}", "", "") for other in range(5)))

    rule = c.AllOf(tuple(pair(number) for number in range(4)))
    profile = {fact: one("no") for fact in c.facts_of(rule)}
    assert evaluate(rule, profile, TODAY).answer is NO


@pytest.mark.parametrize(("day", "expected"), [("2026-11-22", NO), ("2027-02-28", NO), ("2027-03-01", YES), ("2030-01-01", YES)])
def test_years_pass(day, expected):
    """Founded on the last day of a February that had 29: three years old on the first of March."""
    rule, profile = c.Founded(c.When.OLDER, years=3), {c.FOUNDED: exactly(datetime.date(2024, 2, 29))}
    with time_machine.travel(day, tick=False):
        assert evaluate(rule, profile, datetime.date.today()).answer is expected  # noqa: DTZ011 - the clock stands still
    assert evaluate(c.Not(rule), profile, datetime.date.fromisoformat(day)).answer is ~expected


@given(st.dates(datetime.date(1950, 1, 1), datetime.date(2100, 1, 1)), st.integers(1, 50))
def test_younger_and_at_least_as_old_exclude_each_other(founded, years):
    younger, older = c.Founded(c.When.YOUNGER, years=years), c.Founded(c.When.OLDER, years=years)
    known = exactly(founded)
    assert younger.truth(known, TODAY) is ~older.truth(known, TODAY)


def test_the_place_decides_by_municipality_comarca_or_province():
    for clause in (c.PlaceIn(("082798",)), c.PlaceIn((), ("Vallès Occidental",)), c.PlaceIn((), (), ("Barcelona",))):
        assert evaluate(clause, {c.PLACE: TERRASSA}, TODAY).answer is YES
    assert evaluate(c.PlaceIn(("080193",), ("Bages",), ("Girona",)), {c.PLACE: TERRASSA}, TODAY).answer is NO
