"""Scores and reasons of pairs: pure functions."""

import datetime
import math
import re

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from search import matching, reasons, wants
from search.backends.base import Frequencies

from .documents import GIRONA, NOW, SABADELL, TERRASSA, TODAY, demand, listing

WORDS = [
    "gel",
    "mascaretes",
    "mascarilla",
    "guants",
    "nitril",
    "formació",
    "formación",
    "neteja",
    "transport",
    "furgoneta",
    "per a",
    "de",
    "fusta",
    "2",
    "residència",
    "l'hospital",
]
SENTENCES = st.lists(st.sampled_from(WORDS), min_size=1, max_size=15).map(" ".join)


def assess(offer, wanted, *, today=TODAY):
    """The assessment where of a thousand documents ten hold a word, and three hundred one that says little."""
    one, other = wants.analysed(offer), wants.analysed(wanted)
    telling = {key for want in other.wants for key in want.keys if wants.telling(want.lemma) == 1}
    vocabulary = wants.vocabulary([other])
    frequencies = Frequencies(1_000, {(form, word): 10 if (form, word) in telling else 300 for form, words in vocabulary.items() for word in words})
    weighing = wants.weights(frequencies)
    return matching.assess(one, other, wants.wanted_terms(other, weighing), weighing, today=today)


def told(assessment, *, asking):
    return {reason.code: reason for reason in reasons.reasons(assessment, asking=asking)}


def points(assessment):
    return {signal.name: signal.points for signal in assessment.signals}


# --- Text -----------------------------------------------------------------------------------------------------------------


def test_a_better_answer_scores_higher():
    wanted = demand("Guants de nitril per a l'hospital")
    offers = [
        listing("Guants de nitril", "Per a hospitals."),
        listing("Guants de nitril"),
        listing("Guants"),
        listing("Lloguer de furgonetes", "Gasolina, pneumàtics i hospital de cotxes."),
        listing("Fruita i verdura"),
    ]
    scores = [assess(offer, wanted).score for offer in offers]
    assert scores == sorted(scores, reverse=True)
    assert scores[0] > matching.THRESHOLD > scores[4]
    assert scores[-1] == 0


@pytest.mark.parametrize(
    ("offer", "wanted"),
    [
        (listing("Mascarillas", language="es"), demand("Mascaretes")),
        (listing("Face masks", language="en"), demand("Mascaretes")),
        (listing("Formación", language="es"), demand("Formació")),
        (listing("Reparto a domicilio", language="es"), demand("Home delivery", language="en")),
    ],
)
def test_languages_meet_but_less_than_the_same_word(offer, wanted):
    across = assess(offer, wanted)
    same = assess(listing(wanted.title, language=wanted.language), wanted)
    assert matching.THRESHOLD < across.score < same.score


def test_the_title_of_a_demand_weighs_more_than_its_description():
    wanted = demand("Guants de nitril", "Els fem servir a la fusteria del magatzem.")
    assert assess(listing("Guants de nitril"), wanted).score > assess(listing("Fusteria, magatzem"), wanted).score


def test_boilerplate_and_everyday_words_make_no_match():
    wanted = demand("Necessitem un servei de neteja", "Volem començar dilluns a la tarda.")
    assert assess(listing("Servei de transport", "Necessitem dos dies, de dilluns a dimarts a la tarda."), wanted).score < matching.THRESHOLD


def test_repeating_a_word_helps_ever_less():
    wanted = demand("Guants")
    scores = [assess(listing("Guants", "guants " * n), wanted).score for n in (0, 1, 10)]
    assert scores[0] < scores[1] < scores[2]
    assert scores[2] <= 100


def test_the_length_of_an_offer_hardly_hurts():
    wanted = demand("Guants")
    short = assess(listing("Guants"), wanted).score
    catalogue = assess(listing("Guants", "fusta metall vidre " * 20), wanted).score
    assert 0.7 * short < catalogue < short


# --- Sector, place, freshness -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("one", "other", "share"),
    [
        (("C", "22", "222", "2229"), ("C", "22", "222", "2229"), 1.0),
        (("C", "22", "222", "2229"), ("C", "22", "222", "2221"), 0.85),
        (("C", "22", "222", "2229"), ("C", "22", "221"), 0.65),
        (("C", "22", "222", "2229"), ("C", "25"), 0.3),
        (("C", "22"), ("H", "49"), 0.0),
        (("C", "22"), ("C", "22"), 1.0),
        ((), ("C",), None),
        (("C",), (), None),
    ],
)
def test_sector_share_is_by_common_levels(one, other, share):
    assert matching.sector_share(one, other) == share


def test_nearer_is_better_and_unknown_is_neutral():
    wanted = demand("Guants de nitril", **TERRASSA)
    by_place = [points(assess(listing("Guants de nitril", **place), wanted))["place"] for place in (TERRASSA, SABADELL, {}, GIRONA)]
    assert by_place == sorted(by_place, reverse=True)
    assert by_place[0] == matching.PLACE_POINTS
    assert by_place[2] == matching.PLACE_POINTS / 2


def test_reach_of_either_side_ends_a_match_unless_remote():
    wanted = demand("Guants", **TERRASSA)
    assert not matching.is_reachable(listing("Guants", reach_km=50, **GIRONA), wanted)
    assert not matching.is_reachable(listing("Guants", **GIRONA), demand("Guants", reach_km=50, **TERRASSA))
    assert matching.is_reachable(listing("Guants", reach_km=50, remote=True, **GIRONA), wanted)
    assert matching.is_reachable(listing("Guants", reach_km=100, **GIRONA), wanted)
    assert matching.is_reachable(listing("Guants", reach_km=1), wanted)


def test_older_listings_score_less():
    wanted = demand("Guants")
    scores = [assess(listing("Guants", published_at=NOW - datetime.timedelta(days=days)), wanted).score for days in (0, 30, 300)]
    assert scores == sorted(scores, reverse=True)


def test_place_and_sector_count_only_with_the_text():
    everything = {"sectors": ("C", "22"), **TERRASSA}
    assert assess(listing("Fruita", **everything), demand("Guants", **everything)).score == 0


# --- Properties ------------------------------------------------------------------------------------------------------------------


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    offer=st.tuples(SENTENCES, SENTENCES),
    wanted=st.tuples(SENTENCES, SENTENCES),
    languages=st.tuples(*[st.sampled_from(["ca", "es", "en"])] * 2),
    place=st.sampled_from([TERRASSA, GIRONA, {}]),
    days=st.integers(-5, 1_000),
)
def test_scores_are_sums_in_bounds_and_evidence_stands_in_the_texts(offer, wanted, languages, place, days):
    one = listing(*offer, language=languages[0], keywords=("gel", "guants"), published_at=NOW - datetime.timedelta(days=days), **place)
    other = demand(*wanted, language=languages[1], **TERRASSA)
    assessment = assess(one, other)
    assert 0 <= assessment.score <= 100
    assert math.isclose(assessment.score, sum(signal.points for signal in assessment.signals))
    assert all(0 <= signal.points <= signal.maximum for signal in assessment.signals)
    for asking, answering in ((one, other), (other, one)):
        found = told(assessment, asking=asking)
        for pair in found["terms"].data["pairs"] if "terms" in found else []:
            for text, span, quote in (
                (asking.text(pair["field_mine"]), pair["mine"], "mine_text"),
                (answering.text(pair["field_theirs"]), pair["theirs"], "theirs_text"),
            ):
                assert text[span[0] : span[1]] == pair[quote] != ""
                assert quote_ends_at_words(text, span)
        for term in found["missing"].data["terms"] if "missing" in found else []:
            assert term in f"{other.title} {other.description}"


def quote_ends_at_words(text, span):
    return not re.search(r"\w\w", text[max(0, span[0] - 1) : span[0] + 1]) and not re.search(r"\w\w", text[span[1] - 1 : span[1] + 1])


@settings(max_examples=50, deadline=None)
@given(offer=SENTENCES, wanted=SENTENCES, extra=SENTENCES)
def test_more_of_what_is_wanted_never_answers_fewer_words(offer, wanted, extra):
    other = demand(wanted)
    fewer = {answer.term.lemma for answer in assess(listing(offer), other).found}
    more = {answer.term.lemma for answer in assess(listing(f"{offer} {extra}"), other).found}
    assert fewer <= more


# --- Reasons ------------------------------------------------------------------------------------------------------------------------


def test_reasons_tell_both_sides_the_same_from_their_own_view():
    offer = listing("Gel hidroalcohòlic en garrafes", sector="2042", sectors=("C", "20", "204", "2042"), **SABADELL)
    wanted = demand("Busquem gel hidroalcohólico", "Para la residencia.", language="es", sector="8710", sectors=("Q", "87"), **TERRASSA)
    assessment = assess(offer, wanted)
    mine, theirs = told(assessment, asking=wanted), told(assessment, asking=offer)
    assert mine["terms"].data["pairs"] == [
        {
            "mine": [8, 27],
            "theirs": [0, 18],
            "field_mine": "title",
            "field_theirs": "title",
            "mine_text": "gel hidroalcohólico",
            "theirs_text": "Gel hidroalcohòlic",
            "also": [],
            "points": round(assessment.score, 1),  # Without it nothing is left that answers.
        }
    ]
    assert theirs["terms"].data["pairs"][0]["mine_text"] == "Gel hidroalcohòlic"
    assert mine["sector"].data == {"mine": "8710", "theirs": "2042", "shared": ""}
    assert not mine["sector"].positive
    assert mine["place"].data == {"km": 8.3, "within_reach": True}
    assert mine["language"].data == {"mine": "es", "theirs": "ca"}
    assert mine["missing"].data == {"terms": ["residencia"]}
    assert list(mine) == ["terms", "sector", "place", "language", "freshness", "missing"]


def test_reasons_quote_a_whole_expression_across_languages():
    assessment = assess(listing("Hand sanitizer in bulk", language="en"), demand("Gel hidroalcohòlic"))
    [pair] = told(assessment, asking=assessment.demand.document)["terms"].data["pairs"]
    assert (pair["mine_text"], pair["theirs_text"]) == ("Gel hidroalcohòlic", "Hand sanitizer")


def test_reasons_quote_what_tells_and_not_numbers():
    assessment = assess(listing("Guants", "2 dies"), demand("Guants", "2 dies"))
    assert [pair["mine_text"] for pair in told(assessment, asking=assessment.demand.document)["terms"].data["pairs"]] == ["Guants"]


def test_missing_names_what_is_asked_for_before_the_circumstances():
    offer = listing("Guants")
    for wanted, lacking in (
        (demand("Guants de nitril", "Per a la fusteria i el magatzem.", keywords=("talles",)), ["nitril", "talles"]),
        (demand("Guants", "Per a la fusteria, el magatzem, la cuina i el jardí."), ["cuina", "fusteria", "jardí"]),
        (demand("Guants"), []),
    ):
        assert sorted(reasons.missing(assess(offer, wanted))) == lacking


def test_obstacles_name_what_forbids_a_pair():
    offer = listing("Guants", company_uid="same", valid_until=TODAY - datetime.timedelta(days=1), reach_km=10, **GIRONA)
    wanted = demand("Guants", company_uid="same", **TERRASSA)
    assert [reason.code for reason in reasons.obstacles(offer, wanted, TODAY)] == ["company", "expired", "reach"]
    assert reasons.obstacles(listing("Guants"), wanted, TODAY) == []


def test_verdict_says_whether_the_score_suffices():
    good = reasons.verdict(assess(listing("Guants de nitril"), demand("Guants de nitril")))
    bad = reasons.verdict(assess(listing("Fruita"), demand("Guants de nitril")))
    assert (good.positive, bad.positive) == (True, False)
    assert (bad.data["score"], bad.data["threshold"]) == (0.0, matching.THRESHOLD)
    assert round(sum(signal["points"] for signal in good.data["signals"]), 1) == good.data["score"]


def test_the_points_of_all_signals_make_a_hundred():
    assert matching.CONTENT_POINTS + matching.SECTOR_POINTS + matching.PLACE_POINTS + matching.FRESHNESS_POINTS == 100
