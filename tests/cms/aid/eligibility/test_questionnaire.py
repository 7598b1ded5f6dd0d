"""The short questionnaire says what the whole evaluation says, and asks as little as possible."""

import random

from hypothesis import given, settings
from hypothesis import strategies as st

from cms.aid.eligibility import clauses as c
from cms.aid.eligibility import questionnaire
from cms.aid.eligibility.evaluation import truth
from cms.aid.eligibility.known import Between, one
from cms.aid.eligibility.questionnaire import next_step
from cms.aid.eligibility.truth import Truth
from cms.aid.eligibility.world import implied
from tests.cms.aid.eligibility.rules import CLAUSES, TODAY, VALUES, all_companies, companies, outcome, parts_of, question, rules

UNKNOWN = Truth.UNKNOWN
SMALL_WORLD = [clause for clause in CLAUSES if clause.fact in (c.PEOPLE, c.FORM, c.TAXES, c.PLACE)]
MOST_STEPS = 50


def interview(rule, company, *, profile=None, silent=frozenset()):
    """Ask until there is nothing to ask; what was asked, what is known in the end, and each promise of how many are left."""
    profile, asked, promises = dict(profile or {}), [], []
    while (step := next_step(rule, profile, TODAY, asked=asked)) and len(asked) < MOST_STEPS:
        asked.append(step.fact)
        promises.append(step.at_most)
        if step.fact not in silent:
            profile = implied({**profile, step.fact: company[step.fact]})
    return asked, profile, promises


def somebody():
    """A company, what is known of it beforehand, and what nobody there knows."""
    return companies().flatmap(lambda company: st.tuples(st.just(company), parts_of(company), st.frozensets(st.sampled_from(sorted(company)), max_size=4)))


@settings(max_examples=150, deadline=None)
@given(rules(), somebody())
def test_the_short_questionnaire_agrees_with_the_full_evaluation(rule, who):
    company, before, silent = who
    asked, after, promises = interview(rule, company, profile=before, silent=silent)
    everything = {fact: before.get(fact) if fact in silent else value for fact, value in company.items()}
    full = outcome(rule, {fact: known for fact, known in everything.items() if known is not None})
    assert truth(rule, after, TODAY) is full
    assert len(asked) == len(set(asked))
    assert set(asked) <= set(c.facts_of(rule))
    assert promises == sorted(promises, reverse=True)
    assert all(len(asked) - number <= promise for number, promise in enumerate(promises))


@settings(max_examples=40, deadline=None)
@given(rules(), somebody())
def test_one_step_deep_it_agrees_as_well(rule, who):
    company, before, silent = who
    with_little_effort, questionnaire.EFFORT = questionnaire.EFFORT, 0
    try:
        asked, after, promises = interview(rule, company, profile=before, silent=silent)
    finally:
        questionnaire.EFFORT = with_little_effort
    everything = {fact: before.get(fact) if fact in silent else value for fact, value in company.items()}
    assert truth(rule, after, TODAY) is outcome(rule, {fact: known for fact, known in everything.items() if known is not None})
    assert len(asked) == len(set(asked))
    assert all(len(asked) - number <= promise for number, promise in enumerate(promises))


@settings(max_examples=60, deadline=None)
@given(rules(SMALL_WORLD, leaves=5), companies(), st.data())
def test_a_question_is_only_asked_while_its_answer_can_matter(rule, company, data):
    """Compared with trying every company: where all of them come out the same as now, there is nothing to ask."""
    facts = c.facts_of(rule)
    known = {fact: company[fact] for fact in data.draw(st.sets(st.sampled_from(facts)) if facts else st.just(set()))}
    outcomes = {outcome(rule, one) for one in all_companies(rule, known)}
    matters = outcomes != {truth(rule, known, TODAY)}
    step = next_step(rule, known, TODAY)
    assert (step is not None) == matters
    if step:
        assert step.fact not in known


def test_a_fact_that_cannot_matter_any_more_is_not_asked():
    rule = c.AllOf((c.UpToDate(c.TAXES), c.AnyOf((c.FormIn(("sl",)), question(1)))))
    asked, _, _ = interview(rule, {c.TAXES: one("no"), c.FORM: None, question(1).fact: None})
    assert asked == [c.TAXES]


def test_after_i_do_not_know_only_what_can_still_refuse_is_asked():
    """Taxes unknown for good: nothing makes it a yes, so the alternative that could only help a yes is not asked about."""
    rule = c.AnyOf((c.AllOf((c.UpToDate(c.TAXES), question(1))), c.AllOf((c.UpToDate(c.TAXES), question(2)))))
    step = next_step(rule, {}, TODAY, asked=[c.TAXES])
    assert step is not None
    asked, _, _ = interview(rule, {}, silent=frozenset(c.facts_of(rule)))
    assert len(asked) <= 3


def test_the_legal_form_answers_who_asks_as_well():
    rule = c.AllOf((c.WhoIn(("company", "social_enterprise", "cooperative")), c.FormIn(("sl", "slu", "cooperative"))))
    company = {c.FORM: one("sl"), c.WHO: one("company")}
    assert interview(rule, company)[0] == [c.FORM]


def test_what_is_known_roughly_is_asked_exactly_where_that_matters():
    rule = c.PeopleBetween(most=25)
    assert next_step(rule, {c.PEOPLE: Between(10, 49)}, TODAY).fact == c.PEOPLE
    assert next_step(rule, {c.PEOPLE: Between(0, 9)}, TODAY) is None
    assert next_step(rule, {c.PEOPLE: Between(10, 49)}, TODAY, asked=[c.PEOPLE]) is None


def test_the_promise_counts_i_do_not_know():
    rule = c.AnyOf((c.AllOf((c.UpToDate(c.TAXES), question(1))), c.AllOf((c.Not(c.UpToDate(c.TAXES)), question(2)))))
    step = next_step(rule, {}, TODAY)
    # Whoever answers needs two questions, whoever does not know the first one three.
    assert (step.fact, step.at_most) == (c.TAXES, 3)


def in_order(rule, company):
    """The naive questionnaire: each fact in the editor's order until the answer is there."""
    profile, asked = {}, 0
    for fact in c.facts_of(rule):
        if truth(rule, profile, TODAY) is not UNKNOWN:
            break
        profile[fact] = company[fact]
        asked += 1
    return asked


def test_fewer_questions_than_in_the_editors_order():
    """On 150 rules of up to ten clauses and a company each; the order that editors write costs more than a tenth again."""
    draw = random.Random(5)  # noqa: S311 - a sample that stays the same
    short = naive = 0
    for _ in range(150):
        rule, company = _random_rule(draw, 3), next_company(draw)
        short += len(interview(rule, company)[0])
        naive += in_order(rule, company)
    assert naive > short * 1.1
    assert short > 150


def _random_rule(draw, depth):
    parts = tuple(draw.choice(CLAUSES) if depth == 1 or draw.random() < 0.4 else _random_rule(draw, depth - 1) for _ in range(draw.randint(2, 3)))
    return draw.choice([c.AllOf, c.AnyOf])(parts)


def next_company(draw):
    return {fact: draw.choice(values) for fact, values in VALUES.items()}


def test_a_rule_of_twenty_facts_is_asked_in_bounded_work():
    rule = c.AllOf(tuple(c.AnyOf((question(2 * number), question(2 * number + 1))) for number in range(10, 20)))
    step = next_step(rule, {}, TODAY)
    assert step.at_most == 20
    assert next_step(rule, {step.fact: one("no")}, TODAY).at_most == 19
