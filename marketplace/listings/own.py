"""A company's own space: its listings, the form, every step of their lives."""

from collections.abc import Callable
from dataclasses import dataclass

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.db.models import Count, Window
from django.db.models.functions import RowNumber
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy
from django.views.decorators.http import require_http_methods, require_POST

from marketplace.accounts.rules import is_curator
from marketplace.companies import sectors
from marketplace.companies.fields import options
from marketplace.companies.models import Company, Membership

from . import operations, proposals
from .enums import Move, State
from .forms import ListingForm
from .models import Listing

CONFLICT, UNPROCESSABLE = 409, 422
PAGE_SIZE = 30
SHOWN_PER_GROUP = 8
#: What waits for the company comes first.
GROUPS = (
    (State.CHANGES_REQUESTED, gettext_lazy("Changes requested")),
    (State.DRAFT, gettext_lazy("Drafts")),
    (State.EXPIRED, pgettext_lazy("several listings", "Expired")),
    (State.SUBMITTED, gettext_lazy("In review")),
    (State.PUBLISHED, pgettext_lazy("several listings", "Published")),
    (State.REJECTED, pgettext_lazy("several listings", "Rejected")),
    (State.CLOSED, pgettext_lazy("several listings", "Closed")),
    (State.WITHDRAWN, pgettext_lazy("several listings", "Withdrawn")),
)


@dataclass(frozen=True)
class Step:
    """A step that the company's people can take: the button, what we say afterwards, and the question before (none: at once)."""

    operation: Callable[..., Listing]
    button: Promise
    done: Promise
    question: Promise | str = ""


STEPS = {
    Move.SUBMIT: Step(operations.submit, gettext_lazy("Send for review"), gettext_lazy("Sent. The Innovation Service reads it and you get a mail.")),
    Move.RENEW: Step(operations.renew, gettext_lazy("Renew"), gettext_lazy("Renewed.")),
    Move.REOPEN: Step(operations.reopen, gettext_lazy("Take it up again"), gettext_lazy("It is a draft again. Look through it and send it.")),
    Move.CLOSE: Step(
        operations.close, gettext_lazy("Close"), gettext_lazy("Closed."),
        gettext_lazy("Close it when you found what you looked for, or have no more to offer. It leaves the public pages at once."),
    ),
    Move.WITHDRAW: Step(
        operations.withdraw, gettext_lazy("Withdraw"), gettext_lazy("Withdrawn."),
        gettext_lazy("Withdraw it when it was a mistake or is no longer true. It leaves the public pages at once."),
    ),
}  # fmt: skip


@dataclass(frozen=True)
class Group:
    """The listings of one state: how many there are, and the first of them."""

    state: State
    title: Promise
    count: int
    listings: list[Listing]


@login_required
def my_space(request: HttpRequest) -> HttpResponse:
    """What a person's companies have here and what to do next. Who has no company yet goes to that step; who works on the site, to the console."""
    companies = list(Company.objects.of(request.user).for_display())
    requests = list(Membership.objects.waiting().filter(user=request.user).select_related("company"))
    if not (companies or requests or is_curator(request.user)):
        return redirect("wagtailadmin_home" if request.user.has_perm("wagtailadmin.access_admin") else "companies:create")
    chosen = _chosen_state(request)
    counts = dict(Listing.objects.of(request.user).order_by().values_list("state").annotate(Count("pk")))
    context = {
        "companies": companies,
        "owned": set(Membership.objects.owners().filter(user=request.user).values_list("company", flat=True)),
        "requests": requests,
        "asking": _asking(request),
        "counts": [(state, title, counts[state]) for state, title in GROUPS if counts.get(state)],
        "total": sum(counts.values()),
        "chosen": chosen,
    }
    if chosen:
        page = Paginator(_listed(request, chosen), PAGE_SIZE).get_page(request.GET.get("page"))
        context |= {"page": page, "groups": [Group(state, title, counts.get(state, 0), list(page)) for state, title in GROUPS if state == chosen]}
    else:
        context["groups"] = _groups(request, counts)
    return render(request, "listings/own/my_space.html", context)


def _chosen_state(request: HttpRequest) -> str:
    state = request.GET.get("state", "")
    return state if state in State.values else ""


def _asking(request: HttpRequest) -> list[Membership]:
    """Those who ask to join one of the companies this person owns."""
    owned = Membership.objects.owners().filter(user=request.user).values("company")
    return list(Membership.objects.waiting().filter(company__in=owned).select_related("company", "user").order_by("created"))


def _listed(request: HttpRequest, *states: str):
    listings = Listing.objects.of(request.user).filter(state__in=states).for_display().with_last_reason().with_suggestions()
    return listings.order_by("valid_until", "pk") if states == (State.PUBLISHED,) else listings.order_by("-modified", "-pk")


def _groups(request: HttpRequest, counts: dict[str, int]) -> list[Group]:
    """Every state that occurs with its first listings; two queries, however many there are."""
    others = [state for state, _title in GROUPS if state != State.PUBLISHED]
    rank = Window(RowNumber(), partition_by="state", order_by=("-modified", "-pk"))
    newest = Listing.objects.of(request.user).filter(state__in=others).annotate(rank=rank).filter(rank__lte=SHOWN_PER_GROUP)
    listings = [*_listed(request, State.PUBLISHED)[:SHOWN_PER_GROUP], *_listed(request, *others).filter(pk__in=newest.values("pk"))]
    return [Group(state, title, counts[state], [one for one in listings if one.state == state]) for state, title in GROUPS if counts.get(state)]


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def create(request: HttpRequest) -> HttpResponse:
    """A new offer or demand, kept as a draft; the next page shows it and sends it."""
    companies = list(Company.objects.of(request.user).for_display())
    if not companies:
        messages.info(request, _("First say which company you are, or join it. Then you can publish."))
        return redirect("my_space")
    company = _chosen_company(request, companies)
    initial = {name: request.GET.get(name) for name in ("kind", "category", "sector", "title")}
    form = ListingForm(_sent(request), initial=initial, company=company, companies=companies)
    if form.is_step:
        form.errors.clear()
    elif request.method == "POST" and form.is_valid():
        try:
            listing = _save_new(request, company, form)
        except ValidationError as error:
            form.add_error(None, error.messages)
        else:
            messages.success(request, _("Saved as a draft. Look through it, then send it for review."))
            return redirect("listings:own", uid=listing.uid)
    return _form_page(request, form, company)


def _sent(request: HttpRequest) -> object:
    """What a form is bound to: nothing before it was sent, even if it is empty when it is."""
    return request.POST if request.method == "POST" else None


def _chosen_company(request: HttpRequest, companies: list[Company]) -> Company:
    wanted = request.POST.get("company") or request.GET.get("company")
    return next((company for company in companies if str(company.uid) == wanted), companies[0])


def _save_new(request: HttpRequest, company: Company, form: ListingForm) -> Listing:
    """The new listing. A form that is sent again after going back with the browser changes the one it made the first time."""
    listing = operations.create(company, form.content, by=request.user, submission_key=form.cleaned_data["submission_key"])
    if form.differs_from(listing):
        listing = operations.edit(listing, form.content, by=request.user)
    return listing


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: HttpRequest, uid) -> HttpResponse:
    """Change a listing; a published one stays public."""
    listing = _own_listing(request, uid)
    if not listing.can(Move.EDIT):
        messages.warning(request, _("In its present state it cannot be changed. Take it up again first."))
        return redirect("listings:own", uid=uid)
    form = ListingForm(_sent(request), instance=_own_listing(request, uid), company=listing.company, companies=[listing.company])
    if form.is_step:
        form.errors.clear()
    elif request.method == "POST" and form.is_valid():
        try:
            operations.edit(listing, form.content, by=request.user, version=form.cleaned_data["version"])
        except operations.StaleEditError as error:
            return _stale_page(request, listing, form, error)
        except ValidationError as error:
            form.add_error(None, error.messages)
        else:
            messages.success(request, _("Saved."))
            return redirect("listings:own", uid=uid)
    return _form_page(request, form, listing.company, listing=listing)


def _form_page(request: HttpRequest, form: ListingForm, company: Company, *, listing: Listing | None = None, **more: object) -> HttpResponse:
    form.propose()
    status = more.pop("status", UNPROCESSABLE if form.is_bound and form.errors else 200)
    context = {
        "form": form,
        "company": company,
        "listing": listing,
        "similar": proposals.similar(form.typed, company, listing=listing),
        "twin": proposals.twin(form.typed, company, listing=listing),
    }
    return render(request, "listings/own/form.html", context | more, status=status)


def _stale_page(request: HttpRequest, listing: Listing, form: ListingForm, error: ValidationError) -> HttpResponse:
    """The form again with what the person typed, beside what somebody else saved meanwhile; sending it again overwrites that."""
    present = _own_listing(request, listing.uid)
    typed = request.POST.copy()
    typed["version"] = present.version
    again = ListingForm(typed, instance=_own_listing(request, listing.uid), company=present.company, companies=[present.company])
    differences = [
        {"label": form[name].label, "theirs": _shown(present, name), "yours": _shown(form.instance, name)}
        for name in operations.EDITABLE
        if getattr(present, name) != form.content[name]
    ]
    return _form_page(request, again, present.company, listing=present, differences=differences, stale=error.message, status=CONFLICT)


def _shown(listing: Listing, name: str) -> object:
    """A value in words: "Català" for "ca", the date as it is written here."""
    display = getattr(listing, f"get_{name}_display", None)
    return display() if display else getattr(listing, name)


@login_required
@require_POST
def assist(request: HttpRequest, uid=None) -> HttpResponse:
    """What the form proposes for the text so far: sectors, the language, listings that are like it. A fragment; saves nothing."""
    companies = list(Company.objects.of(request.user).for_display())
    if not companies:
        return HttpResponse(status=403)
    listing = _own_listing(request, uid) if uid else None
    company = listing.company if listing else _chosen_company(request, companies)
    form = ListingForm(request.POST, company=company, companies=companies)
    form.propose()
    widget = form.fields["sector"].widget
    chosen = sectors.tree().get(form["sector"].value() or "")
    context = {
        "words": widget.words,
        "options": options(chosen, widget.proposed),
        "chosen": chosen,
        "language": proposals.language_of(f"{form.typed['title']} {form.typed['description']}", default=company.language),
        "similar": proposals.similar(form.typed, company, listing=listing),
        "twin": proposals.twin(form.typed, company, listing=listing),
    }
    return render(request, "listings/own/assist.html", context)


@login_required
def own(request: HttpRequest, uid) -> HttpResponse:
    """One listing for the company's people: where it stands, what to do, everything that happened."""
    listing = _own_listing(request, uid)
    history = list(listing.transitions.select_related("by"))
    context = {
        "listing": listing,
        "history": history,
        # Curators act for the Innovation Service: their names stay inside.
        "curators_steps": (Move.PUBLISH, Move.REQUEST_CHANGES, Move.REJECT),
        "reason": next((step.reason for step in history if step.to_state == listing.state and step.reason), ""),
        "steps": [(move, step) for move, step in STEPS.items() if _offered(listing, move)],
        "can_edit": listing.can(Move.EDIT),
        # Until the company has edited it, changing comes first and sending second.
        "asked_to_change": bool(history) and history[0].move == Move.REQUEST_CHANGES,
        "similar": proposals.similar(_texts(listing), listing.company, listing=listing) if listing.state in (State.DRAFT, State.CHANGES_REQUESTED) else [],
    }
    return render(request, "listings/own/own.html", context)


def _offered(listing: Listing, move: Move) -> bool:
    """Whether to show the button: renewing what has months to go is possible but no use."""
    return listing.can(move) and (move != Move.RENEW or listing.expires_soon or listing.state == State.EXPIRED)


def _texts(listing: Listing) -> dict[str, str]:
    return {name: str(getattr(listing, name)) for name in ("kind", "category", "title", "description", "keywords", "language")}


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def take_step(request: HttpRequest, uid, move: str) -> HttpResponse:
    """Take one step with POST. A step with a question has a page of its own (GET), which works without JavaScript."""
    listing = _own_listing(request, uid)
    if move not in STEPS:
        raise Http404
    step = STEPS[Move(move)]
    if request.method != "POST":
        if not step.question or not listing.can(Move(move)):
            return redirect("listings:own", uid=uid)
        return render(request, "listings/own/confirm.html", {"listing": listing, "step": step, "move": move})
    reason = {"reason": request.POST.get("reason", "").replace("\x00", "").strip()[:1000]} if step.question else {}
    try:
        step.operation(listing, by=request.user, **reason)
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    else:
        messages.success(request, step.done)
    return redirect("listings:own", uid=uid)


def _own_listing(request: HttpRequest, uid: object) -> Listing:
    """A listing of one of the person's companies; for everybody else there is none (404), so that nobody learns of drafts."""
    return get_object_or_404(Listing.objects.of(request.user).for_display(), uid=uid)
