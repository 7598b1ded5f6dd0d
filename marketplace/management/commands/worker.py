"""`manage.py worker`: the process that does the work outside the requests."""

import logging
import signal
import threading
from collections.abc import Callable, Iterable

from django.core.management.base import BaseCommand, CommandParser
from django.db import DatabaseError, close_old_connections, connections
from django.utils import timezone

from marketplace import worker

logger = logging.getLogger(__name__)
LONGEST_PAUSE = 30.0
#: Seconds that the half which waits for others gets to end by itself.
GRACE = 5.0


class Command(BaseCommand):
    """Index, synergies and mails in a loop, the daily work when a new day begins; several workers share it by leases."""

    help = "Does the background work until it is stopped (SIGTERM, Ctrl-C)."

    def add_arguments(self, parser: CommandParser) -> None:
        """--once for tests and cron, --pause between rounds that found nothing to do."""
        parser.add_argument("--once", action="store_true", help="do everything that is due, then stop")
        parser.add_argument("--pause", type=float, default=0.5, help="seconds between two looks when nothing is to do")

    def handle(self, *args: object, once: bool, pause: float, **options: object) -> None:
        """Work until told to stop; a database or search server that is away makes the pauses longer, never ends the worker."""
        if once:
            self.stdout.write(f"{worker.drain()} done")
            return
        stop = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
        self.stdout.write("worker: started")
        failures: list[BaseException] = []
        beside = threading.Thread(
            target=_ending_both, args=(stop, failures, lambda: _work(stop, pause, worker.OUTSIDE, survives=Exception)), name="outside", daemon=True
        )
        beside.start()
        _ending_both(stop, failures, lambda: _work(stop, pause, worker.INSIDE, _Daily()))
        # Whatever it waits for can be cut off at any point.
        beside.join(GRACE)
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


def _work(
    stop: threading.Event,
    pause: float,
    steps: Iterable[worker.Step],
    daily: Callable[[], None] = lambda: None,
    *,
    survives: type[Exception] | tuple[type[Exception], ...] = (DatabaseError, OSError),
) -> None:
    """Round after round until told to stop; a database or search server that is away makes the pauses longer, never ends the worker.

    Among others' servers is always one whose answer nobody foresaw: that half survives everything, or one partner could keep the index from its work.
    """
    wait = pause
    while not stop.is_set():
        try:
            close_old_connections()
            done = worker.run_once(steps)
            daily()
            wait = 0.0 if done else pause
        except survives:
            logger.exception("worker: a round failed, the next one follows in %.1f s", wait or pause)
            wait = min(max(wait, pause) * 2, LONGEST_PAUSE)
        stop.wait(wait)
    connections.close_all()


def _ending_both(stop: threading.Event, failures: list[BaseException], work: Callable[[], None]) -> None:
    """A fault that nobody foresaw in one half ends the other too: who watches the process starts it anew, half a worker nobody would notice."""
    try:
        work()
    except BaseException as error:  # noqa: BLE001 - raised again by the command
        failures.append(error)
    finally:
        stop.set()
