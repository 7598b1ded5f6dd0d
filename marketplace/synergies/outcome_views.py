"""The page on which a company tells how it went with another one."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from . import outcomes
from .cards import Card
from .enums import Outcome
from .forms import OutcomeForm
from .models import Synergy

UNPROCESSABLE = 422


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def outcome(request: HttpRequest, uid: str) -> HttpResponse:
    """Three answers, one button. A mail's link comes with an answer chosen already; only the button tells it."""
    synergy = get_object_or_404(Synergy.objects.of(request.user).mutual().for_display(), uid=uid)
    side = outcomes.side_to_tell(synergy, request.user)
    told = outcomes.standing(synergy.answers.all())
    form = OutcomeForm(request.POST) if request.method == "POST" else OutcomeForm(initial=_initial(request, told.answer(side)))
    if form.is_bound and form.is_valid() and _tell(request, synergy, form):
        return redirect(synergy)
    context = {
        "card": Card(synergy, side),
        "form": form,
        "told": told,
        "items": [
            (_("Synergies"), reverse("synergies:inbox")),
            (_("You and %(company)s") % {"company": synergy.listing(side.other).company.name}, synergy.get_absolute_url()),
        ],
    }
    return render(request, "synergies/outcome.html", context, status=UNPROCESSABLE if form.is_bound else 200)


def _initial(request: HttpRequest, last: object) -> dict[str, str]:
    chosen = request.GET.get("outcome", "")
    if chosen in Outcome.values:
        return {"outcome": chosen}
    return {"outcome": last.outcome, "reason": last.reason, "comment": last.comment} if last else {}


def _tell(request: HttpRequest, synergy: Synergy, form: OutcomeForm) -> bool:
    try:
        outcomes.tell(synergy, by=request.user, **form.cleaned_data)
    except ValidationError as error:
        form.add_error(None, error.messages)
        return False
    messages.success(request, _("Thank you. You can change it at any time."))
    return True
