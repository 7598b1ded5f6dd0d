"""Signs of life of the worker processes: who lives, what each part of it does, since when.

A thread of its own writes them, so that a step which hangs is told by its name and its age instead of by silence: a process that is dead and one that
waits for a server need different help. All times are the database's own, or a host whose clock is two minutes wrong would always look dead.
"""

import logging
import os
import socket
import threading
import time
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Self

from django.db import DatabaseError, close_old_connections, connections
from django.db.models import DurationField, ExpressionWrapper, F
from django.db.models.functions import Now
from django.utils import timezone

from .models import Heartbeat

logger = logging.getLogger(__name__)

#: Seconds between two signs of life.
EVERY = 10.0

#: Seconds that the last one may take when a process ends.
LAST_WORDS = 5.0

#: Who has given none for so long is dead: five were missed, and one may take a while on a busy database.
DEAD_AFTER = timedelta(seconds=60)

#: A step that takes so long hangs, or needs more workers. Those of `upkeep` look at the whole index.
STUCK_AFTER = {"upkeep": timedelta(hours=6)}
STUCK_AFTER_USUALLY = timedelta(minutes=10)

#: A dead one is told of for a day. Who is stopped as one should takes its rows along.
KEPT = timedelta(days=1)


_TOLD = ["started", "beat", "doing", "since", "did", "rounds", "failed", "error", "breakers"]


class Part:
    """What one thread of a worker tells of itself. Costs nothing but memory; it is written by `Heart`."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.rounds = self.failed = 0
        self.doing = self.did = self.error = ""
        self.since = time.monotonic()

    def does(self, name: str, step: Callable[[], int | None]) -> int:
        """Take this step; how much was done in it."""
        self.doing, self.since = name, time.monotonic()
        try:
            done = step() or 0
        except Exception as error:
            self.error = f"{name}: {type(error).__name__}: {error}"[:300]
            raise
        if done:
            self.did = name
        return done

    def rests(self, *, failed: bool = False) -> None:
        """A round is over."""
        self.rounds += 1
        self.failed += failed
        self.doing, self.since = "", time.monotonic()


class Heart:
    """Beats from `with` to its end, for all parts of a process. `breakers` tells of each engine whether this process's breaker is open.

    A process that ends as it should takes its rows along; one that ends by an error leaves them, with the error.
    """

    def __init__(self, parts: Iterable[Part], breakers: Callable[[], dict[str, str]] = dict) -> None:
        self._parts, self._breakers = list(parts), breakers
        self._process = f"{socket.gethostname()[:40]}:{os.getpid()}:{uuid.uuid4().hex[:8]}"
        self._started = time.monotonic()
        self._stop, self._last = threading.Event(), self.beat
        self._thread = threading.Thread(target=self._beat_on, name="heart", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            self._last = Heartbeat.objects.filter(process=self._process).delete
        self._stop.set()
        self._thread.join(LAST_WORDS)

    def _beat_on(self) -> None:
        while not self._stop.is_set():
            self._try(self.beat)
            self._stop.wait(EVERY)
        self._try(self._last)
        connections.close_all()

    @staticmethod
    def _try(write: Callable[[], object]) -> None:
        """A database that is away stops no worker; that the beat stops meanwhile is the truth."""
        try:
            close_old_connections()
            write()
        except (DatabaseError, OSError):
            logger.exception("worker: no sign of life could be written")

    def beat(self) -> None:
        """Write one sign of life, and forget the rows of those who have been dead for long."""
        started = _ago(self._started)
        rows = [self._row(part, started) for part in self._parts]
        Heartbeat.objects.bulk_create(rows, update_conflicts=True, unique_fields=["process", "part"], update_fields=_TOLD)
        Heartbeat.objects.filter(beat__lt=Now() - KEPT).delete()

    def _row(self, part: Part, started: object) -> Heartbeat:
        return Heartbeat(
            process=self._process,
            part=part.name,
            host=socket.gethostname()[:64],
            pid=os.getpid(),
            started=started,
            beat=Now(),
            doing=part.doing[:80],
            since=_ago(part.since),
            did=part.did[:80],
            rounds=part.rounds,
            failed=part.failed,
            error=part.error,
            breakers=self._breakers(),
        )


def _ago(moment: float) -> object:
    """A moment of this process's monotonic clock, as the database's time."""
    return Now() - timedelta(seconds=time.monotonic() - moment)


@dataclass(frozen=True, slots=True)
class Seen:
    """One part of a worker process, as its last sign of life told. Seconds are as of now, or, for the dead, as of that sign."""

    process: str
    part: str
    host: str
    pid: int
    started: datetime
    beat: datetime
    #: Since the last sign of life.
    silent_seconds: float
    doing: str
    doing_seconds: float
    did: str
    rounds: int
    failed: int
    error: str
    breakers: dict[str, str]
    #: A dead one in whose place another one of the same host has begun since.
    is_replaced: bool = False

    @property
    def doing_since(self) -> datetime:
        """By our own clock."""
        return timezone.now() - timedelta(seconds=self.doing_seconds)

    @property
    def is_alive(self) -> bool:
        """Whether it gave a sign of life lately."""
        return self.silent_seconds < DEAD_AFTER.total_seconds()

    @property
    def is_stuck(self) -> bool:
        """Whether it lives, but has been in one step for longer than any should take."""
        return self.is_alive and bool(self.doing) and self.doing_seconds > STUCK_AFTER.get(self.part, STUCK_AFTER_USUALLY).total_seconds()

    @property
    def condition(self) -> str:
        """In a word: alive, stuck, dead, or replaced (dead, and another one of its host has begun since)."""
        if self.is_alive:
            return "stuck" if self.is_stuck else "alive"
        return "replaced" if self.is_replaced else "dead"


def seen() -> list[Seen]:
    """Every part of every worker that gave a sign of life within the last day, one query."""
    rows = list(
        Heartbeat.objects.annotate(silent=ExpressionWrapper(Now() - F("beat"), output_field=DurationField())).order_by("host", "started", "process", "part")
    )
    return [_seen(row, rows) for row in rows]


def _seen(row: Heartbeat, rows: list[Heartbeat]) -> Seen:
    return Seen(
        process=row.process,
        part=row.part,
        host=row.host,
        pid=row.pid,
        started=row.started,
        beat=row.beat,
        silent_seconds=max(row.silent.total_seconds(), 0.0),
        doing=row.doing,
        doing_seconds=max((row.beat - row.since + min(row.silent, DEAD_AFTER)).total_seconds(), 0.0) if row.doing else 0.0,
        did=row.did,
        rounds=row.rounds,
        failed=row.failed,
        error=row.error,
        breakers=row.breakers,
        is_replaced=any(other.process != row.process and other.host == row.host and other.started > row.beat for other in rows),
    )
