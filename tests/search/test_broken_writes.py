"""Writes that break off: what is told is what happened, and nothing of them is still to come."""

import json
import random
import resource
import time

import pytest

from search.backends import elastic, elastic_bulk
from search.backends.base import EngineUnavailableError
from search.backends.elastic import ElasticBackend
from search.documents import Query, Write

from .conftest import write
from .documents import listing
from .servers import Sick, response


def writes(*documents):
    return [Write(document.uid, document.version, document) for document in documents]


def test_a_full_disk_is_told_as_what_it_is_and_the_next_write_completes(embedded_backend):
    """The naive variant closes the writer outside: tantivy's second complaint hides the first, and nobody knows it for the engine's."""
    chance = random.Random(1)  # noqa: S311 - words that cannot be compressed
    texts = [" ".join(f"{chance.getrandbits(40):x}" for _ in range(150)) for _ in range(1_500)]
    documents = [listing(f"Gel {number}", text) for number, text in enumerate(texts)]
    write(embedded_backend, listing("Guants"))
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, hard))
    try:
        with pytest.raises(EngineUnavailableError):
            write(embedded_backend, *documents)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
    assert embedded_backend.find(Query()).total == 1
    assert write(embedded_backend, *documents) == 1_500
    assert embedded_backend.find(Query()).total == 1_501


def test_a_write_to_a_staged_index_that_is_gone_makes_none(backend):
    """The naive variant sends it to the index by its name: Elasticsearch makes one, guesses its fields, and nobody removes it."""
    staged = backend.stage()
    staged.remove()
    with pytest.raises(EngineUnavailableError):
        write(staged, listing("Gel"))
    backend.clear_up()
    assert not staged.exists()


@pytest.mark.needs("elasticsearch")
def test_when_a_fault_is_told_no_request_is_under_way(elastic_backend, monkeypatch):
    """The naive variant leaves the rest of the stream to the garbage collector: who hears of the fault clears up, and then the next part arrives."""
    ended, bulk = [], ElasticBackend._bulk

    def late(self, lines, is_last):
        if is_last:
            time.sleep(1)
        try:
            return bulk(self, lines, is_last)
        finally:
            ended.append(is_last)

    monkeypatch.setattr(ElasticBackend, "_bulk", late)
    client = elastic_backend._client
    client.indices.put_settings(index=elastic_backend._index, settings={"index.blocks.write": True})  # Every item is refused with 403.
    wanted = writes(*[listing(f"Gel {number}") for number in range(2 * elastic_bulk.PART)])

    def naive(wanted):
        dumps = client.transport.serializers.get_serializer("application/json").dumps
        answers = elastic_bulk.send(wanted, elastic_backend._bulk, dumps=dumps, force=False)
        return sum(elastic._is_taken(answer) for part in answers for answer in part)

    def ended_when_told(write):
        ended.clear()
        try:
            write(wanted)
        except EngineUnavailableError as error:
            # Looked at while the error lives: behind it even the naive variant's stream is gone.
            return list(ended), "refused with 403" in str(error)

    assert ended_when_told(naive) == ([False], True)
    assert ended_when_told(elastic_backend.write) == ([False, True], True)


@pytest.mark.parametrize(
    "items", [[], [{"index": {"_id": "x", "status": 201}}] * 2, [{"index": {"_id": "x", "status": None}}], [{"index": "x"}], [{"index": {"_id": "x"}}]]
)
def test_an_answer_that_does_not_fit_the_writes_is_none(items):
    """The naive variant takes "no complaint" for "stored": the reader moves on, and the document is lost."""
    server = Sick(response("200 OK", json.dumps({"items": items}).encode()))
    client = elastic.connect(server.url)
    try:
        with pytest.raises(EngineUnavailableError):
            write(ElasticBackend(client, "test"), listing("Gel"))
    finally:
        client.close()
        server.stop()


def test_a_status_written_as_a_text_is_a_status():
    server = Sick(response("200 OK", json.dumps({"items": [{"index": {"_id": "x", "status": "201"}}]}).encode()))
    client = elastic.connect(server.url)
    try:
        assert write(ElasticBackend(client, "test"), listing("Gel")) == 1
    finally:
        client.close()
        server.stop()
