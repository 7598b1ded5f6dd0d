"""The deadlines of aid as a calendar: months for the page, events for the programs that subscribe to the feed (RFC 5545, RFC 7986)."""

import calendar
import datetime
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

import icalendar
from django.conf import settings
from django.utils.dates import MONTHS
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from . import words
from .enums import State
from .finder import Item
from .models import Call

#: Who subscribes keeps what has just passed: an event that vanishes on its day looks like a mistake.
KEPT_DAYS = 60
#: Months shown at most; calls further away have no date that holds.
MOST_MONTHS = 18
#: Programs ask again so often: a changed deadline must not wait for a week.
REFRESH = datetime.timedelta(hours=12)
#: SEQUENCE counts the minutes since then: it rises with every publication and stays a small integer.
EPOCH = datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)


@dataclass(frozen=True)
class Entry:
    """A day that matters: the last one of a call, or its first."""

    item: Item
    call: Call
    day: datetime.date
    opening: bool = False

    @property
    def state(self) -> State:
        """The state of this call, which need not be the one that speaks for the aid."""
        return self.call.state

    @property
    def used_up(self) -> bool:
        """Whether there is no money left, so that the deadline means nothing any more."""
        return self.state == State.EXHAUSTED


@dataclass(frozen=True)
class Day:
    """A cell of a month's grid; `number` is 0 outside the month."""

    date: datetime.date
    number: int
    entries: tuple[Entry, ...]
    today: bool

    @property
    def only_openings(self) -> bool:
        """Whether calls open on this day and none ends."""
        return bool(self.entries) and all(entry.opening for entry in self.entries)


@dataclass(frozen=True)
class Month:
    """A month with something in it: its weeks, Monday to Sunday, and its entries by day."""

    first: datetime.date
    weeks: list[list[Day]]
    days: list[tuple[datetime.date, list[Entry]]]

    @property
    def anchor(self) -> str:
        """The id of its heading."""
        return f"m-{self.first:%Y-%m}"


def entries(items: Iterable[Item]) -> Iterator[Entry]:
    """The first and last days of all calls that have them."""
    for item in items:
        for call in item.page.calls.all():
            if call.opens_on and call.opens_on > item.today:
                yield Entry(item, call, call.opens_on, opening=True)
            if call.deadline:
                yield Entry(item, call, call.deadline)


def months(items: Iterable[Item], today: datetime.date) -> list[Month]:
    """What is still to come, month by month; a month without anything is left out."""
    by_day: dict[datetime.date, list[Entry]] = defaultdict(list)
    for entry in entries(items):
        if entry.day >= today and not entry.used_up:
            by_day[entry.day].append(entry)
    firsts = sorted({day.replace(day=1) for day in by_day})[:MOST_MONTHS]
    return [_month(first, by_day, today) for first in firsts]


def _month(first: datetime.date, by_day: dict[datetime.date, list[Entry]], today: datetime.date) -> Month:
    grid = calendar.Calendar(calendar.MONDAY).monthdatescalendar(first.year, first.month)
    weeks = [[Day(day, day.day * (day.month == first.month), tuple(by_day.get(day, ())), today=day == today) for day in week] for week in grid]
    return Month(first, weeks, [(day, by_day[day]) for day in sorted(by_day) if day.replace(day=1) == first])


def weekdays() -> list[tuple[str, str]]:
    """Short and full name of the days from Monday on, in the language of this moment."""
    monday = datetime.date(2024, 1, 1)
    days = [monday + datetime.timedelta(days=n) for n in range(7)]
    return [(date_format(day, "D"), date_format(day, "l")) for day in days]


def month_name(first: datetime.date) -> str:
    """A month by its name, "December 2026": by itself it has no preposition, other than in a date."""
    return f"{str(MONTHS[first.month]).capitalize()} {first.year}"


# --- The feed ----------------------------------------------------------------------------------------------------------------


def feed(items: Iterable[Item], *, name: str, source: str, now: datetime.datetime, since: datetime.date) -> bytes:
    """The events of these aids from `since` on, as a calendar that programs subscribe to."""
    language = settings.LANGUAGE_CODE
    found = icalendar.Calendar.new(
        prodid=f"-//{settings.SITE_NAME}//Aid calendar//{language.upper()}",
        name=name,
        refresh_interval=REFRESH,
        source=source,
        method="PUBLISH",
        subcomponents=[event(entry, now) for entry in entries(items) if entry.day >= since],
    )
    # What the usual programs read: RFC 7986 came later and not everywhere.
    # The library leaves out what the standard asks for.
    found["refresh-interval"].params["VALUE"] = "DURATION"
    found.add("x-published-ttl", REFRESH)
    return found.to_ical()


def event(entry: Entry, now: datetime.datetime) -> icalendar.Event:
    """One day of a call. Its UID stays whatever changes; SEQUENCE and LAST-MODIFIED rise when the aid is published anew."""
    page, changed = entry.item.page, changed_at(entry)
    title = _("Opens: %(aid)s") if entry.opening else _("Budget used up: %(aid)s") if entry.used_up else _("Last day: %(aid)s")
    return icalendar.Event.new(
        uid=uid(entry),
        stamp=now,
        last_modified=changed,
        sequence=max(0, int((changed - EPOCH).total_seconds() // 60)),
        start=entry.day,
        end=entry.day + datetime.timedelta(days=1),
        summary=title % {"aid": page.title},
        description="\n".join(part for part in (page.summary, words.how_much(page), absolute(entry.item.url)) if part),
        url=absolute(entry.item.url),
        categories=[str(page.get_kind_display())],
        status="CANCELLED" if entry.used_up else "CONFIRMED",
        transparency="TRANSPARENT",
    )


def changed_at(entry: Entry) -> datetime.datetime:
    """When the aid was last published; for what never was, when it came to be."""
    page = entry.item.page
    return (page.last_published_at or page.first_published_at or page.latest_revision_created_at or EPOCH).astimezone(datetime.UTC).replace(microsecond=0)


def uid(entry: Entry) -> str:
    """The same for ever and in every language: of the call, not of its dates."""
    host = urlsplit(settings.SITE_URL).hostname or "localhost"
    return f"{entry.item.page.translation_key}-{entry.call.uid}-{'opens' if entry.opening else 'deadline'}@{host}"


def absolute(address: str) -> str:
    """The address with the site's scheme and host."""
    return address if "://" in address else settings.SITE_URL + address
