"""The pages for companies here: consent before a yes crosses, and interests that came from partner marketplaces."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from marketplace.federation.models import IncomingInterest, OutgoingInterest
from marketplace.synergies.abroad import needs_consent
from marketplace.synergies.cards import Card
from marketplace.synergies.forms import DismissForm
from marketplace.synergies.models import Synergy

from . import consent, operations
from .enums import State
from .forms import ConsentForm, YesForm

PAGE_SIZE = 20
UNPROCESSABLE = 422


# --- A yes that crosses --------------------------------------------------------------------------------------------------


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def say_yes(request: HttpRequest, uid: str) -> HttpResponse:
    """Say yes to a partner's company, after reading what goes where."""
    synergy = get_object_or_404(Synergy.objects.of(request.user).for_display(), uid=uid)
    card = Card(synergy, synergy.side_to_answer(set(request.user.memberships.active().values_list("company", flat=True))))
    if not needs_consent(synergy, card.side) or not card.waits_for_me:
        return redirect(synergy)
    try:
        partner = operations.partner_of(card.theirs)
    except operations.NoWayError as error:
        return render(request, "federation/interests/no_way.html", {"card": card, "reason": error.messages[0], "items": _way()})
    incoming = operations.open_incoming(synergy)
    form = _yes_form(request, card, partner, incoming)
    if request.method == "POST" and form.is_valid():
        try:
            synergy = operations.say_yes(synergy, form.given, by=request.user, message=form.cleaned_data.get("message", ""))
        except ValidationError as error:
            form.add_error(None, error.messages)
        else:
            _thank(request, card, partner, is_mutual=bool(synergy.mutual_at))
            return redirect(synergy)
    context = {
        "form": form,
        "card": card,
        "partner": partner,
        "company": card.mine.company,
        "other": card.theirs.company.name,
        "mine": card.mine,
        "theirs": {"title": card.theirs.title, "url": card.theirs.get_absolute_url(), "kind": card.theirs.kind, "language": card.theirs.language},
        "incoming": incoming,
        "back": synergy.get_absolute_url(),
        "items": _way(),
    }
    return render(request, "federation/interests/consent.html", context, status=_status(form))


def _yes_form(request: HttpRequest, card: Card, partner, incoming: IncomingInterest | None) -> ConsentForm:
    company, other = card.mine.company, card.theirs.company.name
    contact, data = operations.contact_of(company, request.user), request.POST if request.method == "POST" else None
    if incoming:
        return ConsentForm(data, text=consent.to_answer(partner, company, other), contact=contact)
    return YesForm(data, text=consent.to_send(partner, company, other), contact=contact, initial=_last_try(card.synergy))


def _last_try(synergy: Synergy) -> dict[str, str]:
    """What was written for a yes that did not arrive: nobody has to write it twice."""
    failed = OutgoingInterest.objects.filter(synergy=synergy, state=State.FAILED).order_by("-created").first()
    return {"message": failed.body.get("message", "")} if failed else {}


def _thank(request: HttpRequest, card: Card, partner, *, is_mutual: bool) -> None:
    if is_mutual:
        messages.success(request, _("You both said yes. Now you can see each other's contact data."))
    else:
        told = _("Your yes is on its way to %(company)s at %(partner)s. As soon as they answer, you get a mail.")
        messages.success(request, told % {"company": card.theirs.company.name, "partner": partner.name})


# --- What came from partners ---------------------------------------------------------------------------------------------


@login_required
@require_safe
def received(request: HttpRequest) -> HttpResponse:
    """Every interest of partners' companies in the person's listings, those that wait first."""
    mine = IncomingInterest.objects.of(request.user).for_display().select_related("synergy")
    page = Paginator(mine, PAGE_SIZE).get_page(request.GET.get("page"))
    context = {"page": page, "interests": page.object_list, "page_size": PAGE_SIZE, "items": _way()}
    return render(request, "federation/interests/list.html", context)


@login_required
@require_safe
def detail(request: HttpRequest, uid: str) -> HttpResponse:
    """One of them; the synergy of the same two, if there is one."""
    return _detail(request, _own(request, uid))


def _detail(request: HttpRequest, interest: IncomingInterest, form: DismissForm | None = None, status: int = 200) -> HttpResponse:
    if interest.synergy_id:
        return redirect(interest.synergy)
    context = {
        "interest": interest,
        "contact": interest.contact if interest.is_mutual else None,
        "dismiss": form or DismissForm(),
        "is_over": interest.is_open and not interest.listing.is_live,
        "items": [*_way(), (_("From other marketplaces"), reverse("across:received"))],
    }
    return render(request, "federation/interests/detail.html", context, status=status)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def accept(request: HttpRequest, uid: str) -> HttpResponse:
    """Yes, after reading what goes where."""
    interest = _own(request, uid)
    if interest.synergy_id or not interest.is_open:
        return redirect("across:detail", uid=interest.uid)
    company = interest.listing.company
    text = consent.to_answer(interest.partner, company, interest.company_name)
    form = ConsentForm(request.POST if request.method == "POST" else None, text=text, contact=operations.contact_of(company, request.user))
    if request.method == "POST" and form.is_valid():
        try:
            operations.accept(interest, form.given, by=request.user)
        except ValidationError as error:
            form.add_error(None, error.messages)
        else:
            messages.success(request, _("You both said yes. Now you can see each other's contact data."))
            return redirect("across:detail", uid=interest.uid)
    context = {
        "form": form,
        "partner": interest.partner,
        "company": company,
        "other": interest.company_name,
        "mine": interest.listing,
        "theirs": {"title": interest.their_title, "url": interest.their_url, "kind": interest.their_kind, "language": interest.language},
        "incoming": interest,
        "back": reverse("across:detail", args=[interest.uid]),
        "items": [*_way(), (_("From other marketplaces"), reverse("across:received"))],
    }
    return render(request, "federation/interests/consent.html", context, status=_status(form))


@login_required
@require_POST
def decline(request: HttpRequest, uid: str) -> HttpResponse:
    """No, and why."""
    interest = _own(request, uid)
    form = DismissForm(request.POST)
    if not form.is_valid():
        return _detail(request, interest, form, status=UNPROCESSABLE)
    try:
        operations.decline(interest, by=request.user, **form.cleaned_data)
    except ValidationError as error:
        for message in error.messages:
            messages.error(request, message)
    else:
        messages.success(request, _("Set aside. We tell the other marketplace that you said no, not why."))
    return redirect("across:detail", uid=interest.uid)


def _own(request: HttpRequest, uid: str) -> IncomingInterest:
    """An interest in a listing of the person's companies; 404 to everybody else."""
    return get_object_or_404(IncomingInterest.objects.of(request.user).select_related("partner", "listing__company", "synergy"), uid=uid)


def _way() -> list[tuple[str, str]]:
    return [(_("Synergies"), reverse("synergies:inbox"))]


def _status(form: ConsentForm) -> int:
    return UNPROCESSABLE if form.is_bound and form.errors else 200
