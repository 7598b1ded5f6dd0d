"""JSON as it comes in: strict, so that two programs can never read the same bytes differently (RFC 7493, I-JSON)."""

import json
import re
from collections.abc import Mapping
from typing import IO, Any, NoReturn

from django.utils.translation import gettext as _
from rest_framework.parsers import BaseParser

from marketplace.core.middleware import throw_away_body

from .problems import Problem, pointer

#: A listing with its longest text has some 30 kB, a batch of 500 long ones 4 MB.
MAX_BYTES = 8 * 2**20
#: Nothing that the API takes is deeper than six.
MAX_DEPTH = 32
#: 500 listings have 8,000. What is made of millions of commas would only keep the processor busy.
MAX_VALUES = 100_000
#: What every database and every client can count with.
LARGEST = 2**63 - 1
_DIGITS = len(str(LARGEST))
_SURROGATE = re.compile(r"[\ud800-\udfff]")


class JSONParser(BaseParser):
    """The body as one JSON value, or a Problem that says what is wrong with it. A view may lower `max_bytes`."""

    media_type = "application/json"

    def parse(self, stream: IO[bytes], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None) -> object:
        """As DRF asks."""
        request = parser_context["request"]
        limit = getattr(parser_context.get("view"), "max_bytes", MAX_BYTES)
        return loads(read(request, stream, limit))


def read(request: object, stream: IO[bytes], limit: int = MAX_BYTES) -> bytes:
    """The body, when its announced length is within `limit`; before that nothing is read."""
    announced = request.META.get("CONTENT_LENGTH") or ""
    if not announced and request.META.get("HTTP_TRANSFER_ENCODING"):
        raise Problem("length-required")
    if announced.isdecimal() and int(announced) > limit:
        # A server that hangs up on somebody still sending shows no answer at all.
        throw_away_body(getattr(request, "_request", request))
        raise Problem("too-large", _("The body has %(bytes)s bytes, at most %(limit)d are taken.") % {"bytes": announced[:20], "limit": limit})
    return stream.read()


def loads(body: bytes) -> object:
    """The value in `body`. Raises Problem("invalid-json") for what is no JSON, or Problem("invalid-content") for a value that nobody can keep."""
    try:
        text = body.decode()
    except UnicodeDecodeError as error:
        _refuse(_("The body is not UTF-8: look at byte %(position)d.") % {"position": error.start})
    if text.count(",") + text.count(":") > MAX_VALUES:
        raise Problem("too-large", _("The body has too many values, at most %(limit)d are taken.") % {"limit": MAX_VALUES})
    try:
        value = json.loads(text, object_pairs_hook=_object, parse_constant=_constant, parse_int=_int, parse_float=_float)
    except json.JSONDecodeError as error:
        _refuse(_("Line %(line)d, column %(column)d: there is something that JSON does not have.") % {"line": error.lineno, "column": error.colno})
    except RecursionError:
        _too_deep()
    _check(value)
    return value


def _refuse(detail: str) -> NoReturn:
    raise Problem("invalid-json", detail) from None


def _too_deep() -> NoReturn:
    _refuse(_("Objects and lists lie in each other too deep, at most %(limit)d are taken.") % {"limit": MAX_DEPTH})


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _value in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        _refuse(_("The name “%(name)s” stands twice in one object.") % {"name": _SURROGATE.sub("?", twice)[:40]})
    return found


def _constant(name: str) -> NoReturn:
    _refuse(_("%(name)s is no number in JSON. Use null, or leave it out.") % {"name": name})


def _int(digits: str) -> int:
    if len(digits) <= _DIGITS + 1 and -LARGEST - 1 <= (number := int(digits)) <= LARGEST:
        return number
    _refuse(_("The number %(number)s… is too large.") % {"number": digits[:20]})
    return None


def _float(text: str) -> float:
    number = float(text)
    if number in (float("inf"), float("-inf")):
        _refuse(_("The number %(number)s… is too large.") % {"number": text[:20]})
    return number


def _check(value: object) -> None:
    """Walk the value without recursion: not too deep, and no text that is no text."""
    open_ = [(value, ())]
    while open_:
        one, path = open_.pop()
        if len(path) > MAX_DEPTH:
            _too_deep()
        if isinstance(one, dict):
            for name in one:
                _check_text(name, path)
            open_ += [(inner, (*path, name)) for name, inner in one.items()]
        elif isinstance(one, list):
            open_ += [(inner, (*path, index)) for index, inner in enumerate(one)]
        elif isinstance(one, str):
            _check_text(one, path)


def _check_text(text: str, path: tuple[object, ...]) -> None:
    if "\x00" in text:
        detail = _("There is a character in this text that we cannot keep (a NUL). Take it out.")
    elif _SURROGATE.search(text):
        detail = _("There is half a character in this text (a lone surrogate). Send the whole one, or take it out.")
    else:
        return
    raise Problem("invalid-content", detail, errors=[{"pointer": pointer(*path), "detail": detail, "code": "characters"}])
