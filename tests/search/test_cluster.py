"""Three real nodes: one dies or is upgraded while people write and search.

Thousands of changes for each node that dies, in some ten minutes: CLUSTER_CHANGES=1700 python -m pytest tests/search/test_cluster.py
"""

import os
import socket
import time
import uuid

import pytest
from elasticsearch import Elasticsearch

import search
from marketplace.core import changelog
from search import engine, index
from search.backends import breaker, elastic, elastic_bodies
from search.backends.base import EngineUnavailableError
from search.documents import Query, Write
from tests.elasticsearch import cluster
from tests.elasticsearch.distribution import FORMER_VERSION, VERSION
from tests.factories import CompanyFactory

from .documents import listing
from .servers import SICKNESSES, Sick
from .test_index import publish
from .traffic import Traffic

pytestmark = pytest.mark.needs("elasticsearch")

#: Changes written before, and again after something happens.
CHANGES = int(os.environ.get("CLUSTER_CHANGES", "30"))


@pytest.fixture(scope="module")
def three(tmp_path_factory):
    """Three nodes, of the version before at first: the first test upgrades them."""
    with cluster.running(3, tmp_path_factory.mktemp("cluster"), version=FORMER_VERSION) as nodes:
        yield nodes


@pytest.fixture
def backend(three, settings, tmp_path, monkeypatch):
    """The cluster as the chosen engine, with the embedded one to stand in for it."""
    # A killed node refuses at once: what is measured is not how busy the machine is.
    monkeypatch.setattr(elastic, "SEARCH_SECONDS", 20)
    monkeypatch.setattr(elastic, "WRITE_SECONDS", 60)
    settings.EMBEDDED_INDEX_PATH = tmp_path / "index"
    settings.EMBEDDED_FALLBACK = True
    settings.SEARCH_INDEX_PREFIX = f"test-{uuid.uuid4().hex[:12]}"
    settings.ELASTICSEARCH_URL = three.urls
    chosen = engine.backends()[0]
    yield chosen
    chosen.remove()


def catch_up() -> None:
    """Let the worker read the log to its end, and wait as it does when a server is away."""
    deadline = time.monotonic() + 60
    while any(changelog.lag(index.READERS[each.name]) for each in engine.backends()):
        assert time.monotonic() < deadline
        index.run_once()


def in_database() -> dict[str, int]:
    return {document.uid: document.version for source in index._sources() for batch in source.all() for document in batch}


def in_index(backend) -> dict[str, int]:
    return {entry.uid: entry.document_version for batch in backend.stored() for entry in batch if entry.is_live}


def in_each_copy(three, backend) -> list[dict[str, int]]:
    """What each node that holds the index has, asked of that node alone."""
    with Elasticsearch(three.urls.split(",")) as client:
        ids = {node["name"]: node_id for node_id, node in client.nodes.info(metric="http")["nodes"].items()}
        copies = []
        for shard in three.shards(backend._alias):
            hits = client.search(index=backend._alias, preference=f"_only_nodes:{ids[shard['node']]}", size=10_000, query={"term": {"live": True}})["hits"][
                "hits"
            ]
            copies.append({hit["_id"]: hit["_source"]["document_version"] for hit in hits})
        return copies


# --- Some node away ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def closed_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    return f"http://127.0.0.1:{port}"


def sick(kind: str) -> Sick:
    return Sick(SICKNESSES[kind])


def shared(elastic_backend, *urls: str) -> elastic.ElasticBackend:
    """The same index by way of these nodes."""
    return elastic.ElasticBackend(elastic.connect(",".join(urls)), elastic_backend._prefix)


@pytest.mark.parametrize("kind", ["closed", "503", "silent", "no HTTP"])
def test_what_one_node_leaves_undone_another_does(elastic_backend, elasticsearch_url, closed_port, monkeypatch, kind):
    monkeypatch.setattr(elastic, "SEARCH_SECONDS", 4)
    monkeypatch.setattr(elastic, "WRITE_SECONDS", 4)
    server = None if kind == "closed" else sick(kind)
    other = server.url if server else closed_port
    document = listing("Gel")
    for _ in range(4):  # Whichever of them the client begins with.
        backend = shared(elastic_backend, other, elasticsearch_url)
        backend.write([Write(document.uid, document.version, document)])
        assert backend.find(Query(text="gel")).total == 1
        assert backend.breaker.state == "closed"
    with pytest.raises(EngineUnavailableError):
        shared(elastic_backend, other).find(Query(text="gel"))
    if server:
        server.stop()


@pytest.mark.parametrize(("kind", "asked"), [("503", 2), ("silent", 2), ("429", 1)])
def test_nobody_is_asked_more_than_twice_and_soon_not_at_all(elastic_backend, monkeypatch, kind, asked):
    """What is overloaded (429) gets nothing twice."""
    monkeypatch.setattr(elastic, "SEARCH_SECONDS", 0.6)
    servers = [sick(kind) for _ in range(3)]
    backend = shared(elastic_backend, *(server.url for server in servers))
    counts = []
    for _ in range(4):
        before, began = sum(server.requests for server in servers), time.monotonic()
        with pytest.raises(EngineUnavailableError):
            backend.find(Query(text="gel"))
        assert time.monotonic() - began < 0.6 + 2  # room for a busy machine
        counts.append(sum(server.requests for server in servers) - before)
    assert counts == [asked] * breaker.FAILURES_TO_OPEN + [0, 0]
    for server in servers:
        server.stop()


# --- An upgrade, one node after the other ------------------------------------------------------------------------------------


def versions(three) -> set[str]:
    return {node["version"] for node in three.ask("/_nodes/http")["nodes"].values()}


@pytest.mark.django_db(transaction=True)
def test_a_rolling_upgrade_loses_nothing_and_costs_nobody_a_search(three, backend):
    """The steps of docs/operations.md. Comes first: the others may run on either version."""
    assert versions(three) == {FORMER_VERSION}
    company = CompanyFactory()
    begin(company)
    with Traffic(company) as traffic:
        for name in three.ports:
            three.allocate("primaries")
            three.stop(name)
            three.start(name, version=VERSION)
            three.wait(status=("yellow", "green"))
            three.allocate(None)
            three.wait()
            traffic.go_on_for(CHANGES // 3)
    catch_up()
    print("upgrade:", traffic.figures)
    assert traffic.errors == []
    assert in_each_copy(three, backend) == [in_database()] * 2
    assert in_index(backend) == in_database()
    assert traffic.share_degraded == 0
    assert versions(three) == {VERSION}


@pytest.mark.django_db(transaction=True)
def test_a_single_node_is_upgraded_and_gets_company(tmp_path, settings):
    """A small town's way (docker-compose.yml, then docker-compose.cluster.yml): no node but the first ever makes a cluster."""
    settings.EMBEDDED_INDEX_PATH = tmp_path / "index"
    settings.SEARCH_INDEX_PREFIX = f"test-{uuid.uuid4().hex[:12]}"
    with cluster.planned(3, tmp_path, version=FORMER_VERSION) as nodes:
        settings.ELASTICSEARCH_URL = nodes.url("node-1")
        company = CompanyFactory()
        nodes.start("node-1", alone=True)
        nodes.wait(nodes=1)
        begin(company)
        alone = engine.backends()[0]
        assert (in_index(alone), [shard["prirep"] for shard in nodes.shards(alone._alias)]) == (in_database(), ["p"])

        nodes.stop("node-1")
        publish("Gel, mentrestant", company=company)
        assert search.find(Query(text="gel")).degraded
        nodes.start("node-1", version=VERSION, alone=True)
        nodes.wait(nodes=1)
        catch_up()
        assert in_index(alone) == in_database()

        nodes.stop("node-1")
        for name in nodes.ports:
            nodes.start(name, version=VERSION, makes=False)
        nodes.wait()
        settings.ELASTICSEARCH_URL = nodes.urls
        publish("Gel per a tres", company=company)
        catch_up()
        assert in_each_copy(nodes, engine.backends()[0]) == [in_database()] * 2


# --- A node dies --------------------------------------------------------------------------------------------------------------


def begin(company) -> None:
    """An index with something in it."""
    for number in range(10):
        publish(f"Gel {number}", company=company)
    catch_up()


def without_copy(three, node: str, prefix: str) -> elastic.ElasticBackend:
    """The naive index: one copy, on that node."""
    backend = elastic.ElasticBackend(elastic.connect(three.urls), prefix)
    body = elastic_bodies.definition()
    body["settings"] |= {"auto_expand_replicas": "false", "number_of_replicas": 0, "routing.allocation.require._name": node}
    name = f"{prefix}-listings-{elastic_bodies.schema()}-naive"
    backend._client.indices.create(index=name, **body, aliases={f"{prefix}-listings": {}})
    backend.write([Write(each.uid, each.version, each) for each in (listing("Gel"), listing("Guants"))])
    assert backend.find(Query(text="gel")).total == 1
    return backend


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("role", ["primary", "master"])
def test_a_killed_node_loses_nothing_and_costs_nobody_a_search(three, backend, role):
    company = CompanyFactory()
    begin(company)
    with Traffic(company) as traffic:
        traffic.go_on_for(CHANGES)
        victim = three.holder(backend._alias) if role == "primary" else three.master()
        naive_index = without_copy(three, victim, f"naive-{uuid.uuid4().hex[:8]}")
        naive_client = elastic.ElasticBackend(elastic.connect(three.url(victim)), backend._prefix)
        assert naive_client.find(Query()).total
        three.kill(victim)
        traffic.go_on_for(CHANGES)
        for naive in (naive_client, naive_index):
            with pytest.raises(EngineUnavailableError):
                naive.find(Query(text="gel"))
        three.start(victim)
        three.wait()
        traffic.go_on_for(CHANGES)
    catch_up()
    print(f"{role}:", traffic.figures)
    assert traffic.errors == []
    assert in_index(backend) == in_database()
    three.wait()
    assert in_each_copy(three, backend) == [in_database()] * 2
    assert traffic.share_degraded == 0
    naive_index.remove()


@pytest.mark.django_db(transaction=True)
def test_a_node_that_dies_just_after_a_rebuild_takes_nothing_along(three, backend, settings):
    settings.EMBEDDED_FALLBACK = False
    begin(CompanyFactory())
    index.rebuild(backend)
    victim = three.holder(backend._alias)
    three.kill(victim)
    # Until the others have seen it, within a second or so, a search may need the stand-in, which is left out here.
    three.wait(nodes=2, status=("yellow", "green"))
    assert search.find(Query(text="gel")).total == 10
    assert in_index(backend) == in_database()

    # An index whose only copy died comes back by a rebuild, without that node.
    alone = next(name for name in three.ports if name != victim)
    [name] = backend._client.indices.get_alias(name=backend._alias)
    backend._client.indices.delete(index=name)
    without_copy(three, alone, backend._prefix)
    three.start(victim)
    three.wait()
    three.kill(alone)
    three.wait(nodes=2, status=("red",))
    with pytest.raises(search.SearchUnavailable):
        search.find(Query(text="gel"))
    index.rebuild(backend)
    assert search.find(Query(text="gel")).total == 10
    assert in_index(backend) == in_database()
    three.start(alone)
    three.wait()
