"""Two listings that may be one: side by side, and a curator says whether."""

from collections.abc import Callable

import django_filters
from django import forms
from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.generic import TemplateView
from wagtail.admin.filters import WagtailFilterSet
from wagtail.admin.ui.tables import Column, DateColumn, TitleColumn
from wagtail.admin.views.generic import WagtailAdminTemplateMixin
from wagtail.admin.views.reports import ReportView

from marketplace.federation import duplicates
from marketplace.federation.enums import Decision
from marketplace.federation.models import DuplicateCandidate, Partner

from .partner_pages import HOME, LIST, ActsMixin, PartnerLookMixin, sections_of


class DuplicateFilterSet(WagtailFilterSet):
    """What the list can be narrowed by."""

    partner = django_filters.ModelChoiceFilter(
        label=gettext_lazy("Partner"),
        field_name="second__of_partner__partner",
        queryset=Partner.objects.all(),
        widget=forms.RadioSelect,
        empty_label=gettext_lazy("All"),
    )

    class Meta:
        model = DuplicateCandidate
        fields = []


def waiting() -> QuerySet:
    """Pairs on which nobody has decided, the most alike first."""
    return DuplicateCandidate.objects.filter(decision="")


class DuplicatesView(PartnerLookMixin, ReportView):
    """The pairs that wait."""

    model = DuplicateCandidate
    template_name = "console/partners.html"
    results_template_name = "console/listings_results.html"
    page_title = gettext_lazy("Possible duplicates")
    header_icon = "copy"
    index_url_name = "console_partner_duplicates"
    index_results_url_name = "console_partner_duplicates_results"
    filterset_class = DuplicateFilterSet
    default_ordering = "-similarity"
    paginate_by = 50
    verbose_name_plural = gettext_lazy("possible duplicates")
    list_export = []

    def get_breadcrumbs_items(self) -> list:
        """Home, partners, here."""
        return [HOME, LIST, {"url": "", "label": self.page_title}]

    def get_base_queryset(self) -> QuerySet:
        """With both listings."""
        return waiting().select_related("first__company", "second__company")

    def get_context_data(self, **context: object) -> dict:
        """With the other lists."""
        note = _("The same text came twice, or the same company says nearly the same here and there. Nothing is merged by itself: you decide.")
        return super().get_context_data(**context) | {"sections": sections_of(reverse("console_partner_duplicates")), "note": note}

    @cached_property
    def columns(self) -> list:
        """What a row shows."""
        return [
            TitleColumn("second", label=_("It came"), accessor="second.title", get_url=lambda pair: reverse("console_partner_duplicate", args=[pair.pk])),
            Column("from", label=_("From"), accessor="second.source_name", classname="console-roomy", width="14%"),
            Column("first", label=_("It was here"), accessor="first.title", width="30%"),
            Column("similarity", label=_("Alike"), accessor=lambda pair: f"{round(pair.similarity * 100)} %", sort_key="similarity", width="8%"),
            DateColumn("created", label=_("Since"), sort_key="created", classname="console-roomy", width="11%"),
        ]

    @cached_property
    def no_results_message(self) -> str:
        """An empty list is good news."""
        return _("No pair waits for a decision.")


class DuplicateView(PartnerLookMixin, ActsMixin, WagtailAdminTemplateMixin, TemplateView):
    """One pair."""

    for_curators = True
    template_name = "console/partner_duplicate.html"
    header_icon = "copy"
    page_title = gettext_lazy("Are these two one?")

    @cached_property
    def pair(self) -> DuplicateCandidate:
        """The pair of the address."""
        listings = ("first__company", "first__sector", "first__place", "second__company", "second__sector", "second__place")
        return get_object_or_404(DuplicateCandidate.objects.select_related(*listings, "decided_by"), pk=self.kwargs["pk"])

    def get_breadcrumbs_items(self) -> list:
        """Home, partners, duplicates, this one."""
        listed = {"url": reverse("console_partner_duplicates"), "label": _("Possible duplicates")}
        return [HOME, LIST, listed, {"url": "", "label": self.page_title}]

    def get_context_data(self, **context: object) -> dict:
        """Both sides, and the next pair."""
        pair = self.pair
        following = waiting().exclude(pk=pair.pk).first()
        return super().get_context_data(**context) | {
            "pair": pair,
            "percent": round(pair.similarity * 100),
            "sides": [(_("Was here before"), pair.first), (_("Came now"), pair.second)],
            "next_url": reverse("console_partner_duplicate", args=[following.pk]) if following else "",
        }

    def acts(self) -> dict[str, Callable]:
        """The two answers."""
        return {decision: lambda decision=decision: self._decide(decision) for decision in Decision}

    def after_act(self) -> str:
        """The next pair, or the list."""
        following = waiting().exclude(pk=self.kwargs["pk"]).first()
        return reverse("console_partner_duplicate", args=[following.pk]) if following else reverse("console_partner_duplicates")

    def _decide(self, decision: Decision) -> str:
        duplicates.decide(self.pair, decision, by=self.request.user)
        if decision == Decision.SAME:
            return _("They are one: “%(title)s” of %(source)s is hidden here.") % {"title": self.pair.second.title, "source": self.pair.second.source_name}
        return _("They are two: both are shown.")
