"""Work on a whole index that is asked for and done in the background: comparing it with the database, repairing it, building it anew.

A person presses a button, the day asks for a comparison; a row says so, and a worker takes it up under a lease, in a thread of its own: a million
listings take minutes, and neither a request nor the index's own reader may wait for that. A worker that is killed at it leaves the row to the next one.

The day's comparison repairs nothing. By design the two cannot differ, so a difference is the trace of a fault: a backup put back without a rebuild,
somebody who wrote past the change log, an error of ours. Repaired in silence it would come back, and nobody would have learned of it.
"""

import logging
import os
import socket
import time
import uuid
from datetime import timedelta

from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from . import index
from .backends.base import Backend, EngineUnavailableError
from .builds import AlreadyRunningError
from .engine import backends
from .enums import Work
from .models import IndexBuild, IndexCheck, IndexRequest

logger = logging.getLogger(__name__)

#: Longer than a batch can take: who has said nothing for so long is dead.
LEASE = timedelta(minutes=3)

#: Seconds between two words about how far it has come.
SAY_EVERY = 2.0

#: After an error, times the number of attempts; then it is given up.
PAUSE = timedelta(seconds=30)
MOST_ATTEMPTS = 5

#: How long rows of what was done are kept.
KEPT = timedelta(days=90)


def ask(engine: str, work: Work) -> IndexRequest:
    """Ask for it; the open request, if it was asked for already."""
    try:
        with transaction.atomic():
            return IndexRequest.objects.create(engine=engine, work=work)
    except IntegrityError:
        # It may have come to its end since; then this asks for it once more.
        return IndexRequest.objects.filter(engine=engine, work=work, finished=None).first() or ask(engine, work)


def ask_daily() -> int:
    """Ask for a comparison of every index that nobody compared today; how many that were. Forgets what was long ago."""
    today = timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)
    compared = set(IndexCheck.objects.filter(started__gte=today).values_list("engine", flat=True))
    compared |= set(IndexRequest.objects.filter(work=Work.COMPARE, asked__gte=today).values_list("engine", flat=True))
    missing = [backend.name for backend in backends() if backend.name not in compared]
    for engine in missing:
        ask(engine, Work.COMPARE)
    for rows in (IndexRequest, IndexCheck, IndexBuild):
        rows.objects.filter(finished__lt=timezone.now() - KEPT).delete()
    return len(missing)


def run_once() -> int:
    """Do what was asked for longest ago; how many requests were taken up."""
    request = _claim()
    if request is None:
        return 0
    progress = _Progress(request)
    try:
        _do(request, progress)
    except AlreadyRunningError as error:
        progress.waits(error)
    except Exception as error:
        # An engine that is away comes back; anything else is no better for it, but a fault must not end the index's own reader.
        logger.log(logging.WARNING if isinstance(error, EngineUnavailableError) else logging.ERROR, "%s waits: %s", request, error, exc_info=True)
        progress.failed(error)
    else:
        progress.finished()
    return 1


def _claim() -> IndexRequest | None:
    holder = f"{socket.gethostname()[:30]}:{os.getpid()}:{uuid.uuid4().hex[:12]}"
    if not IndexRequest.objects.due().exists():
        return None
    with transaction.atomic():
        skips = connection.features.has_select_for_update_skip_locked
        request = IndexRequest.objects.due().select_for_update(skip_locked=skips).first()
        if request is None:
            return None
        now = timezone.now()
        request.started = request.started or now
        request.leased_by, request.lease_until = holder, now + LEASE
        request.attempts += 1
        request.documents, request.of = 0, _expected(request.engine)
        if request.attempts > MOST_ATTEMPTS:
            request.error = request.error or f"Its worker died {MOST_ATTEMPTS} times."
            request.finished, request.leased_by, request.lease_until = now, "", None
        request.save()
    return None if request.finished else request


def _expected(engine: str) -> int:
    """About how many documents there are, by what was last seen."""
    last = IndexCheck.objects.filter(engine=engine).first() or IndexBuild.objects.filter(engine=engine, error="").exclude(finished=None).first()
    return last.documents if last else 0


def _do(request: IndexRequest, progress: "_Progress") -> None:
    backend = _backend(request.engine)
    if request.work == Work.REBUILD:
        index.rebuild(backend, progress=progress)
    else:
        index.check(backend, repair=request.work == Work.REPAIR, progress=progress)


def _backend(engine: str) -> Backend:
    for backend in backends():
        if backend.name == engine:
            return backend
    raise EngineUnavailableError(f"{engine} is not in use.")


class _Progress:
    """Counts the documents of a request, and keeps its lease as long as they come."""

    def __init__(self, request: IndexRequest) -> None:
        self._mine = IndexRequest.objects.filter(pk=request.pk, leased_by=request.leased_by, finished=None)
        self._attempts, self._documents, self._said = request.attempts, 0, time.monotonic()

    def __call__(self, documents: int) -> None:
        """So many more are done."""
        self._documents += documents
        if time.monotonic() - self._said >= SAY_EVERY:
            self._said = time.monotonic()
            self._mine.update(documents=self._documents, lease_until=timezone.now() + LEASE)

    def finished(self) -> None:
        """It is done."""
        self._mine.update(documents=self._documents, finished=timezone.now(), lease_until=None, leased_by="", error="")

    def waits(self, error: Exception) -> None:
        """Somebody else is at the same; that is no attempt of its own."""
        self._mine.update(error=str(error), lease_until=timezone.now() + PAUSE, leased_by="", attempts=self._attempts - 1)

    def failed(self, error: Exception) -> None:
        """It is tried again after a pause, or given up."""
        over = timezone.now() if self._attempts >= MOST_ATTEMPTS else None
        pause = None if over else timezone.now() + PAUSE * self._attempts
        self._mine.update(error=f"{type(error).__name__}: {error}"[:1000], lease_until=pause, leased_by="", finished=over)
