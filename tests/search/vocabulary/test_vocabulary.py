"""How texts read with curators' words: a value, no database."""

import threading

import pytest

from search import vocabulary, wants
from search.analysis import analyse
from search.vocabulary import EMPTY, Rule, build, current, using
from tests.search.documents import demand, listing

MASKS = Rule("1", "two_way", (("ca", "tapaboques"), ("es", "cubrebocas"), ("en", "mouth cover")))
CLOTHES = Rule("2", "one_way", (("ca", "roba de treball"),), (("ca", "bata blanca"), ("es", "mono azul")))
SERVICE = Rule("3", "stop", (("ca", "servei de"), ("es", "servicio de")))


def asks(words, text, language="ca"):
    return {name for token in words.analyse(text, language) for name in token.concepts if name[0] in "123"}


def answers(words, text, language="ca"):
    return {name for token in words.analyse(text, language) for name in token.answers if name[0] in "123"}


def words_of(words, text, language="ca"):
    return [token.word for token in words.analyse(text, language)]


@pytest.mark.parametrize(("text", "language"), [("Tapaboques", "ca"), ("cubrebocas baratos", "es"), ("two mouth covers", "en"), ("els TAPABOQUES", "ca")])
def test_every_inflection_in_every_language_meets_in_one_concept(text, language):
    words = build([MASKS])
    assert asks(words, text, language) == answers(words, text, language) == {"1="}


def test_the_words_of_an_expression_must_stand_together():
    words = build([MASKS])
    assert asks(words, "a mouth needs a cover", "en") == set()
    assert asks(words, "mouth", "en") == set()


def test_of_a_one_way_synonym_only_the_first_asks_for_the_second():
    words = build([CLOTHES])
    assert (asks(words, "Roba de treball"), answers(words, "Roba de treball")) == ({"2=", "2>"}, {"2="})
    assert (asks(words, "Bates blanques"), answers(words, "Bates blanques")) == ({"2>"}, {"2>"})


def test_a_word_of_one_language_does_not_count_in_another():
    cake = build([Rule("1", "two_way", (("en", "pie"), ("ca", "pastís")))])
    assert asks(cake, "apple pies", "en") == {"1="}
    assert asks(cake, "un pie de foto", "es") == set()
    code = build([Rule("1", "two_way", (("ca", "FFP2"), ("en", "respirator")))])
    assert asks(code, "ffp2 baratas", "es") == asks(code, "cheap FFP2", "en") == {"1="}


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("Servei de neteja", ["neteja"]),
        ("Serveis de neteja", ["neteja"]),
        ("Servei d'aigua", ["aigua"]),
        ("Servei del menjador", ["menjador"]),
        ("Servei tècnic", ["servei", "tecnic"]),
        ("Neteja, servei de qualitat", ["neteja", "qualitat"]),
    ],
)
def test_a_stop_phrase_takes_away_its_own_words_only(text, left):
    assert words_of(build([SERVICE]), text) == left


def test_a_text_of_stop_phrases_alone_stays_whole():
    whole = build([Rule("1", "stop", (("ca", "servei de neteja"), ("ca", "subministrament de")))])
    assert words_of(whole, "Servei de neteja") == ["servei", "neteja"]
    assert words_of(whole, "Subministrament de servei de neteja") == ["subministrament", "servei", "neteja"]


def test_without_rules_texts_read_as_ever():
    text = "Servei de neteja de tapaboques"
    assert build([]) == EMPTY
    assert EMPTY.analyse(text, "ca") == analyse(text, "ca")


def test_two_vocabularies_of_the_same_rules_are_equal():
    assert build([MASKS, CLOTHES]) == build([CLOTHES, MASKS]) != build([MASKS])
    assert len({build([MASKS]), build([MASKS])}) == 1


def test_a_document_is_kept_per_vocabulary():
    """The naive cache, by document alone, would go on with the words of the first call."""
    offer = listing("Tapaboques de cotó")
    plain, taught = wants.analysed(offer), wants.analysed(offer, build([MASKS]))
    assert ("text_concept", "1=") in taught.places
    assert ("text_concept", "1=") not in plain.places
    assert wants.analysed(offer) is plain


@pytest.mark.parametrize("text", ["Guants de nitril", "Mouth of a river", "Servei tècnic", "Roba de llit"])
def test_a_document_without_curators_words_is_read_once(text):
    offer = listing(text)
    assert wants.analysed(offer, build([MASKS, CLOTHES, SERVICE])).places == wants.analysed(offer).places


@pytest.mark.parametrize(
    "text", ["Tapaboques", "Cubrebocas", "Mouth covers", "Robes de treball", "Serveis de neteja", "Neteja i serveis del menjador", "FFP2s"]
)
def test_what_may_be_touched_is_never_passed_over(text):
    """The quick look must not miss what the reading finds, in whichever language."""
    words = build([MASKS, CLOTHES, SERVICE, Rule("4", "stop", (("en", "we are looking for"),)), Rule("5", "two_way", (("ca", "FFP2"), ("en", "respirator")))])
    for language in ("ca", "es", "en"):
        offer = listing(text, language=language)
        changed = words.analyse(text, language) != analyse(text, language)
        assert (wants.analysed(offer, words).places != wants.analysed(offer).places) == changed


def test_a_draft_holds_in_its_own_thread_alone():
    seen = []
    with using(build([MASKS])):
        thread = threading.Thread(target=lambda: seen.append(current()))
        thread.start()
        thread.join()
        assert current() == build([MASKS])
    assert seen == [EMPTY]
    assert current() == EMPTY


def test_what_only_asks_is_known_to_the_weighing():
    """A demand that only asks for a concept must still be weighed by it; without that, its weight would be a KeyError."""
    wanted = wants.analysed(demand("Roba de treball"), build([CLOTHES]))
    assert "2>" in wants.vocabulary([wanted])["text_concept"]
    assert not wanted.places["text_concept", "2>"]


def test_a_reading_counts_once_however_often_it_is_asked():
    assert vocabulary.readings("ca", "roba de treball") is vocabulary.readings("ca", "roba de treball")
