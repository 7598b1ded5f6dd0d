"""An offer beside a demand, whichever they are: why they are suggested or not, and what a curator says of it."""

import uuid

from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.generic import TemplateView
from wagtail.admin import messages
from wagtail.admin.views.generic import WagtailAdminTemplateMixin

import search
from marketplace.listings.enums import Kind
from marketplace.listings.models import Listing
from marketplace.listings.rules import can_curate
from marketplace.synergies import curating, outcomes, why
from marketplace.synergies.enums import State, Verdict
from marketplace.synergies.models import Judgement, Synergy

from .access import CuratorRequiredMixin
from .forms import ProposeForm

UNAVAILABLE, UNPROCESSABLE = 503, 422


class PairView(CuratorRequiredMixin, WagtailAdminTemplateMixin, TemplateView):
    """Compare, judge, suggest by hand."""

    template_name = "console/pair.html"
    header_icon = "link"
    page_title = gettext_lazy("Do these two fit?")

    def _listing(self, kind: Kind, uid: uuid.UUID) -> Listing:
        return get_object_or_404(Listing.objects.for_display(), uid=uid, kind=kind)

    @cached_property
    def offer(self) -> Listing:
        """The offer of the address."""
        return self._listing(Kind.OFFER, self.kwargs["offer"])

    @cached_property
    def demand(self) -> Listing:
        """The demand of the address."""
        return self._listing(Kind.DEMAND, self.kwargs["demand"])

    def get_breadcrumbs_items(self) -> list:
        """Home, list, the demand, this page."""
        return [
            {"url": reverse("wagtailadmin_home"), "label": _("Home")},
            {"url": reverse("console_no_match"), "label": _("No good match")},
            {"url": reverse("console_matches", args=[self.demand.uid]), "label": self.demand.title},
            {"url": "", "label": _("Do these two fit?")},
        ]

    def get(self, request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
        """The comparison; 503 when no engine answers, with all that needs none."""
        context = self.get_context_data()
        return self.render_to_response(context, status=200 if context["told"] else UNAVAILABLE)

    def get_context_data(self, **context: object) -> dict:
        """Everything the page shows."""
        stored = Synergy.objects.filter(offer=self.offer, demand=self.demand).select_related("dismissed_by", "proposed_by").first()
        judgements = list(Judgement.objects.filter(offer=self.offer, demand=self.demand).select_related("by"))
        mine = next((one.verdict for one in judgements if one.by_id == self.request.user.pk), "")
        can_decide = can_curate(self.request.user, self.offer) and can_curate(self.request.user, self.demand)
        return super().get_context_data(**context) | {
            "offer": self.offer,
            "demand": self.demand,
            "told": self._told(stored),
            "stored": stored,
            "outcome": outcomes.standing(stored.answers.all()) if stored and stored.mutual_at else None,
            "judgements": judgements,
            "verdicts": [(verdict, verdict == mine) for verdict in Verdict],
            "own_company": not can_decide,
            "can_propose": can_decide and stored is None and self.offer.is_live and self.demand.is_live and self.offer.company_id != self.demand.company_id,
            "is_dismissed": bool(stored) and stored.state == State.DISMISSED,
            "form": context.get("form") or ProposeForm(),
        }

    def _told(self, stored: Synergy | None) -> why.Explanation | None:
        try:
            return why.Explanation(self.offer, self.demand, side=None, stored=stored)
        except search.SearchUnavailable:
            return None

    def post(self, request: HttpRequest, **kwargs: object) -> HttpResponse:
        """Judge or propose."""
        try:
            if "verdict" in request.POST:
                curating.judge(self.offer, self.demand, by=request.user, verdict=request.POST["verdict"])
                messages.success(request, _("Thank you. Your judgement counts when the matching is measured."))
            else:
                form = ProposeForm(request.POST)
                if not form.is_valid():
                    return self.render_to_response(self.get_context_data(form=form), status=UNPROCESSABLE)
                self._propose(form.cleaned_data["note"])
        except ValidationError as error:
            messages.error(request, " ".join(error.messages))
        except PermissionDenied:
            messages.error(request, _("One of the two belongs to a company that you act for. Somebody else has to decide."))
        except search.SearchUnavailable:
            messages.error(request, _("The search does not answer, so nothing was suggested. Try again in a few minutes."))
        return redirect(request.path)

    def _propose(self, note: str) -> None:
        synergy = curating.propose(self.offer, self.demand, by=self.request.user, note=note)
        if synergy.proposed_by_id == self.request.user.pk:
            messages.success(self.request, _("Suggested. The people of both companies get a mail."))
        else:
            messages.info(self.request, _("These two have been suggested to each other already."))
