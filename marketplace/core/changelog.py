"""The change log: every write that others follow appends a row in its own transaction; followers keep a checkpoint.

An outbox without payload: a follower loads the current state of what changed, so ten changes of one row are one piece
of work, and a crash at any point loses nothing because the checkpoint has not moved.

Order: a serial id alone skips rows that commit late (six writers lost 1,706 of 5,803 rows to such a cursor). On PostgreSQL
the order is (transaction id, id), and a reader never passes `pg_snapshot_xmin`, the oldest transaction still open. SQLite has
one writer at a time, so there the id alone is the order and the transaction is 0.
"""

import logging
import os
import socket
import threading
import time
import uuid
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import timedelta

from django.db import DatabaseError, connection, models, transaction
from django.db.models import Expression, Q, QuerySet
from django.utils import timezone

from . import transactions
from .models import Change, Reader

logger = logging.getLogger(__name__)
#: So long the others wait for a worker that was killed; one that lives goes on renewing it.
LEASE = timedelta(seconds=60)
#: A batch that takes longer hangs: its lease is not renewed any more, so that another worker gets its turn.
LONGEST_BATCH = timedelta(minutes=15)
#: A busy reader gives its lease back for a moment between two batches.
_LOOK_AGAIN_SECONDS = 0.01


class NotInTransactionError(RuntimeError):
    """`append` was called outside a transaction: a crash between the write and its change would lose the change."""


def append(kind: str, uid: uuid.UUID, operation: str = "upsert") -> Change:
    """Log that the row `uid` of `kind` was written ("upsert") or is gone ("delete"), in the caller's transaction.

    Lock the row first: then the ids of one row's changes rise in the order of its commits and can serve as its version.
    """
    return append_many(kind, [uid], operation)[0]


def append_many(kind: str, uids: Iterable[uuid.UUID], operation: str = "upsert") -> list[Change]:
    """As `append`, for many rows in one statement."""
    if not connection.in_atomic_block:
        raise NotInTransactionError
    return Change.objects.bulk_create(Change(kind=kind, uid=uid, operation=operation, transaction=transactions.own()) for uid in uids)


def append_bulk(kind: str, uids: Iterable[uuid.UUID], operation: str = "upsert") -> None:
    """As `append_many`, for thousands whose rows nobody needs back: PostgreSQL makes them itself, in the order of `uids`."""
    if connection.vendor != "postgresql":
        append_many(kind, uids, operation)
        return
    if not connection.in_atomic_block:
        raise NotInTransactionError
    with connection.cursor() as cursor:
        cursor.execute(_BULK, [kind, operation, timezone.now(), list(uids)])


_BULK = """INSERT INTO core_change (transaction, kind, uid, operation, created)
SELECT pg_current_xact_id()::text::bigint, %s, one.uid, %s, %s FROM unnest(%s::uuid[]) WITH ORDINALITY AS one(uid, place) ORDER BY one.place"""


def read(after: tuple[int, int] = (0, 0), *, limit: int = 500, until: tuple[int, int] | None = None) -> list[Change]:
    """The next changes after the position (transaction, id), oldest first; none from a transaction that may still be open."""
    changes = Change.objects.filter(transactions.later_than(after))
    if until is not None:
        changes = changes.filter(Q(transaction__lt=until[0]) | Q(transaction=until[0], id__lte=until[1]))
    if connection.vendor == "postgresql":
        changes = changes.filter(transaction__lt=transactions.OldestOpenTransaction())
    return list(changes.order_by("transaction", "id")[:limit])


def position(name: str) -> tuple[int, int]:
    """How far the reader `name` has come: (transaction, id), (0, 0) before its first batch."""
    return Reader.objects.filter(name=name).values_list("transaction", "change_id").first() or (0, 0)


def end() -> tuple[int, int]:
    """The place of the newest change before which none can appear any more; what is read after this call holds all up to there."""
    _renumber_if_restored()
    changes = Change.objects.order_by("-transaction", "-id")
    if connection.vendor == "postgresql":
        changes = changes.filter(transaction__lt=transactions.OldestOpenTransaction())
    return changes.values_list("transaction", "id").first() or (0, 0)


def last_id() -> int:
    """The id of the newest change that this transaction can see, 0 if there is none."""
    return Change.objects.aggregate(last=models.Max("id"))["last"] or 0


def lag(name: str) -> int:
    """How many changes the reader `name` has still to see."""
    return unseen(*position(name)).count()


def unseen(transaction: int | Expression, change_id: int | Expression) -> QuerySet[Change]:
    """What a reader at this place has still to see, in order; an OuterRef names a place in another query. Costs a short query more."""
    later = Change.objects.filter(transactions.later_than((transaction, change_id)))
    if not is_foreign():
        return later.order_by("transaction", "id")
    # Until the first worker makes the order anew, what was written here since stands before the checkpoints of before; only its ids rise.
    return (later | Change.objects.filter(id__gt=change_id)).order_by("id")


def consume(name: str, handle: Callable[[list[Change]], None], *, limit: int = 500, behind: str | None = None, lease: timedelta = LEASE) -> int:
    """Hand the next batch to `handle`, then move the checkpoint; return how many changes that was.

    Returns 0 when there is nothing to do or another process holds the reader's lease. If `handle` raises, the checkpoint
    stays and the error goes to the caller, so the same batch comes again: `handle` must be repeatable. With `behind`, the
    reader never passes the checkpoint of that other reader. `lease` is how long others wait if this process is killed; it is
    renewed while the batch lasts.
    """
    if _has_read_all(name):
        return 0
    holder = _take_lease(name, lease)
    if holder is None:
        return 0
    mine = Reader.objects.filter(name=name, leased_by=holder)
    try:
        _renumber_if_restored()
        changes = read(position(name), limit=limit, until=position(behind) if behind else None)
        if changes:
            with _renewing(mine, lease):
                handle(changes)
            # Nothing is moved if the lease ran out meanwhile and another worker took over: its checkpoint counts.
            if not mine.update(transaction=changes[-1].transaction, change_id=changes[-1].id, modified=timezone.now()):
                logger.warning("The reader %s was taken over by another worker in the middle of a batch; the batch counts as not done.", name)
        return len(changes)
    finally:
        mine.update(lease_until=None, leased_by="")


@contextmanager
def _renewing(mine: models.QuerySet, lease: timedelta) -> Iterator[None]:
    """Keep the lease for as long as the block lasts and the process lives, or two workers would do a long batch in turns for ever."""
    if connection.in_atomic_block:  # Nobody else can see the row.
        yield
        return
    over, until = threading.Event(), timezone.now() + LONGEST_BATCH

    def renew() -> None:
        while not over.wait(lease.total_seconds() / 3) and (now := timezone.now()) < until:
            try:
                mine.update(lease_until=now + lease)
            except DatabaseError:
                logger.warning("A lease cannot be renewed.", exc_info=True)
            finally:
                connection.close()

    thread = threading.Thread(target=renew, name="lease", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


@contextmanager
def held(name: str, *, patience: timedelta = 2 * LEASE, lease: timedelta = LEASE) -> Iterator[Callable[[tuple[int, int]], object]]:
    """Keep the reader `name` where it is: no batch is on its way during the block.

    Gives what moves the checkpoint. Raises TimeoutError if others hold the reader for longer than `patience`.
    """
    deadline = timezone.now() + patience
    while (holder := _take_lease(name, lease)) is None:
        if timezone.now() > deadline:
            raise TimeoutError(f"The reader {name} was busy for {patience.total_seconds():.0f} seconds.")
        time.sleep(_LOOK_AGAIN_SECONDS)
    mine = Reader.objects.filter(name=name, leased_by=holder)
    try:
        _renumber_if_restored()
        with _renewing(mine, lease):
            yield lambda place: mine.update(transaction=place[0], change_id=place[1], modified=timezone.now())
    finally:
        mine.update(lease_until=None, leased_by="")


def _has_read_all(name: str) -> bool:
    """Whether the reader stands at the end of the log. A worker asks twice a second for each reader, so it costs no write.

    The newest change by its id is asked for too: in a log that was restored from another database, the order tells nothing.
    """
    here = position(name)
    newest = Change.objects.order_by("-id").values_list("transaction", "id").first()
    return newest == here and not Change.objects.filter(transaction__gt=here[0]).exists()


def _renumber_if_restored() -> None:
    """Bring the log into this database's own order, if it was restored here from another one.

    Transaction ids begin anew in another PostgreSQL cluster, so readers would wait for years until it reaches those of the
    checkpoints, in silence. All that is committed gets the order of its ids instead; some changes may be read again.
    """
    if not is_foreign():
        return
    logger.warning("The change log comes from another database; its order is made anew.")
    with transaction.atomic():
        for reader in Reader.objects.select_for_update().order_by("name"):
            unread = Change.objects.filter(Q(transaction__gt=reader.transaction) | Q(transaction=reader.transaction, id__gt=reader.change_id))
            first = unread.aggregate(first=models.Min("id"))["first"]
            reader.change_id = min(reader.change_id, first - 1) if first else reader.change_id
            reader.transaction = 0
            reader.save(update_fields=["transaction", "change_id"])
        Change.objects.exclude(transaction=0).update(transaction=0)


def is_foreign() -> bool:
    """Whether log or checkpoints hold a transaction that this database cannot have had yet; SQLite has none at all.

    A transaction that writes cannot tell: its own rows look like that. Within one the answer is no.
    """
    if connection.in_atomic_block:
        return False
    rows = (model.objects.order_by().filter(transaction__gte=transactions.beyond()).values("transaction") for model in (Change, Reader))
    return next(rows).union(next(rows), all=True).exists()


def _take_lease(name: str, lease: timedelta) -> str | None:
    """Who holds the lease from now on (this call, as no other did or theirs has run out); None if another one may not be disturbed.

    The holder is the call, not the process: two threads of one process must not read the same batch side by side, or the
    slower one puts the checkpoint back.
    """
    now = timezone.now()
    holder = f"{socket.gethostname()[:30]}:{os.getpid()}:{uuid.uuid4().hex[:12]}"
    Reader.objects.get_or_create(name=name)
    free = Q(lease_until=None) | Q(lease_until__lt=now)
    return holder if Reader.objects.filter(free, name=name).update(lease_until=now + lease, leased_by=holder) else None
