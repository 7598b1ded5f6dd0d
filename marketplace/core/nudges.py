"""Wakes the workers as soon as work for them is committed, so that they need not ask the database twice a second whether there is any.

On PostgreSQL a trigger on the tables where work begins calls NOTIFY: no writer can forget it, a transaction that is rolled back wakes nobody, and a
notification that comes while a worker is busy waits for it. What a nudge misses (a time that has come, a connection through a pooler that drops
LISTEN) the worker finds at its next look: nothing is done only because of a nudge, it is only done sooner. SQLite has none, there is the pause alone.
"""

import contextlib
import logging
import time
from collections.abc import Callable
from threading import Event
from typing import Self

from django.db import DatabaseError, connection

logger = logging.getLogger(__name__)
CHANNEL = "marketplace_work"

#: Seconds between two looks of a worker that has nothing to do: without nudges, and with them.
PAUSE, PAUSE_WITH_NUDGES = 0.5, 2.0

#: A worker that waits looks so often whether it shall stop.
_SLICE_SECONDS = 0.5

_FUNCTION = """CREATE OR REPLACE FUNCTION marketplace_nudge() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN NOTIFY marketplace_work; RETURN NULL; END $$"""


def triggering(table: str, events: str = "INSERT") -> Callable:
    """For a migration's RunPython: who writes to `table` wakes the workers when the transaction is over."""

    def install(_apps: object, schema_editor: object) -> None:
        if schema_editor.connection.vendor == "postgresql":
            schema_editor.execute(_FUNCTION)
            schema_editor.execute(f"CREATE TRIGGER nudge AFTER {events} ON {table} FOR EACH STATEMENT EXECUTE FUNCTION marketplace_nudge()")

    return install


def untriggering(table: str) -> Callable:
    """The way back."""

    def remove(_apps: object, schema_editor: object) -> None:
        if schema_editor.connection.vendor == "postgresql":
            schema_editor.execute(f"DROP TRIGGER IF EXISTS nudge ON {table}")

    return remove


class Nudges:
    """Listens from its making on, on a connection of its own: make it before the first look for work, or what comes between is heard too late.

    >>> nudges = Nudges()
    >>> while not stop.is_set():
    ...     if not work():
    ...         nudges.wait(stop)
    """

    def __init__(self, pause: float | None = None) -> None:
        self._pause = pause
        self._connection = None
        self._listen()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._drop()

    def wait(self, stop: Event) -> None:
        """Until somebody has work, `stop` is set or the pause is over."""
        if self._connection is None:
            self._listen()
        if self._connection is None:
            stop.wait(self._pause or PAUSE)
            return
        deadline = time.monotonic() + (self._pause or PAUSE_WITH_NUDGES)
        try:
            while not stop.is_set() and (left := deadline - time.monotonic()) > 0:
                # All that are there: a thousand commits while it was busy are one look, not a thousand.
                if list(self._connection.connection.notifies(timeout=min(left, _SLICE_SECONDS), stop_after=1)):
                    return
        except self._errors() as error:
            logger.warning("The database does not tell of new work any more: %s", error)
            self._drop()
            stop.wait(PAUSE)

    def _listen(self) -> None:
        if connection.vendor != "postgresql":
            return
        own = connection.copy()
        try:
            with own.cursor() as cursor:
                cursor.execute(f"LISTEN {CHANNEL}")
        except DatabaseError as error:
            logger.warning("The database cannot be asked to tell of new work: %s", error)
        else:
            self._connection = own

    def _drop(self) -> None:
        if self._connection is not None:
            with contextlib.suppress(DatabaseError):
                self._connection.close()
            self._connection = None

    @staticmethod
    def _errors() -> tuple[type[Exception], ...]:
        import psycopg  # noqa: PLC0415 - there only where PostgreSQL is

        return DatabaseError, psycopg.Error
