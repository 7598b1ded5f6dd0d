"""The queue of what waits for a decision, and the list of all listings."""

from collections.abc import Iterator

from django.db.models import QuerySet
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.timesince import timesince
from django.utils.translation import gettext_lazy as _
from wagtail.admin.ui.tables import BulkActionsCheckboxColumn, Column, StatusTagColumn, TitleColumn
from wagtail.admin.views.reports import ReportView

from marketplace.imports import export
from marketplace.listings.enums import State
from marketplace.listings.models import Listing

from .access import CuratorRequiredMixin
from .filters import ListingFilterSet, WaitingFilterSet

PAGE_SIZE = 30


def waiting_time(listing: Listing) -> str:
    """How long it has been waiting: "3 days"."""
    return timesince(listing.submitted_at or listing.created, depth=1)


class _ListingsView(CuratorRequiredMixin, ReportView):
    """What both lists share: look, search, download."""

    model = Listing
    template_name = "console/listings.html"
    results_template_name = "console/listings_results.html"
    is_searchable = True
    search_backend_name = None
    search_fields = ["title", "description", "keywords", "company__name", "company__tax_id"]
    paginate_by = PAGE_SIZE
    verbose_name_plural = _("listings")
    list_export = export.COLUMNS
    export_filename = "listings"

    def review_url(self, listing: Listing) -> str:
        """The review page, which keeps the filters so that "next" stays within them."""
        query = self.request.GET.copy()
        for name in ("p", "export", "_w_filter_fragment"):
            query.pop(name, None)
        address = reverse("console_review", args=[listing.uid])
        return f"{address}?{query.urlencode()}" if query else address

    def get_base_queryset(self) -> QuerySet:
        """With what a row shows."""
        return super().get_base_queryset().for_display()

    @cached_property
    def columns(self) -> list:
        """Common columns; the two views put their own between."""
        return [
            BulkActionsCheckboxColumn("bulk_actions", obj_type="listing"),
            TitleColumn("title", label=_("Title"), get_url=self.review_url, get_title_id=lambda listing: f"listing_{listing.pk}_title", sort_key="title"),
            Column("company", label=_("Company"), accessor="company.name", sort_key="company__name", width="18%"),
            Column("kind", label=_("Kind"), accessor="get_kind_display", sort_key="kind", width="9%"),
            Column("category", label=_("Category"), accessor="get_category_display", classname="console-roomy", width="12%"),
            Column("language", label=_("Language"), accessor="get_language_display", classname="console-roomy", width="9%"),
            *self.own_columns(),
        ]

    def own_columns(self) -> list:
        """Columns of the one view."""
        return []

    def get_heading(self, queryset: QuerySet, field: str) -> str:
        """The heading that the import knows again, the same in every language."""
        return field

    def stream_csv(self, queryset: QuerySet) -> Iterator[bytes]:
        """A CSV file that no spreadsheet program takes for formulas."""
        return export.stream_csv(queryset)

    def write_xlsx(self, queryset: QuerySet, output: object) -> None:
        """A workbook whose cells are all texts and numbers, never formulas."""
        export.write_xlsx(queryset, output)


class WaitingView(_ListingsView):
    """What waits, oldest first."""

    page_title = _("Waiting for review")
    header_icon = "clipboard-list"
    index_url_name = "console_waiting"
    index_results_url_name = "console_waiting_results"
    filterset_class = WaitingFilterSet
    default_ordering = ("submitted_at", "id")
    export_filename = "waiting-listings"

    def get_base_queryset(self) -> QuerySet:
        """Only those that wait."""
        return super().get_base_queryset().filter(state=State.SUBMITTED)

    def own_columns(self) -> list:
        """How long it has waited."""
        return [Column("waiting", label=_("Waiting"), accessor=waiting_time, sort_key="submitted_at", width="11%")]

    @cached_property
    def no_results_message(self) -> str:
        """An empty queue is good news."""
        if self.is_searching or self.is_filtering:
            return _("Nothing that waits matches. Take a filter away to see more.")
        return _("Nothing is waiting. New listings appear here as soon as a company sends them.")


class AllView(_ListingsView):
    """Every listing in every state, newest first."""

    page_title = _("All listings")
    header_icon = "list-ul"
    index_url_name = "console_listings"
    index_results_url_name = "console_listings_results"
    filterset_class = ListingFilterSet
    default_ordering = "-created"

    def own_columns(self) -> list:
        """Its state and its age."""
        return [
            StatusTagColumn("state", label=_("State"), accessor="get_state_display", primary=lambda listing: listing.state == State.PUBLISHED, width="10%"),
            Column("created", label=_("Age"), accessor=lambda listing: timesince(listing.created, depth=1), sort_key="created", width="10%"),
        ]
