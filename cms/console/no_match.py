"""Listings for which the engine found nobody: the lists, one listing with its nearest candidates, and what a curator does about it."""

from collections.abc import Callable, Iterator

from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse, reverse_lazy
from django.utils.functional import cached_property
from django.utils.timesince import timesince
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.generic import TemplateView, View
from wagtail.admin import messages
from wagtail.admin.ui.tables import Column, TitleColumn
from wagtail.admin.views.generic import WagtailAdminTemplateMixin
from wagtail.admin.views.reports import ReportView

import search
from marketplace.listings.enums import Kind
from marketplace.listings.models import Listing
from marketplace.listings.rules import can_curate
from marketplace.synergies import curating, unmet
from marketplace.synergies.models import Synergy

from .access import CuratorRequiredMixin
from .files import csv_lines, write_workbook
from .filters import NoMatchFilterSet
from .forms import AdviceForm, UnmetForm

#: Rows of a page: each asks the engine once, one after another.
PAGE_SIZE = 20
CANDIDATES = 5
FOUND = 10


class NearestColumn(Column):
    """A place that the browser fills, since the engine has to be asked."""

    cell_template_name = "console/no_match_cell.html"


class _NoMatchView(CuratorRequiredMixin, ReportView):
    """What the four lists share."""

    model = Listing
    template_name = "console/no_match.html"
    results_template_name = "console/listings_results.html"
    header_icon = "warning"
    page_title = gettext_lazy("No good match")
    filterset_class = NoMatchFilterSet
    is_searchable = True
    search_backend_name = None
    search_fields = ["title", "description", "keywords", "company__name"]
    default_ordering = ("published_at", "pk")
    paginate_by = PAGE_SIZE
    verbose_name_plural = gettext_lazy("listings")
    list_export = ["uid", "kind", "title", "company", "sector", "section", "place", "language", "published_at", "valid_until", "set_aside", "reason", "comment"]
    export_filename = "no-match"
    label = ""
    note = ""

    def listings(self) -> QuerySet:
        """The rows of this list."""
        raise NotImplementedError

    def get_base_queryset(self) -> QuerySet:
        """With what a row shows."""
        return self.listings().for_display().select_related("unmet_mark")

    @cached_property
    def columns(self) -> list:
        """Common columns."""
        return [
            TitleColumn("title", label=_("Title"), get_url=lambda listing: reverse("console_matches", args=[listing.uid]), sort_key="title"),
            Column("company", label=_("Company"), accessor="company.name", sort_key="company__name", width="13%"),
            *self.own_columns(),
            Column("sector", label=_("Sector"), accessor="sector.label", sort_key="sector__path", classname="console-roomy", width="12%"),
            Column("place", label=_("Municipality"), accessor="place.name", sort_key="place__name", width="9%"),
            Column("age", label=_("Public for"), accessor=lambda one: timesince(one.published_at or one.created, depth=1), sort_key="published_at", width="8%"),
        ]

    def own_columns(self) -> list:
        """Columns of the one view."""
        return []

    def get_context_data(self, **context: object) -> dict:
        """With the other lists and how many are on each."""
        tabs = [(view.label, reverse(view.index_url_name), view().listings().count(), type(self) is view) for view in LISTS]
        return super().get_context_data(**context) | {"tabs": tabs, "note": self.note}

    def stream_csv(self, queryset: QuerySet) -> Iterator[bytes]:
        """A CSV file that no spreadsheet program takes for formulas."""
        return csv_lines(self.list_export, (_exported(listing) for listing in queryset))

    def write_xlsx(self, queryset: QuerySet, output: object) -> None:
        """The same as a workbook; a text stays a text."""
        write_workbook(self.list_export, (_exported(listing) for listing in queryset), output)

    @cached_property
    def no_results_message(self) -> str:
        """An empty list is good news."""
        if self.is_searching or self.is_filtering:
            return _("Nothing on this list matches. Take a filter away to see more.")
        return _("Nothing is on this list.")


class NoMatchDemandsView(_NoMatchView):
    """Demands that nothing answers."""

    label = gettext_lazy("Demands")
    note = gettext_lazy("The engine has looked at these demands as they stand now and found no offer that is good enough.")
    index_url_name = "console_no_match"
    index_results_url_name = "console_no_match_results"

    def listings(self) -> QuerySet:
        """Demands only."""
        return unmet.without(Kind.DEMAND)

    def own_columns(self) -> list:
        """The nearest, and how many were set aside."""
        return [NearestColumn("nearest", label=_("Nearest, and what it lacks"), accessor=lambda listing: listing, width="29%")]


class NoMatchOffersView(NoMatchDemandsView):
    """Offers that nobody needs."""

    label = gettext_lazy("Offers")
    note = gettext_lazy("The engine has looked at these offers as they stand now and found no demand that they answer well enough.")
    index_url_name = "console_no_match_offers"
    index_results_url_name = "console_no_match_offers_results"

    def listings(self) -> QuerySet:
        """Offers only."""
        return unmet.without(Kind.OFFER)


class UnseenView(_NoMatchView):
    """What the engine has still to look at."""

    label = gettext_lazy("Not looked at yet")
    note = gettext_lazy("These have changed and the engine has not looked at them since. If the list does not get shorter, the worker or the search is down.")
    index_url_name = "console_unseen"
    index_results_url_name = "console_unseen_results"

    def listings(self) -> QuerySet:
        """Of both kinds."""
        return unmet.unseen()

    def own_columns(self) -> list:
        """Which kind."""
        return [Column("kind", label=_("Kind"), accessor="get_kind_display", sort_key="kind", width="10%")]


class NothingView(_NoMatchView):
    """What was given up, until its text changes."""

    label = gettext_lazy("Nothing to be had")
    note = gettext_lazy("Somebody of the Innovation Service looked at these and gave them up. They come back when their text changes.")
    index_url_name = "console_nothing"
    index_results_url_name = "console_nothing_results"

    def listings(self) -> QuerySet:
        """Of both kinds."""
        return unmet.nothing()

    def own_columns(self) -> list:
        """Which kind, and why."""
        return [
            Column("kind", label=_("Kind"), accessor="get_kind_display", sort_key="kind", width="10%"),
            Column("why", label=_("Why"), accessor="unmet_mark.get_reason_display", width="20%"),
        ]


LISTS = (NoMatchDemandsView, NoMatchOffersView, UnseenView, NothingView)


def _exported(listing: Listing) -> list[object]:
    mark = getattr(listing, "unmet_mark", None)
    if mark and mark.listing_version != listing.version:
        mark = None
    return [
        str(listing.uid), listing.kind, listing.title, listing.company.name, listing.sector_id, listing.sector.codes[0], listing.place.name, listing.language,
        listing.published_at.date().isoformat() if listing.published_at else "", listing.valid_until.isoformat(), listing.refused,
        mark.reason if mark else "", mark.comment if mark else "",
    ]  # fmt: skip


class NearestView(CuratorRequiredMixin, View):
    """The nearest candidate of one listing, for its cell in the list."""

    http_method_names = ["get", "head"]

    def get(self, request: HttpRequest, uid: str) -> HttpResponse:
        """Ask the engine once."""
        listing = get_object_or_404(Listing.objects.live().for_display(), uid=uid)
        return render(request, "console/no_match_nearest.html", {"listing": listing, "nearest": _nearest(listing, 1)})


def _nearest(listing: Listing, limit: int) -> list[unmet.Nearest] | None:
    """The best candidates; None when no engine answers."""
    try:
        return unmet.nearest(listing, limit=limit)
    except search.SearchUnavailable:
        return None


def pair_url(one: Listing, other: Listing) -> str:
    """The page on which two listings are compared."""
    offer, demand = (one, other) if one.kind == Kind.OFFER else (other, one)
    return reverse("console_pair", args=[offer.uid, demand.uid])


class MatchesView(CuratorRequiredMixin, WagtailAdminTemplateMixin, TemplateView):
    """One listing: what was suggested for it, what comes nearest, a search by hand, and what to do when there is nothing."""

    template_name = "console/matches.html"
    header_icon = "warning"

    @cached_property
    def listing(self) -> Listing:
        """The listing of the address."""
        return get_object_or_404(Listing.objects.for_display().select_related("unmet_mark"), uid=self.kwargs["uid"])

    def get_page_title(self) -> str:
        """Its title."""
        return self.listing.title

    def get_breadcrumbs_items(self) -> list:
        """Home, list, this one."""
        return [
            {"url": reverse_lazy("wagtailadmin_home"), "label": _("Home")},
            {"url": reverse("console_no_match"), "label": _("No good match")},
            {"url": "", "label": self.listing.title},
        ]

    def get_context_data(self, **context: object) -> dict:
        """Everything the page shows."""
        listing, mark = self.listing, getattr(self.listing, "unmet_mark", None)
        nearest = _nearest(listing, CANDIDATES) if listing.is_live else []
        words = self.request.GET.get("q", "").strip()
        return super().get_context_data(**context) | {
            "listing": listing,
            "own_company": not can_curate(self.request.user, listing),
            "is_unseen": listing.is_live and unmet.is_unseen(listing),
            "suggested": [(one, pair_url(one.offer, one.demand)) for one in Synergy.objects.with_listing(listing).for_display()],
            "nearest": None if nearest is None else [(one, pair_url(listing, one.listing)) for one in nearest],
            "threshold": search.THRESHOLD,
            "words": words,
            "found": self._found(words) if words else [],
            "mark": mark if mark and mark.listing_version == listing.version else None,
            "advice": listing.advice.select_related("by")[:5],
            "advice_form": context.get("advice_form") or AdviceForm(),
            "unmet_form": context.get("unmet_form") or UnmetForm(prefix="unmet"),
        }

    def _found(self, words: str) -> list[tuple[Listing, str]] | None:
        """Public listings of the opposite kind that a search finds; None when no engine answers."""
        opposite = Kind.DEMAND if self.listing.kind == Kind.OFFER else Kind.OFFER
        try:
            hits = search.find(search.Query(text=words, kinds=(opposite,), page_size=FOUND)).hits
        except search.SearchUnavailable:
            return None
        rows = {str(row.uid): row for row in Listing.objects.live().for_display().filter(uid__in=[hit.uid for hit in hits])}
        return [(rows[hit.uid], pair_url(self.listing, rows[hit.uid])) for hit in hits if hit.uid in rows]

    def post(self, request: HttpRequest, **kwargs: object) -> HttpResponse:
        """What the pressed button says."""
        act: Callable | None = {"advise": self._advise, "mark": self._mark, "unmark": self._unmark}.get(request.POST.get("act", ""))
        if act is None:
            messages.error(request, _("Choose what to do."))
            return redirect(request.path)
        try:
            return act()
        except ValidationError as error:
            messages.error(request, " ".join(error.messages))
        except PermissionDenied:
            messages.error(request, _("This listing belongs to a company that you act for. Somebody else has to decide."))
        return redirect(request.path)

    def _advise(self) -> HttpResponse:
        form = AdviceForm(self.request.POST)
        if not form.is_valid():
            return self.render_to_response(self.get_context_data(advice_form=form), status=422)
        curating.advise(self.listing, by=self.request.user, text=form.cleaned_data["text"])
        messages.success(self.request, _("Sent. The company's people get it by mail and see it beside their listing."))
        return redirect(self.request.path)

    def _mark(self) -> HttpResponse:
        form = UnmetForm(self.request.POST, prefix="unmet")
        if not form.is_valid():
            return self.render_to_response(self.get_context_data(unmet_form=form), status=422)
        curating.mark_unmet(self.listing, by=self.request.user, **form.cleaned_data)
        messages.success(self.request, _("Noted. It leaves the list until its text changes; the figures still count it."))
        return redirect("console_no_match" if self.listing.kind == Kind.DEMAND else "console_no_match_offers")

    def _unmark(self) -> HttpResponse:
        curating.unmark(self.listing, by=self.request.user)
        messages.success(self.request, _("It is on the list again."))
        return redirect(self.request.path)
