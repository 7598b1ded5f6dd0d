"""Items of partners that were no good: the list, one item with its fault and what to do, retry, set aside."""

import json
from collections.abc import Callable

import django_filters
from django import forms
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.generic import TemplateView
from wagtail.admin import messages
from wagtail.admin.filters import WagtailFilterSet
from wagtail.admin.views.generic import WagtailAdminTemplateMixin
from wagtail.admin.views.reports import ReportView

from marketplace.federation import operations
from marketplace.federation.models import Partner, QuarantinedItem
from marketplace.federation.rules import can_manage

from .bulk import LONGEST_ID
from .partner_advice import advice
from .partner_pages import HOME, LIST, ActsMixin, PartnerLookMixin, sections_of

#: More at once are not looked at: what fails so often is one fault, to be mended at the partner.
MOST_AT_ONCE = 1000
OPEN, SETTLED = "open", "settled"


def _codes() -> list[tuple[str, str]]:
    return [(code, code) for code in QuarantinedItem.objects.order_by("code").values_list("code", flat=True).distinct()[:50]]


class QuarantineFilterSet(WagtailFilterSet):
    """What the list can be narrowed by."""

    partner = django_filters.ModelChoiceFilter(
        label=gettext_lazy("Partner"), queryset=Partner.objects.all(), widget=forms.RadioSelect, empty_label=gettext_lazy("All")
    )
    code = django_filters.ChoiceFilter(label=gettext_lazy("Fault"), choices=_codes, widget=forms.RadioSelect, empty_label=gettext_lazy("All"))
    settled = django_filters.ChoiceFilter(
        label=gettext_lazy("Which"),
        choices=[(SETTLED, gettext_lazy("Settled"))],
        empty_label=gettext_lazy("Open"),
        method="filter_settled",
        widget=forms.RadioSelect,
    )

    class Meta:
        model = QuarantinedItem
        fields = []

    def filter_settled(self, queryset: QuerySet, name: str, value: str) -> QuerySet:
        """Done in `filter_queryset`, since open ones are what is shown without a choice."""
        return queryset

    def filter_queryset(self, queryset: QuerySet) -> QuerySet:
        """Open ones, unless the settled were asked for."""
        is_settled = self.form.cleaned_data.get("settled") == SETTLED
        return super().filter_queryset(queryset.filter(resolved_at__isnull=not is_settled))


class QuarantineView(PartnerLookMixin, ReportView):
    """The items, newest first, with boxes to tick and two buttons."""

    model = QuarantinedItem
    template_name = "console/partners.html"
    results_template_name = "console/partner_quarantine_rows.html"
    page_title = gettext_lazy("Quarantine")
    header_icon = "warning"
    index_url_name = "console_partner_quarantine"
    index_results_url_name = "console_partner_quarantine_results"
    filterset_class = QuarantineFilterSet
    is_searchable = True
    search_backend_name = None
    search_fields = ["uri", "message", "code"]
    default_ordering = "-last_seen"
    paginate_by = 50
    verbose_name_plural = gettext_lazy("items in quarantine")
    list_export = []
    columns = []

    def get_breadcrumbs_items(self) -> list:
        """Home, partners, here."""
        return [HOME, LIST, {"url": "", "label": self.page_title}]

    def get_base_queryset(self) -> QuerySet:
        """With the partner's name."""
        return QuarantinedItem.objects.select_related("partner")

    def get_context_data(self, **context: object) -> dict:
        """With the other lists."""
        context = super().get_context_data(**context)
        query = self.request.GET.urlencode()
        return context | {
            "sections": sections_of(reverse("console_partner_quarantine")),
            "note": _("What a partner sent and we could not take, with the reason. The rest of what it sent is not held up by it."),
            "may_manage": can_manage(self.request.user),
            "back": f"?{query}" if query else "",
            "is_settled": self.request.GET.get("settled") == SETTLED,
        }

    @cached_property
    def no_results_message(self) -> str:
        """An empty quarantine is good news."""
        if self.is_searching or self.is_filtering:
            return _("No item matches. Take a filter away to see more.")
        return _("Nothing is in quarantine: all that the partners sent could be taken.")

    def post(self, request: HttpRequest, **kwargs: object) -> HttpResponse:
        """The pressed button, for the ticked ones."""
        act = {"retry": operations.retry, "settle": operations.settle}.get(request.POST.get("act", ""))
        ids = [pk for pk in request.POST.getlist("id")[:MOST_AT_ONCE] if pk.isdecimal() and len(pk) <= LONGEST_ID]
        items = list(QuarantinedItem.objects.filter(pk__in=ids, resolved_at=None).select_related("partner"))
        if act is None or not items:
            messages.error(request, _("Tick at least one item that is open."))
        else:
            number = act(items, by=request.user)
            messages.success(request, _said(request.POST["act"], number))
        return redirect(request.get_full_path())


def _said(act: str, number: int) -> str:
    if act == "retry":
        return ngettext(
            "%(n)d item is tried again at the next visit, which begins now.", "%(n)d items are tried again at the next visit, which begins now.", number
        ) % {"n": number}
    return ngettext("%(n)d item is set aside.", "%(n)d items are set aside.", number) % {"n": number}


class QuarantinedView(PartnerLookMixin, ActsMixin, WagtailAdminTemplateMixin, TemplateView):
    """One item: the fault in words, what to do, what came."""

    template_name = "console/partner_quarantined.html"
    header_icon = "warning"
    page_title = gettext_lazy("Item in quarantine")

    @cached_property
    def item(self) -> QuarantinedItem:
        """The item of the address."""
        return get_object_or_404(QuarantinedItem.objects.select_related("partner"), pk=self.kwargs["pk"])

    def get_breadcrumbs_items(self) -> list:
        """Home, partners, quarantine, this one."""
        listed = {"url": reverse("console_partner_quarantine"), "label": _("Quarantine")}
        return [HOME, LIST, listed, {"url": "", "label": self.item.partner.name}]

    def get_context_data(self, **context: object) -> dict:
        """With advice."""
        item = self.item
        return super().get_context_data(**context) | {
            "item": item,
            "text": pretty(item.item),
            "advice": advice(item),
            "may_manage": can_manage(self.request.user),
        }

    def acts(self) -> dict[str, Callable]:
        """The buttons."""
        return {"retry": lambda: self._do(operations.retry, "retry"), "settle": lambda: self._do(operations.settle, "settle")}

    def after_act(self) -> str:
        """Back to what waits."""
        return reverse("console_partner_quarantine")

    def _do(self, act: Callable, name: str) -> str:
        return _said(name, act([self.item], by=self.request.user))


def pretty(text: str) -> str:
    """JSON with a line for each value; what is none as it came."""
    try:
        return json.dumps(json.loads(text), indent=2, ensure_ascii=False)
    except (ValueError, RecursionError):
        return text
