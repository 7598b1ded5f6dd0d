"""Checks that every request passes."""

from collections.abc import Callable

from django.core.exceptions import SuspiciousOperation
from django.http import HttpRequest, HttpResponse


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
