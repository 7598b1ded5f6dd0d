"""Entries for calendar programs (RFC 5545)."""

import datetime
from collections.abc import Iterable
from dataclasses import dataclass

import icalendar
from django.conf import settings
from django.http import HttpResponse


@dataclass(frozen=True)
class Entry:
    """One entry; `starts`, `ends` and `changed` are aware."""

    uid: str
    title: str
    starts: datetime.datetime
    ends: datetime.datetime
    changed: datetime.datetime
    text: str = ""
    where: str = ""
    url: str = ""


def calendar(entries: Iterable[Entry], *, name: str = "") -> bytes:
    """A calendar with `entries`; `name`: what a program calls it that subscribes to it."""
    whole = icalendar.Calendar()
    whole.add("version", "2.0")
    whole.add("prodid", f"-//{settings.SITE_NAME}//{settings.SITE_URL}//")
    if name:
        # The second is what programs older than RFC 7986 read.
        whole.add("name", name)
        whole.add("x-wr-calname", name)
    for entry in entries:
        whole.add_component(_event(entry))
    return whole.to_ical()


def response(entries: Iterable[Entry], *, file: str, name: str = "") -> HttpResponse:
    """A `file` to open with a calendar program."""
    content, kind = calendar(entries, name=name), "text/calendar; charset=utf-8"
    return HttpResponse(content, content_type=kind, headers={"Content-Disposition": f'attachment; filename="{file}"'})


def _event(entry: Entry) -> icalendar.Event:
    event = icalendar.Event()
    event.add("uid", f"{entry.uid}@{settings.SITE_URL.partition('://')[2]}")
    event.add("summary", entry.title)
    # In UTC, so that no description of the time zone has to come along.
    for name, moment in (("dtstamp", entry.changed), ("dtstart", entry.starts), ("dtend", entry.ends)):
        event.add(name, moment.astimezone(datetime.UTC))
    for name, text in (("description", entry.text), ("location", entry.where), ("url", entry.url)):
        if text:
            event.add(name, text)
    return event
