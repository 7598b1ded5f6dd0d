"""Writing many rows into a history (django-simple-history) without taking them through Python again: the database copies them."""

import datetime
from collections.abc import Collection

from django.conf import settings
from django.db import connection, models

#: Keys in one statement; SQLite counts them.
CHUNK = 500


def record(model: type[models.Model], pks: Collection[int], *, is_new: bool, at: datetime.datetime, by: models.Model | None = None) -> None:
    """Write how these rows of `model` are now into its history, as `history.bulk_history_create` would; call it behind the write, in its transaction."""
    if not pks or not getattr(settings, "SIMPLE_HISTORY_ENABLED", True):
        return
    quote = connection.ops.quote_name
    history = model.history.model._meta  # noqa: SLF001 - the documented way
    kept = {field.column for field in history.concrete_fields}
    columns = ", ".join(quote(field.column) for field in model._meta.concrete_fields if field.column in kept)  # noqa: SLF001 - as above
    own = ", ".join(map(quote, ("history_date", "history_type", "history_user_id")))
    head = f"INSERT INTO {quote(history.db_table)} ({columns}, {own}) SELECT {columns}, %s, %s, %s FROM {quote(model._meta.db_table)}"  # noqa: S608, SLF001 - names of ours
    values = [connection.ops.adapt_datetimefield_value(at), "+" if is_new else "~", by.pk if by else None]
    ordered = sorted(pks)
    with connection.cursor() as cursor:
        for begin in range(0, len(ordered), CHUNK):
            chunk = ordered[begin : begin + CHUNK]
            cursor.execute(f"{head} WHERE id IN ({', '.join(['%s'] * len(chunk))}) ORDER BY id", [*values, *chunk])
