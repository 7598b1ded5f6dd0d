"""Days so many months away, as laws count them: to the same day of the month, or to the nearest one that the month has."""

import datetime
from calendar import monthrange

A_DAY = datetime.timedelta(days=1)
MONTHS = 12


def months_before(day: datetime.date, months: int) -> datetime.date:
    """The same day so many months before, or the last one of that month."""
    year, month = divmod(day.year * MONTHS + day.month - 1 - months, MONTHS)
    return datetime.date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def months_after(day: datetime.date, months: int) -> datetime.date:
    """The first day on which `months_before` is `day` or later: the same day, or the first of the month after."""
    year, month = divmod(day.year * MONTHS + day.month - 1 + months, MONTHS)
    last = monthrange(year, month + 1)[1]
    return datetime.date(year, month + 1, day.day) if day.day <= last else datetime.date(year, month + 1, last) + A_DAY
