"""What one would pick instead: each as the manual has it, and no trace of it afterwards."""

import uuid

import pytest

from search import baselines
from search.backends import elastic
from search.backends.base import EngineUnavailableError
from tests.search.documents import demand, listing
from tests.search.encoders import Letters
from tests.search.servers import SICKNESSES, Sick

OFFERS = [
    listing("Higiene SL", "Gel hidroalcohòlic i mascaretes de protecció.", uid="hygiene"),
    listing("Guantes SA", "Guantes de nitrilo y mascarillas.", uid="gloves", language="es"),
    listing("Transports del Vallès", "Transport de mercaderies; transport urgent.", uid="transport"),
]
OF_SERVER = {baselines.STANDARD, baselines.MOST_FIELDS, baselines.MOST_FIELDS_OF_ONE, baselines.MORE_LIKE_THIS}


@pytest.fixture
def client(elasticsearch_url):
    with elastic.connect(elasticsearch_url) as client:
        yield client


@pytest.fixture
def prefix():
    return f"test-{uuid.uuid4().hex[:12]}"


def indices(client, prefix):
    return list(client.indices.get(index=f"{prefix}*"))


def test_every_baseline_is_had_with_a_server_and_an_encoder(client, prefix):
    assert baselines.missing(client, Letters()) == {}
    with baselines.baselines(OFFERS, client=client, prefix=prefix, encoder=Letters()) as asks:
        assert tuple(asks) == baselines.NAMES
        for name, ask in asks.items():
            assert ask(demand("Transport de mercaderies"))[0] == "transport", name
        assert len(indices(client, prefix)) == 1
    assert indices(client, prefix) == []


def test_baselines_differ_as_their_analyzers_do(client, prefix):
    with baselines.baselines(OFFERS, client=client, prefix=prefix, encoder=None) as asks:
        inflected = demand("transports urgents")  # As they stand, neither word is in a text; "transports" is in a title.
        assert asks[baselines.STANDARD](inflected) == ["transport"]
        assert asks[baselines.MOST_FIELDS](demand("mercaderia")) == ["transport"]
        assert asks[baselines.STANDARD](demand("mercaderia")) == []
        # Once is enough for more_like_this, which by its defaults asks for words that stand twice.
        assert asks[baselines.MORE_LIKE_THIS](demand("mascaretes")) == ["hygiene"]


def test_baselines_without_a_server_are_the_vectors_alone():
    with baselines.baselines(OFFERS, client=None, prefix="unused", encoder=Letters()) as asks:
        assert list(asks) == [baselines.VECTORS]
        assert asks[baselines.VECTORS](demand("guants de nitril"))[0] == "gloves"
    missing = baselines.missing(None, Letters())
    assert missing == dict.fromkeys((*OF_SERVER, baselines.FUSION), baselines.NO_SERVER)


def test_baselines_without_an_encoder_are_those_of_the_server(client, prefix):
    with baselines.baselines(OFFERS, client=client, prefix=prefix, encoder=None) as asks:
        assert set(asks) == OF_SERVER
    assert set(baselines.missing(client, None)) == {baselines.VECTORS, baselines.FUSION}


def test_baselines_with_nothing_say_all_that_is_needed():
    assert baselines.missing(None, None) == dict.fromkeys(OF_SERVER, baselines.NO_SERVER) | {
        baselines.VECTORS: baselines.NO_ENCODER,
        baselines.FUSION: f"{baselines.NO_SERVER} and {baselines.NO_ENCODER}",
    }
    with baselines.baselines(OFFERS, client=None, prefix="unused", encoder=None) as asks:
        assert asks == {}


def test_no_index_is_left_after_an_error(client, prefix):
    def fail():
        with baselines.baselines(OFFERS, client=client, prefix=prefix, encoder=None):
            assert len(indices(client, prefix)) == 1
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert indices(client, prefix) == []


def test_no_index_is_left_after_documents_that_it_refuses(client, prefix):
    refused = listing("Higiene SL", uid="x" * 600)  # An id has 512 bytes at most.
    with pytest.raises(EngineUnavailableError), baselines.baselines([*OFFERS, refused], client=client, prefix=prefix, encoder=None):
        pytest.fail("went on without the document")
    assert indices(client, prefix) == []


@pytest.mark.parametrize("sickness", ["503", "a page of HTML", "broken JSON", "no HTTP"])
def test_a_sick_server_is_unavailable(sickness):
    server = Sick(SICKNESSES[sickness])
    try:
        with elastic.connect(server.url) as client, pytest.raises(EngineUnavailableError), baselines.baselines(OFFERS, client=client, prefix="p", encoder=None):
            pytest.fail("took the answer for good")
    finally:
        server.stop()


def test_fusion_prefers_what_stands_high_in_both_lists():
    # 1/62 + 1/62 > 1/61 + nothing; equals in the order in which they appear
    assert baselines.fuse([["a", "b", "c"], ["d", "b"]]) == ["b", "a", "d", "c"]
    assert baselines.fuse([[], []]) == []
    assert len(baselines.fuse([[f"a{number}" for number in range(100)], [f"b{number}" for number in range(100)]])) == 100
