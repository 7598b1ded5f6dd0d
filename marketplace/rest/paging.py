"""Paging by cursor: a page begins behind a row, not at a number, so that nothing is missed or doubled while others write.

DRF's CursorPagination knows one column and counts on from it where values are equal, at most a thousand times: an import that publishes 1,500
listings in one moment ends its walk. Ours compares all columns of the order, of which the last is unique.
"""

import datetime
import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote_plus, urlencode

from django.conf import settings
from django.core import signing
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from rest_framework.request import Request

from .problems import Problem, invalid_parameter

LONGEST_CURSOR = 1000
_SIGNER = signing.Signer(salt="marketplace.rest.paging")
FORWARD, BACKWARD = "f", "b"


@dataclass(frozen=True)
class Page:
    """Rows, and the cursors of the pages beside them (empty: there is none)."""

    rows: Sequence[Any]
    next: str = ""
    previous: str = ""


# --- Parameters -----------------------------------------------------------------------------------------------------


def limit_of(request: Request, *, default: int, most: int) -> int:
    """How many are asked for; raises a Problem for what is no number from 1 to `most`."""
    text = request.query_params.get("limit")
    if text is None:
        return default
    # `isdecimal` takes digits of every script, as int() does; a long row of digits is not worth the work.
    number = int(text) if text.isascii() and text.isdecimal() and len(text) <= len(str(most)) else 0
    if not 1 <= number <= most:
        raise invalid_parameter("limit", ngettext("A number from 1 to %(most)d.", "A number from 1 to %(most)d.", most) % {"most": most})
    return number


def refuse_unknown(request: Request, known: Iterable[str]) -> None:
    """Raise a Problem that names every parameter which the address does not take: a program would not notice that it was ignored."""
    known = sorted(known)
    unknown = [name for name in request.query_params if name not in known]
    if unknown:
        detail = _("There is no such parameter here. There are: %(names)s.") % {"names": ", ".join(known) or "–"}
        raise Problem("invalid-parameter", errors=[{"parameter": name[:80], "detail": detail, "code": "unknown"} for name in unknown])


def refuse_repeated(request: Request, names: Iterable[str]) -> None:
    """Raise a Problem for a parameter that stands twice and may only once."""
    for name in names:
        if len(request.query_params.getlist(name)) > 1:
            raise invalid_parameter(name, _("It stands more than once."), "repeated")


# --- Cursors --------------------------------------------------------------------------------------------------------


def seal(request: Request, content: Mapping[str, Any]) -> str:
    """A cursor: what nobody can make up, and good only for the same search."""
    return _SIGNER.sign_object({**content, "for": _search(request)})


def unseal(request: Request) -> dict[str, Any] | None:
    """What the request's cursor holds, None where it has none. Raises Problem("invalid-cursor")."""
    text = request.query_params.get("cursor")
    if text is None:
        return None
    try:
        if len(text) > LONGEST_CURSOR:
            raise Problem("invalid-cursor")
        content = _SIGNER.unsign_object(text)
    except (signing.BadSignature, ValueError) as error:
        raise Problem("invalid-cursor") from error
    if content.pop("for") != _search(request):
        raise Problem("invalid-cursor", _("This cursor belongs to another search. Send the same parameters as before, or begin without a cursor."))
    return content


def _search(request: Request) -> str:
    """What the request looks for, without how it is shown. A page asks three times; the request keeps it."""
    known = getattr(request._request, "api_search", None)  # noqa: SLF001 - DRF's request passes attributes on by a slow way
    if known is None:
        known = request._request.api_search = _searched(request)  # noqa: SLF001 - as above
    return known


def _searched(request: Request) -> str:
    pairs = sorted((name, value) for name, values in request.query_params.lists() if name not in {"cursor", "limit", "fields"} for value in values)
    # Not for secrecy: the signature covers it.
    return hashlib.blake2b(f"{request.path}?{urlencode(pairs)}".encode(), digest_size=6).hexdigest()


# --- By the place in an order -----------------------------------------------------------------------------------------


def keyset(request: Request, queryset: QuerySet, *, order: Sequence[str], limit: int, positions: Sequence[int | str] | None = None) -> Page:
    """The page that the request's cursor names, of rows in `order` ("-published_at", "-id"; the last unique, none of them NULL).

    `positions` tells where in a row the order's values are: names of a `.values()` row, indexes of a `.values_list()` one; by default names.
    """

    def fetched(steps: Sequence[str], place: Sequence[Any], most: int) -> list[Any]:
        ordered = queryset.order_by(*steps)
        return list((ordered.filter(behind(steps, place)) if place else ordered)[:most])

    return page(request, fetched, order=order, limit=limit, positions=positions)


def page(
    request: Request,
    fetched: Callable[[Sequence[str], Sequence[Any], int], list[Any]],
    *,
    order: Sequence[str],
    limit: int,
    positions: Sequence[int | str] | None = None,
) -> Page:
    """As `keyset`, of what `fetched(steps, place, most)` gives: at most `most` rows ordered by `steps`, behind the values in `place` (empty: the first)."""
    content = unseal(request)
    backward = bool(content) and content.get("to") == BACKWARD
    steps = [_flipped(step) for step in order] if backward else list(order)
    rows = fetched(steps, [_read(value) for value in content["at"]] if content else [], limit + 1)
    more, rows = len(rows) > limit, rows[:limit]
    if backward:
        rows.reverse()
    where = positions or [step.lstrip("-") for step in order]

    def cursor(direction: str, row: Mapping | Sequence) -> str:
        return seal(request, {"to": direction, "at": [_write(row[place]) for place in where]})

    following = rows and (more or backward)
    preceding = rows and (content if not backward else more)
    return Page(rows, next=cursor(FORWARD, rows[-1]) if following else "", previous=cursor(BACKWARD, rows[0]) if preceding else "")


def _flipped(step: str) -> str:
    return step[1:] if step.startswith("-") else f"-{step}"


def behind(steps: Sequence[str], values: Sequence[Any]) -> Q:
    """The rows that come after these values: by the first column, or equal there and by the second, and so on."""
    found, equal = Q(), {}
    for step, value in zip(steps, values, strict=True):
        name = step.lstrip("-")
        found |= Q(**equal, **{f"{name}__{'lt' if step.startswith('-') else 'gt'}": value})
        equal[name] = value
    # Says nothing new, but lets the database begin in its index at the right place.
    first = steps[0].lstrip("-")
    return found & Q(**{f"{first}__{'lte' if steps[0].startswith('-') else 'gte'}": values[0]})


def _write(value: object) -> list[str] | str | int:
    match value:
        case datetime.datetime():
            return ["t", value.isoformat()]
        case datetime.date():
            return ["d", value.isoformat()]
    return value


def _read(value: list[str] | str | int) -> object:
    match value:
        case ["t", text]:
            return datetime.datetime.fromisoformat(text)
        case ["d", text]:
            return datetime.date.fromisoformat(text)
    return value


# --- Links ------------------------------------------------------------------------------------------------------------


def _start(request: Request) -> str:
    """The request's own address, up to where a cursor is put."""
    pairs = [(name, value) for name, values in request.query_params.lists() if name != "cursor" for value in values]
    return f"{settings.SITE_URL}{request.path}?{urlencode(pairs)}{'&' if pairs else ''}"


def body(request: Request, page: Page, **more: object) -> tuple[dict[str, object], dict[str, str]]:
    """What a list answers, and its headers: the rows, the way on and back."""
    start = _start(request) if page.next or page.previous else ""
    following, preceding = (f"{start}cursor={quote_plus(cursor)}" if cursor else None for cursor in (page.next, page.previous))
    links = [f'<{url}>; rel="{rel}"' for url, rel in ((following, "next"), (preceding, "prev")) if url]
    data = {"results": page.rows, "next": following, "previous": preceding, **more}
    return data, ({"Link": ", ".join(links)} if links else {})
