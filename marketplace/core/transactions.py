"""PostgreSQL's transactions, as columns of a query: by them a log is read in the order of commits (see changelog).

SQLite has one writer at a time and none of these functions; there the transaction of every row is 0.
"""

from django.db import connection, models
from django.db.models import Expression, Func, Value
from django.db.models.lookups import GreaterThan


class _Transaction(Func):
    output_field = models.BigIntegerField()


class CurrentTransaction(_Transaction):
    """The transaction that writes this row."""

    function = "pg_current_xact_id"
    template = "%(function)s()::text::bigint"


class OldestOpenTransaction(_Transaction):
    """The oldest transaction that may still write; every one before it is over."""

    function = "pg_snapshot_xmin"
    template = "%(function)s(pg_current_snapshot())::text::bigint"


class NextTransaction(_Transaction):
    """The first transaction that has not begun."""

    function = "pg_snapshot_xmax"
    template = "%(function)s(pg_current_snapshot())::text::bigint"


def own() -> CurrentTransaction | int:
    """What a row of a log gets as its transaction."""
    return CurrentTransaction() if connection.vendor == "postgresql" else 0


def beyond() -> NextTransaction | int:
    """The first transaction that no row can have: one that has it came from another database."""
    return NextTransaction() if connection.vendor == "postgresql" else 1


class _Row(Func):
    """Several columns, compared as one."""

    template = "(%(expressions)s)"
    output_field = models.BigIntegerField()


def later_than(position: tuple[int | Expression, int | Expression]) -> GreaterThan:
    """The rows of a log behind a place (transaction, id), for `filter`; an OuterRef names a place in another query.

    Compared as a row, the index leads to the place at once. As "the transaction is greater, or the same and the id greater" PostgreSQL walks through
    all that is before it, at every page.
    """
    return GreaterThan(_Row("transaction", "id"), _Row(*(part if hasattr(part, "resolve_expression") else Value(part) for part in position)))
