"""Rebuilds while others write, search and kill; each way of doing it that looks simpler is run too, and seen to fail.

At full size, as told in the project's goals (20 rebuilds of 100,000 listings with 1,000 writes meanwhile, 3 of them killed):

    REBUILD_LISTINGS=100000 REBUILD_ROUNDS=20 REBUILD_WRITES=1000 REBUILD_BATCH=10000 python -m tests.postgresql -- \
        python -m pytest -m postgresql tests/search/test_rebuild_postgresql.py -k many_rebuilds -q -s
"""

# ruff: noqa: F811, S311 - fixtures by import; chance decides what is written, and where a rebuild dies

import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from datetime import timedelta

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.utils import timezone

import search
from marketplace.core import changelog
from marketplace.core.models import Change, Reader
from marketplace.listings.documents import ListingSource
from marketplace.listings.models import Listing
from search import builds, engine, index
from search.backends import embedded_clauses
from search.backends.base import EngineUnavailableError
from search.documents import Query, Write
from search.models import IndexBuild, IndexCheck
from tests import processes
from tests.factories import CompanyFactory, ListingFactory

from .test_index import backend, change, delete, embedded, found, publish, uids  # noqa: F401 - two are fixtures

LISTINGS = int(os.environ.get("REBUILD_LISTINGS", "120"))
ROUNDS = int(os.environ.get("REBUILD_ROUNDS", "4"))
#: Writes in each rebuild at least.
WRITES = int(os.environ.get("REBUILD_WRITES", "20"))
BATCH = int(os.environ.get("REBUILD_BATCH", "20"))
#: Listings that every search has to find.
STEADY = 20

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def small_batches(monkeypatch):
    monkeypatch.setattr(index, "BATCH", BATCH)
    monkeypatch.setattr(index, "PART", min(index.PART, BATCH // 2))


def indices(backend) -> int:
    """How many indices there are, searched or not."""
    if backend.name == "embedded":
        return sum(path.is_dir() for path in backend.path.iterdir())
    return len(backend._client.indices.get(index=f"{settings.SEARCH_INDEX_PREFIX}-listings-*"))


def as_if_later() -> None:
    """The leases of whoever was killed have run out: on the rebuild, and on the reader if it died while that had to rest."""
    IndexBuild.objects.filter(finished=None).update(lease_until=timezone.now())
    gone = Reader.objects.exclude(lease_until=None).exclude(leased_by__contains=f":{os.getpid()}:")
    gone.update(lease_until=timezone.now() - timedelta(seconds=1))


def fill(number: int) -> None:
    """So many listings more, with a change each."""
    company = CompanyFactory()
    for begin in range(0, number, 1000):
        made = [ListingFactory.build(live=True, company=company, title=f"Fusta, lot {begin + n}") for n in range(min(1000, number - begin))]
        with transaction.atomic():
            Listing.objects.bulk_create(made)
            changelog.append_bulk("listing", [listing.uid for listing in made])


# --- Programs of their own ------------------------------------------------------------------------------------------------

READING = """
import json, pathlib, time, search
from search.documents import Query
stop, expected, searches, bad = pathlib.Path({stop!r}), {expected!r}, 0, []
print("reading", flush=True)
while not stop.exists():
    try:
        page = search.find(Query(text="gel", page_size=100))
        if sorted(hit.uid for hit in page.hits) != expected:
            bad.append(len(page.hits))
    except search.SearchUnavailable as error:
        bad.append(str(error))
    searches += 1
    time.sleep(0.01)
print(json.dumps([searches, bad]))
"""

REBUILDING = """
from search import engine, index
from tests.search.test_rebuild import rebuild_when_free
index.BATCH, index.PART = {batch}, min(index.PART, {batch} // 2)
backend = engine.backends()[0]
kind, written = type(backend), 0
write, swap = kind.write, kind.swap
die = lambda: os.kill(os.getpid(), signal.SIGKILL)

def filling(self, writes, **options):
    global written
    written += 1
    return die() if written > {after} else write(self, writes, **options)

def before(self, staged):
    die()

def after(self, staged):
    swap(self, staged)
    die()

{hook}
rebuild_when_free(backend)
"""
#: Where a rebuild dies.
DEATHS = {"while filling": "kind.write = filling", "before the swap": "kind.swap = before", "after the swap": "kind.swap = after"}


def start(program: str) -> subprocess.Popen:
    """A process on this test's database and engine."""
    env = processes.environment(
        ELASTICSEARCH_URL=settings.ELASTICSEARCH_URL,
        SEARCH_INDEX_PREFIX=settings.SEARCH_INDEX_PREFIX,
        EMBEDDED_FALLBACK="false",
        SEMANTIC_ENCODER="",
        EMAIL_URL="dummymail://",
    )
    program = "import os, signal, django; django.setup()\n" + program
    return subprocess.Popen([sys.executable, "-c", program], env=env, cwd=settings.BASE_DIR, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def rebuild_when_free(backend) -> int:
    """A rebuild as soon as nobody else holds the lease; a worker does while it clears up what a killed one left."""
    end = time.monotonic() + 2 * builds.LEASE.total_seconds()
    while True:
        try:
            return index.rebuild(backend)
        except builds.AlreadyRunningError:
            if time.monotonic() > end:
                raise
            time.sleep(0.05)


def rebuild_and_die(death: str, *, after: int = 1) -> None:
    """A rebuild in a process of its own that is killed there; `after` so many batches if it dies while filling."""
    process = start(REBUILDING.format(batch=index.BATCH, after=after, hook=DEATHS[death]))
    _, errors = process.communicate(timeout=1200)
    assert process.returncode == -signal.SIGKILL, errors


@contextlib.contextmanager
def reading(expected: set[str], folder):
    """A process that searches all the while; the list gets how often, and every bad answer."""
    stop = folder / "stop"
    process, told = start(READING.format(stop=str(stop), expected=sorted(expected))), []
    try:
        assert process.stdout.readline() == "reading\n", process.communicate()[1]
        yield told
    finally:
        stop.touch()
        out, errors = process.communicate(timeout=120)
    told += json.loads(out) if process.returncode == 0 else [0, [errors]]


class Beside(threading.Thread):
    """Does something over and over until the block is over; an error of it is the test's."""

    def __init__(self, work, pause=0.0):
        super().__init__()
        self.work, self.pause, self.stop, self.times, self.error = work, pause, threading.Event(), 0, None

    def run(self):
        try:
            while not self.stop.wait(self.pause):
                self.work()
                self.times += 1
        except Exception as error:  # noqa: BLE001 - told by the test
            self.error = error
        finally:
            connection.close()

    def wait_for(self, times):
        """Until it has been done so many times more."""
        aim = self.times + times
        while self.times < aim and self.error is None:
            time.sleep(0.01)

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.stop.set()
        self.join()
        if self.error:
            raise self.error


class Writing:
    """New listings, changed ones and deleted ones in turn; what every search finds is changed too, but for the word."""

    def __init__(self, steady):
        self.steady, self.company, self.mine, self.number = steady, CompanyFactory(), [], 0

    def __call__(self):
        self.number += 1
        change(random.choice(self.steady), description=f"Ara {self.number}")
        match self.number % 3:
            case 0:
                self.mine.append(publish(f"Suro {self.number}", company=self.company))
            case 1 if self.mine:
                change(random.choice(self.mine), title=f"Suro nou {self.number}")
            case 2 if len(self.mine) > 5:
                delete(self.mine.pop(random.randrange(len(self.mine))))


# --- Many rebuilds ---------------------------------------------------------------------------------------------------------


def test_many_rebuilds_some_of_them_killed_cost_no_read_and_no_update(backend, tmp_path):
    steady = [publish(f"Gel {number}") for number in range(STEADY)]
    fill(LISTINGS - STEADY)
    while index.run_once():
        pass
    deaths = dict(zip(sorted(random.sample(range(ROUNDS), len(DEATHS))), DEATHS, strict=True))
    writing, begun = Writing(steady), time.monotonic()
    with reading(uids(*steady), tmp_path) as told, Beside(index.run_once, 0.01), Beside(writing, 0.02) as writer:
        for number in range(ROUNDS):
            if death := deaths.get(number):
                rebuild_and_die(death, after=random.randint(1, max(1, LISTINGS // BATCH - 1)))
                as_if_later()
            else:
                rebuild_when_free(backend)
            writer.wait_for(max(0, WRITES * (number + 1) - writer.times))
    while index.run_once():
        pass
    searches, bad = told
    print(f"\n{backend.name}: {ROUNDS} rebuilds of {LISTINGS} listings, {len(deaths)} killed, {writing.number} writes, {searches} searches, {len(bad)} bad, "
          f"{time.monotonic() - begun:.0f} s")  # fmt: skip
    assert bad == []
    assert searches > ROUNDS
    assert not index.check(backend)
    assert search.find(Query(text="suro")).total == len(writing.mine)
    assert indices(backend) == 1
    assert IndexBuild.objects.filter(error="").count() == ROUNDS - len(deaths)
    assert set(IndexBuild.objects.exclude(error="").values_list("error", flat=True)) == {builds.KILLED}


def bad_reads(steady, rebuild) -> list:
    """What a search beside it got instead of the steady listings."""
    bad = []

    def look():
        try:
            if (answer := found("gel")) != uids(*steady):
                bad.append(len(answer))
        except search.SearchUnavailable as error:
            bad.append(str(error))

    with Beside(look) as reader:
        reader.wait_for(1)
        rebuild(lambda: reader.wait_for(2))
    return bad


def documents():
    return [document for source in index._sources() for batch in source.all() for document in batch]


def in_place(backend):
    """As a nightly job that a peer had: all away, then one after the other."""

    def rebuild(pause):
        backend.write([Write(document.uid, document.version + 1) for document in documents()])
        pause()
        backend.write([Write(document.uid, document.version + 2, document) for document in documents()])

    return rebuild


def in_two_steps(backend):
    """The new index is whole, but there is a moment without any."""

    def rebuild(pause):
        staged = backend.stage()
        staged.write([Write(document.uid, document.version, document) for document in documents()])
        if backend.name == "embedded":
            (backend.path / "current").unlink()
        else:
            backend._client.indices.delete_alias(index="*", name=backend._alias)
        pause()
        backend.swap(staged)

    return rebuild


@pytest.mark.parametrize("naive", [in_place, in_two_steps])
def test_naive_rebuilds_are_seen_by_searches(backend, naive):
    steady = [publish(f"Gel {number}") for number in range(STEADY)]
    index.run_once()
    assert bad_reads(steady, naive(backend)) != []
    assert bad_reads(steady, lambda pause: (index.rebuild(backend, progress=lambda _: pause()), pause())) == []


def write_behind_the_fill(monkeypatch, then=lambda: None):
    """Something is written and followed right after every listing was read."""
    from marketplace.listings.documents import ListingSource  # noqa: PLC0415 - only here

    original, changed = ListingSource.all, []

    def all_and_then(self, batch=500):
        yield from original(self, batch)
        if not changed:
            changed.append(publish("Suro"))
            index.run_once()
            then()

    monkeypatch.setattr(ListingSource, "all", all_and_then)
    return changed


def test_a_rebuild_without_replay_loses_what_was_written_meanwhile_and_ours_does_not(backend, monkeypatch):
    gel = publish("Gel")
    index.run_once()
    with monkeypatch.context() as patch:
        changed = write_behind_the_fill(patch)
        staged = backend.stage()
        staged.write([Write(document.uid, document.version, document) for document in documents()])
        backend.swap(staged)
        assert index.run_once() == 0
        assert index.check(backend).missing == [str(changed[0].uid)]
    changed += write_behind_the_fill(monkeypatch)
    index.rebuild(backend)
    index.run_once()
    assert not index.check(backend)
    assert found() == uids(gel, changed[0]) | {str(uid) for uid in Listing.objects.filter(title="Suro").values_list("uid", flat=True)}


def test_what_the_reader_does_before_the_swap_is_lost_without_a_hold_when_the_rebuild_is_killed_behind_it(backend, monkeypatch):
    """The reader's checkpoint says that the change is in the index; it is in the old one."""
    publish("Gel")
    index.run_once()
    staged = backend.stage()
    staged.write([Write(document.uid, document.version, document) for document in documents()])
    late = publish("Suro")
    index.run_once()
    backend.swap(staged)  # Here a rebuild that wanted to look at the log once more gets killed.
    assert index.run_once() == 0
    assert index.check(backend).missing == [str(late.uid)]

    original, followed = type(backend).swap, []

    def swap(self, staged):
        followed.append(publish("Llana"))
        with contextlib.suppress(TimeoutError):
            followed.append(index.run_once())
        original(self, staged)

    monkeypatch.setattr(type(backend), "swap", swap)
    index.rebuild(backend)
    assert followed[1] == 0  # It had to wait,
    assert index.run_once() == 1  # and writes to the new index.
    assert not index.check(backend)


# --- One at a time, and nothing left ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("death", DEATHS)
def test_a_killed_rebuild_leaves_a_whole_index_and_a_worker_removes_the_other(embedded, death):
    listings = [publish(f"Gel {number}") for number in range(BATCH + 5)]
    index.run_once(), index.run_once()
    rebuild_and_die(death)
    late = publish("Gel nou")
    index.run_once()
    assert found("gel") >= uids(*listings)
    assert indices(embedded) == 2  # Its owner may be alive.
    as_if_later()
    index.run_once()
    assert (indices(embedded), found("gel")) == (1, uids(*listings, late))
    assert not index.check(embedded)
    [build] = IndexBuild.objects.all()
    assert (build.error, build.is_running, build.finished is None) == (builds.KILLED, False, False)


@pytest.mark.parametrize("is_told", [True, False], ids=["sees it", "meets its index gone"])
@pytest.mark.parametrize("way", ["ours", "naive"])
def test_a_rebuild_that_stood_still_leaves_the_index_of_the_next_one_alone(backend, monkeypatch, way, is_told):
    """The naive variant clears up after any fault. But what is unused then is what another rebuild makes."""
    steady = [publish(f"Gel {number}") for number in range(STEADY)]
    index.run_once()
    everything, others = ListingSource.all, []

    def late(self, batch):
        for documents in everything(self, batch):
            if not others:
                as_if_later()
                builds.end_killed(backend.name)
                backend.clear_up()
                others.append(backend.stage())
            yield documents

    monkeypatch.setattr(ListingSource, "all", late)
    if not is_told:
        monkeypatch.setattr(builds.Build, "verify", lambda _self: None)
    if way == "naive":
        monkeypatch.setattr(builds.Build, "holds_lease", lambda _self: True)
    with pytest.raises(builds.LeaseLostError if is_told and way == "ours" else EngineUnavailableError):
        index.rebuild(backend)
    assert others[0].exists() == (way == "ours")
    assert found("gel") == uids(*steady)
    others[0].remove()


@pytest.mark.parametrize("way", ["ours", "naive"])
def test_a_rebuild_that_stood_still_behind_the_swap_leaves_the_index_of_the_next_one_alone(backend, monkeypatch, way):
    steady = [publish(f"Gel {number}") for number in range(STEADY)]
    index.run_once()
    swap, others = type(backend).swap, []

    def late(self, staged):
        swap(self, staged)
        as_if_later()
        builds.end_killed(backend.name)
        others.append(backend.stage())

    monkeypatch.setattr(type(backend), "swap", late)
    if way == "naive":
        monkeypatch.setattr(builds.Build, "holds_lease", lambda _self: True)
    index.rebuild(backend)
    assert others[0].exists() == (way == "ours")
    assert found("gel") == uids(*steady)
    others[0].remove()


def test_a_second_rebuild_says_that_there_is_one(embedded, capsys):
    publish("Gel")
    index.run_once()
    with builds.building("embedded") as first:
        first.documents = 1
        with pytest.raises(builds.AlreadyRunningError, match="has been running since"):
            index.rebuild(embedded)
        with pytest.raises(CommandError, match="If it was killed, try again in"):
            call_command("rebuild_index", skip_checks=True)
        assert index.run_once() == 0
        assert indices(embedded) == 1
    assert index.rebuild(embedded) == 1
    assert list(IndexBuild.objects.values_list("documents", "error")) == [(1, ""), (1, "")]


def test_two_workers_that_miss_the_index_at_once_build_one(embedded, monkeypatch):
    gel = publish("Gel")
    index.run_once()
    embedded.remove()
    with builds.building("embedded"):
        assert index.run_once() == 0
        assert not embedded.exists()
    index.run_once()
    assert found() == uids(gel)


def test_a_rebuild_that_stood_still_gives_up_and_the_index_in_use_stays(embedded):
    gel = publish("Gel")
    index.run_once()
    with pytest.raises(builds.LeaseLostError):
        index.rebuild(embedded, progress=lambda _: as_if_later())
    assert found() == uids(gel)
    assert index.rebuild(embedded) == 1
    assert indices(embedded) == 1


def test_a_living_rebuild_keeps_its_lease(embedded, monkeypatch):
    monkeypatch.setattr(builds, "BEAT_SECONDS", 0.05)
    monkeypatch.setattr(builds, "LEASE", timedelta(seconds=3))
    publish("Gel")
    index.run_once()

    def wait_for_a_beat(_):
        before = IndexBuild.objects.get(finished=None).lease_until
        deadline = time.monotonic() + 20
        while IndexBuild.objects.get(finished=None).lease_until == before and time.monotonic() < deadline:
            time.sleep(0.02)
        assert IndexBuild.objects.get(finished=None).lease_until > before

    assert index.rebuild(embedded, progress=wait_for_a_beat) == 1


def test_a_rebuild_ends_under_steady_writes_and_one_that_waits_for_silence_does_not(embedded, monkeypatch):
    gel = publish("Gel")
    index.run_once()
    original = index.index_changes
    monkeypatch.setattr(index, "index_changes", lambda changes, **options: (change(gel, description="Ara"), original(changes, **options)))
    staged, place = embedded.stage(), (0, 0)
    for _ in range(30):
        changes = changelog.read(place)
        assert changes
        index.index_changes(changes, backend=staged)
        place = (changes[-1].transaction, changes[-1].id)
    assert index.rebuild(embedded) == 1
    monkeypatch.undo()
    index.run_once()
    assert not index.check(embedded)


def test_a_rebuild_does_not_replay_what_was_logged_before_it_and_the_reader_need_not_either(embedded, monkeypatch):
    publish("Gel")
    fill(3 * BATCH)
    index.rebuild(embedded)
    assert changelog.lag("embedded") == 0
    replayed = []
    monkeypatch.setattr(index, "index_changes", lambda changes, **_: replayed.extend(changes))
    index.rebuild(embedded)
    assert replayed == []


# --- Schemas ----------------------------------------------------------------------------------------------------------------------


def raise_schema(monkeypatch, backend):
    if backend.name == "embedded":
        monkeypatch.setattr(embedded_clauses, "_SCHEMA_VERSION", 1000)
    else:
        from search.backends import elastic_bodies  # noqa: PLC0415 - loads the client

        monkeypatch.setattr(elastic_bodies, "_SCHEMA_VERSION", 1000)


def test_an_index_of_an_older_schema_serves_until_the_worker_has_built_the_new_one(backend, monkeypatch):
    gel = publish("Gel")
    index.run_once()
    raise_schema(monkeypatch, backend)
    late = publish("Gel nou")
    assert not backend.exists()
    assert found("gel") == uids(gel)
    assert bad_reads([gel], lambda pause: pause()) == []
    index.run_once()
    assert backend.exists()
    assert (found("gel"), indices(backend)) == (uids(gel, late), 1)
    assert not index.check(backend)


def test_an_index_with_other_fields_is_not_read(embedded, monkeypatch):
    from search.backends import embedded as module  # noqa: PLC0415 - the name is the fixture's

    gel = publish("Gel")
    index.run_once()
    with monkeypatch.context() as patch:
        builder = module.tantivy.SchemaBuilder()
        builder.add_text_field("uid", fast=True, tokenizer_name="raw", index_option="basic")
        patch.setattr(module, "SCHEMA", builder.build())
        with pytest.raises(search.SearchUnavailable, match="another schema"):
            module.EmbeddedBackend(embedded.path).find(Query())
    assert found() == uids(gel)


def test_the_reader_does_not_write_to_an_index_that_another_release_put_there(embedded, monkeypatch):
    publish("Gel")
    index.run_once()
    publish("Suro")
    exists, asked = type(embedded).exists, []
    # There at the first look, of another schema at the second one, under the lease.
    monkeypatch.setattr(type(embedded), "exists", lambda self: not asked and (asked.append(1) or exists(self)))
    assert index.run_once() == 0
    assert changelog.lag("embedded") == 1


# --- Comparing --------------------------------------------------------------------------------------------------------------------


def test_check_compares_many_by_parts_and_names_only_so_many(embedded, monkeypatch):
    from search.backends import embedded as module  # noqa: PLC0415 - the name is the fixture's

    fill(60)
    while index.run_once():
        pass
    monkeypatch.setattr(module, "_PART", 7)
    monkeypatch.setattr(index, "SCAN", 9)
    assert not index.check(embedded)
    assert [entry.uid for batch in embedded.stored(4) for entry in batch] == sorted(str(uid) for uid in Listing.objects.values_list("uid", flat=True))
    monkeypatch.setattr(index, "MOST_NAMED", 10)
    entries = [entry for batch in embedded.stored() for entry in batch][:30]
    embedded.write([Write(entry.uid, entry.version + 1000) for entry in entries])
    drift = index.check(embedded, repair=True)
    assert (drift.counts["missing"], drift.missing) == (30, [entry.uid for entry in entries[:10]])
    assert not index.check(embedded)
    record = IndexCheck.objects.last()
    assert (record.engine, record.documents, record.missing, record.extra, record.stale, record.repaired) == ("embedded", 60, 0, 0, 0, False)
    assert IndexCheck.objects.filter(missing=30, repaired=True).count() == 1


def test_what_changes_while_it_is_compared_is_no_drift(embedded, monkeypatch):
    gel, gone = publish("Gel"), publish("Guants")
    index.run_once()
    original = type(embedded).stored

    def stored(self, batch=500):
        entries = list(original(self, batch))
        change(gel, title="Gel nou")
        delete(gone)
        publish("Suro")
        index.run_once()
        yield from entries

    monkeypatch.setattr(type(embedded), "stored", stored)
    assert not index.check(embedded)
    monkeypatch.undo()
    assert not index.check(embedded)


def test_check_refuses_an_index_of_an_older_schema(embedded, monkeypatch):
    publish("Gel")
    index.run_once()
    raise_schema(monkeypatch, embedded)
    with pytest.raises(search.SearchUnavailable, match="rebuild_index"):
        index.check(embedded)
    assert not IndexCheck.objects.exists()


def test_changes_of_a_log_that_was_restored_elsewhere_are_not_skipped(embedded):
    """On PostgreSQL transaction ids begin anew in another cluster; those of the log are then in the future."""
    gel = publish("Gel")
    index.run_once()
    if connection.vendor == "postgresql":
        Change.objects.update(transaction=10**12)
    change(gel, title="Suro")
    index.rebuild(embedded)
    change(gel, title="Llana")
    index.run_once()
    assert (found("llana"), found("suro")) == (uids(gel), set())
    assert engine.backends() == [embedded]
