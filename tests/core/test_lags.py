"""How far readers are behind, and what keeps them there."""

import datetime
import threading
import uuid

import pytest
from django.db import connection, transaction
from django.utils import timezone

from marketplace.core import changelog, lags, transactions
from marketplace.core.models import Change, Reader


def log(*ages: int) -> None:
    """Changes that were written so many seconds ago, the oldest first."""
    for age in ages:
        with transaction.atomic():
            change = changelog.append("listing", uuid.uuid4())
        Change.objects.filter(pk=change.pk).update(created=timezone.now() - datetime.timedelta(seconds=age))


def read(name: str, count: int) -> None:
    changelog.consume(name, lambda _changes: None, limit=count)


def told() -> dict[str, tuple[int, int]]:
    return {lag.reader: (lag.changes, round(lag.seconds)) for lag in lags.lags()}


@pytest.mark.django_db
def test_lag_counts_what_a_reader_has_still_to_see_and_how_long_the_oldest_of_it_waits():
    log(500, 400, 300)
    read("first", 1)
    read("second", 3)
    assert told() == {"first": (2, 400), "second": (0, 0)}
    assert round(lags.oldest_seconds()) == 400
    assert lags.oldest_seconds(without={"first"}) == 0


@pytest.mark.django_db
def test_stuck_reader_grows_old_though_nothing_new_is_written():
    """A figure of changes alone stays at 1 for a week."""
    log(30)
    Reader.objects.create(name="index")
    assert told() == {"index": (1, 30)}
    Change.objects.update(created=timezone.now() - datetime.timedelta(days=7))
    assert told() == {"index": (1, 7 * 86_400)}


@pytest.mark.django_db
def test_changes_are_counted_up_to_a_limit_and_the_age_is_told_all_the_same(monkeypatch):
    monkeypatch.setattr(lags, "MOST_COUNTED", 2)
    Reader.objects.create(name="index")
    log(500, 400, 300)
    assert told() == {"index": (2, 500)}


@pytest.mark.django_db
def test_lag_tells_who_holds_the_lease():
    log(1)
    changelog._take_lease("index", changelog.LEASE)
    [lag] = lags.lags()
    assert lag.held_by == Reader.objects.get().leased_by != ""
    assert lag.held_until > timezone.now()


@pytest.mark.django_db
def test_lags_ask_one_query_however_many_readers(django_assert_num_queries):
    log(1, 1)
    for count in (1, 3):
        for number in range(count):
            Reader.objects.get_or_create(name=f"reader {number}")
        with django_assert_num_queries(1):
            assert len(lags.lags()) == count


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_change_behind_an_open_transaction_is_told_to_be_held_back():
    """The naive figure says that the reader is slow; it is not, it may not read on."""
    begun, over = threading.Event(), threading.Event()

    def stay_open():
        try:
            with transaction.atomic():
                changelog.append("listing", uuid.uuid4())
                begun.set()
                over.wait(20)
        finally:
            connection.close()

    log(1)
    read("index", 10)
    thread = threading.Thread(target=stay_open)
    thread.start()
    try:
        assert begun.wait(10)
        log(60)
        assert changelog.consume("index", lambda _changes: None) == 0
        [lag] = lags.lags()
        assert (lag.changes, round(lag.seconds), lag.is_held_back) == (1, 60, True)
    finally:
        over.set()
        thread.join()
    assert [lag.is_held_back for lag in lags.lags()] == [False]
    read("index", 10)
    assert told() == {"index": (0, 0)}


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_what_waits_is_told_after_a_restore_into_another_cluster():
    """There the transactions were in the billions. Until the first worker makes the order anew, what is written here stands before every checkpoint."""
    log(500, 400)
    read("late", 1)
    read("index", 2)
    for number, change in enumerate(Change.objects.order_by("id")):
        Change.objects.filter(pk=change.pk).update(transaction=5_000_000_000 + number)
    Reader.objects.filter(name="late").update(transaction=5_000_000_000)
    Reader.objects.filter(name="index").update(transaction=5_000_000_001)
    log(300)

    naive = [Change.objects.filter(transactions.later_than(changelog.position(name))).count() for name in ("index", "late")]
    assert naive == [0, 1], "an operator would be told that all is well"
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint < 5000000000")
        assert cursor.fetchone() == (True,), "and that an open transaction holds the other one back"
    assert told() == {"index": (1, 300), "late": (2, 400)}
    assert [changelog.lag(name) for name in ("index", "late")] == [1, 2]
    assert [lag.is_held_back for lag in lags.lags()] == [False, False]
    assert round(lags.oldest_seconds()) == 400

    read("index", 10)
    read("late", 10)
    assert told() == {"index": (0, 0), "late": (0, 0)}
