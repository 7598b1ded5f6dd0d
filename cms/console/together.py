"""Groups and rings as the Innovation Service sees them: two lists, and one of each with its reasons."""

import django_filters
from django import forms
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.timesince import timesince
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.generic import TemplateView
from wagtail.admin.filters import WagtailFilterSet
from wagtail.admin.ui.tables import Column, TitleColumn
from wagtail.admin.views.generic import WagtailAdminTemplateMixin
from wagtail.admin.views.reports import ReportView

from marketplace.synergies.beyond_cards import GroupCard, RingCard, group_cards
from marketplace.synergies.models import Consortium, ConsortiumMember, Ring, RingLink

from .access import CuratorRequiredMixin

PAGE_SIZE = 30
STANDINGS = [("current", gettext_lazy("Suggested now")), ("set_aside", gettext_lazy("Set aside"))]
STRENGTHS = [("60", gettext_lazy("60 points and more")), ("75", gettext_lazy("75 points and more"))]
COVERAGES = [("0.6", gettext_lazy("60 % and more")), ("0.75", gettext_lazy("75 % and more"))]


def _one_of(label: str, choices: list, **options: object) -> django_filters.ChoiceFilter:
    return django_filters.ChoiceFilter(label=label, choices=choices, empty_label=gettext_lazy("All"), widget=forms.RadioSelect, **options)


class _ProposalFilterSet(WagtailFilterSet):
    """What both lists can be narrowed by."""

    standing = _one_of(gettext_lazy("State"), STANDINGS, method="filter_standing")
    company = django_filters.CharFilter(label=gettext_lazy("Company"), method="filter_company")

    def filter_standing(self, queryset: QuerySet, name: str, value: str) -> QuerySet:
        """Those that are suggested to their companies today, or those that one of them did not want."""
        return queryset.current() if value == "current" else queryset.set_aside()


class GroupFilterSet(_ProposalFilterSet):
    """For the list of groups."""

    size = _one_of(gettext_lazy("Companies"), [(n, str(n)) for n in (2, 3, 4)])
    covered = _one_of(gettext_lazy("Together they cover"), COVERAGES, lookup_expr="gte")

    class Meta:
        model = Consortium
        fields = []

    def filter_company(self, queryset: QuerySet, name: str, value: str) -> QuerySet:
        """Who asks, or one of those who offer."""
        members = ConsortiumMember.objects.filter(consortium=OuterRef("pk"), offer__company__name__icontains=value)
        return queryset.filter(Q(demand__company__name__icontains=value) | Exists(members))


class RingFilterSet(_ProposalFilterSet):
    """For the list of rings."""

    size = _one_of(gettext_lazy("Companies"), [(n, str(n)) for n in (2, 3, 4)])
    weakest = _one_of(gettext_lazy("Weakest link"), STRENGTHS, lookup_expr="gte")

    class Meta:
        model = Ring
        fields = []

    def filter_company(self, queryset: QuerySet, name: str, value: str) -> QuerySet:
        """One of its companies."""
        return queryset.filter(Exists(RingLink.objects.filter(ring=OuterRef("pk"), synergy__offer__company__name__icontains=value)))


class _ProposalsView(CuratorRequiredMixin, ReportView):
    """What both lists share."""

    template_name = "console/together.html"
    results_template_name = "console/listings_results.html"
    page_title = gettext_lazy("Groups and rings")
    header_icon = "group"
    paginate_by = PAGE_SIZE
    note = ""

    def get_base_queryset(self) -> QuerySet:
        """With what a row shows."""
        return self.model.objects.for_display()

    def get_context_data(self, **context: object) -> dict:
        """With the way to the other list."""
        tabs = [(_("Groups"), Consortium, "console_groups"), (_("Rings"), Ring, "console_rings")]
        return super().get_context_data(**context) | {
            "tabs": [(label, reverse(name), model.objects.current().count(), model is self.model) for label, model, name in tabs],
            "note": self.note,
        }

    def common_columns(self) -> list:
        """Its age and whether somebody did not want it."""
        return [
            Column("size", label=_("Companies"), sort_key="size", width="8%"),
            Column("suggested_at", label=_("Age"), accessor=lambda row: timesince(row.suggested_at, depth=1), sort_key="suggested_at", width="9%"),
            Column("dismissed_by", label=_("Set aside by"), accessor=lambda row: row.dismissed_by or "–", classname="console-roomy", width="12%"),
        ]


class GroupsView(_ProposalsView):
    """Every group, the one that covers most first."""

    model = Consortium
    index_url_name = "console_groups"
    index_results_url_name = "console_groups_results"
    filterset_class = GroupFilterSet
    default_ordering = ("-covered", "-id")
    verbose_name_plural = gettext_lazy("groups")
    note = gettext_lazy("Demands that no single offer answers, with companies that do it together. Each company decides for itself.")

    @cached_property
    def columns(self) -> list:
        """What a row shows."""
        return [
            TitleColumn("demand", label=_("Demand"), accessor="demand.title", get_url=lambda row: reverse("console_group", args=[row.uid])),
            Column("asking", label=_("Who asks"), accessor="demand.company.name", width="13%"),
            Column("offering", label=_("Who offers"), accessor=lambda row: ", ".join(m.offer.company.name for m in row.members.all()), width="24%"),
            Column("covered", label=_("Covered"), accessor=lambda row: f"{row.covered:.0%}", sort_key="covered", width="9%"),
            *self.common_columns(),
        ]

    @cached_property
    def no_results_message(self) -> str:
        """Why there may be none."""
        return _("No group. They appear when a demand names several things and different companies offer them.")


class RingsView(_ProposalsView):
    """Every ring, the strongest first."""

    model = Ring
    index_url_name = "console_rings"
    index_results_url_name = "console_rings_results"
    filterset_class = RingFilterSet
    default_ordering = ("-weakest", "-mean", "id")
    verbose_name_plural = gettext_lazy("rings")
    note = gettext_lazy("Companies of which each can serve the next, and the last one the first. A ring is worth as much as its weakest link.")

    @cached_property
    def columns(self) -> list:
        """What a row shows."""
        return [
            TitleColumn("companies", label=_("Ring"), accessor=_in_turn, get_url=lambda row: reverse("console_ring", args=[row.uid])),
            Column("weakest", label=_("Weakest link"), accessor=lambda row: f"{row.weakest:.0f}", sort_key="weakest", width="11%"),
            Column("mean", label=_("Mean"), accessor=lambda row: f"{row.mean:.0f}", sort_key="mean", width="8%"),
            *self.common_columns(),
        ]

    @cached_property
    def no_results_message(self) -> str:
        """Why there may be none."""
        return _("No ring. They appear when companies publish both what they offer and what they need.")


def _in_turn(ring: Ring) -> str:
    return " → ".join(link.synergy.offer.company.name for link in ring.links.all())


class _ProposalView(CuratorRequiredMixin, WagtailAdminTemplateMixin, TemplateView):
    """What both single pages share."""

    header_icon = "group"

    def get_breadcrumbs_items(self) -> list:
        """Home, the list, this one."""
        home = {"url": reverse("wagtailadmin_home"), "label": _("Home")}
        return [home, {"url": reverse(self.list_url_name), "label": self.list_label}, {"url": "", "label": self.get_page_title()}]


class GroupView(_ProposalView):
    """One group: who covers what and what is missing."""

    template_name = "console/group.html"
    list_url_name, list_label = "console_groups", gettext_lazy("Groups")

    @cached_property
    def card(self) -> GroupCard:
        """The group as a curator sees it."""
        [card] = group_cards([get_object_or_404(Consortium.objects.for_display(), uid=self.kwargs["uid"])], None)
        return card

    def get_page_title(self) -> str:
        """The demand's title."""
        return self.card.demand.title

    def get_context_data(self, **context: object) -> dict:
        """With the card, and whether it is suggested today."""
        is_current = Consortium.objects.current().filter(pk=self.card.consortium.pk).exists()
        return super().get_context_data(**context) | {"card": self.card, "proposal": self.card.consortium, "is_current": is_current}


class RingView(_ProposalView):
    """One ring: who serves whom with what."""

    template_name = "console/ring.html"
    list_url_name, list_label = "console_rings", gettext_lazy("Rings")

    @cached_property
    def card(self) -> RingCard:
        """The ring as a curator sees it."""
        return RingCard(get_object_or_404(Ring.objects.for_display(), uid=self.kwargs["uid"]), None)

    def get_page_title(self) -> str:
        """Its companies."""
        return _in_turn(self.card.ring)

    def get_context_data(self, **context: object) -> dict:
        """With the card, and whether it is suggested today."""
        is_current = Ring.objects.current().filter(pk=self.card.ring.pk).exists()
        return super().get_context_data(**context) | {"card": self.card, "proposal": self.card.ring, "is_current": is_current}
