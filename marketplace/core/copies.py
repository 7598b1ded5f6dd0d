"""Rows made of other rows by the database itself, many at once, without taking them through Python: steps, histories (django-simple-history)."""

import datetime
from collections.abc import Collection, Mapping

from django.conf import settings
from django.db import connection, models

#: Keys in one statement; SQLite counts them.
CHUNK = 500


def record(model: type[models.Model], pks: Collection[int], *, is_new: bool, at: datetime.datetime, by: models.Model | None = None) -> None:
    """Write how these rows of `model` are now into its history, as `history.bulk_history_create` would; call it behind the write, in its transaction."""
    if not getattr(settings, "SIMPLE_HISTORY_ENABLED", True):
        return
    kept = {field.column for field in _meta(model.history.model).concrete_fields}
    columns = {field.column: field.column for field in _meta(model).concrete_fields if field.column in kept}
    values = {"history_date": at, "history_type": "+" if is_new else "~", "history_user_id": by.pk if by else None}
    copy(model, pks, into=model.history.model, columns=columns, values=values)


def copy(source: type[models.Model], pks: Collection[int], *, into: type[models.Model], columns: Mapping[str, str], values: Mapping[str, object]) -> None:
    """A row of `into` for each of these rows of `source`, in the order of their keys: `columns` are theirs (new name: old name), `values` the same for all."""
    quote = connection.ops.quote_name
    names = ", ".join(map(quote, (*columns, *values)))
    taken = ", ".join([*map(quote, columns.values()), *["%s"] * len(values)])
    head = f"INSERT INTO {quote(_meta(into).db_table)} ({names}) SELECT {taken} FROM {quote(_meta(source).db_table)}"  # noqa: S608 - names of our models
    given = [connection.ops.adapt_datetimefield_value(value) if isinstance(value, datetime.datetime) else value for value in values.values()]
    ordered = sorted(pks)
    with connection.cursor() as cursor:
        for begin in range(0, len(ordered), CHUNK):
            chunk = ordered[begin : begin + CHUNK]
            cursor.execute(f"{head} WHERE id IN ({', '.join(['%s'] * len(chunk))}) ORDER BY id", [*given, *chunk])


def _meta(model: type[models.Model]) -> models.options.Options:
    return model._meta  # noqa: SLF001 - the documented way
