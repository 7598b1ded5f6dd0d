"""Elasticsearch away, silent, overloaded or something else: saves succeed, searches go on, nothing is lost."""

import os
import socket
import time
import uuid

import pytest

import search
from marketplace.core import changelog
from search import engine, index
from search.backends import breaker
from search.documents import Query

from .documents import demand
from .servers import SICKNESSES, Proxy, Sick
from .test_index import found, publish, uids

pytestmark = pytest.mark.django_db


@pytest.fixture
def server_at(settings, tmp_path):
    """Choose the Elasticsearch at a URL, with the embedded engine to stand in for it."""
    settings.EMBEDDED_INDEX_PATH = tmp_path / "index"
    settings.EMBEDDED_FALLBACK = True
    settings.SEARCH_INDEX_PREFIX = f"test-{uuid.uuid4().hex[:12]}"

    def choose(url):
        settings.ELASTICSEARCH_URL = url

    return choose


@pytest.fixture
def closed_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    return f"http://127.0.0.1:{port}"


@pytest.fixture(params=SICKNESSES)
def sick(request):
    server = Sick(SICKNESSES[request.param])
    yield server
    server.stop()


def test_a_server_that_is_away_costs_no_save_and_no_search(server_at, closed_port):
    server_at(closed_port)
    gel = publish("Gel")
    assert index.run_once() == 1
    assert (changelog.lag("index"), changelog.lag("embedded")) == (1, 0)
    page = search.find(Query(text="gel"))
    assert ([hit.uid for hit in page.hits], page.degraded, page.engine) == ([str(gel.uid)], True, "embedded")
    assert [s.uid for s in search.suggest(demand("Necessitem gel"))] == [str(gel.uid)]


def test_a_sick_server_is_asked_briefly_and_then_left_alone(server_at, sick, monkeypatch):
    monkeypatch.setattr("search.backends.elastic.SEARCH_SECONDS", 0.3)
    monkeypatch.setattr("search.backends.elastic.WRITE_SECONDS", 0.3)
    server_at(sick.url)
    gel = publish("Gel")
    assert index.run_once() == 1
    assert changelog.lag("index") == 1
    for _ in range(breaker.FAILURES_TO_OPEN):
        assert search.find(Query(text="gel")).degraded
    asked, began = sick.requests, time.monotonic()
    pages = [search.find(Query(text="gel")) for _ in range(10)]
    assert time.monotonic() - began < 1
    assert sick.requests == asked
    assert {(page.degraded, page.hits[0].uid) for page in pages} == {(True, str(gel.uid))}


def test_without_a_stand_in_the_caller_is_told(server_at, closed_port, settings):
    server_at(closed_port)
    settings.EMBEDDED_FALLBACK = False
    publish("Gel")
    assert index.run_once() == 0
    with pytest.raises(search.SearchUnavailable):
        search.find(Query(text="gel"))
    with pytest.raises(search.SearchUnavailable):
        search.suggest(demand("Necessitem gel"))
    with pytest.raises(search.SearchUnavailable):
        search.why_not(demand("Gel", kind="offer"), demand("Gel"))


def test_a_stand_in_without_an_index_is_no_stand_in(server_at, closed_port):
    server_at(closed_port)
    with pytest.raises(search.SearchUnavailable):
        search.find(Query(text="gel"))


def test_the_index_catches_up_when_the_server_is_back(server_at, elasticsearch_url, monkeypatch):
    monkeypatch.setattr(breaker, "OPEN_SECONDS", 0.2)
    proxy = Proxy(elasticsearch_url)
    server_at(proxy.url)
    gel = publish("Gel")
    assert index.run_once() == 2  # each engine's reader
    assert not search.find(Query(text="gel")).degraded

    proxy.cut()
    guants = publish("Guants")
    assert index.run_once() == 1
    for _ in range(4):
        page = search.find(Query(text="guants"))
        assert ([hit.uid for hit in page.hits], page.degraded) == ([str(guants.uid)], True)

    proxy.mend()
    time.sleep(breaker.OPEN_SECONDS)
    assert index.run_once() == 1
    page = search.find(Query(text="guants"))
    assert ([hit.uid for hit in page.hits], page.degraded, page.engine) == ([str(guants.uid)], False, "elasticsearch")
    assert found() == uids(gel, guants)
    chosen = engine.backends()[0]
    assert not index.check(chosen)
    chosen.remove()
    proxy.cut()


def test_a_rebuild_on_a_server_that_goes_away_leaves_the_index_in_use(server_at, elasticsearch_url, monkeypatch):
    proxy = Proxy(elasticsearch_url)
    server_at(proxy.url)
    gel = publish("Gel")
    index.run_once()
    from marketplace.listings.documents import ListingSource  # noqa: PLC0415 - only this test

    load_all = ListingSource.all

    def cut_in_the_middle(self, batch=500):
        yield from load_all(self, batch)
        proxy.cut()
        yield from load_all(self, batch)

    monkeypatch.setattr(ListingSource, "all", cut_in_the_middle)
    chosen = engine.backends()[0]
    with pytest.raises(search.SearchUnavailable):
        index.rebuild(chosen)
    proxy.mend()
    assert index.run_once() == 0
    assert found() == uids(gel)
    chosen.remove()
    proxy.cut()


# --- The breaker ---------------------------------------------------------------------------------------------------------------


def test_breaker_opens_after_failures_in_a_row_and_lets_one_trial_through(monkeypatch):
    now = [100.0]
    monkeypatch.setattr(breaker.time, "monotonic", lambda: now[0])
    guard = breaker.Breaker()
    guard.failed()
    assert guard.allows()
    guard.succeeded()
    guard.failed()
    assert guard.allows()
    guard.failed()
    assert not guard.allows()
    now[0] += breaker.OPEN_SECONDS
    assert [guard.allows(), guard.allows()] == [True, False]
    guard.succeeded()
    assert guard.allows()


def test_breaker_tells_its_state_and_since_when(monkeypatch):
    now = [100.0]
    monkeypatch.setattr(breaker.time, "monotonic", lambda: now[0])
    guard = breaker.Breaker()
    began = guard.since
    seen = [guard.state]
    for _ in range(breaker.FAILURES_TO_OPEN):
        guard.failed()
        seen.append(guard.state)
    opened = guard.since
    now[0] += breaker.OPEN_SECONDS
    guard.allows()
    seen.append(guard.state)
    guard.failed()
    seen.append(guard.state)
    assert began < opened == guard.since
    guard.succeeded()
    assert [*seen, guard.state] == ["closed", "closed", "open", "trial", "open", "closed"]
    assert guard.since > opened


def test_breaker_holds_for_all_processes_of_a_machine(tmp_path, monkeypatch):
    now = [time.time()]
    monkeypatch.setattr(breaker.time, "monotonic", lambda: now[0])
    monkeypatch.setattr(breaker.time, "time", lambda: now[0])
    worker, web, other = (breaker.Breaker(tmp_path / "index" / "away") for _ in range(3))
    worker.failed()
    assert web.allows()
    worker.failed()
    assert (web.allows(), other.allows(), web.state) == (False, False, "open")
    now[0] += breaker.OPEN_SECONDS + 1
    assert other.allows()
    os.utime(tmp_path / "index" / "away", (now[0], now[0]))  # as the clock of the files would have it
    assert [worker.allows(), web.allows(), other.allows()] == [False] * 3, "one trial for all of them"
    other.succeeded()
    assert [worker.allows(), web.allows(), worker.state, web.state] == [True, True, "closed", "closed"]


def test_breaker_without_a_place_for_its_flag_is_each_process_own(tmp_path):
    (tmp_path / "file").touch()
    guard, other = (breaker.Breaker(tmp_path / "file" / "away") for _ in range(2))
    for _ in range(breaker.FAILURES_TO_OPEN):
        guard.failed()
    assert (guard.allows(), guard.state, other.allows()) == (False, "open", True)
