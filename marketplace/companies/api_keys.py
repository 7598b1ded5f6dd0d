"""Keys for programs: the pages of a company's owners. A secret is in the answer to the press of the button, and nowhere before or after."""

import datetime
from dataclasses import dataclass

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from marketplace.rest import charts, usage
from marketplace.rest.models import ApiKey, Scope

from . import key_operations as operations
from .models import Company
from .rules import is_owner

DAYS = 30
UNPROCESSABLE = 422
SCOPES = [
    (Scope.READ.value, gettext_lazy("Read: everything public, more at a time, and what only your company sees: drafts and suggestions")),
    (Scope.WRITE.value, gettext_lazy("Write: make, change and end the company's offers and demands")),
    (Scope.INTERESTS.value, gettext_lazy("Interests: say that the company is interested, or not")),
]
BRIEF = {Scope.READ: gettext_lazy("reads"), Scope.WRITE: gettext_lazy("writes"), Scope.INTERESTS: gettext_lazy("interests")}
LIVES = [
    ("30", gettext_lazy("30 days")),
    ("90", gettext_lazy("90 days")),
    ("365", gettext_lazy("A year")),
    ("never", gettext_lazy("Until somebody revokes it")),
]
OVERLAPS = [
    ("0", gettext_lazy("Ends at once")),
    ("1", gettext_lazy("Works for one more day")),
    ("7", gettext_lazy("Works for 7 more days")),
    ("30", gettext_lazy("Works for 30 more days")),
]


class KeyForm(forms.Form):
    """A new key."""

    name = forms.CharField(
        label=gettext_lazy("Name"), max_length=80, help_text=gettext_lazy("What uses it, for example “Web shop”. You tell your keys apart by it.")
    )
    scopes = forms.MultipleChoiceField(
        label=gettext_lazy("What it may do"),
        choices=SCOPES,
        initial=[Scope.READ.value],
        widget=forms.CheckboxSelectMultiple,
        help_text=gettext_lazy("No more than the program needs."),
        error_messages={"required": gettext_lazy("Choose at least one thing that the key may do.")},
    )
    life = forms.ChoiceField(
        label=gettext_lazy("It works for"), choices=LIVES, initial="365", help_text=gettext_lazy("You get a mail two weeks before it ends.")
    )

    def expires_at(self) -> datetime.datetime | None:
        """When it ends."""
        life = self.cleaned_data["life"]
        return None if life == "never" else timezone.now() + datetime.timedelta(days=int(life))


class RotateForm(forms.Form):
    """What becomes of the old key."""

    overlap = forms.ChoiceField(
        label=gettext_lazy("The old key"),
        choices=OVERLAPS,
        initial="7",
        help_text=gettext_lazy("Until then both work: put the new one into your programs meanwhile."),
    )

    def days(self) -> datetime.timedelta:
        """How long both work."""
        return datetime.timedelta(days=int(self.cleaned_data["overlap"]))


@dataclass(frozen=True)
class Row:
    """A key as the list shows it. `state` is a colour of the badge, `label` its words."""

    key: ApiKey
    requests: int
    refused: int
    state: str
    label: Promise | str
    is_in_use: bool
    scopes: list[str]


@login_required
@never_cache
@require_GET
def key_list(request: HttpRequest, uid) -> HttpResponse:
    """The company's keys: those in use first, the ended ones below."""
    company = _own(request, uid)
    rows = _rows(company)
    context = {"company": company, "in_use": [row for row in rows if row.is_in_use], "ended": [row for row in rows if not row.is_in_use], "days": DAYS}
    return render(request, "companies/api_keys.html", context)


@login_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def create(request: HttpRequest, uid) -> HttpResponse:
    """Make a key; the answer shows its secret."""
    company = _own(request, uid)
    form = KeyForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        values = form.cleaned_data
        try:
            key, secret = operations.issue(company, name=values["name"], scopes=values["scopes"], expires_at=form.expires_at(), by=request.user)
        except ValidationError as error:
            form.add_error(None, error)
        else:
            return _secret(request, company, key, secret)
    return render(request, "companies/api_key_form.html", {"company": company, "form": form}, status=UNPROCESSABLE if form.errors else 200)


@login_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def rotate(request: HttpRequest, uid, key_uid) -> HttpResponse:
    """Replace a key; the answer shows the new one's secret."""
    company = _own(request, uid)
    key = get_object_or_404(operations.keys_of(company), uid=key_uid)
    form = RotateForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            successor, secret = operations.rotate(company, key, overlap=form.days(), by=request.user)
        except ValidationError as error:
            form.add_error(None, error)
        else:
            key.refresh_from_db()
            return _secret(request, company, successor, secret, replaced=key)
    return render(request, "companies/api_key_rotate.html", {"company": company, "key": key, "form": form}, status=UNPROCESSABLE if form.errors else 200)


@login_required
@require_POST
def revoke(request: HttpRequest, uid, key_uid) -> HttpResponse:
    """End a key at once."""
    company = _own(request, uid)
    key = operations.revoke(company, get_object_or_404(operations.keys_of(company), uid=key_uid), by=request.user)
    messages.success(request, _("The key “%(name)s” no longer works.") % {"name": key.name})
    return redirect("companies:keys", uid=company.uid)


@login_required
@never_cache
@require_GET
def used(request: HttpRequest, uid) -> HttpResponse:
    """How much the keys were used, day by day; all of them or one (`?key=`)."""
    company = _own(request, uid)
    rows = _rows(company)
    chosen = next((row.key for row in rows if str(row.key.uid) == request.GET.get("key")), None)
    keys = operations.keys_of(company)
    chart = charts.columns(usage.by_day(keys.filter(pk=chosen.pk) if chosen else keys, days=DAYS))
    shown = [row for row in rows if row.is_in_use or row.requests]
    return render(request, "companies/api_usage.html", {"company": company, "rows": shown, "chosen": chosen, "chart": chart, "days": DAYS})


def _own(request: HttpRequest, uid) -> Company:
    """The company, if the person is one of its owners."""
    company = get_object_or_404(Company.objects.for_display(), uid=uid)
    if not is_owner(request.user, company):
        raise PermissionDenied
    return company


def _rows(company: Company) -> list[Row]:
    """Every key, newest first; two queries."""
    keys = operations.keys_of(company)
    counted = usage.by_key(keys, days=DAYS)
    found = keys.with_acts().select_related("made_by", "replaced_by").order_by("-created", "-pk")
    return [_row(key, *counted.get(key.pk, (0, 0))) for key in found]


def _row(key: ApiKey, requests: int, refused: int) -> Row:
    scopes = [str(words) for scope, words in BRIEF.items() if scope in key.scopes]
    if key.revoked_at:
        return Row(key, requests, refused, "withdrawn", _("Revoked"), False, scopes)
    if not key.is_usable:
        return Row(key, requests, refused, "expired", _("Ended"), False, scopes)
    if not key.acts:
        return Row(key, requests, refused, "rejected", _("Does not work"), True, scopes)
    if key.replaced_by:
        return Row(key, requests, refused, "submitted", _("Replaced, still works"), True, scopes)
    return Row(key, requests, refused, "published", _("Works"), True, scopes)


def _secret(request: HttpRequest, company: Company, key: ApiKey, secret: str, *, replaced: ApiKey | None = None) -> HttpResponse:
    """The one page that shows a secret. `never_cache` keeps it out of the browser's store too."""
    return render(request, "companies/api_key_secret.html", {"company": company, "key": key, "secret": secret, "replaced": replaced})
