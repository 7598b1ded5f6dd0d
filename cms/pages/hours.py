"""When an office is open: pure, no database. Times are those of the office's wall clock."""

import datetime
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

#: So far ahead the next opening is looked for; an office that is shut for longer says nothing about it.
LOOK_AHEAD = datetime.timedelta(days=60)


@dataclass(frozen=True, order=True)
class Period:
    """From `opens` until just before `closes`, on one day."""

    opens: datetime.time
    closes: datetime.time


@dataclass(frozen=True)
class Special:
    """Days that are not like others: open in these periods only, or closed all day when there is none."""

    first: datetime.date
    last: datetime.date
    periods: tuple[Period, ...] = ()
    note: str = ""


@dataclass(frozen=True)
class Status:
    """What is true at one moment. `changes`: when it turns, None if that is too far ahead to tell; `days`: in how many days that is."""

    is_open: bool
    changes: datetime.datetime | None
    days: int = 0


@dataclass(frozen=True)
class Hours:
    """A week, Monday first, and the days that differ from it. Of two specials for a day the first one holds."""

    week: tuple[tuple[Period, ...], ...]
    specials: tuple[Special, ...] = ()

    def on(self, day: datetime.date) -> tuple[Period, ...]:
        """The day's periods in order."""
        special = self.special(day)
        return tuple(sorted(self.week[day.weekday()] if special is None else special.periods))

    def special(self, day: datetime.date) -> Special | None:
        """What makes the day unlike others."""
        return next((special for special in self.specials if special.first <= day <= special.last), None)

    def status(self, now: datetime.datetime) -> Status:
        """Open or not at `now` (aware, in the office's zone)."""
        today = next((period for period in self.on(now.date()) if period.opens <= now.time() < period.closes), None)
        if today:
            return Status(is_open=True, changes=_at(now, now.date(), today.closes))
        opens = self._next_opening(now)
        return Status(is_open=False, changes=opens, days=(opens.date() - now.date()).days if opens else 0)

    def _next_opening(self, now: datetime.datetime) -> datetime.datetime | None:
        for ahead in range(LOOK_AHEAD.days + 1):
            day = now.date() + datetime.timedelta(days=ahead)
            for period in self.on(day):
                opens = _at(now, day, period.opens)
                if opens > now:
                    return opens
        return None


def _at(now: datetime.datetime, day: datetime.date, time: datetime.time) -> datetime.datetime:
    # Built from the wall clock, not by adding hours: a night in which the clocks change has 23 or 25 of them.
    return datetime.datetime.combine(day, time, tzinfo=now.tzinfo)


def crossed(period: Period) -> bool:
    """Whether it closes before it opens."""
    return period.closes <= period.opens


def overlapping(periods: Iterable[Period]) -> tuple[Period, Period] | None:
    """The first two of one day that are open at the same time."""
    return next(((one, other) for one, other in pairwise(sorted(periods)) if other.opens < one.closes), None)


def same_days(week: Sequence[tuple[Period, ...]]) -> list[tuple[list[int], tuple[Period, ...]]]:
    """The week in few lines: neighbouring days with the same periods together, [(weekdays, periods)]."""
    lines: list[tuple[list[int], tuple[Period, ...]]] = []
    for day, periods in enumerate(tuple(sorted(day)) for day in week):
        if lines and lines[-1][1] == periods:
            lines[-1][0].append(day)
        else:
            lines.append(([day], periods))
    return lines
