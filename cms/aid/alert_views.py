"""A person's aid alerts. Nobody else sees any of them: for others there is none (404)."""

import uuid

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from . import alerts, facets
from .alert_models import AidAlert
from .filters import AidFilter
from .models import AidIndexPage, AidPage

UNPROCESSABLE = 422


@login_required
@require_safe
def own(request: HttpRequest) -> HttpResponse:
    """All of them, each with how much aid it finds today."""
    rows = [(alert, len(alerts.found(alert)), alerts.address(alert)) for alert in AidAlert.objects.of(request.user).select_related("owner")]
    finder = None if rows else AidIndexPage.objects.live().filter(locale__language_code=get_language()).first()
    return render(request, "aid/alerts/list.html", {"rows": rows, "finder": finder})


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def create(request: HttpRequest) -> HttpResponse:
    """Ask for mails about the search that stands in the address, as on the finder: who has to sign in first comes back with it."""
    wanted = AidFilter(request.GET)
    error = None
    if request.method == "POST":
        try:
            _alert, is_new = alerts.save(wanted, by=request.user)
        except ValidationError as refused:
            error = refused.messages[0]
        else:
            return _saved(request, is_new=is_new)
    context = {"name": alerts.proposed_name(wanted), "chips": facets.chips(wanted), "text": wanted.values["q"], "ignored": wanted.ignored, "error": error}
    return render(request, "aid/alerts/create.html", context, status=UNPROCESSABLE if error else 200)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def follow(request: HttpRequest, number: int) -> HttpResponse:
    """Ask for a mail when an aid changes."""
    page = get_object_or_404(AidPage.objects.live().public(), pk=number)
    error = None
    if request.method == "POST":
        try:
            _alert, is_new = alerts.save(aid=page.translation_key, by=request.user)
        except ValidationError as refused:
            error = refused.messages[0]
        else:
            return _saved(request, is_new=is_new)
    return render(request, "aid/alerts/create.html", {"page": page, "name": page.title, "error": error}, status=UNPROCESSABLE if error else 200)


def _saved(request: HttpRequest, *, is_new: bool) -> HttpResponse:
    messages.success(request, _("Saved. We write to you when there is news, at most once a day.") if is_new else _("You get these mails already."))
    return redirect("aid:alerts")


@login_required
@require_POST
def pause(request: HttpRequest, uid: uuid.UUID) -> HttpResponse:
    """No more mail about it."""
    alerts.pause(_own(request, uid), by=request.user)
    messages.success(request, _("Paused. We do not write about it any more."))
    return redirect("aid:alerts")


@login_required
@require_POST
def resume(request: HttpRequest, uid: uuid.UUID) -> HttpResponse:
    """Mail again."""
    alerts.resume(_own(request, uid), by=request.user)
    messages.success(request, _("From now on we write to you again when there is news."))
    return redirect("aid:alerts")


@login_required
@require_POST
def delete(request: HttpRequest, uid: uuid.UUID) -> HttpResponse:
    """Away with it."""
    alerts.delete(_own(request, uid), by=request.user)
    messages.success(request, _("The alert is deleted."))
    return redirect("aid:alerts")


def _own(request: HttpRequest, uid: uuid.UUID) -> AidAlert:
    return get_object_or_404(AidAlert.objects.of(request.user), uid=uid)
