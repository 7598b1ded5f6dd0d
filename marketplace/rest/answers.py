"""Answers with JSON: what they are called (ETag), and whether they need to be sent at all (RFC 9110)."""

import hashlib
from collections.abc import Mapping

from django.http import HttpResponse
from django.utils.http import parse_etags
from django.utils.translation import gettext as _
from rest_framework.request import Request

from .problems import Problem
from .renderers import dumps

NOT_MODIFIED = 304
SAFE = {"GET", "HEAD"}


def answer(request: Request, data: object, *, status: int = 200, version: int | None = None, headers: Mapping[str, str] | None = None) -> HttpResponse:
    """`data` as JSON, or 304 when the program has it already.

    `version` is the row's own count of its changes; it becomes the first part of the ETag, by which a later write proves what it has seen.
    """
    return sent(request, dumps(data), status=status, version=version, headers=headers)


def sent(request: Request, body: bytes, *, status: int = 200, version: int | None = None, headers: Mapping[str, str] | None = None) -> HttpResponse:
    """As `answer`, of JSON that is written already."""
    tag = etag(body, version)
    # To be asked for each time: what is public changes by the minute, and the ETag makes asking cheap.
    headers = {"ETag": tag, "Cache-Control": "private, no-cache" if request.auth else "no-cache", **(headers or {})}
    if request.method in SAFE and has(request.headers.get("If-None-Match", ""), tag):
        return HttpResponse(status=NOT_MODIFIED, headers=headers)
    return HttpResponse(body, status=status, content_type="application/json", headers=headers)


def etag(body: bytes, version: int | None = None) -> str:
    """A strong ETag: it changes with every byte, since labels, languages and chosen fields make different bytes of one version."""
    digest = hashlib.blake2b(body, digest_size=12).hexdigest()
    return f'"{digest}"' if version is None else f'"{_version_part(version)}.{digest}"'


def _version_part(version: int) -> str:
    return f"v{version}"


def has(header: str, tag: str) -> bool:
    """Whether If-None-Match names `tag`. Weak comparison: a proxy that compresses makes our tags weak."""
    return any(one == "*" or one.removeprefix("W/") == tag for one in parse_etags(header))


def check_if_match(header: str | None, version: int, *, required: bool = True) -> None:
    """Refuse a write to another version than the one the program has seen: 412, or 428 if it does not say.

    Compared strongly, as RFC 9110 asks: a weak tag never matches. What counts is the version of the row, not the language in which it was read.
    """
    if header is None:
        if required:
            raise Problem("precondition-required")
        return
    wanted = _version_part(version)
    if not any(one == "*" or one.strip('"').partition(".")[0] == wanted for one in parse_etags(header)):
        raise Problem("precondition-failed", _("It has been changed since you fetched it. Fetch it again, and send its new ETag in If-Match."))
