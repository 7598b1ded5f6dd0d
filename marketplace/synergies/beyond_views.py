"""The pages of groups and rings, for the people of their companies. Nobody else sees any of them."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe

import search
from marketplace.listings.models import Listing

from . import beyond_operations as operations
from .beyond import Consortium, ConsortiumMember, Ring
from .beyond_cards import GroupCard, RingCard, group_cards
from .views import Tab

PAGE_SIZE = 10
TABS = {"groups": gettext_lazy("Groups"), "rings": gettext_lazy("Rings")}


@login_required
@require_safe
def together(request: HttpRequest) -> HttpResponse:
    """The groups and rings of the person's companies, best first."""
    found: dict[str, QuerySet] = {
        "groups": Consortium.objects.of(request.user).current().for_display().order_by("-covered", "-id"),
        "rings": Ring.objects.of(request.user).current().for_display().best_first(),
    }
    counts = {name: queryset.count() for name, queryset in found.items()}
    here = request.GET.get("show", "")
    if here not in TABS:
        here = "rings" if counts["rings"] and not counts["groups"] else "groups"
    page = Paginator(found[here], PAGE_SIZE).get_page(request.GET.get("page"))
    context = {
        "here": here,
        "tabs": [Tab(name, label, counts[name], name == here) for name, label in TABS.items()],
        "page": page,
        "page_size": PAGE_SIZE,
        "cards": _group_cards(list(page.object_list), request) if here == "groups" else _ring_cards(page.object_list, request),
        "has_company": bool(_companies(request)),
        "has_live_listing": Listing.objects.of(request.user).live().exists(),
        "items": [(_("Synergies"), reverse("synergies:inbox"))],
    }
    return render(request, "synergies/together.html", context)


def _group_cards(consortia: list[Consortium], request: HttpRequest) -> list[GroupCard]:
    return group_cards(consortia, _companies(request))


def _ring_cards(found: list[Ring], request: HttpRequest) -> list[RingCard]:
    return [RingCard(ring, _companies(request)) for ring in found]


# --- A group ------------------------------------------------------------------------------------------------------------


@login_required
@require_safe
def group(request: HttpRequest, uid: str) -> HttpResponse:
    """One group: who covers what, what is missing, what one can do."""
    [card] = _group_cards([_own(Consortium, request, uid)], request)
    return render(request, "synergies/group.html", {"card": card, "items": _trail("groups")})


@login_required
@require_POST
def ask_member(request: HttpRequest, uid: str, member: int) -> HttpResponse:
    """The asking company says yes to one member."""
    consortium = _stored(Consortium, request, uid)
    chosen = get_object_or_404(ConsortiumMember.objects.select_related("offer__company", "consortium__demand__company"), consortium=consortium, pk=member)
    try:
        synergy = operations.ask_member(chosen, by=request.user)
    except ValidationError as error:
        return _refused(request, error)
    except search.SearchUnavailable:
        messages.error(request, _("The search does not answer at this moment. Please try again in a minute."))
        return redirect(consortium)
    if synergy.mutual_at:
        messages.success(request, _("You both said yes. Now you can see each other's contact data."))
    elif synergy.demand_interest_at is None:
        # At a partner marketplace: what goes there is agreed to first.
        return redirect(synergy)
    else:
        messages.success(request, _("We have told %(company)s that you are interested.") % {"company": chosen.offer.company})
    return redirect(consortium)


@login_required
@require_POST
def set_aside_group(request: HttpRequest, uid: str) -> HttpResponse:
    """Not for us."""
    try:
        operations.set_aside_group(_stored(Consortium, request, uid), by=request.user)
    except ValidationError as error:
        return _refused(request, error)
    messages.success(request, _("Set aside. We will not suggest this group again."))
    return redirect(f"{reverse('synergies:together')}?show=groups")


# --- A ring -------------------------------------------------------------------------------------------------------------


@login_required
@require_safe
def ring(request: HttpRequest, uid: str) -> HttpResponse:
    """One ring: who serves whom with what and why; the reader's own links can be answered here."""
    [card] = _ring_cards([_own(Ring, request, uid)], request)
    return render(request, "synergies/ring.html", {"card": card, "items": _trail("rings")})


@login_required
@require_POST
def set_aside_ring(request: HttpRequest, uid: str) -> HttpResponse:
    """Not for us."""
    try:
        operations.set_aside_ring(_stored(Ring, request, uid), by=request.user)
    except ValidationError as error:
        return _refused(request, error)
    messages.success(request, _("Set aside. We will not suggest this ring again. Its single suggestions stay in your inbox."))
    return redirect(f"{reverse('synergies:together')}?show=rings")


def _refused(request: HttpRequest, error: ValidationError) -> HttpResponse:
    for message in error.messages:
        messages.error(request, message)
    return redirect("synergies:together")


def _trail(tab: str) -> list[tuple[str, str]]:
    return [(_("Synergies"), reverse("synergies:inbox")), (TABS[tab], f"{reverse('synergies:together')}?show={tab}")]


# --- Who looks ----------------------------------------------------------------------------------------------------------


def _own(model: type[Consortium | Ring], request: HttpRequest, uid: str) -> Consortium | Ring:
    """The row while it holds, to the people of its companies; 404 to everybody else."""
    return get_object_or_404(model.objects.of(request.user).current().for_display(), uid=uid)


def _stored(model: type[Consortium | Ring], request: HttpRequest, uid: str) -> Consortium | Ring:
    """As `_own`, though it may hold no more: who presses a button a moment late is told so."""
    return get_object_or_404(model.objects.of(request.user), uid=uid)


def _companies(request: HttpRequest) -> set[int]:
    """The companies for which the person acts, looked up once a request."""
    if not hasattr(request, "synergy_companies"):
        request.synergy_companies = set(request.user.memberships.active().values_list("company", flat=True))
    return request.synergy_companies
