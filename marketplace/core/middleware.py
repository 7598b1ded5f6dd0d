"""Checks that every request passes."""

from collections.abc import Callable

from django.conf import settings
from django.core.exceptions import RequestDataTooBig, SuspiciousOperation
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

CHUNK = 64 * 2**10
# The largest file that anybody may send has 10 MB. Beyond this nothing is looked at: files are written to disk as they come, to
# whatever address and by whomever they are sent.
LARGEST_REQUEST = 32 * 2**20
# Of what is refused this much is read and thrown away: a server that hangs up on somebody still sending shows no page at all.
LONGEST_REFUSED = 64 * 2**20


class RejectNulBytesMiddleware:
    """Answer 400 to an address with a NUL byte: PostgreSQL refuses it in any text, which would end in a 500.

    Form bodies are checked by Django's own CharField validator (ProhibitNullCharactersValidator), with a message at the field.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Pass the request on, or refuse it."""
        if "\x00" in request.path or "%00" in request.META.get("QUERY_STRING", ""):
            message = "The address holds a NUL byte."
            raise SuspiciousOperation(message)
        return self.get_response(request)


class ExplainLargeFormsMiddleware:
    """Answer a form with more text than DATA_UPLOAD_MAX_MEMORY_SIZE, or anything over LARGEST_REQUEST, with a page that says so (413).

    Comes after the session's and the messages' middleware, which the page's frame needs, and so before the CSRF check of the view.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Pass the request on, or explain."""
        if announced(request) > LARGEST_REQUEST:
            return _refuse(request, LARGEST_REQUEST)
        try:
            request.POST  # noqa: B018 - reading it is the check
        except RequestDataTooBig:
            return _refuse(request, settings.DATA_UPLOAD_MAX_MEMORY_SIZE)
        return self.get_response(request)


def announced(request: HttpRequest) -> int:
    """The body's length; Django reads no further than what is announced, and nothing where nothing is."""
    length = request.META.get("CONTENT_LENGTH") or "0"
    return int(length) if length.isdecimal() else 0


def _refuse(request: HttpRequest, limit: int) -> HttpResponse:
    throw_away_body(request)
    return render(request, "413.html", {"megabytes": limit // 2**20}, status=413)


def throw_away_body(request: HttpRequest) -> None:
    """Read what is still coming and forget it, up to LONGEST_REFUSED bytes."""
    left = LONGEST_REFUSED
    while left > 0 and (chunk := request.read(CHUNK)):
        left -= len(chunk)
