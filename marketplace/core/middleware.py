"""Checks that every request passes."""

from collections.abc import Callable

from django.conf import settings
from django.core.exceptions import RequestDataTooBig, SuspiciousOperation
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

CHUNK = 64 * 2**10
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
    """Answer a form with more text than DATA_UPLOAD_MAX_MEMORY_SIZE with a page that says so (413), not with a bare 400.

    Comes after the session's and the messages' middleware, which the page's frame needs, and so before the CSRF check of the view.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Pass the request on, or explain."""
        try:
            request.POST  # noqa: B018 - reading it is the check
        except RequestDataTooBig:
            _throw_away_body(request)
            return render(request, "413.html", {"megabytes": settings.DATA_UPLOAD_MAX_MEMORY_SIZE // 2**20}, status=413)
        return self.get_response(request)


def _throw_away_body(request: HttpRequest) -> None:
    left = LONGEST_REFUSED
    while left > 0 and (chunk := request.read(CHUNK)):
        left -= len(chunk)
