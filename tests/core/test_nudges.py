"""Workers wake when work for them is committed, and hear what was committed while they were busy."""

import contextlib
import threading
import time
import uuid

import pytest
from django.db import connection, transaction

from marketplace.core import changelog, nudges

pytestmark = pytest.mark.django_db(transaction=True)
postgresql = pytest.mark.postgresql
PAUSE = 2.0


@transaction.atomic
def write(*, fails: bool = False) -> None:
    changelog.append("listing", uuid.uuid4())
    if fails:
        raise ZeroDivisionError


def waited(listening: nudges.Nudges, *, stop: threading.Event | None = None) -> float:
    began = time.monotonic()
    listening.wait(stop or threading.Event())
    return time.monotonic() - began


def later(call) -> threading.Thread:
    def run():
        time.sleep(0.2)
        try:
            with contextlib.suppress(ZeroDivisionError):
                call()
        finally:
            connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    return thread


@postgresql
def test_a_commit_wakes_who_waits():
    with nudges.Nudges(PAUSE) as listening:
        thread = later(write)
        assert waited(listening) < PAUSE / 2
        thread.join()
        assert waited(listening) >= PAUSE * 0.9, "nothing new"


@postgresql
def test_many_commits_while_a_worker_is_busy_are_few_nudges_and_none_is_lost():
    """The last of them may still be on their way when the first are read."""
    looks = 0
    with nudges.Nudges(PAUSE) as listening:
        for _ in range(20):
            write()
        while waited(listening) < PAUSE / 2:
            looks += 1
    assert 1 <= looks <= 5


@postgresql
def test_who_begins_to_listen_only_when_it_waits_sleeps_through_the_nudge():
    """The naive way: between the look that found nothing and LISTEN somebody writes."""
    write()
    with nudges.Nudges(PAUSE) as too_late:
        assert waited(too_late) >= PAUSE * 0.9


@postgresql
def test_a_rollback_wakes_nobody():
    with nudges.Nudges(PAUSE) as listening:
        thread = later(lambda: write(fails=True))
        assert waited(listening) >= PAUSE * 0.9
        thread.join()


@postgresql
def test_every_way_of_writing_to_the_log_is_heard():
    with nudges.Nudges(PAUSE) as listening:
        with transaction.atomic():
            changelog.append_bulk("listing", [uuid.uuid4() for _ in range(3)])
        assert waited(listening) < PAUSE / 2


@postgresql
def test_a_connection_that_is_cut_is_made_anew():
    with nudges.Nudges(PAUSE) as listening:
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND query LIKE 'LISTEN%%'")
        assert waited(listening) < PAUSE, "a worker that lost its connection looks for work soon"
        thread = later(write)
        assert waited(listening) < PAUSE / 2
        thread.join()


@postgresql
def test_a_worker_that_waits_stops_when_told_to():
    stop = threading.Event()
    with nudges.Nudges(30) as listening:
        threading.Timer(0.2, stop.set).start()
        assert waited(listening, stop=stop) < 2


def test_without_nudges_there_is_the_pause():
    with nudges.Nudges(0.3) as listening:
        assert 0.25 < waited(listening) < 2
