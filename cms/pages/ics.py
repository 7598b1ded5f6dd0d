"""Entries for calendar programs (RFC 5545)."""

import datetime
from collections.abc import Iterable
from dataclasses import dataclass

from django.conf import settings
from django.http import HttpResponse

#: A line has at most so many octets; what is longer goes on in the next one, behind a space.
LINE = 75


@dataclass(frozen=True)
class Entry:
    """One entry. `starts` and `ends` are moments (aware), or a day with no `ends`: then it takes the whole day."""

    uid: str
    title: str
    starts: datetime.date
    changed: datetime.datetime
    ends: datetime.date | None = None
    text: str = ""
    where: str = ""
    url: str = ""


def calendar(entries: Iterable[Entry], *, name: str = "") -> str:
    """A calendar with `entries`."""
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", f"PRODID:-//{_text(settings.SITE_NAME)}//Calendar//CA", "CALSCALE:GREGORIAN", "METHOD:PUBLISH"]
    if name:
        lines += [f"NAME:{_text(name)}", f"X-WR-CALNAME:{_text(name)}"]
    for entry in entries:
        lines += _event(entry)
    return "".join(f"{_folded(line)}\r\n" for line in [*lines, "END:VCALENDAR"])


def response(entries: Iterable[Entry], *, name: str) -> HttpResponse:
    """A file to open with a calendar program."""
    return HttpResponse(calendar(entries), content_type="text/calendar; charset=utf-8", headers={"Content-Disposition": f'attachment; filename="{name}"'})


def _event(entry: Entry) -> list[str]:
    optional = {"DTEND": entry.ends and _moment(entry.ends), "DESCRIPTION": _text(entry.text), "LOCATION": _text(entry.where), "URL": entry.url}
    host = settings.SITE_URL.partition("://")[2]
    return [
        "BEGIN:VEVENT",
        f"UID:{entry.uid}@{host}",
        f"DTSTAMP:{_moment(entry.changed)[1:]}",
        f"SUMMARY:{_text(entry.title)}",
        f"DTSTART{_moment(entry.starts)}",
        *(f"{key}{value}" if key == "DTEND" else f"{key}:{value}" for key, value in optional.items() if value),
        "END:VEVENT",
    ]


def _moment(value: datetime.date) -> str:
    """With its sign in front: a moment in UTC, or a day."""
    if isinstance(value, datetime.datetime):
        return f":{value.astimezone(datetime.UTC):%Y%m%dT%H%M%SZ}"
    return f";VALUE=DATE:{value:%Y%m%d}"


def _text(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,")
    return "\\n".join(escaped.splitlines())


def _folded(line: str) -> str:
    # Counted in octets and cut between characters: a program that joins octets would otherwise get half a letter.
    pieces, piece, size = [], "", 0
    for character in line:
        width = len(character.encode())
        if size + width > LINE:
            pieces.append(piece)
            piece, size = "", 1
        piece += character
        size += width
    return "\r\n ".join([*pieces, piece])
