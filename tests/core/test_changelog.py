"""The change log: order, leases, checkpoints. What only several writers at once can break runs on PostgreSQL."""

import random
import threading
import time
import uuid
from datetime import timedelta

import pytest
import time_machine
from django.db import connection, transaction
from django.utils import timezone

from marketplace.core import changelog
from marketplace.core.models import Change, Reader

#: Most tests read what they wrote themselves, so each write has to be committed: `pg_snapshot_xmin` hides the rest.
pytestmark = pytest.mark.django_db(transaction=True)


def append(*, operation: str = "upsert") -> uuid.UUID:
    uid = uuid.uuid4()
    with transaction.atomic():
        changelog.append("listing", uid, operation)
    return uid


def consumed(name: str = "reader", **options) -> list[uuid.UUID]:
    seen = []
    changelog.consume(name, lambda changes: seen.extend(change.uid for change in changes), **options)
    return seen


def in_thread(work):
    """Run `work` on a connection of its own; returns the started thread."""

    def run():
        try:
            work()
        finally:
            connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    return thread


# --- Appending ----------------------------------------------------------------------------------------------------------


def test_append_outside_a_transaction_is_refused():
    with pytest.raises(changelog.NotInTransactionError):
        changelog.append("listing", uuid.uuid4())
    assert Change.objects.count() == 0


def test_append_goes_away_with_its_transaction():
    with transaction.atomic():
        changelog.append("listing", uuid.uuid4())
        transaction.set_rollback(True)
    assert consumed() == []


# --- Reading ------------------------------------------------------------------------------------------------------------


def test_consume_hands_over_each_change_once_in_order():
    first, second, third = append(), append(operation="delete"), append()
    assert consumed(limit=2) == [first, second]
    assert consumed(limit=2) == [third]
    assert consumed(limit=2) == []


def test_consume_keeps_the_checkpoint_when_the_handler_fails():
    uids = [append(), append()]

    def fail(changes):
        message = "the search server is away"
        raise OSError(message)

    with pytest.raises(OSError, match="away"):
        changelog.consume("reader", fail)
    assert changelog.position("reader") == (0, 0)
    assert consumed() == uids, "and the lease is free again"


def test_consume_readers_do_not_disturb_each_other():
    uids = [append(), append()]
    assert consumed("one") == uids
    assert consumed("two") == uids


def test_consume_behind_never_passes_the_other_reader():
    first, second = append(), append()
    assert consumed("follower", behind="index") == [], "the index has not started"
    assert consumed("index", limit=1) == [first]
    assert consumed("follower", behind="index") == [first]
    assert consumed("index") == [second]
    assert consumed("follower", behind="index") == [second]


def test_reader_at_the_end_of_the_log_costs_no_write(django_assert_num_queries):
    with transaction.atomic():
        changelog.append("x", uuid.uuid4())
    assert changelog.consume("r", list) == 1
    with django_assert_num_queries(3) as asked:
        assert changelog.consume("r", list) == 0
    assert not any("UPDATE" in query["sql"] or "INSERT" in query["sql"] for query in asked.captured_queries)


def test_change_with_a_lower_number_that_committed_late_is_not_taken_for_read():
    """On PostgreSQL the order is that of transactions: the highest number may be read and another change not."""
    Change.objects.create(id=5, kind="x", uid=uuid.uuid4(), transaction=10)
    Reader.objects.create(name="r", transaction=10, change_id=5)
    assert changelog._has_read_all("r")
    Change.objects.create(id=4, kind="x", uid=uuid.uuid4(), transaction=11)
    assert not changelog._has_read_all("r")


def test_lag_counts_what_is_left():
    append(), append(), append()
    assert changelog.lag("reader") == 3
    consumed(limit=2)
    assert changelog.lag("reader") == 1


# --- Leases -------------------------------------------------------------------------------------------------------------


def test_consume_leaves_a_reader_alone_that_somebody_holds():
    append()
    inner = []
    changelog.consume("reader", lambda _: inner.append(consumed()))
    assert inner == [[]]
    assert changelog.lag("reader") == 0


def test_consume_takes_over_an_expired_lease_and_the_late_one_moves_nothing():
    """The slow reader loses its lease in the middle of a batch: the other one reads the same and more, and its checkpoint counts."""
    first = append()
    taken_over = []

    def slow(changes):
        append()
        with time_machine.travel(timezone.now() + changelog.LEASE + timedelta(seconds=1), tick=True):
            taken_over.extend(consumed())

    changelog.consume("reader", slow)
    assert taken_over[0] == first
    assert len(taken_over) == 2
    assert changelog.lag("reader") == 0, "the slow one would have put it back to 1"
    assert Reader.objects.get(name="reader").lease_until is None


def test_consume_by_threads_of_one_process_reads_nothing_twice():
    uids = [append() for _ in range(40)]
    seen, lock = [], threading.Lock()

    def handle(changes):
        time.sleep(0.002)
        with lock:
            seen.extend(change.uid for change in changes)

    def work():
        while changelog.lag("reader"):
            changelog.consume("reader", handle, limit=3)

    for thread in [in_thread(work) for _ in range(4)]:
        thread.join()
    assert seen == uids


# --- A log from another database ----------------------------------------------------------------------------------------


def test_consume_goes_on_after_a_restore_into_another_database():
    """There the transaction ids were in the billions: nothing new would ever be read, and nothing would say so."""
    old = [append() for _ in range(4)]
    assert consumed(limit=2) == old[:2]
    for number, change in enumerate(Change.objects.order_by("id")):
        Change.objects.filter(pk=change.pk).update(transaction=5_000_000_000 + number)
    Reader.objects.update(transaction=5_000_000_001)
    new = append()
    assert changelog.read(changelog.position("reader"))[-1:] != [Change.objects.get(uid=new)], "what would happen"
    assert consumed() == [*old[2:], new]
    assert consumed() == []
    newest = append()
    assert consumed() == [newest]


# --- Commits that come late ---------------------------------------------------------------------------------------------


def naive(after: int) -> list[Change]:
    """The cursor everybody writes first: the serial id alone."""
    return list(Change.objects.filter(id__gt=after).order_by("id"))


@pytest.mark.postgresql
def test_read_waits_for_a_transaction_that_commits_late():
    early_is_written, late_may_commit = threading.Event(), threading.Event()

    def slow_writer():
        with transaction.atomic():
            changelog.append("listing", uuid.UUID(int=1))
            early_is_written.set()
            late_may_commit.wait(10)

    writer = in_thread(slow_writer)
    early_is_written.wait(10)
    with transaction.atomic():
        changelog.append("listing", uuid.UUID(int=2))

    naive_seen = [change.uid.int for change in naive(0)]
    naive_cursor = Change.objects.order_by("id").last().id
    assert consumed() == [], "an older transaction is open still"

    late_may_commit.set()
    writer.join()
    naive_seen += [change.uid.int for change in naive(naive_cursor)]
    assert naive_seen == [2], "the naive cursor has lost 1 for ever"
    assert [uid.int for uid in consumed()] == [1, 2]


@pytest.mark.postgresql
def test_consume_under_many_writers_misses_nothing():
    """Six writers whose transactions overlap; the naive cursor reads beside ours and loses rows."""
    written, lock = set(), threading.Lock()

    def write(seed):
        order = random.Random(seed)  # noqa: S311 - no secret
        for _ in range(60):
            uids = [uuid.UUID(int=order.getrandbits(128)) for _ in range(3)]
            with transaction.atomic():
                for uid in uids:
                    changelog.append("listing", uid)
                    time.sleep(order.random() * 0.003)
            with lock:
                written.update(uids)

    writers = [in_thread(lambda seed=seed: write(seed)) for seed in range(6)]
    seen, naive_seen, cursor = [], set(), 0
    while any(writer.is_alive() for writer in writers) or changelog.lag("reader"):
        for change in naive(cursor):
            naive_seen.add(change.uid)
            cursor = change.id
        changelog.consume("reader", lambda changes: seen.extend(change.uid for change in changes), limit=50)
    for writer in writers:
        writer.join()
    assert len(written) == 6 * 60 * 3
    assert len(seen) == len(set(seen)), "nothing twice"
    assert set(seen) == written, "nothing lost"
    assert naive_seen < written, "the naive cursor should have lost some"
