"""The pages for the two companies of a synergy. Nobody else sees any of them."""

from dataclasses import dataclass

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy
from django.views.decorators.http import require_POST, require_safe
from django.views.decorators.vary import vary_on_headers

from marketplace.listings.models import Listing
from search.exposure import MOST_DEMANDS

from . import operations, outcomes
from .beyond_cards import groups_of
from .cards import Card
from .disclosure import contact_for
from .forms import DismissForm, InboxForm
from .models import Consortium, Synergy

PAGE_SIZE = 10
#: How many the page of one listing shows before it points to the inbox.
MOST_OF_LISTING = 3
#: How many outcomes the inbox asks for at once.
MOST_QUESTIONS = 3
UNPROCESSABLE = 422


@dataclass(frozen=True)
class Tab:
    """One way to look at the inbox."""

    name: str
    label: str
    count: int
    is_here: bool


TABS = {
    "": gettext_lazy("All"),
    "waiting": gettext_lazy("Waiting for you"),
    "answered": gettext_lazy("Waiting for them"),
    "mutual": gettext_lazy("Both said yes"),
    "closed": pgettext_lazy("several synergies", "Set aside"),
    "more": gettext_lazy("More that fit"),
}
#: Shown only to whom it concerns.
TABS_IF_ANY = ("more",)


@login_required
@require_safe
def inbox(request: HttpRequest) -> HttpResponse:
    """Every synergy of the person's companies, by state and listing, the best first."""
    listings = list(Listing.objects.of(request.user).select_related("company").order_by("title", "pk"))
    form = InboxForm(request.GET, listings=listings)
    listing = form.cleaned_data["listing"] if form.is_valid() else None
    mine = Synergy.objects.of(request.user)
    if listing:
        mine = mine.with_listing(listing)
    here = request.GET.get("state", "")
    here = here if here in TABS else ""
    page = Paginator(mine.behind(here, request.user).for_display().best_for(request.user), PAGE_SIZE).get_page(request.GET.get("page"))
    tabs = [Tab(name, label, mine.behind(name, request.user).count(), name == here) for name, label in TABS.items()]
    context = {
        "form": form,
        "listing": listing,
        "tabs": [tab for tab in tabs if tab.count or tab.is_here or tab.name not in TABS_IF_ANY],
        "most_demands": MOST_DEMANDS,
        "here": here,
        "page": page,
        "cards": _cards(page.object_list, request),
        "page_size": PAGE_SIZE,
        "questions": _cards(outcomes.open_questions(request.user)[:MOST_QUESTIONS], request),
        "has_company": bool(_companies(request)),
        "has_live_listing": any(each.is_live for each in listings),
    }
    return render(request, "synergies/inbox.html", context)


@login_required
@require_safe
def detail(request: HttpRequest, uid: str) -> HttpResponse:
    """One synergy, with the other company's contact data once both said yes."""
    return _detail(request, _own(request, uid))


def _detail(request: HttpRequest, synergy: Synergy, form: DismissForm | None = None, status: int = 200) -> HttpResponse:
    card = _card(request, synergy, form)
    context = {
        "card": card,
        "contact": contact_for(request.user, synergy, card.side),
        "events": synergy.events.select_related("company"),
        "group": Consortium.objects.current().of_pair(synergy.offer, synergy.demand).order_by("-covered").first(),
        "told": outcomes.standing(synergy.answers.all()) if synergy.mutual_at else None,
        "items": [(_("Synergies"), reverse("synergies:inbox"))],
    }
    return render(request, "synergies/detail.html", context, status=status)


@login_required
@require_safe
@vary_on_headers("HX-Request")
def for_listing(request: HttpRequest, uid: str) -> HttpResponse:
    """The best suggestions of one of the person's own listings, as a piece of another page; the inbox for who opens it alone."""
    listing = get_object_or_404(Listing.objects.of(request.user).for_display(), uid=uid)
    inbox_url = f"{reverse('synergies:inbox')}?listing={listing.uid}"
    if not request.htmx:
        return redirect(inbox_url)
    current = Synergy.objects.of(request.user).current().listed_for(request.user).with_listing(listing)
    cards = _cards(current.for_display().best_for(request.user)[:MOST_OF_LISTING], request)
    total = current.count() if len(cards) == MOST_OF_LISTING else len(cards)
    advice = listing.advice.filter(listing_version=listing.version).first()
    groups = groups_of(listing, _companies(request))
    context = {"listing": listing, "cards": cards, "total": total, "inbox_url": inbox_url, "advice": advice, "groups": groups}
    return render(request, "synergies/for_listing.html", context)


# --- Steps --------------------------------------------------------------------------------------------------------------


@login_required
@require_POST
def interest(request: HttpRequest, uid: str) -> HttpResponse:
    """Yes."""
    synergy = _own(request, uid)
    try:
        synergy = operations.express_interest(synergy, by=request.user)
    except ValidationError as error:
        return _refused(request, synergy, error)
    if synergy.mutual_at:
        messages.success(request, _("You both said yes. Now you can see each other's contact data."))
    else:
        messages.success(request, _("We have told the other company that you are interested. If they say yes too, you both get the contact data."))
    return _answer(request, synergy)


@login_required
@require_POST
def dismiss(request: HttpRequest, uid: str) -> HttpResponse:
    """No, and why."""
    synergy = _own(request, uid)
    form = DismissForm(request.POST, auto_id=f"{synergy.uid}_%s")
    if not form.is_valid():
        if request.htmx:
            return _swap(request, synergy, form, status=UNPROCESSABLE)
        return _detail(request, synergy, form, status=UNPROCESSABLE)
    try:
        synergy = operations.dismiss(synergy, by=request.user, **form.cleaned_data)
    except ValidationError as error:
        return _refused(request, synergy, error)
    messages.success(request, _("Set aside. We will not suggest these two together again."))
    return _answer(request, synergy)


@login_required
@require_POST
def undo(request: HttpRequest, uid: str) -> HttpResponse:
    """Take the own yes or no back."""
    synergy = _own(request, uid)
    try:
        synergy = operations.undo(synergy, by=request.user)
    except ValidationError as error:
        return _refused(request, synergy, error)
    messages.success(request, _("Taken back. You can decide again."))
    return _answer(request, synergy)


def _refused(request: HttpRequest, synergy: Synergy, error: ValidationError) -> HttpResponse:
    for message in error.messages:
        messages.error(request, message)
    return _answer(request, synergy)


def _answer(request: HttpRequest, synergy: Synergy) -> HttpResponse:
    """The card as it is now, or the page the person came from; the inbox if the synergy is gone."""
    now = Synergy.objects.of(request.user).for_display().filter(pk=synergy.pk).first()
    if request.htmx:
        return _swap(request, now)
    if now is None:
        return redirect("synergies:inbox")
    target = request.POST.get("next", "")
    is_safe = url_has_allowed_host_and_scheme(target, allowed_hosts={request.get_host()}, require_https=request.is_secure())
    return redirect(target if is_safe else now)


def _swap(request: HttpRequest, synergy: Synergy | None, form: DismissForm | None = None, status: int = 200) -> HttpResponse:
    card = _card(request, synergy, form) if synergy else None
    return render(request, "synergies/card_swapped.html", {"card": card}, status=status)


# --- Who looks ----------------------------------------------------------------------------------------------------------


def _own(request: HttpRequest, uid: str) -> Synergy:
    """The synergy, to the people of its two companies; 404 to everybody else."""
    return get_object_or_404(Synergy.objects.of(request.user).for_display(), uid=uid)


def _companies(request: HttpRequest) -> set[int]:
    """The companies for which the person acts, looked up once a request."""
    if not hasattr(request, "synergy_companies"):
        request.synergy_companies = set(request.user.memberships.active().values_list("company", flat=True))
    return request.synergy_companies


def _card(request: HttpRequest, synergy: Synergy, form: DismissForm | None = None) -> Card:
    return Card(synergy, synergy.side_to_answer(_companies(request)), form)


def _cards(synergies: list[Synergy], request: HttpRequest) -> list[Card]:
    return [_card(request, synergy) for synergy in synergies]
