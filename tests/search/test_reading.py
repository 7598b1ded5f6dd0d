"""What an index keeps of a text is what was read in it."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from search import analysis, queries, reading, wants
from search.documents import TEXT_FIELDS

from .documents import demand, listing

TEXTS = st.one_of(st.text(max_size=60), st.text(alphabet="gGlLeE ·.•l'ÀàÇÍİßΣς=,\n ", max_size=40))
LANGUAGES = st.sampled_from(["ca", "es", "en", "fr"])


def kept(document):
    return replace(document, read=queries.forms(document)[1])


@settings(max_examples=200, deadline=None)
@given(title=TEXTS, keywords=st.lists(TEXTS, max_size=2), description=TEXTS, language=LANGUAGES)
def test_every_word_comes_back_in_all_its_forms(title, keywords, description, language):
    document = listing(title, description, keywords=tuple(keywords), language=language)
    read, stops = reading.of(kept(document)), analysis.stop_words(language)
    assert read == reading.of(document)
    for name, own in zip(TEXT_FIELDS, read.words, strict=True):
        words = [word for word in analysis.words(document.text(name), language) if word.word not in stops]
        assert [reading.known(language)[one].word for one in own] == words
        assert [reading.known(language)[one].keys for one in own] == [
            tuple(wants.keys_of(word, names)) for word, names in zip(words, analysis.concepts_of(words), strict=True)
        ]
    assert read.length == wants.analysed(document).length


@pytest.mark.parametrize("make", [listing, demand])
def test_an_expression_is_one_concept_and_each_of_its_words_stands_for_it(make):
    read = reading.of(kept(make("Gel hidroalcohòlic i mascaretes", "Gel.", keywords=("guants", "guants de nitril"))))
    assert read.words == [["gel=sanitiser", "hidroalcohòlic=sanitiser", "mascaretes=mask"], ["guants=glove", "guants=glove", "nitril"], ["gel"]]
    assert read.expressions == [["=sanitiser", "=mask"], ["=glove"], []]


def test_a_text_without_words_is_kept_too(monkeypatch):
    document = kept(listing("...", ""))
    monkeypatch.setattr(reading, "fields", None)
    assert reading.of(document).length == 0


def test_words_are_known_alike_when_none_is_kept(monkeypatch):
    words = reading.of(listing("Gel hidroalcohòlic, mascaretes i guants")).words[0]
    expected = [reading.known("ca")[one] for one in words]
    monkeypatch.setattr(analysis, "_CACHED_WORDS", 2)
    reading.known.cache_clear()
    assert [reading.known("ca")[one] for one in words] == expected
    assert len(reading.known("ca")) <= 2
