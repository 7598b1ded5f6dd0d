"""The index follows the change log and the database, whatever dies or writes meanwhile."""

import contextlib
import datetime
import itertools
import os
import signal
import subprocess
import sys
import threading
import uuid

import pytest
from django.conf import settings as django_settings
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.utils import timezone

import search
from marketplace.core import changelog
from marketplace.core.models import Reader
from marketplace.listings.enums import State
from marketplace.listings.models import Listing
from search import engine, index
from search.documents import Query, Write
from tests.factories import CompanyFactory, ListingFactory

pytestmark = pytest.mark.django_db


@pytest.fixture(params=["embedded", pytest.param("elasticsearch", marks=pytest.mark.needs("elasticsearch"))])
def backend(request, settings, tmp_path):
    """The chosen engine, alone, without an index yet."""
    settings.EMBEDDED_INDEX_PATH = tmp_path / "index"
    settings.EMBEDDED_FALLBACK = False
    settings.SEARCH_INDEX_PREFIX = f"test-{uuid.uuid4().hex[:12]}"
    if request.param == "elasticsearch":
        settings.ELASTICSEARCH_URL = request.getfixturevalue("elasticsearch_url")
    [chosen] = engine.backends()
    yield chosen
    chosen.remove()


@transaction.atomic
def publish(title="Gel hidroalcohòlic", **values) -> Listing:
    listing = ListingFactory(live=True, title=title, **values)
    changelog.append("listing", listing.uid)
    return listing


@transaction.atomic
def change(listing, **values) -> None:
    Listing.objects.select_for_update().filter(pk=listing.pk).update(**values)
    changelog.append("listing", listing.uid)


@transaction.atomic
def delete(listing) -> None:
    uid = listing.uid
    Listing.objects.filter(pk=listing.pk).delete()
    changelog.append("listing", uid, "delete")


def found(text="") -> set[str]:
    return {hit.uid for hit in search.find(Query(text=text, page_size=100)).hits}


def uids(*listings) -> set[str]:
    return {str(listing.uid) for listing in listings}


# --- Following ------------------------------------------------------------------------------------------------------------


def test_run_once_indexes_what_changed(backend):
    gel, guants = publish("Gel"), publish("Guants")
    assert index.run_once() == 2
    assert index.run_once() == 0
    assert (found("gel"), found("guants")) == (uids(gel), uids(guants))


def test_run_once_follows_changes_withdrawals_and_deletes(backend):
    changed, withdrawn, gone, stays = (publish(title) for title in ("Gel", "Guants", "Llibres", "Fusta"))
    index.run_once()
    change(changed, title="Mascaretes")
    change(withdrawn, state=State.WITHDRAWN)
    delete(gone)
    assert index.run_once() == 3
    assert found() == uids(changed, stays)
    assert (found("gel"), found("mascaretes")) == (set(), uids(changed))


def noted(writes, into):
    for write in writes:
        into.append(write)
        yield write


def test_ten_changes_of_one_listing_are_one_write(backend, monkeypatch):
    gel = publish("Gel")
    for number in range(9):
        change(gel, title=f"Gel {number}")
    written = []
    original = type(backend).write
    monkeypatch.setattr(type(backend), "write", lambda self, writes, **options: original(self, noted(writes, written), **options))
    assert index.run_once() == 10
    assert [write.uid for write in written] == [str(gel.uid)]
    assert found("gel 8") == uids(gel)


def test_a_late_write_after_a_delete_does_not_come_back(backend):
    gel = publish("Gel")
    source_document = index._sources()[0].load([str(gel.uid)])[str(gel.uid)]
    index.run_once()
    delete(gel)
    index.run_once()
    backend.write([Write(str(gel.uid), source_document.version, source_document)])
    assert found() == set()


def test_a_change_is_not_seen_before_its_commit_and_not_at_all_after_a_rollback(backend):
    index.run_once()
    with contextlib.suppress(ZeroDivisionError), transaction.atomic():
        publish("Gel")
        raise ZeroDivisionError
    assert index.run_once() == 0
    assert found() == set()


def test_an_index_that_got_lost_is_built_anew(backend):
    gel = publish("Gel")
    index.run_once()
    backend.remove()
    index.run_once()
    assert found() == uids(gel)


def test_reader_name_is_that_of_the_chosen_engine(backend):
    publish("Gel")
    index.run_once()
    assert changelog.lag(index.reader_name()) == 0
    assert index.reader_name() == {"embedded": "embedded", "elasticsearch": "index"}[backend.name]


# --- Crashes ----------------------------------------------------------------------------------------------------------------

DYING = """
import os, signal, django
django.setup()
from search import engine, index
from search.backends.embedded import EmbeddedBackend
write = EmbeddedBackend.write

def die(self, writes, **options):
    {before_death}
    os.kill(os.getpid(), signal.SIGKILL)

EmbeddedBackend.write = die
index.run_once()
"""

NAIVE = """
import os, signal, sys, django
django.setup()
from django.db import transaction
from marketplace.listings.models import Listing

with transaction.atomic():
    Listing.objects.filter(title="Gel").update(state="published")
# Here a request that writes the index itself, as many do, gets killed.
os.kill(os.getpid(), signal.SIGKILL)
"""


def run_and_see_die(program: str) -> None:
    """Run `program` in a process of its own on this test's database and index."""
    database = connection.settings_dict
    url = f"sqlite:///{database['NAME']}"
    if connection.vendor == "postgresql":
        url = f"postgres://{database['USER']}:{database['PASSWORD']}@{database['HOST']}:{database['PORT']}/{database['NAME']}"
    environment = os.environ | {
        "DJANGO_SETTINGS_MODULE": "marketplace.settings",
        "DATABASE_URL": url,
        "EMBEDDED_INDEX_PATH": str(django_settings.EMBEDDED_INDEX_PATH),
        "ELASTICSEARCH_URL": "",
    }
    done = subprocess.run(
        [sys.executable, "-c", program], env=environment, cwd=django_settings.BASE_DIR, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == -signal.SIGKILL, done.stderr


@pytest.fixture
def embedded(settings, tmp_path):
    settings.EMBEDDED_INDEX_PATH = tmp_path / "index"
    [chosen] = engine.backends()
    return chosen


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("before_death", ["pass", "write(self, writes, **options)"], ids=["before the write", "before the checkpoint"])
def test_a_reader_killed_in_its_work_loses_nothing(embedded, before_death):
    index.run_once()
    gel = publish("Gel")
    run_and_see_die(DYING.format(before_death=before_death))
    assert changelog.lag("embedded") == 1
    Reader.objects.update(lease_until=timezone.now() - datetime.timedelta(seconds=1))  # as a minute later
    assert index.run_once() == 1
    assert found() == uids(gel)
    assert not index.check(embedded)


@pytest.mark.django_db(transaction=True)
def test_the_naive_way_of_indexing_in_the_request_loses_a_killed_one(embedded):
    gel = ListingFactory(title="Gel")
    index.run_once()
    run_and_see_die(NAIVE)
    assert index.run_once() == 0
    assert found() == set()
    assert index.check(embedded).missing == [str(gel.uid)]


# --- Rebuild -------------------------------------------------------------------------------------------------------------------


def test_rebuild_purges_tombstones_and_keeps_the_rest(backend):
    gel, gone = publish("Gel"), publish("Guants")
    index.run_once()
    delete(gone)
    index.run_once()
    assert len([entry for batch in backend.stored() for entry in batch]) == 2
    assert index.rebuild(backend) == 1
    # What the reader has already handled is not replayed.
    assert [(entry.uid, entry.is_live) for batch in backend.stored() for entry in batch] == [(str(gel.uid), True)]
    assert found() == uids(gel)


def test_a_rebuild_that_fails_leaves_the_index_in_use_alone(backend, monkeypatch):
    gel = publish("Gel")
    index.run_once()

    def fail(self, batch=500):
        raise ZeroDivisionError

    monkeypatch.setattr("marketplace.listings.documents.ListingSource.all", fail)
    with pytest.raises(ZeroDivisionError):
        index.rebuild(backend)
    assert found() == uids(gel)


@pytest.mark.django_db(transaction=True)
def test_rebuild_while_others_write_loses_nothing_and_searches_see_no_gap(backend):  # noqa: C901 - two threads in one story
    company = CompanyFactory()
    steady = [publish(f"Gel {number}", company=company) for number in range(20)]
    index.run_once()
    stop, rebuilt_twice, wrong, kept = threading.Event(), threading.Event(), [], []

    def write_and_follow():
        try:
            for number in itertools.count():
                if number >= 30 and rebuilt_twice.is_set():
                    break
                listing = publish(f"Fusta {number}", company=company)
                change(steady[number % 20], description=f"Ara {number}")
                index.run_once()
                if number % 2:
                    delete(listing)
                else:
                    kept.append(number)
        except Exception as error:  # noqa: BLE001 - told by the test
            wrong.append(error)
        finally:
            stop.set()
            connection.close()

    def look():
        try:
            while not stop.is_set():
                total = search.find(Query(text="gel")).total
                if total != len(steady):
                    wrong.append(total)
        finally:
            connection.close()  # A search looks for curators' words, so it has one.

    threads = [threading.Thread(target=write_and_follow), threading.Thread(target=look)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(2):
            index.rebuild(backend)
    finally:
        rebuilt_twice.set()
        for thread in threads:
            thread.join()
    index.run_once()
    assert wrong == []
    assert len(kept) >= 15
    assert not index.check(backend)
    assert len(found("gel")) == 20
    assert search.find(Query(text="fusta")).total == len(kept)


# --- Drift -----------------------------------------------------------------------------------------------------------------------


def make_drift(backend):
    """One listing the index lacks, one it holds though it is gone, one in an old version, one as it should be."""
    missing, extra, stale, good = (publish(title) for title in ("Gel", "Guants", "Llibres", "Fusta"))
    old = index._sources()[0].load([str(stale.uid)])[str(stale.uid)]
    change(stale, title="Llibretes")
    index.run_once()
    backend.write([Write(str(missing.uid), 10_000)])
    backend.write([Write(str(stale.uid), 10_001, old)])
    Listing.objects.filter(pk=extra.pk).delete()  # behind the change log's back
    return missing, extra, stale, good


def test_check_finds_and_repairs_what_is_missing_extra_or_stale(backend):
    missing, extra, stale, good = make_drift(backend)
    expected = index.Drift(missing=[str(missing.uid)], extra=[str(extra.uid)], stale=[str(stale.uid)])
    assert index.check(backend) == expected
    assert index.check(backend, repair=True) == expected
    assert index.check(backend) == index.Drift()
    assert found() == uids(missing, stale, good)
    assert found("llibretes") == uids(stale)


def test_check_does_not_take_waiting_changes_for_drift(backend):
    gone, gel = publish("Guants"), publish("Gel")
    index.run_once()
    change(gel, title="Mascaretes")
    delete(gone)
    publish("Fusta")
    assert not index.check(backend)


def test_check_index_command_says_what_differs_and_repairs_it(backend, capsys):
    missing, *_ = make_drift(backend)
    with pytest.raises(CommandError, match="--repair"):
        call_command("check_index", skip_checks=True)
    assert str(missing.uid) in capsys.readouterr().out
    call_command("check_index", "--repair", skip_checks=True)
    assert "Repaired." in capsys.readouterr().out
    call_command("check_index", skip_checks=True)
    assert f"{backend.name}: 0 missing" in capsys.readouterr().out


def test_rebuild_index_command_fills_the_index(backend, capsys):
    gel = publish("Gel")
    call_command("rebuild_index", skip_checks=True)
    assert capsys.readouterr().out == f"{backend.name}: 1 listings\n"
    assert found() == uids(gel)


def test_rebuild_index_command_names_an_engine_that_is_not_in_use(embedded):
    with pytest.raises(CommandError, match="ELASTICSEARCH_URL"):
        call_command("rebuild_index", "--engine", "elasticsearch", skip_checks=True)


def test_a_search_that_meets_the_index_while_it_changes_looks_again(db, tmp_path, monkeypatch):
    """A writer removes the files of an older commit between a reader's two steps; a search that gave up then would be told there is no index."""
    from search.backends import embedded  # noqa: PLC0415 - for this test alone

    opened = []

    class Index:
        @staticmethod
        def open(path):
            opened.append(path)
            if len(opened) == 1:
                raise ValueError("FileDoesNotExist")
            return real(path)

    real = embedded.tantivy.Index.open
    embedded.EmbeddedBackend(tmp_path).create()
    monkeypatch.setattr(embedded.tantivy, "Index", Index)
    assert embedded.EmbeddedBackend(tmp_path).find(search.Query()).total == 0
    assert len(opened) == 2
