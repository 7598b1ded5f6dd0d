"""What editors compose, what they are told, and that nothing of it is lost on the way to clauses and back."""

import datetime

import pytest
from django.core.exceptions import ValidationError
from django.utils import translation
from wagtail.blocks.stream_block import StreamBlockValidationError

from cms.aid.eligibility import clauses as c
from cms.aid.eligibility import wording
from cms.aid.eligibility.blocks import CLAUSE_BLOCKS, RULES_BLOCKS
from cms.aid.eligibility.evaluation import evaluate
from cms.aid.eligibility.known import exactly
from cms.aid.eligibility.profile import profile_of
from cms.aid.eligibility.rules import rule_of
from cms.aid.eligibility.truth import Truth
from tests.cms.aid.eligibility.rules import CLAUSES, TODAY, question
from tests.factories import CompanyFactory

MORE = [
    c.SectorIn(("A", "011", "0111")),
    c.PlaceIn(("082798", "081846"), ("Bages", "Osona"), ("Girona",)),
    c.SelfEmployedSince(day=datetime.date(2019, 3, 1)),
    c.RevenueFell(c.Period(2020, 4, 4, 2018), 75),
    c.Not(question(3)),
    c.Not(c.AnyOf((question(3), question(4)))),
    c.AnyOf((c.AllOf((question(3), question(4))), c.Not(question(5)))),
]


def stream(*rules):
    return RULES_BLOCKS.to_python(RULES_BLOCKS.stream(c.AllOf(rules)))


@pytest.mark.parametrize("rule", [*CLAUSES, *MORE], ids=str)
def test_a_rule_comes_back_from_its_blocks_as_it_was(rule):
    value = RULES_BLOCKS.clean(stream(rule))
    assert RULES_BLOCKS.rule(value) == c.AllOf((rule,))
    stored = RULES_BLOCKS.to_python(RULES_BLOCKS.get_prep_value(value))
    assert RULES_BLOCKS.rule(stored) == c.AllOf((rule,))


def test_every_kind_of_clause_has_its_block():
    kinds = {kind for base in c.Clause.__subclasses__() for kind in [base, *base.__subclasses__()]} - {c.SpanClause, c.ListClause}
    assert {kind for kind, _block in CLAUSE_BLOCKS.values()} == kinds


def test_groups_nest_three_deep_and_no_deeper():
    def depth(block):
        return 1 + max((depth(child.child_blocks["parts"]) for name, child in block.child_blocks.items() if name not in CLAUSE_BLOCKS), default=0)

    assert depth(RULES_BLOCKS) == 3


@pytest.mark.parametrize(
    ("kind", "value", "field", "told"),
    [
        ("sector", {"branches": [], "codes": ""}, "branches", "at least one sector"),
        ("sector", {"branches": [], "codes": "56, 9999"}, "codes", "9999"),
        ("size", {"sizes": []}, "sizes", "required"),
        ("people", {"least": None, "most": None}, "least", "at least one"),
        ("people", {"least": 20, "most": 10}, "most", "nobody can meet"),
        ("place", {"municipalities": "", "comarcas": [], "provinces": []}, "municipalities", "at least one place"),
        ("place", {"municipalities": "Terrasa", "comarcas": [], "provinces": []}, "municipalities", "Terrassa"),
        ("founded", {"when": "before", "day": None, "years": 3}, "day", "Write the day"),
        ("founded", {"when": "since", "day": "1500-01-01", "years": None}, "day", "1800"),
        ("founded", {"when": "older", "day": "2020-01-01", "years": None}, "years", "number of years"),
        ("revenue", {"percent": 120, "year": 2020, "first": "1", "last": "12", "against": None}, "percent", "100"),
        ("revenue", {"percent": 20, "year": 2020, "first": "5", "last": "3", "against": None}, "last", "before the first"),
        ("revenue", {"percent": 20, "year": 2020, "first": "1", "last": "3", "against": 2021}, "against", "earlier year"),
        ("self_employed", {"day": "2020-01-01", "months": 3}, "day", "not both"),
        ("de_minimis", {"amount": 0}, "amount", "1"),
        ("question", {"text_ca": "Sí?", "text_es": "", "text_en": "Yes?", "answer": "yes"}, "text_es", "required"),
    ],
)
def test_a_mistake_is_told_at_its_field(kind, value, field, told):
    with translation.override("en"), pytest.raises(StreamBlockValidationError) as error:
        RULES_BLOCKS.clean(RULES_BLOCKS.to_python([{"type": kind, "value": value}]))
    with translation.override("en"):
        messages = error.value.block_errors[0].block_errors[field].messages
    assert told in " ".join(messages)


def test_a_rule_that_no_company_can_meet_names_both_sides():
    with translation.override("en"), pytest.raises(StreamBlockValidationError) as error:
        RULES_BLOCKS.clean(stream(c.SizeIn(("micro",)), question(1), c.PeopleBetween(least=20)))
    (told,) = error.value.non_block_errors
    assert told == "No company can meet these rules: “Size: up to 9 people” contradicts “At least 20 people work there”. Change one of them."


def test_a_rule_that_every_company_meets_is_told():
    with translation.override("en"), pytest.raises(StreamBlockValidationError) as error:
        RULES_BLOCKS.clean(stream(question(1), c.SizeIn(("micro", "small", "medium", "large"))))
    (told,) = error.value.non_block_errors
    assert told.startswith("Every company meets this")


def test_no_rules_are_no_mistake():
    assert RULES_BLOCKS.rule(RULES_BLOCKS.clean(stream())) == c.AllOf(())


@pytest.mark.parametrize("language", ["ca", "es", "en"])
def test_every_clause_has_its_sentences_in_each_language(language):
    with translation.override(language):
        for clause in [*CLAUSES, *(clause for rule in MORE for clause in c.clauses_of(rule))]:
            for positive in (True, False):
                assert wording.requirement(clause, positive)
                assert wording.remedy(clause, positive, None, TODAY)


def test_the_fixed_is_said_plainly_and_the_passing_with_its_day():
    known = exactly(datetime.date(2025, 3, 1))
    with translation.override("en"):
        assert "1 March 2027" in wording.remedy(c.Founded(c.When.OLDER, years=2), True, known, TODAY)
        assert "cannot change" in wording.remedy(c.Founded(c.When.YOUNGER, years=1), True, known, TODAY)
        assert wording.remedy(c.PeopleBetween(most=49), True, exactly(60), TODAY) == "With at most 49 people"


# --- The rule of a page -------------------------------------------------------------------------------------------------


def test_the_facts_of_the_page_count_like_clauses(make_aid):
    page = make_aid(c.UpToDate(c.TAXES), beneficiaries=["company"], sizes=["micro", "small"])
    assert rule_of(page) == c.AllOf((c.WhoIn(("company",)), c.SizeIn(("micro", "small")), c.UpToDate(c.TAXES)))


def test_rules_that_contradict_the_facts_are_told_when_saving(make_aid):
    page = make_aid(c.PeopleBetween(least=20), title="Large")
    page.sizes = ["micro"]
    with translation.override("en"), pytest.raises(ValidationError) as error:
        page.full_clean()
    assert error.value.message_dict["rules"] == [
        "No company can meet these rules: “Size: up to 9 people” contradicts “At least 20 people work there”. Change one of them."
    ]


def test_a_fact_that_a_rule_says_more_narrowly_is_not_said_twice(make_aid):
    page = make_aid(c.PeopleBetween(most=9), sizes=["micro", "small"])
    assert rule_of(page) == c.AllOf((c.PeopleBetween(most=9),))


@pytest.mark.django_db
def test_a_company_s_data_are_its_profile():
    company = CompanyFactory(founded=datetime.date(2019, 5, 3), legal_form="sl", size="small", sector_id="2229")
    profile = profile_of(company)
    rule = c.AllOf((c.SectorIn(("22",)), c.SizeIn(("small",)), c.PlaceIn((), ("Vallès Occidental",)), c.Founded(c.When.OLDER, years=3), c.FormIn(("sl",))))
    assert evaluate(rule, profile, TODAY).answer is Truth.YES
    assert evaluate(c.WhoIn(("association",)), profile, TODAY).answer is Truth.NO
    assert evaluate(c.PeopleBetween(most=25), profile, TODAY).answer is Truth.UNKNOWN
    bare = profile_of(CompanyFactory())
    assert {c.FOUNDED, c.FORM, c.WHO}.isdisjoint(bare)
