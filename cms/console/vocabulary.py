"""What curators teach the search: the list of entries, one entry with its history and what it would change, the file of all."""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse, reverse_lazy
from django.utils.functional import cached_property
from django.utils.text import Truncator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.generic import FormView, TemplateView
from wagtail.admin import messages
from wagtail.admin.ui.tables import Column, DateColumn, StatusFlagColumn, TitleColumn
from wagtail.admin.views.generic import WagtailAdminTemplateMixin
from wagtail.admin.views.reports import ReportView
from wagtail.admin.widgets import Button, HeaderButton

import search
from marketplace.accounts.models import User
from marketplace.imports.export import harmless
from marketplace.listings.models import Listing
from search import editing, effects
from search.models import Edit, Entry

from . import vocabulary_files
from .access import CuratorRequiredMixin
from .filters import EntryFilterSet
from .vocabulary_forms import NAMES, EntryForm, UploadForm

HOME = {"url": reverse_lazy("wagtailadmin_home"), "label": gettext_lazy("Home")}
LIST = {"url": reverse_lazy("console_vocabulary"), "label": gettext_lazy("Vocabulary")}
SHOWN_EDITS = 20
LONGEST_TITLE = 50


def editors(uids: Iterable[uuid.UUID | None]) -> dict[uuid.UUID, str]:
    """Names by public id, of those who still have an account."""
    return {user.uid: user.get_full_name() for user in User.objects.filter(uid__in={uid for uid in uids if uid})}


class EntriesView(CuratorRequiredMixin, ReportView):
    """Every entry."""

    model = Entry
    template_name = "console/table.html"
    results_template_name = "console/listings_results.html"
    page_title = gettext_lazy("Vocabulary")
    header_icon = "openquote"
    index_url_name = "console_vocabulary"
    index_results_url_name = "console_vocabulary_results"
    filterset_class = EntryFilterSet
    is_searchable = True
    search_backend_name = None
    search_fields = ["ca", "es", "en", "also_ca", "also_es", "also_en", "note"]
    default_ordering = "-modified"
    paginate_by = 30
    verbose_name_plural = gettext_lazy("entries")
    list_export = vocabulary_files.COLUMNS
    export_filename = "vocabulary"

    @cached_property
    def header_buttons(self) -> list:
        """The way in."""
        return [HeaderButton(_("Add an entry"), url=reverse("console_vocabulary_add"), icon_name="plus")]

    @cached_property
    def header_more_buttons(self) -> list:
        """What is needed less often, beside Wagtail's own."""
        return [
            *super().header_more_buttons,
            Button(_("Bring a file"), url=reverse("console_vocabulary_upload"), icon_name="upload"),
            Button(_("All edits"), url=reverse("console_vocabulary_edits"), icon_name="history"),
        ]

    def get_context_data(self, **context: object) -> dict:
        """With the names of who edited what is shown."""
        context = super().get_context_data(**context)
        names = editors(entry.edited_by for entry in context["object_list"]) if not self.is_export else {}
        for entry in context["object_list"] if names else ():
            entry.editor = names.get(entry.edited_by, "")
        return context

    @cached_property
    def columns(self) -> list:
        """What a row shows."""
        return [
            TitleColumn("entry", label=_("Expressions"), accessor=str, get_url=lambda entry: reverse("console_vocabulary_entry", args=[entry.uid])),
            Column("kind", label=_("What it does"), accessor="get_kind_display", sort_key="kind", width="15%"),
            Column("languages", label=_("Languages"), accessor=_languages, classname="console-roomy", width="17%"),
            StatusFlagColumn("active", label=_("In use"), true_label=_("In use"), false_label=_("Off"), sort_key="active", width="9%"),
            Column("editor", label=_("Edited by"), accessor=lambda entry: getattr(entry, "editor", ""), classname="console-roomy", width="14%"),
            DateColumn("modified", label=_("Edited"), sort_key="modified", width="12%"),
        ]

    @cached_property
    def no_results_message(self) -> str:
        """What the page is for, while it is empty."""
        if self.is_searching or self.is_filtering:
            return _("No entry matches. Take a filter away to see more.")
        return _("Nothing yet. Add words that companies use for the same thing, or phrases that every listing begins with.")

    def get_heading(self, queryset: QuerySet, field: str) -> str:
        """The heading that the upload knows again, the same in every language."""
        return field

    def stream_csv(self, queryset: QuerySet) -> Iterable[bytes]:
        """A file that no spreadsheet program takes for formulas."""
        return vocabulary_files.stream_csv(queryset)

    def to_row_dict(self, item: Entry) -> dict[str, object]:
        """The cells of the workbook."""
        return dict(zip(vocabulary_files.COLUMNS, map(harmless, vocabulary_files.row(item)), strict=True))


def _languages(entry: Entry) -> str:
    present = {language for language, _text in entry.asked + entry.found}
    return ", ".join(str(name) for language, name in NAMES.items() if language in present)


class EditsView(CuratorRequiredMixin, ReportView):
    """Every edit, of deleted entries too."""

    model = Edit
    template_name = "console/table.html"
    results_template_name = "console/listings_results.html"
    page_title = gettext_lazy("Edits of the vocabulary")
    header_icon = "history"
    index_url_name = "console_vocabulary_edits"
    index_results_url_name = "console_vocabulary_edits_results"
    default_ordering = "-id"
    paginate_by = 50
    verbose_name_plural = gettext_lazy("edits")
    list_export = []
    no_results_message = gettext_lazy("Nobody has edited the vocabulary yet.")

    def get_breadcrumbs_items(self) -> list:
        """Home, vocabulary, here."""
        return [HOME, LIST, {"url": "", "label": self.page_title}]

    def get_context_data(self, **context: object) -> dict:
        """With names and what is there to open."""
        context = super().get_context_data(**context)
        edits = list(context["object_list"])
        names, present = editors(edit.by for edit in edits), set(Entry.objects.filter(uid__in=[e.entry for e in edits]).values_list("uid", flat=True))
        for edit in context["object_list"]:
            edit.editor, edit.is_present = names.get(edit.by, ""), edit.entry in present
        return context

    @cached_property
    def columns(self) -> list:
        """What a row shows."""
        return [
            TitleColumn(
                "entry",
                label=_("Expressions"),
                accessor=lambda edit: str(edit.entry_after or edit.entry_before),
                get_url=lambda edit: reverse("console_vocabulary_entry", args=[edit.entry]) if edit.is_present else None,
            ),
            Column("action", label=_("What happened"), accessor="get_action_display", width="15%"),
            Column("editor", label=_("Who"), accessor=lambda edit: edit.editor, width="20%"),
            DateColumn("at", label=_("When"), width="15%"),
        ]


class _EntryView(CuratorRequiredMixin, WagtailAdminTemplateMixin, TemplateView):
    """A form with two buttons: try what it would change, and save."""

    template_name = "console/vocabulary_entry.html"
    header_icon = "openquote"
    entry: Entry | None = None

    def get_breadcrumbs_items(self) -> list:
        """Home, vocabulary, this one."""
        return [HOME, LIST, {"url": "", "label": self.get_page_title()}]

    def get_context_data(self, **context: object) -> dict:
        """The form, what it would change if somebody asked for that, the history."""
        context.setdefault("form", EntryForm(entry=self.entry))
        return super().get_context_data(**context) | {"entry": self.entry, "history": _history(self.entry) if self.entry else []}

    def post(self, request: HttpRequest, **kwargs: object) -> HttpResponse:
        """Try, or save."""
        form = EntryForm(request.POST, entry=self.entry)
        if not form.is_valid():
            return self._again(form)
        if "preview" in request.POST:
            return self._again(form, preview=tried(self.entry, form.draft()))
        try:
            entry = form.save(by=request.user)
        except editing.StaleError as error:
            return self._stale(form, error)
        messages.success(request, _("“%(entry)s” is saved. Searches know it within seconds, suggestions follow within a minute.") % {"entry": entry})
        return redirect("console_vocabulary")

    def _again(self, form: EntryForm, **context: object) -> HttpResponse:
        return self.render_to_response(self.get_context_data(form=form, **context))

    def _stale(self, form: EntryForm, error: editing.StaleError) -> HttpResponse:
        """What was typed stays; whoever saves again has seen what the other one wrote."""
        form.add_error(None, error)
        current = Entry.objects.filter(pk=self.entry.pk).first()
        form.data = form.data.copy()
        form.data["seen"] = current.revision if current else ""
        self.entry = current
        names = editors([current.edited_by]) if current else {}
        theirs = {"entry": current, "by": names.get(current.edited_by, ""), "facts": _told(current.facts())} if current else None
        return self._again(form, theirs=theirs, action=None if current else reverse("console_vocabulary_add"))


class AddView(_EntryView):
    """A new entry."""

    def get_page_title(self) -> str:
        """What is being done."""
        return _("New entry")


class EntryView(_EntryView):
    """An entry that is there."""

    @cached_property
    def entry(self) -> Entry:
        """The entry of the address."""
        return get_object_or_404(Entry, uid=self.kwargs["uid"])

    def get_page_title(self) -> str:
        """Its expressions."""
        return Truncator(self.entry or _("New entry")).chars(LONGEST_TITLE)


class DeleteView(CuratorRequiredMixin, WagtailAdminTemplateMixin, TemplateView):
    """Asks, then deletes."""

    template_name = "console/vocabulary_delete.html"
    header_icon = "bin"

    @cached_property
    def entry(self) -> Entry:
        """The entry of the address."""
        return get_object_or_404(Entry, uid=self.kwargs["uid"])

    def get_page_title(self) -> str:
        """What is being done."""
        return _("Delete an entry")

    def get_breadcrumbs_items(self) -> list:
        """Home, vocabulary, the entry, here."""
        at = reverse("console_vocabulary_entry", args=[self.entry.uid])
        return [HOME, LIST, {"url": at, "label": str(self.entry)}, {"url": "", "label": self.get_page_title()}]

    def get_context_data(self, **context: object) -> dict:
        """The entry."""
        return super().get_context_data(**context) | {"entry": self.entry}

    def post(self, request: HttpRequest, **kwargs: object) -> HttpResponse:
        """Delete it, unless somebody edited it since the question was asked."""
        seen = request.POST.get("seen", "")
        try:
            editing.remove(self.entry, seen=int(seen) if seen.isdecimal() else 0, by=request.user)
        except editing.StaleError as error:
            messages.error(request, " ".join(error.messages))
            return redirect("console_vocabulary")
        messages.success(request, _("“%(entry)s” is deleted. The list of edits keeps what it was.") % {"entry": self.entry})
        return redirect("console_vocabulary")


class UploadView(CuratorRequiredMixin, WagtailAdminTemplateMixin, FormView):
    """A file of entries: all of it, or none."""

    template_name = "console/vocabulary_upload.html"
    form_class = UploadForm
    header_icon = "upload"
    page_title = gettext_lazy("Bring a file")

    def get_breadcrumbs_items(self) -> list:
        """Home, vocabulary, here."""
        return [HOME, LIST, {"url": "", "label": self.page_title}]

    def get_context_data(self, **context: object) -> dict:
        """With the names of the columns."""
        return super().get_context_data(**context) | {"names": vocabulary_files.COLUMNS}

    def form_valid(self, form: UploadForm) -> HttpResponse:
        """Take all rows, or say what is wrong with which."""
        file = form.cleaned_data["file"]
        result = vocabulary_files.take(file.read(), file.name, by=self.request.user)
        if result.faults:
            return self.render_to_response(self.get_context_data(form=form, faults=result.faults))
        said = ngettext("%(count)d entry is new.", "%(count)d entries are new.", result.added) % {"count": result.added}
        known = ngettext("%(count)d was there already.", "%(count)d were there already.", result.known) % {"count": result.known}
        messages.success(self.request, f"{said} {known}" if result.known else said)
        return redirect("console_vocabulary")


# --- History ------------------------------------------------------------------------------------------------------------


def _history(entry: Entry) -> list[dict[str, object]]:
    edits = list(Edit.objects.filter(entry=entry.uid)[:SHOWN_EDITS])
    names = editors(edit.by for edit in edits)
    return [{"edit": edit, "by": names.get(edit.by, ""), "changes": _changes(edit)} for edit in edits]


def _changes(edit: Edit) -> list[dict[str, object]]:
    if not edit.before or not edit.after:
        return []
    before, after = _told(edit.before), _told(edit.after)
    return [
        {"label": label, "before": before.get(label, "–"), "after": after.get(label, "–")} for label in before | after if before.get(label) != after.get(label)
    ]


def _told(facts: dict) -> dict[str, str]:
    """The facts of an entry by their labels, without those that are empty."""
    entry = Entry(**facts)
    told = {_("What it does"): entry.get_kind_display()}
    for language, name in NAMES.items():
        told[str(name)] = ", ".join(getattr(entry, language).splitlines())
        told[_("Finds too, in %(language)s") % {"language": name}] = ", ".join(getattr(entry, f"also_{language}").splitlines())
    told[_("Note")] = entry.note
    told[_("In use")] = _("yes") if entry.active else _("no")
    return {label: text for label, text in told.items() if text}


# --- What it would change -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Preview:
    """What a draft would change, ready for the page; no trial means that the search does not answer."""

    trial: effects.Trial | None
    rows: tuple[dict[str, object], ...] = ()


def tried(entry: Entry | None, draft: Entry) -> Preview:
    """What would change for the most affected listings if `draft` took the place of `entry`."""
    before, after = (one.rule() if one and one.active else None for one in (entry, draft))
    try:
        trial = effects.trial(before, after)
    except search.SearchUnavailable:
        return Preview(None)
    uids = {uid for effect in trial.effects for uid in (effect.document.uid, *(move.uid for move in effect.moves))}
    listings = {str(listing.uid): listing for listing in Listing.objects.for_display().filter(uid__in=uids)}
    return Preview(trial, tuple(_row(effect, listings) for effect in trial.effects if effect.document.uid in listings))


def _row(effect: effects.Effect, listings: dict[str, Listing]) -> dict[str, object]:
    moves = [{"listing": listings[move.uid], "move": move} for move in effect.moves if move.uid in listings]
    return {
        "listing": listings[effect.document.uid],
        "come": [row for row in moves if row["move"].before is None],
        "go": [row for row in moves if row["move"].after is None],
        "rise": [row for row in moves if (row["move"].before or 101) < (row["move"].after or 0)],
        "fall": [row for row in moves if (row["move"].after or 101) < (row["move"].before or 0)],
    }
