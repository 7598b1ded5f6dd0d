"""Interests that crossed to partners or came from them: how they stand, without anybody's contact data."""

import django_filters
from django import forms
from django.db.models import QuerySet
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from wagtail.admin.filters import WagtailFilterSet
from wagtail.admin.ui.tables import Column, DateColumn, StatusTagColumn
from wagtail.admin.views.reports import ReportView

from marketplace.federation.interests.enums import State
from marketplace.federation.models import IncomingInterest, OutgoingInterest, Partner

from .partner_pages import HOME, LIST, PartnerLookMixin, sections_of


def _partner() -> django_filters.ModelChoiceFilter:
    return django_filters.ModelChoiceFilter(
        label=gettext_lazy("Partner"), queryset=Partner.objects.all(), widget=forms.RadioSelect, empty_label=gettext_lazy("All")
    )


class OutgoingFilterSet(WagtailFilterSet):
    """What the list can be narrowed by."""

    partner = _partner()
    state = django_filters.MultipleChoiceFilter(label=gettext_lazy("State"), choices=State.choices, widget=forms.CheckboxSelectMultiple)

    class Meta:
        model = OutgoingInterest
        fields = []


class IncomingFilterSet(OutgoingFilterSet):
    """The same for the other direction."""

    class Meta:
        model = IncomingInterest
        fields = []


class _InterestsView(PartnerLookMixin, ReportView):
    """What both directions share."""

    template_name = "console/partner_interests.html"
    results_template_name = "console/listings_results.html"
    header_icon = "mail"
    default_ordering = "-created"
    paginate_by = 50
    list_export = []

    def get_breadcrumbs_items(self) -> list:
        """Home, partners, here."""
        return [HOME, LIST, {"url": "", "label": _("Interests")}]

    def get_base_queryset(self) -> QuerySet:
        """Without contact data, which this page never reads."""
        return self.model.objects.for_list()

    def get_context_data(self, **context: object) -> dict:
        """With the other lists and the other direction."""
        here = self.request.path.removesuffix("results/")
        directions = [(_("From here"), reverse("console_partner_interests")), (_("To here"), reverse("console_partner_interests_in"))]
        note = _("Who is interested in whom, and how it stands. Contact data are between the two companies alone.")
        more = {"directions": [(label, address, address == here) for label, address in directions], "note": note}
        return super().get_context_data(**context) | {"sections": sections_of(reverse("console_partner_interests"))} | more

    @cached_property
    def no_results_message(self) -> str:
        """What the page is for, while it is empty."""
        if self.is_filtering:
            return _("No interest matches. Take a filter away to see more.")
        return _("Nothing yet. When a company says yes to one at another marketplace, it appears here.")


class OutgoingView(_InterestsView):
    """Of companies here in partners' listings."""

    model = OutgoingInterest
    page_title = gettext_lazy("Interests from here")
    index_url_name = "console_partner_interests"
    index_results_url_name = "console_partner_interests_results"
    filterset_class = OutgoingFilterSet
    verbose_name_plural = gettext_lazy("interests sent")

    @cached_property
    def columns(self) -> list:
        """What a row shows."""
        return [
            Column("company", label=_("Company here"), accessor=lambda row: row.company.name if row.company else "–", width="18%"),
            Column("mine", label=_("Its listing"), accessor=lambda row: row.mine.title if row.mine else "–", classname="console-roomy"),
            Column("theirs", label=_("Their listing"), accessor=lambda row: row.theirs.title if row.theirs else row.remote_uri),
            Column("partner", label=_("Partner"), accessor="partner.name", width="13%"),
            StatusTagColumn("state", label=_("State"), accessor="get_state_display", primary=lambda row: row.state == State.ACCEPTED, width="13%"),
            Column(
                "problem",
                label=_("Problem"),
                accessor=lambda row: row.problem or (_("to be erased there") if row.to_erase else ""),
                classname="console-roomy",
                width="14%",
            ),
            DateColumn("created", label=_("When"), sort_key="created", width="10%"),
        ]


class IncomingView(_InterestsView):
    """Of partners' companies in listings here."""

    model = IncomingInterest
    page_title = gettext_lazy("Interests to here")
    index_url_name = "console_partner_interests_in"
    index_results_url_name = "console_partner_interests_in_results"
    filterset_class = IncomingFilterSet
    verbose_name_plural = gettext_lazy("interests received")

    @cached_property
    def columns(self) -> list:
        """What a row shows."""
        return [
            Column("company", label=_("Company there"), accessor=lambda row: row.company_name or "–", width="18%"),
            Column("theirs", label=_("Its listing"), accessor=lambda row: row.their_title or "–", classname="console-roomy"),
            Column("listing", label=_("Listing here"), accessor=lambda row: f"{row.listing.title} · {row.listing.company.name}" if row.listing else "–"),
            Column("partner", label=_("Partner"), accessor="partner.name", width="13%"),
            StatusTagColumn("state", label=_("State"), accessor="get_state_display", primary=lambda row: row.state == State.ACCEPTED, width="13%"),
            DateColumn("created", label=_("When"), sort_key="created", width="10%"),
        ]
