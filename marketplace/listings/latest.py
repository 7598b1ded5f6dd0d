"""The newest public listings for programs, by a statement that Django writes once a minute.

It is what programs ask for most, and writing its SQL takes Django longer than the database needs to answer it. The queryset says what is public, here as
everywhere; only the place in the order where a page begins is put in each time.
"""

import datetime
import time
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from django.db import connection

from marketplace.rest.paging import behind

from . import rows
from .models import Listing

#: A day, on which "valid today" depends, changes at the beginning of one.
MINUTE = 60
#: Stand for the place while the statement is written: no listing has them.
PLACE = (datetime.datetime(1, 1, 2, tzinfo=datetime.UTC), -1)


def fetched(steps: Sequence[str], place: Sequence[Any], most: int) -> list[Sequence[Any]]:
    """Rows for `rows.written`, as paging.page asks; `steps` are (-)published_at and (-)id."""
    sql, parameters = _statement(tuple(steps), bool(place), most, connection.vendor, int(time.time()) // MINUTE)
    given = dict(zip(_adapted(PLACE), _adapted(place), strict=True)) if place else {}
    with connection.cursor() as cursor:
        cursor.execute(sql, [given.get(value, value) for value in parameters])
        found = cursor.fetchall()
    return found if connection.features.has_native_uuid_field else [_typed(row) for row in found]


@lru_cache(maxsize=100)
def _statement(steps: tuple[str, ...], has_place: bool, most: int, _vendor: str, _minute: int) -> tuple[str, tuple[Any, ...]]:  # noqa: FBT001 - a key
    """The SQL, and its values with stand-ins for the place."""
    listings = rows.public(Listing.objects.live().exclude(published_at=None)).order_by(*steps)
    if has_place:
        listings = listings.filter(behind(steps, PLACE))
    return listings[:most].query.sql_with_params()


def _adapted(place: Sequence[Any]) -> tuple[Any, Any]:
    """As Django hands the values of a place to this database."""
    at, number = place
    return connection.ops.adapt_datetimefield_value(at), number


def _typed(row: Sequence[Any]) -> list[Any]:
    """A row of a database without zones and UUIDs: the moment in UTC, the UUIDs as they are written."""
    values = list(row)
    values[_AT] = values[_AT].replace(tzinfo=datetime.UTC)
    for position in _UIDS:
        digits = values[position]
        values[position] = f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"
    return values


_AT, _UIDS = rows.POSITIONS["published_at"], (rows.POSITIONS["uid"], rows.POSITIONS["company__uid"])
