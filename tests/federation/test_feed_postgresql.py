"""The feed where writers overlap: nothing is missed all the way from a listing's change to a partner's reader."""

import json
import random
import threading
import time
import uuid

import pytest
from django.db import connection, transaction
from django.utils import timezone

from marketplace.core import changelog, transactions
from marketplace.core.models import Change
from marketplace.federation import export
from marketplace.federation.models import FeedEntry
from marketplace.listings.models import Listing
from tests.factories import CompanyFactory, ListingFactory
from tests.federation import feeding

pytestmark = [pytest.mark.postgresql, pytest.mark.django_db(transaction=True)]

WRITERS, TRANSACTIONS, ROWS, RUNS = 6, 139, 6, 5


@pytest.fixture
def reader():
    return feeding.partner()


def live(**fields) -> Listing:
    listing = ListingFactory(live=True, **fields)
    with transaction.atomic():
        changelog.append("listing", listing.uid)
    return listing


def uri(listing) -> str:
    return f"http://testserver/id/listing/{listing.uid}"


def in_thread(work, *arguments) -> threading.Thread:
    def run():
        try:
            work(*arguments)
        finally:
            connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    return thread


def write(company, seed: int) -> None:
    """Some transactions of some rows, a third of them changes of earlier ones; each takes its time to commit."""
    chance, mine = random.Random(seed), []  # noqa: S311 - no secret
    for number in range(TRANSACTIONS):
        with transaction.atomic():
            rows = [ListingFactory.build(live=True, company=company, title=f"Anunci {seed}-{number}-{place}") for place in range(ROWS)]
            time.sleep(chance.random() * 0.01)
            Listing.objects.bulk_create(rows)
            changelog.append_many("listing", [row.uid for row in rows])
            if mine and number % 3 == 0:
                old = chance.choice(mine)
                Listing.objects.filter(pk=old.pk).update(title=f"Canviat {seed}-{number}", modified=timezone.now())
                changelog.append("listing", old.uid)
            time.sleep(chance.random() * 0.02)
        mine += rows


@pytest.mark.parametrize("run", range(RUNS))
def test_reader_misses_nothing_of_six_writers(reader, run):
    """About 5,000 rows a run. A reader that goes by serial ids looks on, and misses some."""
    company = CompanyFactory()
    writers = [in_thread(write, company, 100 * run + number) for number in range(WRITERS)]
    is_over = threading.Event()

    def work():
        while not is_over.is_set() or changelog.lag(export.READER):
            if not export.run_once():
                time.sleep(0.01)

    worker = in_thread(work)
    titles, naive_cursor, naive_seen = {}, 0, set()
    while any(writer.is_alive() for writer in writers) or worker.is_alive():
        news = list(Change.objects.filter(id__gt=naive_cursor).order_by("id").values_list("id", "uid"))
        naive_seen.update(uid for _pk, uid in news)
        naive_cursor = news[-1][0] if news else naive_cursor
        titles |= {item["uri"]: item["listing"]["name"] for item in reader.read(limit=100)}
        if not any(writer.is_alive() for writer in writers):
            is_over.set()
    titles |= {item["uri"]: item["listing"]["name"] for item in reader.read()}

    written = {uri(listing): listing.title for listing in Listing.objects.all()}
    assert len(written) == WRITERS * TRANSACTIONS * ROWS
    assert titles == written
    assert reader.state == {entry.uri: entry.digest for entry in FeedEntry.objects.all()}
    assert len(naive_seen) < len(written), "the naive cursor should have missed some"


def test_page_never_passes_an_entry_that_commits_late(reader):
    """Were there a second way to write entries one day, readers would still miss none of it."""
    is_written, may_commit = threading.Event(), threading.Event()

    def slow():
        with transaction.atomic():
            FeedEntry.objects.bulk_create([entry("slow")])
            is_written.set()
            may_commit.wait(20)

    def entry(name):
        made = FeedEntry(transaction=transactions.own(), uid=uuid.uuid4(), uri=name, op="upsert", version=1, updated_at=timezone.now())
        made.text = json.dumps({"op": "upsert", "uri": name, "digest": ""})
        return made

    writer = in_thread(slow)
    is_written.wait(20)
    with transaction.atomic():
        FeedEntry.objects.bulk_create([entry("quick")])
    assert list(FeedEntry.objects.values_list("uri", flat=True)) == ["quick"], "what a serial cursor would go behind"
    assert reader.read() == []
    as_of = reader.snapshot()[0]["as_of"]
    may_commit.set()
    writer.join()
    reader.cursor = as_of
    assert [item["uri"] for item in reader.read()] == ["slow", "quick"]


def test_two_workers_write_an_entry_once_and_the_newest_last():
    """The lease of the first ran out while it was at work."""
    listing = live()
    export.run_once()
    threads = []
    for title in ("El segon títol", "El tercer títol"):
        Listing.objects.filter(pk=listing.pk).update(title=title)
        threads += [in_thread(export.export, [listing.uid]) for _ in range(4)]
    for thread in threads:
        thread.join()
    assert json.loads(FeedEntry.objects.get().text)["listing"]["name"] == "El tercer títol"


def expired(reader) -> str:
    response = reader.get(feeding.URLS["changes"], cursor=reader.cursor)
    assert response.status_code == 410, response.content
    return response.json()["detail"]


def test_log_that_was_restored_into_another_cluster_is_served_again(reader):
    """There the transactions were in the billions: nobody would see an entry before this server has come so far."""
    listing = live()
    feeding.follow()
    reader.read()
    FeedEntry.objects.update(transaction=5_000_000_000)
    fresh = feeding.partner(2)
    assert fresh.read() == [], "what would happen"
    other = live()
    feeding.follow()
    assert "database was restored" in expired(fresh)
    assert "database was restored" in expired(reader)
    assert {item["uri"] for item in feeding.partner(3).read()} == {uri(listing), uri(other)}


def test_page_begins_at_its_place_however_much_is_before_it():
    """With "greater, or the same and …" the server walks through all that is before; at the end of 100,000 rows that took a hundred times as long."""
    with connection.cursor() as cursor:
        cursor.execute("SET enable_seqscan = off")
    try:
        plan = FeedEntry.objects.after((5, 7)).in_order()[:10].explain()
    finally:
        with connection.cursor() as cursor:
            cursor.execute("RESET enable_seqscan")
    assert "Index Cond: (ROW(" in plan
