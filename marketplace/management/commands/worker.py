"""`manage.py worker`: the process that does the work outside the requests."""

import logging
import signal
import threading

from django.core.management.base import BaseCommand, CommandParser
from django.db import DatabaseError, close_old_connections
from django.utils import timezone

from marketplace import worker

logger = logging.getLogger(__name__)
LONGEST_PAUSE = 30.0


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
        last_day, wait = None, pause
        while not stop.is_set():
            try:
                close_old_connections()
                done = worker.run_once()
                if last_day != (today := timezone.localdate()):
                    worker.run_daily()
                    last_day = today
                wait = 0.0 if done else pause
            except (DatabaseError, OSError):
                logger.exception("worker: a round failed, the next one follows in %.1f s", wait or pause)
                wait = min(max(wait, pause) * 2, LONGEST_PAUSE)
            stop.wait(wait)
        self.stdout.write("worker: stopped")
