"""Imports in the console: upload, confirm the columns, look, run by the worker, read the results, undo."""

import datetime

from django.core.exceptions import ValidationError
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse, reverse_lazy
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.generic import FormView, TemplateView
from wagtail.admin import messages
from wagtail.admin.ui.tables import Column, DateColumn, NumberColumn, StatusTagColumn, TitleColumn
from wagtail.admin.views.generic import WagtailAdminTemplateMixin
from wagtail.admin.views.reports import ReportView
from wagtail.admin.widgets import HeaderButton

from marketplace.companies import places
from marketplace.imports import operations, readers
from marketplace.imports.candidates import Options
from marketplace.imports.enums import Outcome, State
from marketplace.imports.models import Import, ImportRow

from .access import CuratorRequiredMixin
from .filters import ImportFilterSet, ImportRowFilterSet
from .import_forms import MappingForm, OptionsForm, UploadForm

#: A preview answers within a page's patience; the run itself reads every row.
PREVIEW_ROWS = 300
SHOWN_GOOD = 10
#: After so long without a step a curator should look at the worker.
STALLED = datetime.timedelta(minutes=1)
HOME = {"url": reverse_lazy("wagtailadmin_home"), "label": gettext_lazy("Home")}
LIST = {"url": reverse_lazy("console_imports"), "label": gettext_lazy("Imports")}


def page_of(source: Import) -> str:
    """The address of an import."""
    return reverse("console_import", args=[source.uid])


class ImportsView(CuratorRequiredMixin, ReportView):
    """Every import, newest first."""

    model = Import
    template_name = "console/table.html"
    results_template_name = "console/listings_results.html"
    page_title = gettext_lazy("Imports")
    header_icon = "upload"
    index_url_name = "console_imports"
    index_results_url_name = "console_imports_results"
    filterset_class = ImportFilterSet
    default_ordering = "-created"
    paginate_by = 30
    verbose_name_plural = gettext_lazy("imports")

    @cached_property
    def header_buttons(self) -> list:
        """The way in."""
        return [HeaderButton(_("Import a file"), url=reverse("console_import_upload"), icon_name="upload")]

    def get_base_queryset(self) -> QuerySet:
        """With what became of the rows."""
        made, wrong = (Count("rows", filter=Q(rows__outcome=outcome)) for outcome in (Outcome.CREATED, Outcome.ERROR))
        return Import.objects.for_display().annotate(made_count=made, wrong_count=wrong)

    @cached_property
    def columns(self) -> list:
        """What a row shows."""
        return [
            TitleColumn("name", label=_("File"), get_url=page_of, sort_key="name"),
            StatusTagColumn("state", label=_("State"), accessor="get_state_display", primary=lambda source: source.state == State.DONE, width="15%"),
            NumberColumn("total", label=_("Rows"), classname="console-roomy", width="9%"),
            NumberColumn("made_count", label=_("New listings"), classname="console-roomy", width="12%"),
            NumberColumn("wrong_count", label=_("Errors"), classname="console-roomy", width="9%"),
            Column("by", label=_("By"), accessor="by.get_full_name", classname="console-roomy", width="15%"),
            DateColumn("created", label=_("When"), sort_key="created", width="12%"),
        ]


class UploadView(CuratorRequiredMixin, WagtailAdminTemplateMixin, FormView):
    """Take a file."""

    template_name = "console/import_upload.html"
    form_class = UploadForm
    page_title = gettext_lazy("Import a file")
    header_icon = "upload"

    def get_breadcrumbs_items(self) -> list:
        """Home, imports, this."""
        return [HOME, LIST, {"url": "", "label": self.page_title}]

    def form_valid(self, form: UploadForm) -> HttpResponse:
        """Keep it and go on to its columns."""
        file = form.cleaned_data["file"]
        try:
            source = operations.upload(file.name, file.read(), by=self.request.user)
        except ValidationError as error:
            form.add_error("file", error)
            return self.form_invalid(form)
        return redirect(page_of(source))


class _ImportView(CuratorRequiredMixin, WagtailAdminTemplateMixin, TemplateView):
    """What the pages of one import share."""

    header_icon = "upload"
    step = ""

    @cached_property
    def source(self) -> Import:
        """The import of the address."""
        return get_object_or_404(Import.objects.for_display(), uid=self.kwargs["uid"])

    @cached_property
    def table(self) -> readers.Table:
        """Its file, read anew."""
        return readers.read(bytes(self.source.content), self.source.name)

    def get_page_title(self) -> str:
        """The file's name."""
        return self.source.name

    def get_breadcrumbs_items(self) -> list:
        """Home, imports, the file, the step."""
        last = (
            [{"url": page_of(self.source), "label": self.source.name}, {"url": "", "label": self.step}]
            if self.step
            else [{"url": "", "label": self.source.name}]
        )
        return [HOME, LIST, *last]

    def get_context_data(self, **context: object) -> dict:
        """With the import and earlier ones of the same file."""
        same = Import.objects.for_display().filter(sha256=self.source.sha256, state=State.DONE).exclude(pk=self.source.pk).first()
        return super().get_context_data(**context) | {"source": self.source, "same": same}

    def back(self, error: ValidationError) -> HttpResponse:
        """Say what was wrong and show the import as it is."""
        messages.error(self.request, " ".join(error.messages))
        return redirect(page_of(self.source))


class ImportView(_ImportView):
    """The columns of a draft, the progress of a run, the results after it."""

    def get_template_names(self) -> list[str]:
        """By state."""
        if self.source.state == State.DRAFT:
            return ["console/import_mapping.html"]
        return ["console/import_progress.html" if self.source.is_under_way else "console/import_results.html"]

    def get_context_data(self, **context: object) -> dict:
        """By state."""
        source = self.source
        if source.state == State.DRAFT:
            stored = source.options
            context.setdefault("options_form", OptionsForm(initial=stored | {"place": _place_name(stored.get("place", ""))}))
            context.setdefault("mapping_form", MappingForm(source=source, table=self.table))
            return super().get_context_data(**context)
        counts = dict(source.rows.order_by().values_list("outcome").annotate(Count("pk")))
        return super().get_context_data(**context) | {
            "counts": [(outcome, outcome.label, counts.get(outcome, 0)) for outcome in Outcome],
            "companies": source.rows.exclude(new_company=None).count(),
            "with_messages": source.rows.exclude(messages=[]).order_by("outcome", "number")[:100],
            "stalled": source.is_under_way and timezone.now() - source.modified > STALLED,
            "can_undo": source.state in (State.DONE, State.FAILED),
        }

    def post(self, request: HttpRequest, **kwargs: object) -> HttpResponse:
        """Confirm columns and options, then look."""
        if self.source.state != State.DRAFT:
            return redirect(page_of(self.source))
        options_form = OptionsForm(request.POST)
        options = options_form.options() if options_form.is_valid() else Options()
        mapping_form = MappingForm(request.POST, source=self.source, table=self.table, kind=options.kind)
        if not (mapping_form.is_valid() and options_form.is_valid()):
            messages.error(request, _("The columns are not settled yet. See below what is missing."))
            return self.render_to_response(self.get_context_data(options_form=options_form, mapping_form=mapping_form))
        try:
            operations.decide(self.source, mapping_form.mapping(), options, by=request.user)
        except ValidationError as error:
            return self.back(error)
        return redirect("console_import_preview", self.source.uid)


class PreviewView(_ImportView):
    """What a run would do; the button that runs it."""

    template_name = "console/import_preview.html"
    step = gettext_lazy("Preview")

    def get(self, request: HttpRequest, **kwargs: object) -> HttpResponse:
        """Only before it runs, and only with columns that are settled."""
        if self.source.state != State.DRAFT:
            return redirect(page_of(self.source))
        try:
            preview = operations.preview(self.source, limit=PREVIEW_ROWS, table=self.table)
        except ValidationError as error:
            return self.back(error)
        return self.render_to_response(
            self.get_context_data(
                preview=preview,
                # Of the rows that were not looked at all may be good.
                importable=self.source.total - preview.counts[Outcome.ERROR],
                counts=[(outcome, outcome.label, preview.counts[outcome]) for outcome in Outcome],
                told=sorted((plan for plan in preview.plans if plan.messages), key=lambda plan: plan.outcome != Outcome.ERROR)[:100],
                good=[plan for plan in preview.plans if plan.outcome in (Outcome.CREATED, Outcome.UPDATED)][:SHOWN_GOOD],
            )
        )

    def post(self, request: HttpRequest, **kwargs: object) -> HttpResponse:
        """Hand it to the worker; a second click finds it there."""
        try:
            operations.start(self.source, by=request.user)
        except ValidationError as error:
            return self.back(error)
        return redirect(page_of(self.source))


class UndoView(_ImportView):
    """Ask, then take back."""

    template_name = "console/import_undo.html"
    step = gettext_lazy("Undo")

    def post(self, request: HttpRequest, **kwargs: object) -> HttpResponse:
        """Take back what nobody touched."""
        try:
            operations.undo(self.source, by=request.user)
        except ValidationError as error:
            return self.back(error)
        messages.success(request, _("“%(name)s” is taken back.") % {"name": self.source.name})
        return redirect(page_of(self.source))


class DiscardView(_ImportView):
    """Forget a file that was not run. By POST only."""

    http_method_names = ["post"]

    def post(self, request: HttpRequest, **kwargs: object) -> HttpResponse:
        """Forget it."""
        name = self.source.name
        try:
            operations.discard(self.source, by=request.user)
        except ValidationError as error:
            return self.back(error)
        messages.success(request, _("“%(name)s” is forgotten; nothing was imported.") % {"name": name})
        return redirect("console_imports")


class RowsView(CuratorRequiredMixin, ReportView):
    """What became of every row."""

    model = ImportRow
    template_name = "console/table.html"
    results_template_name = "console/listings_results.html"
    header_icon = "list-ul"
    filterset_class = ImportRowFilterSet
    default_ordering = "number"
    paginate_by = 100
    verbose_name_plural = gettext_lazy("rows")

    @cached_property
    def source(self) -> Import:
        """The import of the address."""
        return get_object_or_404(Import.objects.for_display(), uid=self.kwargs["uid"])

    def get_page_title(self) -> str:
        """The file's name."""
        return _("Rows of %(name)s") % {"name": self.source.name}

    def get_breadcrumbs_items(self) -> list:
        """Home, imports, the file, its rows."""
        return [HOME, LIST, {"url": page_of(self.source), "label": self.source.name}, {"url": "", "label": _("Rows")}]

    def get_index_url(self) -> str:
        """With the import's id."""
        return reverse("console_import_rows", args=[self.source.uid])

    def get_index_results_url(self) -> str:
        """With the import's id."""
        return reverse("console_import_rows_results", args=[self.source.uid])

    def get_base_queryset(self) -> QuerySet:
        """Those of this import."""
        return self.source.rows.select_related("listing")

    @cached_property
    def columns(self) -> list:
        """What a row shows."""
        return [
            NumberColumn("number", label=_("Row"), sort_key="number", width="7%"),
            Column("outcome", label=_("Outcome"), accessor="get_outcome_display", sort_key="outcome", width="14%"),
            TitleColumn("title", label=_("Listing"), accessor=lambda row: row.title or "–", get_url=_listing_page, width="34%"),
            Column("messages", label=_("What to know"), accessor=lambda row: " ".join(message["text"] for message in row.messages)),
        ]


def _listing_page(row: ImportRow) -> str | None:
    return reverse("console_review", args=[row.listing.uid]) if row.listing else None


def _place_name(code: str) -> str:
    found = places.known().get(code)
    return found.name if found else ""
