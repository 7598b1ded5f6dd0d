"""Work on a whole index that somebody asked for: done once, taken over from the dead, told while it runs."""

import datetime

import pytest
from django.utils import timezone

from search import engine, index, upkeep
from search.backends.embedded import EmbeddedBackend
from search.enums import Work
from search.models import IndexBuild, IndexCheck, IndexRequest
from tests import processes
from tests.concurrency import at_once

from .test_index import found, make_drift, publish, uids

pytestmark = pytest.mark.django_db


@pytest.fixture
def embedded(settings, tmp_path):
    settings.EMBEDDED_INDEX_PATH = tmp_path / "index"
    [chosen] = engine.backends()
    return chosen


def test_rebuild_that_was_asked_for_is_done_and_told(embedded):
    gel = publish("Gel")
    index.run_once()
    request = upkeep.ask("embedded", Work.REBUILD)
    assert upkeep.run_once() == 1
    request.refresh_from_db()
    assert (request.documents, request.error, request.attempts, request.lease_until) == (1, "", 1, None)
    assert request.started < request.finished
    assert IndexBuild.objects.get().documents == 1
    assert found() == uids(gel)
    assert upkeep.run_once() == 0


def test_comparison_finds_and_leaves_what_a_repair_mends(embedded):
    make_drift(embedded)
    upkeep.ask("embedded", Work.COMPARE)
    assert upkeep.run_once() == 1
    last = IndexCheck.objects.first()
    assert (last.missing, last.extra, last.stale, last.repaired) == (1, 1, 1, False)
    assert index.check(embedded)
    upkeep.ask("embedded", Work.REPAIR)
    assert upkeep.run_once() == 1
    assert not index.check(embedded)


def test_asked_twice_is_done_once(embedded):
    assert upkeep.ask("embedded", Work.COMPARE) == upkeep.ask("embedded", Work.COMPARE)
    assert upkeep.run_once() == 1
    assert upkeep.run_once() == 0
    assert upkeep.ask("embedded", Work.COMPARE).finished is None


def test_day_asks_for_one_comparison(embedded):
    assert upkeep.ask_daily() == 1
    assert upkeep.ask_daily() == 0
    index.run_once()
    assert upkeep.run_once() == 1
    assert upkeep.ask_daily() == 0
    IndexRequest.objects.update(asked=timezone.now() - datetime.timedelta(days=1))
    IndexCheck.objects.update(started=timezone.now() - datetime.timedelta(days=1))
    assert upkeep.ask_daily() == 1


def test_day_forgets_what_was_done_long_ago(embedded):
    long_ago = timezone.now() - datetime.timedelta(days=100)
    IndexRequest.objects.create(engine="embedded", work=Work.COMPARE, asked=long_ago, finished=long_ago)
    IndexBuild.objects.create(engine="embedded", started=long_ago, finished=long_ago, lease_until=long_ago)
    upkeep.ask_daily()
    assert (IndexRequest.objects.filter(finished__isnull=False).count(), IndexBuild.objects.count()) == (0, 0)


def test_engine_that_is_away_is_tried_again_and_given_up_in_the_end(embedded, settings):
    settings.ELASTICSEARCH_URL = "http://127.0.0.1:9"
    upkeep.ask("elasticsearch", Work.COMPARE)
    for attempt in range(1, upkeep.MOST_ATTEMPTS + 1):
        assert upkeep.run_once() == 1
        request = IndexRequest.objects.get()
        assert (request.attempts, bool(request.error)) == (attempt, True)
        assert upkeep.run_once() == 0, "it rests"
        IndexRequest.objects.filter(finished=None).update(lease_until=timezone.now())
    assert request.finished
    assert not IndexCheck.objects.exists()


def test_engine_that_is_not_in_use_any_more_is_no_reason_to_stop(embedded):
    upkeep.ask("elasticsearch", Work.REBUILD)
    upkeep.ask("embedded", Work.COMPARE)
    index.run_once()
    assert [upkeep.run_once() for _ in range(3)] == [1, 1, 0]
    assert IndexCheck.objects.filter(engine="embedded").count() == 1


def test_rebuild_waits_for_another_one_without_an_attempt(embedded):
    now = timezone.now()
    IndexBuild.objects.create(engine="embedded", started=now, lease_until=now + datetime.timedelta(minutes=1))
    upkeep.ask("embedded", Work.REBUILD)
    upkeep.run_once()
    request = IndexRequest.objects.get()
    assert (request.finished, request.attempts) == (None, 0)
    assert request.error


def test_progress_is_seen_while_it_runs(embedded, monkeypatch):
    monkeypatch.setattr(upkeep, "SAY_EVERY", 0.0)
    monkeypatch.setattr(index, "BATCH", 1)
    monkeypatch.setattr(index, "PART", 1)
    for title in ("Gel", "Guants", "Fusta"):
        publish(title)
    index.run_once()
    index.run_once()
    seen = []
    write = EmbeddedBackend.write

    def look(self, writes, **options):
        seen.append(IndexRequest.objects.values_list("documents", flat=True).get())
        return write(self, writes, **options)

    monkeypatch.setattr(EmbeddedBackend, "write", look)
    upkeep.ask("embedded", Work.REBUILD)
    upkeep.run_once()
    assert seen == [0, 1, 2]


DYING = """
import os, signal
from search import upkeep
from search.backends.embedded import EmbeddedBackend
def die(self, *arguments, **options):
    os.kill(os.getpid(), signal.SIGKILL)
EmbeddedBackend.write = die
upkeep.run_once()
"""


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("smtp")
def test_request_of_a_killed_worker_is_taken_over_when_its_lease_is_out(embedded):
    gel = publish("Gel")
    index.run_once()
    upkeep.ask("embedded", Work.REBUILD)
    processes.run(DYING, is_killed=True)
    assert IndexRequest.objects.get().is_running
    assert upkeep.run_once() == 0, "its lease has not run out"
    past = timezone.now() - datetime.timedelta(seconds=1)
    IndexRequest.objects.update(lease_until=past)
    IndexBuild.objects.update(lease_until=past)
    assert upkeep.run_once() == 1
    request = IndexRequest.objects.get()
    assert (request.attempts, bool(request.finished), request.error) == (2, True, "")
    assert found() == uids(gel)


@pytest.mark.django_db(transaction=True)
def test_two_workers_do_it_once(embedded):
    publish("Gel")
    index.run_once()
    upkeep.ask("embedded", Work.REBUILD)
    results = at_once(*[upkeep.run_once] * 4)
    assert sorted(results) == [0, 0, 0, 1]
    assert IndexBuild.objects.count() == 1
