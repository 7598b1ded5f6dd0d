"""Where a listing's passages stand, whatever its text."""

import time
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from search.documents import TEXT_FIELDS
from search.passages import LONGEST, MOST, SHORTEST, passages, texts, whole

from .documents import listing

HOSTILE = [
    "\0" * 50,
    "\ud800\udfff half \ud83d",
    "?!... ;;; --- ***",
    "x" * 20_000,
    " " * 20_000,
    "\n" * 20_000,
    " \n" * 10_000,
    ". " * 10_000,
    "! \u2028\u202e\x0b\r\n" * 500,
]


def quoted(document):
    return [(passage.field, passage.text) for passage in passages(document)]


def test_passages_are_the_title_the_keywords_and_each_sentence():
    document = listing("Gel hidroalcohòlic", "En garrafes de 5 litres. Servim en 48 h!\nTambé guants;  i bates", keywords=("mans", "desinfecció"))
    assert quoted(document) == [
        ("title", "Gel hidroalcohòlic"),
        ("keywords", "mans, desinfecció"),
        ("description", "En garrafes de 5 litres."),
        ("description", "Servim en 48 h!"),
        ("description", "També guants;"),
        ("description", "i bates"),
    ]


def test_numbers_and_abbreviations_do_not_end_a_sentence_within_a_word():
    assert quoted(listing("Mascaretes a 2.350,50 €", "Norma UNE-EN 149:2001+A1:2009 i www.exemple.cat/gel")) == [
        ("title", "Mascaretes a 2.350,50 €"),
        ("description", "Norma UNE-EN 149:2001+A1:2009 i www.exemple.cat/gel"),
    ]


def test_pieces_too_short_to_mean_anything_are_no_passages():
    assert quoted(listing("Gel", "Sí. No. I tant que sí.")) == [("description", "I tant que sí.")]


def test_texts_are_the_whole_and_each_passage():
    document = listing("Gel hidroalcohòlic", "En garrafes.", keywords=("mans",))
    assert texts(document) == ("Gel hidroalcohòlic. mans. En garrafes.", "Gel hidroalcohòlic", "mans", "En garrafes.")
    assert whole(document) == texts(document)[0]


def test_one_passage_is_encoded_once():
    assert texts(listing("Gel hidroalcohòlic")) == ("Gel hidroalcohòlic",)


def test_who_says_nothing_has_nothing_to_encode():
    assert texts(listing("", "")) == texts(listing("Gel", "...")) == ()


def test_a_catalogue_is_cut_after_so_many_passages():
    document = listing("Catàleg", "\n".join(f"Producte número {number}" for number in range(100)))
    assert len(passages(document)) == MOST
    assert quoted(document)[-1] == ("description", f"Producte número {MOST - 2}")


@pytest.mark.parametrize("text", HOSTILE)
def test_any_text_has_passages_in_bounds_and_in_no_time(text):
    began = time.monotonic()
    in_bounds(listing(text, text, keywords=(text,)))
    assert time.monotonic() - began < 1


def test_the_naive_pattern_would_take_its_time_over_spaces():
    """Why the pattern has no spaces before the line's end: it looks for that end from each of them."""
    import re  # noqa: PLC0415 - for the naive way alone

    def seconds(pattern):
        began = time.perf_counter()
        pattern.findall(" " * 8_000)
        return time.perf_counter() - began

    from search.passages import _END  # noqa: PLC0415 - as above

    assert seconds(re.compile(r"(?<=[.!?;])\s+|\s*\n\s*")) > 20 * seconds(_END)


@settings(deadline=None)
@given(st.text(alphabet="aà.!?; \n\t\0\ud800,9", max_size=200), st.text(max_size=200), st.lists(st.text(max_size=20), max_size=5))
def test_passages_stand_where_they_say(title, description, keywords):
    in_bounds(listing(title, description, keywords=tuple(keywords)))


def in_bounds(document):
    found = passages(document)
    assert len(found) <= MOST
    for passage in found:
        assert document.text(passage.field)[passage.start : passage.end] == passage.text
        assert SHORTEST <= len(passage.text) <= LONGEST
    for one, following in pairwise(found):
        assert (TEXT_FIELDS.index(one.field), one.end) <= (TEXT_FIELDS.index(following.field), following.start) or one.field != following.field
