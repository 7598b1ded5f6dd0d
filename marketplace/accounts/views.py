"""A person's own page."""

from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from . import daily, privacy
from .forms import EraseForm, ProfileForm

UNPROCESSABLE = 422


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def profile(request: HttpRequest) -> HttpResponse:
    """Name, language, mails, and the ways to the rest."""
    form = ProfileForm(request.POST if request.method == "POST" else None, instance=request.user)
    if request.method == "POST" and form.is_valid():
        form.save()
        messages.success(request, _("Saved."))
        return redirect("accounts:profile")
    return render(request, "accounts/profile.html", {"form": form}, status=UNPROCESSABLE if form.errors else 200)


@login_required
@never_cache
@require_GET
def export(request: HttpRequest) -> HttpResponse:
    """Everything we know of the person, as a JSON file."""
    response = JsonResponse(privacy.export(request.user), json_dumps_params={"ensure_ascii": False, "indent": 2})
    response["Content-Disposition"] = f'attachment; filename="my-data-{timezone.localdate()}.json"'
    return response


@login_required
@never_cache
@sensitive_post_parameters("password")
@require_http_methods(["GET", "HEAD", "POST"])
def erase(request: HttpRequest) -> HttpResponse:
    """What closing the account means; with the password, closing it."""
    form = EraseForm(request.POST if request.method == "POST" else None, person=request.user)
    if request.method == "POST" and form.is_valid():
        try:
            privacy.erase(request.user)
        except ValidationError as error:
            form.add_error(None, error)
        else:
            logout(request)
            messages.success(request, _("Your account is closed and your data are deleted."))
            return redirect("/")
    context = {"form": form, "consequences": privacy.consequences(request.user)}
    return render(request, "accounts/erase.html", context, status=UNPROCESSABLE if form.errors else 200)


# --- Leaving the daily mail -----------------------------------------------------------------------------------------------


@csrf_exempt
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def stop_mails(request: HttpRequest, token: str) -> HttpResponse:
    """GET asks, POST leaves: mail programs send it by themselves (RFC 8058), so it needs no cookie, no log-in, no redirect."""
    subscription = _subscription(token)
    if request.method == "POST":
        subscription.stop()
    return render(request, "accounts/stop_mails.html", {"token": token, "labels": subscription.labels, "is_done": not subscription.is_wanted})


@require_POST
def resume_mails(request: HttpRequest, token: str) -> HttpResponse:
    """For who left by mistake."""
    _subscription(token).resume()
    messages.success(request, _("You will get this mail again."))
    return redirect("accounts:stop_mails", token)


def _subscription(token: str) -> daily.Subscription:
    subscription = daily.subscription(token)
    if subscription is None:
        raise Http404
    return subscription
