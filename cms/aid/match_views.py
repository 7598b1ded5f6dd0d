"""What stands beside a demand and below an aid: a part of the page that is asked for when it comes into view, and a page of its own without JavaScript."""

import uuid

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_safe

import search
from marketplace.listings.enums import Kind
from marketplace.listings.models import Listing

from . import documents, matches
from .models import AidPage


@require_safe
def aid_for_demand(request: HttpRequest, uid: uuid.UUID) -> HttpResponse:
    """The aid that could pay for a live demand."""
    demand = get_object_or_404(Listing.objects.live().for_display(), uid=uid, kind=Kind.DEMAND)
    return _answer(request, "aid/matches/aid.html", {"listing": demand, "found": _or_none(matches.aid_for, demand)})


@require_safe
def offers_for_aid(request: HttpRequest, number: int) -> HttpResponse:
    """The offers that help to use an aid."""
    page = get_object_or_404(documents.with_facts(AidPage.objects.live().public()), pk=number)
    return _answer(request, "aid/matches/offers.html", {"page": page, "found": _or_none(matches.offers_for, page)})


def _or_none(find: object, *arguments: object) -> list | None:
    """What was found; None if no engine answers."""
    try:
        return find(*arguments)
    except search.SearchUnavailable:
        return None


def _answer(request: HttpRequest, part: str, context: dict[str, object]) -> HttpResponse:
    response = render(request, part if request.htmx else "aid/matches/page.html", context | {"part": part})
    patch_vary_headers(response, ["HX-Request"])
    # No page for search engines: each is part of another.
    response["X-Robots-Tag"] = "noindex"
    return response
