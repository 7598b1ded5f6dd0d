"""The frame of the API's views, and the addresses that belong to no app."""

import datetime
from http import HTTPStatus
from typing import ClassVar

from django.http import HttpRequest, HttpResponse, HttpResponsePermanentRedirect
from django.urls import Resolver404, resolve
from django.utils.http import http_date
from django.views.decorators.csrf import csrf_exempt
from rest_framework.exceptions import MethodNotAllowed
from rest_framework.request import Request
from rest_framework.views import APIView

from .models import ApiClient, Scope
from .permissions import HasScope
from .problems import Problem, response


class ApiView(APIView):
    """A view of the API. Reading needs no key unless it says so; writing needs one with `write_scope`.

    What is to go names the day since which nobody should begin with it, and perhaps the day from which it may be missing.
    """

    # Without OPTIONS, by which DRF describes a view: the schema does that.
    http_method_names: ClassVar = ["get", "head", "post", "put", "patch", "delete"]
    permission_classes: ClassVar = [HasScope]
    read_scope: ClassVar[str | None] = None
    write_scope: ClassVar[str] = Scope.WRITE
    deprecated_on: ClassVar[datetime.date | None] = None
    sunset_on: ClassVar[datetime.date | None] = None
    #: The address of what to use instead.
    successor: ClassVar[str] = ""

    @property
    def api_client(self) -> ApiClient:
        """Whose key the request brings."""
        return self.request.auth.client

    def check_permissions(self, request: Request) -> None:
        """As DRF does; but a method that is not there needs no key to be told so."""
        if not hasattr(self, request.method.lower()):
            raise MethodNotAllowed(request.method)
        super().check_permissions(request)

    def finalize_response(self, request: Request, response: HttpResponse, *args: object, **kwargs: object) -> HttpResponse:
        """As DRF does, and with the headers of what is to go."""
        response = super().finalize_response(request, response, *args, **kwargs)
        for name, value in going(self.deprecated_on, self.sunset_on, self.successor).items():
            response[name] = f"{response[name]}, {value}" if name in response else value
        return response


def going(deprecated_on: datetime.date | None, sunset_on: datetime.date | None, successor: str = "") -> dict[str, str]:
    """The headers of what is to go: Deprecation (RFC 9745), Sunset (RFC 8594), the link to what comes instead."""
    headers = {}
    if deprecated_on:
        headers["Deprecation"] = f"@{_epoch(deprecated_on)}"
    if sunset_on:
        headers["Sunset"] = http_date(_epoch(sunset_on))
    if successor and headers:
        headers["Link"] = f'<{successor}>; rel="successor-version"'
    return headers


def _epoch(day: datetime.date) -> int:
    return int(datetime.datetime.combine(day, datetime.time(), datetime.UTC).timestamp())


@csrf_exempt
def not_found(request: HttpRequest) -> HttpResponse:
    """Any other address under /api/: the same with a slash at its end if there is one, else a problem."""
    if not request.path.endswith("/"):
        try:
            found = resolve(request.path + "/")
        except Resolver404:
            found = None
        if found and found.func is not not_found:
            query = request.META.get("QUERY_STRING", "")
            # Keeps method and body, unlike 301.
            moved = HttpResponsePermanentRedirect(request.path + "/" + (f"?{query}" if query else ""))
            moved.status_code = HTTPStatus.PERMANENT_REDIRECT
            return moved
    return response(request, Problem("not-found"))
