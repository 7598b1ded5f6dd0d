"""One decision on many listings, with a result for each."""

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from wagtail.admin.auth import permission_denied
from wagtail.admin.views.bulk_action import BulkAction

from marketplace.accounts.rules import is_curator
from marketplace.listings.enums import Move
from marketplace.listings.models import Listing

from .decisions import decide_all
from .forms import ReasonForm

#: Beyond 18 digits no database has a key.
LONGEST_ID = 18


class _Decision(BulkAction):
    """What the three share. Wagtail's own flow puts everything into one transaction; here each listing has its own."""

    models = [Listing]
    template_name = "console/bulk_confirm.html"
    move: Move
    question = ""
    button = ""

    def dispatch(self, request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
        """Curators only."""
        if not is_curator(request.user):
            return permission_denied(request)
        return super().dispatch(request, *args, **kwargs)

    @classmethod
    def get_queryset(cls, model: type, object_ids: list) -> list:
        """In a fixed order, so that two curators at once never wait for each other in a circle."""
        return list(model.objects.for_display().filter(pk__in=[pk for pk in object_ids if str(pk).isdecimal() and len(str(pk)) <= LONGEST_ID]).order_by("pk"))

    def get_all_objects_in_listing_query(self, parent_id: object) -> list:
        """Choosing all means all that wait, never what is published or over."""
        return Listing.objects.waiting().values_list("pk", flat=True)

    def get_actionable_objects(self) -> tuple[list, dict]:
        """Those whose state allows the decision and which are not of the curator's own company; the rest is named."""
        ids = self.request.GET.getlist("id")
        listings = self.get_queryset(self.model, self.get_all_objects_in_listing_query(None) if "all" in ids else ids)
        own = set(self.request.user.memberships.active().values_list("company_id", flat=True))
        able = [listing for listing in listings if listing.can(self.move) and listing.company_id not in own]
        return able, {"items_with_no_access": [listing for listing in listings if listing not in able]}

    def get_context_data(self, **kwargs: object) -> dict:
        """With the words of this decision."""
        return super().get_context_data(**kwargs) | {"move": self.move, "title": self.display_name, "question": self.question, "button": self.button}

    def form_valid(self, form: forms.Form) -> HttpResponse:
        """Decide on each and show what became of it."""
        listings, left = self.get_actionable_objects()
        reason = form.text if isinstance(form, ReasonForm) else lambda _language: ""
        results = decide_all(listings, self.move, by=self.request.user, reason=reason)
        done = sum(not result.error for result in results)
        context = {"title": self.display_name, "results": results, "done": done, "left": left["items_with_no_access"], "back": reverse("console_waiting")}
        return render(self.request, "console/bulk_results.html", context)


class PublishAction(_Decision):
    """Publish them."""

    move = Move.PUBLISH
    action_type = "publish"
    display_name = _("Publish")
    aria_label = _("Publish the selected listings")
    question = _("Publish these listings? Their companies get a mail.")
    button = _("Publish")
    action_priority = 10


class _WithReason(_Decision):
    form_class = ReasonForm

    def get_form_kwargs(self) -> dict:
        """The ready-made reasons of this decision."""
        return super().get_form_kwargs() | {"move": self.move}


class RequestChangesAction(_WithReason):
    """Send them back with what to change."""

    move = Move.REQUEST_CHANGES
    action_type = "request_changes"
    display_name = _("Ask for changes")
    aria_label = _("Ask for changes to the selected listings")
    question = _("Send these listings back to their companies? All get the same reason by mail.")
    button = _("Send back")
    action_priority = 20


class RejectAction(_WithReason):
    """Refuse them."""

    move = Move.REJECT
    action_type = "reject"
    display_name = _("Reject")
    aria_label = _("Reject the selected listings")
    question = _("Reject these listings for good? All companies get the same reason by mail.")
    button = _("Reject")
    classes = {"serious"}
    action_priority = 30
