"""Words, lemmas, stems, cognates and concepts of the three languages."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from search import analysis

LANGUAGES = st.sampled_from(analysis.LANGUAGES)
TEXTS = st.text(max_size=200) | st.lists(
    st.sampled_from(["gel", "l'àmbit", "col·lecció", "Mascaretes", "i", "\n", "🙂", "n.º 5", "INTEL·LIGÈNCIA", "x" * 80])
).map(" ".join)


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Necessitem mascaretes per a la residència", "ca"),
        ("Suministro de guantes para el hospital", "es"),
        ("We are looking for a supplier of masks", "en"),
        ("Col·lecció", "ca"),
        ("", "ca"),
        ("12345 !!!", "ca"),
    ],
)
def test_detect_language_tells_the_three_apart(text, language):
    assert analysis.detect_language(text) == language


def test_detect_language_of_a_huge_text_is_quick():
    assert analysis.detect_language("Necessitem mascaretes " * 1_000_000) == "ca"


@pytest.mark.parametrize(
    ("word", "folded"),
    [
        ("Hidroalcohòlic", "hidroalcoholic"),
        ("col·lecció", "colleccio"),
        ("intel.ligència", "intelligencia"),
        ("Instal¿lació", "installacio"),
        ("ESPAÑA", "espana"),
        ("ﬁbra", "fibra"),
        ("m²", "m2"),
        ("…", ""),
    ],
)
def test_fold_leaves_plain_letters_and_digits(word, folded):
    assert analysis.fold(word) == folded


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Subministrament d'1 gel per a l'àmbit", ["subministrament", "1", "gel", "ambit"]),
        ("instal·lació, col.lecció i cel¿les", ["installacio", "colleccio", "celles"]),
        ("A_Subministrament Bages-Nord", ["subministrament", "bages", "nord"]),
        ("d’un hotel de l’Alt Penedès", ["hotel", "alt", "penedes"]),
    ],
)
def test_analyse_parts_words_as_catalan_does(text, words):
    assert [token.word for token in analysis.analyse(text, "ca")] == words


@pytest.mark.parametrize(
    ("language", "forms"),
    [
        ("ca", ("mascareta", "mascaretes")),
        ("ca", ("botiga", "botigues")),
        ("ca", ("formació", "formacions", "formacio")),
        ("ca", ("comerç", "comerços")),
        ("es", ("impresora", "impresoras")),
        ("es", ("hidrogel", "hidrogeles", "hidrogels")),
        ("en", ("delivery", "deliveries")),
        ("ca", ("mascarilla", "mascarillas")),
    ],
)
def test_inflections_meet_in_the_lemma_or_the_stem(language, forms):
    first, *others = ({analysis.lemmatise(form, language), analysis.stem(form, language)} for form in forms)
    assert all(first & other for other in others)


@pytest.mark.parametrize(
    "words",
    [
        ("producte", "producto", "product"),
        ("formació", "formación", "formation"),
        ("tecnologia", "tecnología", "technology"),
        ("qualitat", "calidad", "quality"),
        ("embalatge", "embalaje"),
        ("públics", "públicos"),
        ("universitat", "universidad", "university"),
        ("fotografia", "fotografía", "photography"),
        ("instrument", "instrumento", "instrument"),
    ],
)
def test_cognates_meet_across_languages(words):
    skeletons = {analysis.cognate(analysis.fold(word), language) for word, language in zip(words, analysis.LANGUAGES, strict=False)}
    assert len(skeletons) == 1


@pytest.mark.parametrize(
    ("text", "language", "concept"),
    [
        ("Mascaretes FFP2", "ca", "mask"),
        ("mascarillas", "es", "mask"),
        ("face masks", "en", "mask"),
        ("Repartim a domicili", "ca", "home-delivery"),
        ("gel hidroalcohólico", "es", "sanitiser"),
        ("Hand sanitizer", "en", "sanitiser"),
    ],
)
def test_concepts_are_found_in_each_language_and_inflection(text, language, concept):
    assert concept in {name for token in analysis.analyse(text, language) for name in token.concepts}


def test_every_word_of_an_expression_carries_its_concept_and_keeps_its_own_place():
    text = "Venem gel hidroalcohòlic."
    marked = [text[t.start : t.end] for t in analysis.analyse(text, "ca") if "sanitiser" in t.concepts]
    assert marked == ["gel", "hidroalcohòlic"]


def test_concepts_are_of_the_words_own_language():
    # "part" is a piece in English only.
    assert [token.concepts for token in analysis.analyse("bona part", "ca")][-1] == ()


def test_the_concept_file_has_four_columns_and_no_name_twice():
    rows = [line.split("\t") for line in analysis._data_lines("concepts.tsv")]
    assert {len(row) for row in rows} == {4}
    names = [row[0] for row in rows]
    assert len(names) == len(set(names)) > 400
    assert all(column.strip() for row in rows for column in row)


@settings(max_examples=150, deadline=None)
@given(text=TEXTS, language=LANGUAGES)
def test_tokens_stand_where_they_say(text, language):
    position = 0
    for token in analysis.tokens(text, language):
        assert position <= token.start < token.end <= len(text)
        assert analysis.fold(text[token.start : token.end]) == token.word != ""
        assert " " not in token.word + token.lemma + token.stem + token.cognate
        position = token.end


@settings(max_examples=100, deadline=None)
@given(text=TEXTS, language=LANGUAGES)
def test_words_are_the_forms_of_the_tokens(text, language):
    tokens, words = list(analysis.tokens(text, language)), analysis.words(text, language)
    assert [token[2:7] for token in tokens] == words
    assert analysis.concepts_of(tokens) == analysis.concepts_of(words)


def test_words_are_read_alike_when_none_is_kept(monkeypatch):
    text = "Subministrament de mascaretes quirúrgiques i gel hidroalcohòlic per a la residència"
    known = analysis.words(text, "ca")
    monkeypatch.setattr(analysis, "_CACHED_WORDS", 3)
    analysis.known.cache_clear()
    assert analysis.words(text, "ca") == known
    assert len(analysis.known("ca")) <= 3


def test_a_huge_text_is_cut():
    assert len(analysis.analyse("gel " * 5_000_000, "ca")) == analysis.MAX_CHARACTERS // 4
