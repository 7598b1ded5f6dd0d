"""Writes that arrive after the delete that came later: a worker that was held up, a repeated batch, a request that waited in a queue."""

import uuid

import pytest
from elasticsearch import ConflictError, Elasticsearch

from marketplace.listings import operations
from marketplace.listings.documents import ListingSource
from marketplace.listings.enums import State
from search import engine, index
from search.backends.base import Backend
from search.backends.embedded import EmbeddedBackend
from search.documents import Query, Write
from tests.elasticsearch import node
from tests.factories import CompanyFactory
from tests.search.test_index import change, publish

pytestmark = pytest.mark.django_db

DELETED, KEPT = 100, 10


@pytest.fixture
def restarting(tmp_path):
    """An Elasticsearch of this test's own, and what starts it anew on the same data."""
    running = [node.start(tmp_path / "node")]

    def restart() -> str:
        port = int(running[-1].url.rpartition(":")[2])
        running[-1].stop()
        running.append(node.start(tmp_path / "node", port))
        return running[-1].url

    yield running[0].url, restart
    running[-1].stop()


def live(backend: Backend) -> set[str]:
    return {entry.uid for batch in backend.stored() for entry in batch if entry.is_live}


def found(backend: Backend) -> set[str]:
    return {hit.uid for hit in backend.find(Query(page_size=200)).hits}


def publish_and_delete(backend: Backend) -> tuple[list[Write], set[str]]:
    """Listings that were indexed and deleted, as writes of their last living version, and the uids of those that stay."""
    company = CompanyFactory()
    gone = [publish(f"Pantalles facials, lot {number}", company=company) for number in range(DELETED)]
    stay = {str(publish(f"Guants de nitril, lot {number}", company=company).uid) for number in range(KEPT)}
    index.run_once()
    documents = ListingSource().load([str(listing.uid) for listing in gone])
    late = [Write(uid, document.version, document) for uid, document in documents.items()]
    assert len(late) == DELETED
    operations.erase(gone[::2], by=None)
    for listing in gone[1::2]:
        change(listing, state=State.CLOSED)
    while index.run_once():
        pass
    assert found(backend) == stay
    return late, stay


def test_late_writes_do_not_come_back_through_a_restart_of_elasticsearch(restarting, settings):
    url, restart = restarting
    settings.ELASTICSEARCH_URL, settings.EMBEDDED_FALLBACK, settings.SEARCH_INDEX_PREFIX = url, False, f"late-{uuid.uuid4().hex[:12]}"
    [backend] = engine.backends()
    late, stay = publish_and_delete(backend)
    naive = Naive(url)
    naive.write_and_delete(late)

    backend.write(late[: DELETED // 2])
    assert (found(backend), live(backend)) == (stay, stay)
    assert naive.came_back(late[: DELETED // 2]) == 0, "a deleted document's version is remembered for a minute, so that nobody notices in a trial"

    restart()
    backend.write(late)
    backend.write(late)
    assert (found(backend), live(backend)) == (stay, stay), "0 of 100 come back"
    assert naive.came_back(late) == DELETED


def test_late_writes_do_not_come_back_into_the_embedded_index(settings, tmp_path):
    settings.EMBEDDED_INDEX_PATH = tmp_path / "index"
    [backend] = engine.backends()
    late, stay = publish_and_delete(backend)
    backend.write(late[: DELETED // 2])
    another_process = EmbeddedBackend(tmp_path / "index")
    another_process.write(late)
    assert (found(backend), live(another_process)) == (stay, stay)


class Naive:
    """What one would write first: versions from outside for writes and for deletes, and deletes that delete."""

    def __init__(self, url: str) -> None:
        self._client = Elasticsearch(url)
        self._index = f"naive-{uuid.uuid4().hex[:12]}"
        self._client.indices.create(index=self._index)

    def write_and_delete(self, writes: list[Write]) -> None:
        """Index each document, then delete it under a newer version."""
        for write in writes:
            self._put(write)
            self._client.delete(index=self._index, id=write.uid, version=write.version + 1, version_type="external")

    def came_back(self, writes: list[Write]) -> int:
        """Write them once more, late; how many of them are there afterwards."""
        for write in writes:
            try:
                self._put(write)
            except ConflictError:
                continue
        self._client.indices.refresh(index=self._index)
        return self._client.count(index=self._index)["count"]

    def _put(self, write: Write) -> None:
        self._client.index(index=self._index, id=write.uid, version=write.version, version_type="external", document={"title": write.document.title})
