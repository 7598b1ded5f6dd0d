"""Kleene's laws, and that knowing more never turns yes into no."""

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cms.aid.eligibility import clauses as c
from cms.aid.eligibility.compiled import compiled, reduced, value
from cms.aid.eligibility.evaluation import truth
from cms.aid.eligibility.known import Activity
from cms.aid.eligibility.truth import Truth, conjunction, disjunction
from tests.cms.aid.eligibility.rules import CLAUSES, TODAY, VAGUE, VALUES, companies, holds, outcome, parts_of, plainly, rules

YES, NO, UNKNOWN = Truth.YES, Truth.NO, Truth.UNKNOWN
ALL = list(Truth)


def test_negation_and_the_two_joins_are_kleenes_tables():
    assert [~one for one in (YES, NO, UNKNOWN)] == [NO, YES, UNKNOWN]
    assert [conjunction(pair) for pair in product((YES, NO, UNKNOWN), repeat=2)] == [YES, NO, UNKNOWN, NO, NO, NO, UNKNOWN, NO, UNKNOWN]
    assert [disjunction(pair) for pair in product((YES, NO, UNKNOWN), repeat=2)] == [YES, YES, YES, YES, NO, UNKNOWN, YES, UNKNOWN, UNKNOWN]
    assert (conjunction([]), disjunction([])) == (YES, NO)


@pytest.mark.parametrize(("a", "b", "d"), list(product(ALL, repeat=3)))
def test_the_laws_hold_for_three_values(a, b, d):
    assert conjunction((a, b)) is conjunction((b, a))
    assert ~conjunction((a, b)) is disjunction((~a, ~b))
    assert conjunction((a, disjunction((b, d)))) is disjunction((conjunction((a, b)), conjunction((a, d))))
    assert disjunction((a, conjunction((a, b)))) is a
    assert conjunction((a, conjunction((b, d)))) is conjunction((a, b, d))
    assert ~~a is a


def test_what_is_unknown_or_its_opposite_stays_unknown():
    """Kleene's logic is not two-valued: the excluded middle is no law in it."""
    assert disjunction((UNKNOWN, ~UNKNOWN)) is UNKNOWN


@given(rules(), st.data())
def test_a_compiled_rule_says_what_the_written_one_says(rule, data):
    made = compiled(rule)
    truths = data.draw(st.lists(st.sampled_from(ALL), min_size=len(made.clauses), max_size=len(made.clauses)))
    by_clause = dict(zip(made.clauses, truths, strict=True))
    assert value(made.tree, truths.__getitem__) is plainly(rule, by_clause.__getitem__)


@given(rules(), st.data())
def test_taking_settled_clauses_out_changes_no_outcome(rule, data):
    made = compiled(rule)
    some = st.lists(st.sampled_from(ALL), min_size=len(made.clauses), max_size=len(made.clauses))
    truths, settled = data.draw(some), data.draw(st.sets(st.sampled_from(range(len(made.clauses)))) if made.clauses else st.just(set()))
    rest = reduced(made.tree, {number: truths[number] for number in settled})
    assert value(rest, truths.__getitem__) is value(made.tree, truths.__getitem__)


@given(rules(), companies().flatmap(lambda company: st.tuples(st.just(company), parts_of(company))))
def test_knowing_more_never_turns_yes_into_no(rule, known):
    company, part = known
    before, after = truth(rule, part, TODAY), truth(rule, company, TODAY)
    assert after is not UNKNOWN
    assert before in (UNKNOWN, after)
    assert before is outcome(rule, part)


@pytest.mark.parametrize("clause", CLAUSES, ids=str)
def test_a_clause_that_is_decided_by_vague_knowledge_holds_for_all_it_leaves(clause):
    assert clause.truth(None, TODAY) is UNKNOWN
    values = VALUES[clause.fact]
    assert {clause.truth(value, TODAY) for value in values} == {YES, NO}
    for vague in VAGUE.get(clause.fact, ()):
        outcomes = {clause.truth(value, TODAY) for value in values if holds(vague, value)}
        decided = clause.truth(vague, TODAY)
        assert decided is UNKNOWN or outcomes <= {decided}
        assert len(outcomes) < 2 or decided is UNKNOWN


def test_a_company_filed_less_exactly_than_the_rule_asks_is_unknown():
    clause = c.SectorIn(("2229",))
    truths = [clause.truth(Activity(path), TODAY) for path in (("C", "22"), ("C",), ("C", "22", "222", "2229"), ("C", "22", "221"), ("I",))]
    assert truths == [UNKNOWN, UNKNOWN, YES, NO, NO]
