"""The public pages: searching, and one listing."""

from dataclasses import dataclass, replace

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_safe

from marketplace.companies.models import Company
from marketplace.companies.rules import is_member
from search import Query
from search.geo import distance_km

from . import facets, jsonld, results
from .documents import document
from .enums import Kind, State
from .filters import ListingFilter
from .models import Listing
from .rules import can_curate

#: What has ended by itself may still say its title; what was taken away may not.
ENDED = {State.EXPIRED, State.CLOSED}


@require_safe
def search_page(request: HttpRequest) -> HttpResponse:
    """Every live listing, searched and filtered; with htmx only what changed."""
    wanted = ListingFilter(request.GET)
    if wanted.is_untidy and not wanted.ignored and not request.htmx:
        return redirect(request.path + wanted.query_string(page=wanted.values["page"]).rstrip("?"))
    found = results.look_up(wanted)
    address = reverse("listings:search") + wanted.query_string(page=found.page).rstrip("?")
    response = render(request, "listings/search_found.html" if request.htmx else "listings/search.html", _search_context(wanted, found, address))
    patch_vary_headers(response, ["HX-Request"])
    if request.htmx:
        # A pause in typing is no new step in the browser's history.
        response["HX-Replace-Url" if request.htmx.trigger_name == "q" else "HX-Push-Url"] = address
    return response


def _search_context(wanted: ListingFilter, found: results.Results, address: str) -> dict[str, object]:
    context = {
        "wanted": wanted,
        "values": wanted.values,
        "found": found,
        "address": address,
        # A feed of what we did not understand is refused: no link to it.
        "feed_address": "" if wanted.ignored else reverse("listings:feed") + wanted.query_string(without=("sort",)).rstrip("?"),
        "groups": facets.groups(wanted, found.facets),
        "chips": facets.chips(wanted),
        "clear_url": facets.clear_url(wanted),
        "sorts": facets.sort_options(wanted),
        "distances": facets.distance_options(wanted),
        "beyond_last": (wanted.values["page"] or 1) > found.page,
        "kind": wanted.values["kind"][0] if len(wanted.values["kind"]) == 1 else "",
    }
    return context if found.total else context | _advice(wanted, found)


def _advice(wanted: ListingFilter, found: results.Results) -> dict[str, object]:
    """What to take away when nothing was found: one filter if that helps, else all of them."""
    query = wanted.query()
    everywhere = results.count(replace(query, near=None, within_km=None)) if query.within_km else 0
    ways_out = facets.ways_out(wanted, found.facets, everywhere)
    unfiltered = 0 if ways_out else results.count(Query(text=query.text, valid_on=query.valid_on))
    return {"ways_out": ways_out, "without_filters": unfiltered}


@require_safe
def listing_page(request: HttpRequest, uid: str) -> HttpResponse:
    """One listing. To its company and to curators in any state; to others while it is live, after that 410, before it 404."""
    listing = get_object_or_404(Listing.objects.for_display(), uid=uid)
    mine, curating = is_member(request.user, listing.company), can_curate(request.user, listing)
    if not (listing.is_live or mine or curating):
        return _gone(request, listing)
    own_companies = [] if mine else list(Company.objects.of(request.user).for_display())
    context = {
        "listing": listing,
        "mine": mine,
        "curating": curating,
        "opposite": Kind.DEMAND if listing.kind == Kind.OFFER else Kind.OFFER,
        "own_companies": own_companies,
        "may_ask_why": bool(own_companies) and _has_opposite(request.user, listing),
        "distances": [_distance(listing, company) for company in own_companies[:3]],
        "similar": results.similar(document(listing)),
        "others_of_company": _others(listing),
        "data": jsonld.script(jsonld.listing(listing)) if listing.is_live else "",
    }
    return render(request, "listings/detail.html", context)


def _has_opposite(user: object, listing: Listing) -> bool:
    """Whether the person has a public listing that could have been suggested for this one."""
    return listing.is_live and Listing.objects.of(user).live().exclude(kind=listing.kind).exists()


@dataclass(frozen=True)
class Distance:
    """How far a reader's company is from a listing, and whether the listing comes that far."""

    company: Company
    km: float
    within: bool


def _distance(listing: Listing, company: Company) -> Distance:
    km = distance_km((listing.place.latitude, listing.place.longitude), (company.place.latitude, company.place.longitude))
    return Distance(company, km, within=listing.remote or listing.reach_km is None or km <= listing.reach_km)


def _others(listing: Listing) -> list[Listing]:
    return list(Listing.objects.live().for_display().filter(company=listing.company).exclude(pk=listing.pk).order_by("-published_at", "-id")[:4])


def _gone(request: HttpRequest, listing: Listing) -> HttpResponse:
    if listing.published_at is None:
        raise Http404
    title = listing.title if listing.state in ENDED and not listing.company.hidden else ""
    context = {"listing": listing, "listing_title": title, "similar": results.similar(document(listing))}
    return render(request, "listings/gone.html", context, status=410)
