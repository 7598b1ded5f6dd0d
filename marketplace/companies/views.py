"""Pages about companies: public ones, and those of a company's own people."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_GET, require_http_methods, require_POST
from django.views.decorators.vary import vary_on_headers

from . import operations, places, sectors
from .enums import MembershipState, Role
from .fields import options
from .forms import CompanyFilterForm, CompanyForm, JoinForm
from .models import Company, Membership
from .rules import can_decide, is_member, is_owner

PAGE_SIZE = 24
A_DAY = 86_400
CONFLICT, UNPROCESSABLE = 409, 422


@require_GET
def company_list(request: HttpRequest) -> HttpResponse:
    """All companies, filtered, by name."""
    form = CompanyFilterForm(request.GET)
    companies = form.narrowed(Company.objects.public().of_this_marketplace().for_display())
    page = Paginator(companies, PAGE_SIZE).get_page(request.GET.get("page"))
    return render(request, "companies/list.html", {"filter_form": form, "page": page, "total": page.paginator.count, "page_size": PAGE_SIZE})


@require_GET
def detail(request: HttpRequest, uid) -> HttpResponse:
    """The public page; a hidden company's is for its own people and the Innovation Service only. No contact data, ever."""
    company = get_object_or_404(Company.objects.visible_to(request.user).for_display(), uid=uid)
    membership = Membership.objects.filter(company=company, user=request.user).first() if request.user.is_authenticated else None
    context = {
        "company": company,
        # The reverse of the listings' own key: this app imports nothing of the one above it.
        "listings": company.listings.live().for_display().order_by("-published_at"),
        "membership": membership,
        "is_member": bool(membership and membership.state == MembershipState.ACTIVE),
        "is_owner": bool(membership and membership.role == Role.OWNER),
    }
    return render(request, "companies/detail.html", context)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def create(request: HttpRequest) -> HttpResponse:
    """Register a company, with oneself as its owner."""
    form = CompanyForm(*_sent(request), person=request.user)
    if form.is_step:
        form.errors.clear()
    elif request.method == "POST" and form.is_valid():
        try:
            company = operations.create(form.cleaned_data, by=request.user)
        except operations.CompanyExistsError as error:
            form.refuse_existing(error.company)
        except ValidationError as error:
            form.add_error(None, error)
        else:
            messages.success(request, _("%(name)s is here now. Publish what it offers or needs.") % {"name": company.name})
            return redirect("my_space")
    if form.existing and is_member(request.user, form.existing):
        # A form sent twice ends here: the company is there, and this person's.
        return redirect("my_space")
    return render(request, "companies/form.html", {"form": form}, status=_status(form))


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: HttpRequest, uid) -> HttpResponse:
    """Change one's company's data; for its owners."""
    company = get_object_or_404(Company.objects.for_display(), uid=uid)
    if not is_owner(request.user, company):
        raise PermissionDenied
    form = CompanyForm(*_sent(request), instance=company)
    if form.is_step:
        form.errors.clear()
    elif request.method == "POST" and form.is_valid():
        try:
            operations.edit(company, form.cleaned_data, by=request.user, version=form.cleaned_data["version"])
        except operations.StaleEditError as error:
            return _stale(request, company, form, error)
        except operations.CompanyExistsError as error:
            form.refuse_existing(error.company)
        except ValidationError as error:
            form.add_error(None, error)
        else:
            messages.success(request, _("Saved."))
            return redirect("companies:detail", uid=company.uid)
    return render(request, "companies/form.html", {"form": form, "company": company}, status=_status(form))


def _stale(request: HttpRequest, company: Company, form: CompanyForm, error: ValidationError) -> HttpResponse:
    """The form again with what the person typed, beside what somebody else saved meanwhile; sending it again overwrites that."""
    present = Company.objects.for_display().get(pk=company.pk)
    typed = request.POST.copy()
    typed["version"] = present.version
    # An instance of its own: a form's check writes what was typed into the instance it has.
    again = CompanyForm(typed, instance=Company.objects.get(pk=company.pk))
    differences = [
        {"label": form.fields[name].label, "theirs": _shown(present, name), "yours": _shown(form.cleaned_data, name)}
        for name in operations.EDITABLE
        if name != "logo" and _shown(present, name) != _shown(form.cleaned_data, name)
    ]
    context = {"form": again, "company": present, "differences": differences, "stale": error.message}
    return render(request, "companies/form.html", context, status=CONFLICT)


def _shown(source: object, name: str) -> str:
    if isinstance(source, dict):
        return str(source.get(name) or "")
    return str(getattr(source, name) or "")


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def join(request: HttpRequest, uid) -> HttpResponse:
    """Ask a company's owners to be let in."""
    company = get_object_or_404(Company, uid=uid)
    membership = Membership.objects.filter(company=company, user=request.user).exclude(state=MembershipState.REFUSED).first()
    form = JoinForm(*_sent(request)[:1])
    if membership:
        return redirect("my_space")
    if request.method == "POST" and form.is_valid():
        try:
            operations.request_to_join(company, by=request.user, message=form.cleaned_data["message"])
        except ValidationError as error:
            form.add_error(None, error)
        else:
            messages.success(request, _("We asked the owners of %(name)s. You get a mail with their answer.") % {"name": company.name})
            return redirect("my_space")
    return render(request, "companies/join.html", {"form": form, "company": company}, status=_status(form))


@login_required
@require_GET
def people(request: HttpRequest, uid) -> HttpResponse:
    """Who acts for the company and who asks to; for its people, and for the Innovation Service where it has no owner."""
    company = get_object_or_404(Company.objects.for_display(), uid=uid)
    may_decide = can_decide(request.user, company)
    if not (may_decide or is_member(request.user, company)):
        raise PermissionDenied
    memberships = company.memberships.select_related("user").order_by("created")
    active = [one for one in memberships if one.state == MembershipState.ACTIVE]
    context = {
        "company": company,
        "active": active,
        "several_owners": sum(one.role == Role.OWNER for one in active) > 1,
        "waiting": [one for one in memberships if one.state == MembershipState.REQUESTED] if may_decide else [],
        "may_decide": may_decide,
        "is_owner": is_owner(request.user, company),
    }
    return render(request, "companies/people.html", context)


@login_required
@require_POST
def decide(request: HttpRequest, uid, membership_uid) -> HttpResponse:
    """Let somebody in, or refuse."""
    membership = get_object_or_404(Membership.objects.select_related("company", "user"), company__uid=uid, uid=membership_uid)
    accept = request.POST.get("answer") == "accept"
    try:
        operations.decide(membership, accept=accept, by=request.user)
    except ValidationError as error:
        messages.error(request, error.message)
    else:
        done = _("%(person)s can act for the company now and got a mail.") if accept else _("You refused %(person)s, who got a mail.")
        messages.success(request, done % {"person": membership.user})
    return redirect("companies:people", uid=uid)


@login_required
@require_POST
def set_role(request: HttpRequest, uid, membership_uid) -> HttpResponse:
    """Make somebody an owner, or no longer."""
    membership = get_object_or_404(Membership.objects.active(), company__uid=uid, uid=membership_uid)
    role = Role.OWNER if request.POST.get("role") == Role.OWNER else Role.MEMBER
    try:
        operations.set_role(membership, role, by=request.user)
    except ValidationError as error:
        messages.error(request, error.message)
    return redirect("companies:people", uid=uid)


@login_required
@require_POST
def leave(request: HttpRequest, uid, membership_uid) -> HttpResponse:
    """Leave a company, take back a request, or (an owner) end somebody's part in it."""
    membership = get_object_or_404(Membership.objects.select_related("company", "user"), company__uid=uid, uid=membership_uid)
    try:
        operations.leave(membership, by=request.user)
    except ValidationError as error:
        messages.error(request, error.message)
        return redirect("companies:people", uid=uid)
    if membership.user == request.user:
        messages.success(request, _("You no longer act for %(name)s.") % {"name": membership.company.name})
        return redirect("my_space")
    return redirect("companies:people", uid=uid)


@require_GET
@vary_on_headers("HX-Request")
def sector_options(request: HttpRequest) -> HttpResponse:
    """A picker's buttons for the words typed so far; a fragment."""
    words = request.GET.get("sector_words", "")
    chosen = sectors.tree().get(request.GET.get("sector_list") or request.GET.get("sector", ""))
    found = sectors.find(words)
    context = {"name": "sector", "chosen": chosen, "options": options(chosen, found), "nothing_found": bool(words.strip()) and not found}
    return render(request, "companies/sector_options.html", context)


@require_GET
@cache_control(public=True, max_age=A_DAY)
def place_names(request: HttpRequest) -> HttpResponse:
    """Every municipality as an <option> for a <datalist>; a fragment."""
    return render(request, "companies/place_names.html", {"places": places.known().values()})


def _sent(request: HttpRequest) -> tuple:
    """What a form is bound to: nothing before it was sent, even if it is empty when it is."""
    return (request.POST, request.FILES) if request.method == "POST" else (None, None)


def _status(form: object) -> int:
    return UNPROCESSABLE if form.is_bound and form.errors else 200
