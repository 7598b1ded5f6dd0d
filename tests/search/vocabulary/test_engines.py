"""Curators' words in searches and suggestions: one contract, every engine; the index is written without them."""

import pytest

from search import consortia, engine, matching, reasons, vocabulary, wants
from search.backends.base import Frequencies
from search.documents import Query
from search.vocabulary import Rule, build, using
from tests.search.conftest import write
from tests.search.documents import TODAY, demand, listing

SYNONYM = Rule("1", "two_way", (("ca", "tapaboques"), ("es", "cubrebocas"), ("en", "mouth cover")))
ONE_WAY = Rule("2", "one_way", (("ca", "xarxa elèctrica"),), (("ca", "quadre de baixa tensió"), ("es", "cuadro de baja tensión")))
STOP = Rule("3", "stop", (("ca", "servei de"),))


def crowd():
    """Beside them, a word of few is rare."""
    titles = ["Assessoria fiscal", "Nau amb moll", "Cursos en línia", "Fruita i verdura", "Impressió de cartells", "Lloguer de furgonetes", "Pa i brioixeria"]
    return [listing(title) for title in titles] + [demand(f"Busquem {title.lower()}") for title in titles]


def found(backend, text, *rules):
    with using(build(rules)):
        return {hit.uid for hit in backend.find(Query(text=text)).hits}


def suggested(backend, document, *rules):
    with using(build(rules)):
        return {s.uid: s for s in engine.suggest_on(backend, document, limit=10, threshold=0.0, today=TODAY)}


# --- Searches -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["tapaboques", "cubrebocas", "mouth cover", "mouth covers"])
def test_a_search_finds_every_expression_of_a_synonym(backend, text):
    offers = [listing("Tapaboques de cotó"), listing("Cubrebocas lavables", language="es"), listing("Reusable mouth covers", language="en")]
    write(backend, *offers, listing("Cover for a garden table", language="en"))
    assert found(backend, text, SYNONYM) == {offer.uid for offer in offers}
    assert found(backend, text, SYNONYM) > found(backend, text)


def test_a_search_follows_a_one_way_synonym_one_way(backend):
    grid, board = listing("Revisió de xarxes elèctriques"), listing("Quadres de baixa tensió")
    write(backend, grid, board)
    assert found(backend, "xarxa elèctrica", ONE_WAY) == {grid.uid, board.uid}
    assert found(backend, "quadre de baixa tensió", ONE_WAY) == {board.uid}


def test_a_search_wants_all_words_of_an_expression(backend):
    """The naive expansion, word by word, would find every table cover."""
    write(backend, mouth := listing("Mouth cover", language="en"), listing("Cover for garden tables", language="en"))
    assert found(backend, "tapaboques", SYNONYM) == {mouth.uid}


def test_a_search_passes_over_a_stop_phrase(backend):
    cleaning, catering = listing("Neteja d'oficines"), listing("Servei de càtering")
    write(backend, cleaning, catering)
    assert found(backend, "servei de neteja", STOP) == {cleaning.uid}
    assert found(backend, "servei de neteja") == set()
    assert found(backend, "servei de", STOP) == {catering.uid}


def test_a_search_marks_what_a_synonym_found(backend):
    write(backend, listing("Our reusable mouth covers", language="en"))
    with using(build([SYNONYM])):
        (hit,) = backend.find(Query(text="tapaboques")).hits
    assert hit.highlights["title"] == "Our reusable <mark>mouth</mark> <mark>covers</mark>"


# --- Suggestions ------------------------------------------------------------------------------------------------------------


def test_a_suggestion_follows_a_synonym_across_languages_from_both_sides(backend):
    offer, wanted = listing("Reusable mouth covers", language="en"), demand("Tapaboques per a l'escola")
    write(backend, offer, wanted, *crowd())
    assert offer.uid not in suggested(backend, wanted)
    assert suggested(backend, wanted, SYNONYM)[offer.uid].score == pytest.approx(suggested(backend, offer, SYNONYM)[wanted.uid].score)


def test_a_suggestion_follows_a_one_way_synonym_one_way_from_both_sides(backend):
    grid_offer, board_offer = listing("Xarxa elèctrica"), listing("Cuadros de baja tensión", language="es")
    grid_wanted, board_wanted = demand("Xarxa elèctrica"), demand("Cuadros de baja tensión", language="es")
    write(backend, grid_offer, board_offer, grid_wanted, board_wanted, *crowd())
    assert suggested(backend, grid_wanted, ONE_WAY).keys() == {grid_offer.uid, board_offer.uid}
    assert board_wanted.uid in suggested(backend, board_offer, ONE_WAY)
    assert grid_wanted.uid in suggested(backend, board_offer, ONE_WAY)
    assert grid_offer.uid not in suggested(backend, board_wanted, ONE_WAY)
    assert board_wanted.uid not in {uid for uid, s in suggested(backend, grid_offer, ONE_WAY).items() if told(s, "terms")}


def told(suggestion, code):
    return [reason.data for reason in suggestion.reasons if reason.code == code]


def test_the_evidence_of_a_synonym_quotes_both_texts(backend):
    offer, wanted = listing("Reusable mouth covers", language="en"), demand("Tapaboques per a l'escola")
    write(backend, offer, wanted, *crowd())
    ((terms,),) = [told(s, "terms") for uid, s in suggested(backend, wanted, SYNONYM).items() if uid == offer.uid]
    quoted = [(pair["mine_text"], pair["theirs_text"]) for pair in terms["pairs"] if pair["mine_text"]]
    assert quoted == [("Tapaboques", "mouth covers")]
    for pair in terms["pairs"]:
        assert wanted.text(pair["field_mine"])[slice(*pair["mine"])] == pair["mine_text"]
        assert offer.text(pair["field_theirs"])[slice(*pair["theirs"])] == pair["theirs_text"]


def test_a_stop_phrase_fetches_nothing(backend):
    wanted, catering, cleaning = demand("Servei de neteja"), listing("Servei de càtering"), listing("Neteja d'oficines")
    write(backend, wanted, catering, cleaning, *crowd())
    assert catering.uid in suggested(backend, wanted)
    assert suggested(backend, wanted, STOP).keys() == {cleaning.uid}


def test_a_demand_of_stop_phrases_alone_still_finds(backend):
    wanted, catering = demand("Servei de"), listing("Servei de càtering i servei")
    write(backend, wanted, catering, *crowd())
    assert catering.uid in suggested(backend, wanted, STOP)


def test_a_concept_of_curators_is_as_frequent_as_its_expressions(backend):
    write(
        backend,
        listing("Tapaboques"),
        listing("Tapaboques de roba"),
        listing("Cubrebocas", language="es"),
        listing("Mouth of a river", language="en"),
        *crowd(),
    )
    frequencies = build([SYNONYM]).frequencies(backend, {"text_word": ["tapaboques"], "text_concept": ["1=", "mask"]})
    # Two, one, and none with both words of the third.
    assert frequencies.by_term["text_concept", "1="] == 3
    assert frequencies.by_term["text_word", "tapaboques"] == 2
    assert frequencies.by_term["text_concept", "mask"] == 0


def test_nothing_of_it_is_written_to_the_index(backend):
    """So that an edit needs no rebuild: the same index answers with the words and without."""
    with using(build([SYNONYM])):
        write(backend, offer := listing("Mouth covers", language="en"), *crowd())
    assert found(backend, "tapaboques") == set()
    assert found(backend, "tapaboques", SYNONYM) == {offer.uid}
    assert backend.frequencies({"text_concept": ["1="]}).by_term["text_concept", "1="] == 0


# --- Groups of offers -----------------------------------------------------------------------------------------------------


def test_a_group_of_offers_has_whom_only_a_synonym_brings(backend):
    """The second speaks of marquees only as curators know them, and is known to the demand by that alone."""
    wanted = demand("Pavelló plegable i tast de vins", "Ens cal un pavelló plegable i un tast de vins.", keywords=("pavelló plegable", "tast de vins"))
    wine = listing("Tast de vins amb sommelier", "Fem un tast de vins a casa vostra.", keywords=("tast", "vins"))
    tent = listing("Envelats", "Muntem envelats.", keywords=("envelat",))
    write(backend, wanted, wine, tent, *crowd())
    with using(build([Rule("1", "two_way", (("ca", "pavelló plegable"), ("ca", "envelat")))])):
        [group] = consortia.find_on(backend, wanted, today=TODAY)
        assert wanted.uid in consortia.touched_on(backend, tent, today=TODAY)
    assert {member.uid for member in group.members} == {wine.uid, tent.uid}
    assert consortia.find_on(backend, wanted, today=TODAY) == []
    assert wanted.uid not in consortia.touched_on(backend, tent, today=TODAY)


# --- Why not ----------------------------------------------------------------------------------------------------------------


def test_an_assessment_takes_the_vocabulary_as_a_value():
    offer, wanted = listing("Reusable mouth covers", language="en"), demand("Tapaboques")
    scores = []
    for words in (vocabulary.EMPTY, build([SYNONYM])):
        one, other = wants.analysed(offer, words), wants.analysed(wanted, words)
        asked = wants.vocabulary([other])
        weighing = wants.weights(Frequencies(1_000, {(form, word): 10 for form, own in asked.items() for word in own}))
        assessment = matching.assess(one, other, wants.wanted_terms(other, weighing), weighing, today=TODAY)
        scores.append(assessment.score)
        assert bool([r for r in reasons.reasons(assessment, asking=wanted) if r.code == "terms"]) == (words != vocabulary.EMPTY)
    assert scores[0] == 0 < scores[1]
