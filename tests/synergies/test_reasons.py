"""Reasons in words, and quotations that mark only what still stands in the text."""

import pytest
from django.utils import translation
from hypothesis import given
from hypothesis import strategies as st

from marketplace.companies.models import Place, Sector
from marketplace.listings.models import Listing
from marketplace.synergies import reasons
from marketplace.synergies.enums import Side
from marketplace.synergies.models import Synergy

RUBI = Place(code="081846", name="Rubí")
TERRASSA = Place(code="082798", name="Terrassa")
PLASTICS = Sector(code="2229", label_ca="Plàstics", label_es="Plásticos", label_en="Plastics")
SHOPS = Sector(code="4771", label_ca="Roba", label_es="Ropa", label_en="Clothes shops")


def synergy(*found: dict, demand: dict | None = None, offer: dict | None = None) -> Synergy:
    demand = Listing(
        **{"kind": "demand", "title": "Face shields", "description": "We need shields with delivery.", "sector": SHOPS, "place": RUBI, **(demand or {})}
    )
    offer = Listing(
        **{"kind": "offer", "title": "Shields", "description": "Shields delivered in 72 hours.", "sector": PLASTICS, "place": TERRASSA, **(offer or {})}
    )
    return Synergy(demand=demand, offer=offer, reasons=list(found))


def reason(code: str, *, positive: bool = True, **data: object) -> dict:
    return {"code": code, "positive": positive, "data": data}


def words(asked: str, given_: str, *, start: int = 8, their_start: int = 0) -> dict:
    return {
        "mine": [start, start + len(asked)],
        "theirs": [their_start, their_start + len(given_)],
        "field_mine": "description",
        "field_theirs": "description",
        "mine_text": asked,
        "theirs_text": given_,
    }


def said(*found: dict, side: Side = Side.DEMAND, language: str = "en", **listings: dict) -> list[tuple[str, bool]]:
    with translation.override(language):
        return [(chip.text, chip.positive) for chip in reasons.chips(synergy(*found, **listings), side)]


# --- Chips --------------------------------------------------------------------------------------------------------------


def test_chips_name_words_that_are_the_same_and_words_that_answer():
    pairs = [words("shields", "Shields"), words("delivery", "delivered", start=21, their_start=8)]
    assert said(reason("terms", pairs=pairs)) == [("Same words: shields", True), ("Words that answer each other: delivery – delivered", True)]


@pytest.mark.parametrize(
    ("data", "listings", "expected"),
    [
        ({"km": 7.8, "within_reach": True}, {}, ("7.8 km away", True)),
        ({"km": 7.8, "within_reach": True}, {"offer": {"reach_km": 25}}, ("7.8 km away, within their reach", True)),
        ({"km": 34.4, "within_reach": True}, {"demand": {"reach_km": 50}}, ("34 km away, within your reach", True)),
        ({"km": 80.0, "within_reach": False}, {}, ("80 km away, too far for one of you", False)),
        ({"km": 0.0, "within_reach": True}, {"offer": {"place": RUBI}}, ("In the same town: Rubí", True)),
        ({"remote": True, "km": 400.0}, {}, ("Possible at a distance", True)),
    ],
)
def test_chips_say_how_far_it_is(data, listings, expected):
    assert said(reason("place", **data), **listings) == [expected]


def test_chips_say_it_from_the_readers_side():
    found = reason("place", km=7.8, within_reach=True)
    assert said(found, side=Side.OFFER, offer={"reach_km": 25}) == [("7.8 km away, within your reach", True)]
    missing = reason("missing", positive=False, terms=["installation", "shops"])
    assert said(missing) == [("Their offer says nothing about: installation, shops", False)]
    assert said(missing, side=Side.OFFER) == [("Your offer says nothing about: installation, shops", False)]


def test_chips_speak_of_sectors_only_when_they_have_something_in_common():
    assert said(reason("sector", positive=False, mine="4771", theirs="2229", shared="")) == []
    assert said(reason("sector", mine="4771", theirs="2229", shared="G")) == [("Related sectors: Clothes shops; Plastics", True)]
    assert said(reason("sector", mine="2229", theirs="2229", shared="2229"), demand={"sector": PLASTICS}) == [("Same sector: Plastics", True)]


def test_chips_put_what_speaks_against_it_last():
    found = said(reason("missing", positive=False, terms=["x"]), reason("language", mine="ca", theirs="es"), reason("freshness", days=400))
    assert [positive for _, positive in found] == [True, False, False]
    assert found[0][0] == "Two languages: Catalan and Spanish"


def test_chips_leave_out_what_they_do_not_know():
    assert said(reason("a_newer_engine_says", anything=1)) == []


def test_chips_use_the_readers_decimals():
    assert "7,8 km" in said(reason("place", km=7.8, within_reach=True), language="es")[0][0]


# --- Quotations ---------------------------------------------------------------------------------------------------------


def test_quotation_marks_what_matched_in_the_same_colour_on_both_sides():
    pairs = [words("shields", "Shields"), words("delivery", "delivered", start=21, their_start=8)]
    one = synergy(reason("terms", pairs=pairs))
    found = reasons.evidence(one)
    assert reasons.quotation(one.demand, found, "mine") == 'We need <mark>shields</mark> with <mark class="b">delivery</mark>.'
    assert reasons.quotation(one.offer, found, "theirs") == '<mark>Shields</mark> <mark class="b">delivered</mark> in 72 hours.'


def test_quotation_of_a_changed_text_marks_nothing():
    changed = synergy(reason("terms", pairs=[words("shields", "Shields")]), demand={"description": "Something else altogether now."})
    assert reasons.evidence(changed) == []
    assert reasons.quotation(changed.demand, [], "mine") == "Something else altogether now."


def test_quotation_shows_the_words_around_a_match_far_inside():
    text = "Once upon a time. " * 30 + "We need shields with delivery. " + "And so on. " * 30
    start = text.index("shields")
    one = synergy(reason("terms", pairs=[words("shields", "Shields", start=start)]), demand={"description": text})
    quoted = reasons.quotation(one.demand, reasons.evidence(one), "mine")
    assert "We need <mark>shields</mark> with delivery." in quoted
    assert quoted.startswith("… ")
    assert quoted.endswith(" …")
    assert len(quoted) < 150


def test_quotation_without_evidence_is_the_beginning():
    one = synergy(demand={"description": "First sentence.\n\n" + "word " * 100})
    quoted = reasons.quotation(one.demand, [], "mine")
    assert quoted.startswith("First sentence. word")
    assert quoted.endswith(" …")


@given(text=st.text(max_size=400), spans=st.lists(st.tuples(st.integers(-5, 420), st.integers(-5, 420)), max_size=8))
def test_quotation_is_safe_and_whole_for_any_text_and_any_spans(text, spans):
    """Whatever the rows hold, the page gets no tag but our marks, and each mark holds what the engine had seen."""
    pairs = [
        {**words("x", "x"), "mine": [start, end], "mine_text": text[max(start, 0) : max(end, 0)], "theirs_text": "Shields", "theirs": [0, 7]}
        for start, end in spans
    ]
    one = synergy(reason("terms", pairs=pairs), demand={"description": text, "title": text[:120]})
    for printed in (reasons.quotation(one.demand, reasons.evidence(one), "mine"), reasons.marked_title(one.demand, reasons.evidence(one), "mine")):
        bare = printed.replace("<mark>", "").replace('<mark class="b">', "").replace("</mark>", "")
        assert "<" not in bare
        assert ">" not in bare
        assert printed.count("<mark") == printed.count("</mark>")


def test_signal_rows_are_named_in_words():
    with translation.override("en"):
        rows = reasons.signal_rows([{"name": "place", "points": 1.0, "maximum": 2.0}, {"name": "unheard of", "points": 0.0, "maximum": 1.0}])
    assert [row.label for row in rows] == ["Distance", "Other"]
