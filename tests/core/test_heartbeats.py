"""Workers' signs of life: who lives, who hangs, who is dead, and that nobody is told for ever."""

import datetime
import threading
import time

import pytest
from django.db import OperationalError
from django.db.models import F
from django.db.models.functions import Now

from marketplace.core import heartbeats
from marketplace.core.heartbeats import Heart, Part
from marketplace.core.models import Heartbeat


@pytest.fixture
def beating(db):
    """A worker of one part that gave its first sign of life."""
    part = Part("inside")
    heart = Heart([part], lambda: {"elasticsearch": "closed"})
    heart.beat()
    return part, heart


def silence(seconds: float) -> None:
    span = datetime.timedelta(seconds=seconds)
    Heartbeat.objects.update(started=F("started") - span, beat=F("beat") - span, since=F("since") - span)


def conditions() -> list[str]:
    return [one.condition for one in heartbeats.seen()]


def test_worker_tells_what_it_does_and_did(beating):
    part, heart = beating

    def look() -> int:
        heart.beat()
        [seen] = heartbeats.seen()
        assert (seen.doing, seen.did, seen.rounds) == ("search.index", "", 0)
        return 1

    assert part.does("search.index", look) == 1
    part.rests()
    heart.beat()
    [seen] = heartbeats.seen()
    assert (seen.part, seen.doing, seen.did, seen.rounds, seen.failed, seen.breakers) == ("inside", "", "search.index", 1, 0, {"elasticsearch": "closed"})
    assert seen.is_alive
    assert seen.silent_seconds < 5


def test_round_that_fails_is_counted_with_its_step_and_error(beating):
    part, heart = beating

    def fail() -> int:
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        part.does("search.index", fail)
    part.rests(failed=True)
    heart.beat()
    [seen] = heartbeats.seen()
    assert (seen.rounds, seen.failed, seen.error) == (1, 1, "search.index: OSError: disk full")


def test_worker_that_is_silent_for_a_minute_is_dead_and_forgotten_after_a_day(beating):
    _part, _heart = beating
    silence(50)
    assert conditions() == ["alive"]
    silence(20)
    assert conditions() == ["dead"]
    silence(86_400)
    other = Heart([Part("inside")])
    other.beat()
    assert conditions() == ["alive"]
    assert Heartbeat.objects.count() == 1


def test_dead_worker_that_another_one_of_its_host_replaced_is_no_news(beating):
    silence(70)
    Heart([Part("inside")]).beat()
    assert conditions() == ["replaced", "alive"]


def test_dead_worker_of_another_host_is_not_replaced(beating):
    silence(70)
    Heartbeat.objects.update(host="elsewhere")
    Heart([Part("inside")]).beat()
    assert sorted(conditions()) == ["alive", "dead"]


def test_step_that_hangs_is_told_while_the_heart_beats_on(beating):
    part, heart = beating
    part.doing, part.since = "cms.pages.pictures", time.monotonic() - 700
    heart.beat()
    [seen] = heartbeats.seen()
    assert (seen.condition, seen.doing, round(seen.doing_seconds)) == ("stuck", "cms.pages.pictures", 700)
    # A whole index takes its time.
    part.name = "upkeep"
    heart.beat()
    assert [one.condition for one in heartbeats.seen() if one.part == "upkeep"] == ["alive"]


def test_host_whose_clock_is_wrong_is_not_dead(beating, monkeypatch):
    """All times are the database's. Naive: the host's own."""
    _part, heart = beating
    wrong = datetime.datetime.now(datetime.UTC) - datetime.timedelta(minutes=5)
    Heartbeat.objects.update(beat=wrong)
    assert conditions() == ["dead"]
    heart.beat()
    assert conditions() == ["alive"]
    monkeypatch.setattr(heartbeats.time, "monotonic", lambda: 10.0)
    assert Heartbeat.objects.filter(started__gt=Now()).count() == 0


def test_signs_of_life_take_the_same_queries_for_one_part_and_for_three(db, django_assert_num_queries):
    for count in (1, 3):
        heart = Heart([Part(f"part {number}") for number in range(count)])
        with django_assert_num_queries(2):
            heart.beat()
    with django_assert_num_queries(1):
        assert len(heartbeats.seen()) == 4


@pytest.mark.django_db(transaction=True)
def test_heart_beats_by_itself_and_takes_its_rows_along(monkeypatch):
    monkeypatch.setattr(heartbeats, "EVERY", 0.05)
    part = Part("inside")
    with Heart([part]):
        _until(lambda: [one.rounds for one in heartbeats.seen()] == [0])
        part.rests()
        _until(lambda: [one.rounds for one in heartbeats.seen()] == [1])
    assert heartbeats.seen() == []


@pytest.mark.django_db(transaction=True)
def test_heart_of_a_process_that_ends_by_an_error_leaves_it(monkeypatch):
    monkeypatch.setattr(heartbeats, "EVERY", 0.05)

    def fail() -> int:
        raise TypeError("nobody foresaw this")

    part = Part("inside")
    with pytest.raises(TypeError), Heart([part]):
        part.does("search.index", fail)
    assert [one.error for one in heartbeats.seen()] == ["search.index: TypeError: nobody foresaw this"]


@pytest.mark.django_db(transaction=True)
def test_heart_survives_a_database_that_is_away(monkeypatch):
    monkeypatch.setattr(heartbeats, "EVERY", 0.05)
    beats, away = [], threading.Event()
    away.set()
    beat = Heart.beat

    def sometimes(self):
        beats.append(away.is_set())
        if away.is_set():
            raise OperationalError("the server closed the connection")
        beat(self)

    monkeypatch.setattr(Heart, "beat", sometimes)
    with Heart([Part("inside")]):
        _until(lambda: len(beats) > 2)
        away.clear()
        _until(heartbeats.seen)


def _until(what) -> None:
    deadline = time.monotonic() + 20
    while not what():
        assert time.monotonic() < deadline, "it did not come to that"
        time.sleep(0.02)
