"""How far each reader of the change log is behind, for those who run the service."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection
from django.db.models import BigIntegerField, OuterRef, QuerySet, Subquery, Value
from django.utils import timezone

from . import changelog, transactions
from .models import Change, Reader

#: Nobody needs to know by how much a reader is further behind than this, and counting a million changes for each of a dozen readers takes seconds.
MOST_COUNTED = 100_000

#: SQLite has one writer, so what is committed may be read.
_NONE_OPEN = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Lag:
    """How far one reader is behind."""

    reader: str
    #: Changes it has still to see (MOST_COUNTED: or more), since when the oldest of them waits, and how many seconds that is.
    changes: int
    oldest: datetime | None
    seconds: float
    #: When it last handled a batch; an idle reader has no need to.
    handled: datetime
    #: Who holds its lease, and until when; empty if nobody does.
    held_by: str
    held_until: datetime | None
    #: What is next may not be read yet: a transaction that began before it is still open.
    is_held_back: bool


class _Count(Subquery):
    """How many rows a query has."""

    template = "(SELECT COUNT(*) FROM (%(subquery)s) AS counted)"
    output_field = BigIntegerField()


def lags(*, without: Collection[str] = ()) -> list[Lag]:
    """Every reader that has begun, by name, in a constant number of queries; `without` names those that nobody follows any more."""
    now = timezone.now()
    return [
        Lag(
            reader=row.name,
            changes=row.changes,
            oldest=row.oldest,
            seconds=max((now - row.oldest) / timedelta(seconds=1), 0.0) if row.oldest else 0.0,
            handled=row.modified,
            held_by=row.leased_by,
            held_until=row.lease_until,
            # What came here from another database has a transaction that has not even begun here: that one holds up nobody.
            is_held_back=row.next_transaction is not None and row.open_from <= row.next_transaction < row.beyond,
        )
        for row in _with_lag(Reader.objects.exclude(name__in=without).order_by("name"))
    ]


def oldest_seconds(*, without: Collection[str] = ()) -> float:
    """How long the oldest change waits for any of the readers; cheap, for it counts nothing."""
    oldest = Reader.objects.exclude(name__in=without).annotate(oldest=_first("created", _later())).values_list("oldest", flat=True)
    waiting = min(filter(None, oldest), default=None)
    return max((timezone.now() - waiting) / timedelta(seconds=1), 0.0) if waiting else 0.0


def _with_lag(readers: QuerySet[Reader]) -> QuerySet[Reader]:
    # In the index's order: without, PostgreSQL reads the whole log for each reader that stands at its end.
    later = _later()
    open_from = transactions.OldestOpenTransaction() if connection.vendor == "postgresql" else Value(_NONE_OPEN, BigIntegerField())
    return readers.annotate(
        changes=_Count(later.values("id")[:MOST_COUNTED]),
        oldest=_first("created", later),
        next_transaction=_first("transaction", later),
        open_from=open_from,
        beyond=transactions.beyond() if connection.vendor == "postgresql" else Value(_NONE_OPEN, BigIntegerField()),
    )


def _later() -> QuerySet[Change]:
    return changelog.unseen(OuterRef("transaction"), OuterRef("change_id"))


def _first(field: str, later: QuerySet[Change]) -> Subquery:
    return Subquery(later.values(field)[:1])
