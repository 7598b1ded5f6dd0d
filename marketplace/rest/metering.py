"""Counting what keys are used for, and saying how much is left; whether DRF or a plain view answers."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from . import throttling, usage

REFUSED = 400


class MeteringMiddleware:
    """Tell how much of the rate is left, and count the request as its key's."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Pass the request on; nothing is done for pages."""
        response = self.get_response(request)
        throttling.add_headers(request, response)
        if key := getattr(request, "api_key", None):
            usage.count(key.pk, is_refused=response.status_code >= REFUSED)
        return response
