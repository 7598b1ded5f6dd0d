"""Who rebuilds an engine's index: one process at a time, known to be alive by its heartbeat, and what became of it.

An index in the making belongs to the one living rebuild. Whoever holds the lease may remove all others that no search goes to.
"""

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from django.db import DatabaseError, IntegrityError, connection, transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext_noop

from .models import IndexBuild

logger = logging.getLogger(__name__)

#: After a kill so long nobody else rebuilds. The heartbeat comes from a thread of its own, for a batch may take longer than this.
LEASE = timedelta(seconds=30)
BEAT_SECONDS = 8.0

KILLED = gettext_noop("It ended without a word, as when its process is killed.")
LEFT = gettext_noop("The new index is in use; the one before it could not be removed yet.")


class AlreadyRunningError(RuntimeError):
    """Another process rebuilds this engine's index; the message says since when and what to do."""


class LeaseLostError(RuntimeError):
    """The rebuild stood still for so long that it counts as killed; another one may have begun."""


class Build:
    """A rebuild that runs: counts what it has written."""

    def __init__(self, row: IndexBuild) -> None:
        self.documents = 0
        #: A lease that was taken to look and built nothing leaves no record.
        self.is_recorded = True
        #: The engine went away before all was cleared up: the record stays open, so that somebody does it later.
        self.has_left_something = False
        self._row = row
        self._lost, self._over = threading.Event(), threading.Event()

    def holds_lease(self) -> bool:
        """Whether this is still the one rebuild."""
        return not self._lost.is_set() and self._mine().filter(lease_until__gt=timezone.now()).exists()

    def verify(self) -> None:
        """Raise LeaseLostError unless this is still the one rebuild."""
        if not self.holds_lease():
            raise LeaseLostError("The rebuild stood still for so long that it was given up; begin anew.")

    def end(self, error: str = "") -> None:
        """Give the lease back and tell how it went."""
        if self.has_left_something:
            self._mine().update(lease_until=timezone.now(), documents=self.documents, error=error or LEFT)
        elif self.is_recorded:
            self._mine().update(finished=timezone.now(), documents=self.documents, error=error)
        else:
            self._mine().delete()

    @contextmanager
    def beating(self) -> Iterator[None]:
        """Keep the lease for as long as the block lasts and the process lives."""
        if connection.in_atomic_block:  # Nobody else can see the row, so it keeps nobody away.
            yield
            return
        thread = threading.Thread(target=self._beat, name="rebuild", daemon=True)
        thread.start()
        try:
            yield
        finally:
            self._over.set()
            thread.join()

    def _beat(self) -> None:
        while not self._over.wait(BEAT_SECONDS):
            try:
                if not self._mine().update(lease_until=timezone.now() + LEASE, documents=self.documents):
                    self._lost.set()
                    return
            except DatabaseError:
                logger.warning("The rebuild of %s cannot say that it is alive.", self._row.engine, exc_info=True)
            finally:
                connection.close()

    def _mine(self):
        return IndexBuild.objects.filter(pk=self._row.pk, finished=None)


@contextmanager
def building(engine: str) -> Iterator[Build]:
    """Be the only one who rebuilds this engine's index. Raises AlreadyRunningError."""
    build = Build(_begin(engine))
    with build.beating():
        try:
            yield build
        except BaseException as error:
            build.end(str(error) or type(error).__name__)
            raise
        build.end()


def _begin(engine: str) -> IndexBuild:
    end_killed(engine)
    now = timezone.now()
    try:
        with transaction.atomic():
            return IndexBuild.objects.create(engine=engine, started=now, lease_until=now + LEASE)
    except IntegrityError:
        raise AlreadyRunningError(_told(engine)) from None


def _told(engine: str) -> str:
    other = IndexBuild.objects.filter(engine=engine, finished=None).first()
    if other is None:
        return f"Another rebuild of {engine} has just ended."
    seconds = max(1, round((other.lease_until - timezone.now()).total_seconds()))
    since = timezone.localtime(other.started).strftime("%H:%M:%S")
    return f"A rebuild of {engine} has been running since {since}, {other.documents} documents so far. If it was killed, try again in {seconds} seconds."


def was_killed(engine: str) -> bool:
    """Whether a rebuild left something to clear up."""
    return _killed(engine).exists()


def end_killed(engine: str) -> None:
    """Close the record of a rebuild whose process is gone."""
    _killed(engine).filter(error="").update(error=KILLED)
    _killed(engine).update(finished=F("lease_until"))


def _killed(engine: str):
    return IndexBuild.objects.filter(engine=engine, finished=None, lease_until__lte=timezone.now())
