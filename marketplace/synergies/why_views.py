"""The page that says why a public listing is not suggested for one of one's own."""

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

import search
from marketplace.listings.enums import Kind
from marketplace.listings.models import Listing

from . import why
from .enums import Side
from .forms import WhyNotForm, public_listing
from .models import Synergy

UNAVAILABLE = 503


@login_required
@require_safe
def why_not(request: HttpRequest) -> HttpResponse:
    """?mine=…&other=…: one of the person's listings, and the uid or address of a public one."""
    listings = list(Listing.objects.of(request.user).current().for_display().order_by("title", "pk"))
    form = WhyNotForm(*_asked(request, listings), listings=listings)
    context, status = {"form": form, "listings": listings}, 200
    if form.is_bound and form.is_valid():
        mine, other = form.cleaned_data["mine"], form.cleaned_data["other"]
        try:
            context["told"] = _explained(mine, other)
        except search.SearchUnavailable:
            context |= {"unavailable": True}
            status = UNAVAILABLE
    return render(request, "synergies/why_not.html", context, status=status)


def _asked(request: HttpRequest, listings: list[Listing]) -> tuple[object, ...]:
    """What the form is bound to; nothing as long as one of the two is missing.

    From a public page comes the other listing alone: then mine is the first of the opposite kind, a public one if there is
    any, and the form below lets one choose another.
    """
    asked = {name: request.GET.get(name, "") for name in ("mine", "other")}
    if asked["other"] and not asked["mine"] and (other := public_listing(asked["other"])):
        fitting = sorted((listing for listing in listings if listing.kind != other.kind), key=lambda listing: not listing.is_live)
        asked["mine"] = str(fitting[0].uid) if fitting else ""
        asked["other"] = request.build_absolute_uri(other.get_absolute_url())
    return (asked,) if asked["mine"] and asked["other"] else (None, None, "id_%s", None, asked)


def _explained(mine: Listing, other: Listing) -> why.Explanation:
    offer, demand = (mine, other) if mine.kind == Kind.OFFER else (other, mine)
    stored = Synergy.objects.filter(offer=offer, demand=demand).first()
    return why.Explanation(offer, demand, side=Side.OFFER if mine.kind == Kind.OFFER else Side.DEMAND, stored=stored)
