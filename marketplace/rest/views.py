"""The frame of the API's views, and the addresses that belong to no app."""

from collections.abc import Sequence

from django.http import HttpRequest, HttpResponse, HttpResponsePermanentRedirect
from django.shortcuts import render
from django.urls import Resolver404, resolve
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.renderers import BaseRenderer

from .problems import KINDS, Problem, response


class AlwaysJSON(DefaultContentNegotiation):
    """Whatever Accept says, the answer is what the view has: RFC 9110 lets a server do so, and a program that asks for */* or text/html still learns something."""

    def select_renderer(self, request: object, renderers: Sequence[BaseRenderer], format_suffix: str | None = None) -> tuple[BaseRenderer, str]:
        """The view's first."""
        return renderers[0], renderers[0].media_type


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
            # 308 keeps method and body.
            moved = HttpResponsePermanentRedirect(request.path + "/" + (f"?{query}" if query else ""))
            moved.status_code = 308
            return moved
    return response(request, Problem("not-found"))


@require_safe
def problem_page(request: HttpRequest, code: str = "") -> HttpResponse:
    """What the types of problems mean, for the person who writes the program; one of them first if its address was opened."""
    if code and code not in KINDS:
        return response(request, Problem("not-found"))
    return render(request, "rest/problems.html", {"kinds": KINDS.items(), "code": code, "chosen": KINDS.get(code)})
