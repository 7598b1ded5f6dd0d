"""`manage.py worker`: the process that does the work outside the requests."""

import logging
import signal
import threading
import time
from collections.abc import Callable, Iterable
from functools import partial

from django.core.management.base import BaseCommand, CommandParser
from django.db import DatabaseError, close_old_connections, connections
from django.utils import timezone

from marketplace import worker
from marketplace.core.heartbeats import Heart, Part
from marketplace.core.nudges import PAUSE, PAUSE_WITH_NUDGES, Nudges
from search import status

logger = logging.getLogger(__name__)
LONGEST_PAUSE = 30.0
#: Seconds that the parts beside the index's get to end by themselves, together.
GRACE = 5.0


class Command(BaseCommand):
    """Index, synergies and mails in a loop, the daily work when a new day begins; several workers share it by leases."""

    help = "Does the background work until it is stopped (SIGTERM, Ctrl-C)."

    def add_arguments(self, parser: CommandParser) -> None:
        """--once for tests and cron, --pause between rounds that found nothing to do."""
        parser.add_argument("--once", action="store_true", help="do everything that is due, then stop")
        pauses = f"default: {PAUSE}, with PostgreSQL, which tells of new work at once, {PAUSE_WITH_NUDGES}"
        parser.add_argument("--pause", type=float, help=f"seconds between two looks when nothing is to do ({pauses})")

    def handle(self, *args: object, once: bool, pause: float | None, **options: object) -> None:
        """Work until told to stop; a database or search server that is away makes the pauses longer, never ends the worker."""
        if once:
            self.stdout.write(f"{worker.drain()} done")
            return
        stop = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
        self.stdout.write("worker: started")
        failures: list[BaseException] = []
        inside, *others = parts = [Part(name) for name in ("inside", "outside", "upkeep")]
        with Heart(parts, status.breakers):
            beside = [
                threading.Thread(
                    target=_ending_all, args=(stop, failures, partial(_work, stop, pause, steps, part, survives=Exception)), name=part.name, daemon=True
                )
                for part, steps in zip(others, (worker.OUTSIDE, worker.UPKEEP), strict=True)
            ]
            for thread in beside:
                thread.start()
            _ending_all(stop, failures, partial(_work, stop, pause, worker.INSIDE, inside, _Daily()))
            # Whatever they wait for can be cut off at any point.
            last = time.monotonic() + GRACE
            for thread in beside:
                thread.join(max(0.0, last - time.monotonic()))
            if failures:
                raise failures[0]
        self.stdout.write("worker: stopped")


class _Daily:
    """Does the day's work when a new day begins."""

    def __init__(self) -> None:
        self._last_day = None

    def __call__(self) -> None:
        if self._last_day != (today := timezone.localdate()):
            worker.run_daily()
            self._last_day = today


def _work(  # noqa: PLR0913 - what a thread works on, and with what
    stop: threading.Event,
    pause: float | None,
    steps: Iterable[worker.Step],
    part: Part,
    daily: Callable[[], None] = lambda: None,
    *,
    survives: type[Exception] | tuple[type[Exception], ...] = (DatabaseError, OSError),
) -> None:
    """Round after round until told to stop; a database or search server that is away makes the pauses longer, never ends the worker.

    Among others' servers is always one whose answer nobody foresaw: that half survives everything, or one partner could keep the index from its work.
    """
    failed_pause = pause or PAUSE
    with Nudges(pause) as nudges:
        while not stop.is_set():
            try:
                close_old_connections()
                done = worker.run_once(steps, part)
                part.does("the day's work", daily)
            except survives:
                part.rests(failed=True)
                logger.exception("worker: a round failed, the next one follows in %.1f s", failed_pause)
                stop.wait(failed_pause)
                failed_pause = min(failed_pause * 2, LONGEST_PAUSE)
            else:
                part.rests()
                failed_pause = pause or PAUSE
                if not done:
                    nudges.wait(stop)
    connections.close_all()


def _ending_all(stop: threading.Event, failures: list[BaseException], work: Callable[[], None]) -> None:
    """A fault that nobody foresaw in one part ends the others too: who watches the process starts it anew, half a worker nobody would notice."""
    try:
        work()
    except BaseException as error:  # noqa: BLE001 - raised again by the command
        failures.append(error)
    finally:
        stop.set()
