"""Files of calls in the console: upload, look at what would change, apply, read later what became of each call."""

from collections import Counter
from collections.abc import Iterable

from django import forms
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse, reverse_lazy
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.generic import FormView, TemplateView
from wagtail.admin import messages
from wagtail.admin.ui.tables import Column, DateColumn, NumberColumn, StatusTagColumn, TitleColumn
from wagtail.admin.views.generic import WagtailAdminTemplateMixin
from wagtail.admin.views.reports import ReportView
from wagtail.admin.widgets import HeaderButton

from cms.aid.bdns import files, operations
from cms.aid.freshness_models import CallFile, CallFileState, Outcome
from cms.pages.rules import is_officer

from .access import EditorRequiredMixin

HOME = {"url": reverse_lazy("wagtailadmin_home"), "label": gettext_lazy("Home")}
LIST = {"url": reverse_lazy("console_calls"), "label": gettext_lazy("Calls from files")}
#: What needs a look comes first.
ORDER = (Outcome.REFUSED, Outcome.CHANGED, Outcome.NEW, Outcome.UNCHANGED)


def page_of(file: CallFile) -> str:
    """The address of a file."""
    return reverse("console_calls_file", args=[file.uid])


class CallFilesView(EditorRequiredMixin, ReportView):
    """Every file, newest first."""

    model = CallFile
    template_name = "console/table.html"
    results_template_name = "console/listings_results.html"
    page_title = gettext_lazy("Calls from files")
    header_icon = "download"
    index_url_name = "console_calls"
    index_results_url_name = "console_calls_results"
    default_ordering = "-created"
    paginate_by = 30
    verbose_name_plural = gettext_lazy("files of calls")

    @cached_property
    def header_buttons(self) -> list:
        """The way in."""
        return [HeaderButton(_("Upload a file"), url=reverse("console_calls_upload"), icon_name="upload")]

    def get_base_queryset(self) -> QuerySet:
        """With what became of the calls."""
        new, changed = (Count("rows", filter=Q(rows__outcome=outcome)) for outcome in (Outcome.NEW, Outcome.CHANGED))
        return CallFile.objects.defer("content").select_related("by").annotate(new_count=new, changed_count=changed)

    @cached_property
    def columns(self) -> list:
        """What a row shows."""
        return [
            TitleColumn("name", label=_("File"), get_url=page_of, sort_key="name"),
            StatusTagColumn("state", label=_("State"), accessor="get_state_display", primary=lambda file: file.state == CallFileState.DONE, width="15%"),
            NumberColumn("total", label=_("Calls"), classname="console-roomy", width="9%"),
            NumberColumn("new_count", label=_("New"), classname="console-roomy", width="9%"),
            NumberColumn("changed_count", label=_("Changed"), classname="console-roomy", width="9%"),
            Column("by", label=_("By"), accessor="by.get_full_name", classname="console-roomy", width="15%"),
            DateColumn("created", label=_("When"), sort_key="created", width="12%"),
        ]

    @cached_property
    def no_results_message(self) -> str:
        """How to begin."""
        return _("No file yet. Download the calls you want from the national database of subsidies as JSON or CSV, and upload the file here.")


class CallsUploadForm(forms.Form):
    """The file."""

    file = forms.FileField(
        label=gettext_lazy("File"),
        help_text=gettext_lazy(
            "JSON or CSV in the shape of the national database of subsidies (BDNS), up to 10 MB and 500 calls. Nothing is written before you have seen it."
        ),
        widget=forms.FileInput(attrs={"accept": ".json,.jsonl,.ndjson,.csv,.tsv,.txt,.xlsx"}),
    )

    def clean_file(self) -> object:
        """Not larger than the reader takes; told before it is in memory."""
        file = self.cleaned_data["file"]
        if file.size > files.MAX_BYTES:
            raise ValidationError(_("The file is larger than %(limit)d MB. Choose fewer calls when you download it.") % {"limit": files.MAX_BYTES // 2**20})
        return file


class CallsUploadView(EditorRequiredMixin, WagtailAdminTemplateMixin, FormView):
    """Take a file."""

    template_name = "console/calls_upload.html"
    form_class = CallsUploadForm
    page_title = gettext_lazy("Upload a file of calls")
    header_icon = "upload"

    def get_breadcrumbs_items(self) -> list:
        """Home, files, this."""
        return [HOME, LIST, {"url": "", "label": self.page_title}]

    def form_valid(self, form: CallsUploadForm) -> HttpResponse:
        """Keep it and show what it would do."""
        file = form.cleaned_data["file"]
        try:
            stored = operations.upload(file.name, file.read(), by=self.request.user)
        except ValidationError as error:
            form.add_error("file", error)
            return self.form_invalid(form)
        return redirect(page_of(stored))


class CallFileView(EditorRequiredMixin, WagtailAdminTemplateMixin, TemplateView):
    """What a file would change, with the button; afterwards what it changed."""

    template_name = "console/calls_file.html"
    header_icon = "download"

    @cached_property
    def file(self) -> CallFile:
        """The file of the address."""
        return get_object_or_404(CallFile.objects.select_related("by"), uid=self.kwargs["uid"])

    @property
    def is_open(self) -> bool:
        """Whether it can still be applied."""
        return self.file.state != CallFileState.DONE

    def get_page_title(self) -> str:
        """The file's name."""
        return self.file.name

    def get_breadcrumbs_items(self) -> list:
        """Home, files, this one."""
        return [HOME, LIST, {"url": "", "label": self.file.name}]

    def get_context_data(self, **context: object) -> dict:
        """Planned now, or as it was written."""
        rows = operations.preview(self.file) if self.is_open else list(self.file.rows.select_related("page"))
        counts = Counter(row.outcome for row in rows)
        earlier = CallFile.objects.defer("content").filter(sha256=self.file.sha256, state=CallFileState.DONE).exclude(pk=self.file.pk).first()
        return super().get_context_data(**context) | {
            "file": self.file,
            "is_open": self.is_open,
            "counts": [(outcome, outcome.label, counts[outcome]) for outcome in Outcome],
            "groups": _groups(rows),
            "useful": counts[Outcome.NEW] + counts[Outcome.CHANGED],
            "changed": counts[Outcome.CHANGED],
            "may_publish": is_officer(self.request.user),
            "earlier": earlier,
        }

    def post(self, request: HttpRequest, **kwargs: object) -> HttpResponse:
        """Apply or forget."""
        try:
            if request.POST.get("act") == "discard":
                operations.discard(self.file, by=request.user)
                messages.success(request, _("“%(name)s” is forgotten; nothing was changed.") % {"name": self.file.name})
                return redirect("console_calls")
            counts = operations.apply(self.file, by=request.user, publish="publish" in request.POST)
        except ValidationError as error:
            messages.error(request, " ".join(error.messages))
        except PermissionDenied:
            messages.error(request, _("Only officers can publish. Take the tick away to make drafts."))
        else:
            told = ", ".join(f"{outcome.label}: {counts[outcome]}" for outcome in Outcome if counts[outcome])
            messages.success(request, _("Done. %(counts)s") % {"counts": told})
        return redirect(page_of(self.file))


def _groups(rows: Iterable) -> list[tuple[Outcome, str, list]]:
    found = [(outcome, str(outcome.label), [row for row in rows if row.outcome == outcome]) for outcome in ORDER]
    return [group for group in found if group[2]]
