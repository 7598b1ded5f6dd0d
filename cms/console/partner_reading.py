"""How a partner's listings are read: what it has, how that is described, and what the first of them would look like here."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from wagtail.admin import messages

from marketplace.companies import places, sectors
from marketplace.companies.fields import PlaceField, SectorField
from marketplace.federation import applying, checking, fetching, introductions, operations
from marketplace.federation.enums import ReaderKind
from marketplace.federation.items import Fault, Item
from marketplace.federation.models import Partner
from marketplace.federation.readers.forms import COLUMN, PATH, OptionsForm, form_for
from marketplace.federation.readers.preview import Preview, preview
from marketplace.federation.taking import Taking
from marketplace.listings.enums import Kind

from .partner_forms import SeenForm
from .partner_pages import add_errors
from .partners import ChangePage

SHOWN_ITEMS, SHOWN_FAULTS, MOST_COLUMNS = 6, 20, 200
#: Paths that are worth a field even while they are empty.
USUAL = ("id", "kind", "title", "description", "sector", "place", "company", "url")
#: Kinds of source in which a person has to say what holds what.
DESCRIBED = {ReaderKind.TABLE: "columns", ReaderKind.JSON: "fields"}


def _sector_choices() -> list[tuple[str, str]]:
    named = [(sector.code, f"{sector.code} · {sector.label}") for sector in sectors.tree().values() if sector.level <= 2]  # noqa: PLR2004 - divisions
    return [("", _("None: such items wait in quarantine")), *named]


class SectorChoice(SectorField):
    """A sector out of the list of divisions: a choice among 88 is enough for what nobody said."""

    widget = forms.Select


class ReadingForm(SeenForm):
    """What counts for every kind of source."""

    facts = ("harvest_minutes", "publishes", "default_sector", "default_place", "default_language")
    harvest_minutes = forms.IntegerField(
        label=gettext_lazy("Minutes between two visits"),
        min_value=5,
        max_value=10080,
        help_text=gettext_lazy("60 suits most. Marketplaces that speak the protocol tell us of changes besides."),
    )
    publishes = forms.BooleanField(
        label=gettext_lazy("Its listings are public at once"),
        required=False,
        help_text=gettext_lazy("Without this tick each waits for the Innovation Service, like those of companies here."),
    )
    default_sector = SectorChoice(label=gettext_lazy("Sector where it says none"), required=False)
    default_place = PlaceField(label=gettext_lazy("Municipality where it says none"), required=False, widget=forms.TextInput(attrs={"autocomplete": "off"}))
    default_language = forms.ChoiceField(label=gettext_lazy("Language where it says none"), choices=Partner._meta.get_field("default_language").choices)  # noqa: SLF001

    def __init__(self, *args: object, **kwargs: Any) -> None:  # noqa: ANN401 - Django's own
        super().__init__(*args, **kwargs)
        self.fields["default_sector"].widget.choices = _sector_choices()


@dataclass(frozen=True, slots=True)
class Shown:
    """What an item would look like here; of one that is not taken, why (`left_out`)."""

    title: str
    text: str
    kind: str
    company: str
    sector: str
    place: str
    until: object
    url: str
    left_out: bool


class ReadingView(ChangePage):
    """Two forms as one, and the button that looks without writing anything."""

    form_class = ReadingForm
    template_name = "console/partner_reading.html"
    step = gettext_lazy("How we read it")

    @cached_property
    def reader(self) -> str:
        """The kind of source that the page is about: the partner's, or another one that somebody wants to change to."""
        asked = self.request.POST.get("reader") or self.request.GET.get("reader") or self.partner.reader
        return asked if asked in ReaderKind.values else self.partner.reader

    def get_context_data(self, **context: object) -> dict:
        """With the forms, and the kinds it could be instead."""
        if "options_form" not in context:
            context["options_form"] = self._options_form()
        return super().get_context_data(**context) | {
            "reader": self.reader,
            "reader_label": ReaderKind(self.reader).label,
            "kinds": [(kind, kind.label) for kind in ReaderKind if kind != self.reader],
            **_parts(context["options_form"]),
        }

    def _options_form(self, data: Mapping | None = None, **more: Any) -> OptionsForm | None:  # noqa: ANN401 - the form's own
        form = form_for(self.reader)
        if form is None:
            return None
        known = {"options": self.partner.reader_options if self.reader == self.partner.reader else {}, "columns": self._columns()}
        return form(data, prefix="how", **known | more)

    def _columns(self) -> list[str]:
        """Those of the last look, which the page sends along so that the form has the same fields again."""
        try:
            found = json.loads(self.request.POST.get("columns", "[]"))
        except (ValueError, RecursionError):
            return []
        return [str(column)[:300] for column in found[:MOST_COLUMNS]] if isinstance(found, list) else []

    def post(self, request: HttpRequest, **kwargs: object) -> HttpResponse:
        """Look, or write."""
        form, options_form = ReadingForm(request.POST, partner=self.partner), self._options_form(request.POST)
        forms_are_good = [form.is_valid(), options_form is None or options_form.is_valid()]
        if not all(forms_are_good):
            return self.again(form, options_form=options_form)
        options = options_form.options if options_form else {}
        if request.POST.get("step") == "preview" and options_form:
            return self._look(form, options)
        if self.reader in DESCRIBED and not options.get(DESCRIBED[ReaderKind(self.reader)]):
            form.add_error(None, _("Look at it first: then you see what it holds, and can say what is what."))
            return self.again(form, options_form=options_form)
        return self._save(form, options_form, options)

    def _save(self, form: ReadingForm, options_form: OptionsForm | None, options: dict) -> HttpResponse:
        facts = dict(form.wanted()) | {"reader": self.reader, "reader_options": options}
        try:
            presented = self._presented()
            partner = operations.change(self.partner, facts, seen=form.cleaned_data["seen"] or 0, presented=presented, by=self.request.user)
        except operations.StaleError as error:
            return self._stale(form, error)
        except ValidationError as error:
            add_errors(form, error)
            return self.again(form, options_form=options_form)
        messages.success(self.request, _("“%(name)s” is saved.") % {"name": partner.name})
        return redirect(self.next_page(partner))

    def _presented(self) -> introductions.Introduction | None:
        if self.reader != ReaderKind.PROTOCOL or self.partner.node_uid is not None:
            return None
        try:
            return introductions.ask(self.partner.base_url)
        except introductions.IntroductionError as error:
            raise ValidationError(error.message) from error

    def _look(self, form: ReadingForm, options: dict) -> HttpResponse:
        """Fetch some of it and show what would come; nothing is written."""
        partner = self.partner
        for name, value in form.wanted().items():
            setattr(partner, name, value)
        seen = preview(partner, options, fetch=fetching.fetcher(partner), reader=self.reader)
        if seen.error:
            options_form = self._options_form(self.request.POST)
            options_form.full_clean()
        else:
            options_form = self._options_form(options=seen.options or options, columns=seen.columns, proposal=seen.proposal)
        shown, faults = _shown(partner, seen)
        found = {"preview": seen, "shown": shown[:SHOWN_ITEMS], "taken": len(shown), "faults": faults[:SHOWN_FAULTS], "more_faults": len(faults[SHOWN_FAULTS:])}
        return self.render_to_response(
            self.get_context_data(form=form, options_form=options_form, columns=json.dumps(seen.columns), **found, **_table(seen, options_form))
        )


def _parts(form: OptionsForm | None) -> dict[str, list]:
    """The fields of a form by what they are about: paths that say something or have to, the other paths, columns, the rest."""
    fields = form.visible_fields() if form else []
    paths = [field for field in fields if field.name.startswith(PATH)]
    for field in paths:
        field.field.widget.attrs["list"] = "paths"
    shown = [field for field in paths if field.value() or field.name.removeprefix(PATH) in USUAL or field.errors]
    return {
        "plain_fields": [field for field in fields if not field.name.startswith((COLUMN, PATH))],
        "column_fields": [field for field in fields if field.name.startswith(COLUMN)],
        "path_fields": shown,
        "more_path_fields": [field for field in paths if field not in shown],
    }


def _table(seen: Preview, form: OptionsForm) -> dict[str, object]:
    """The columns with their field and some of their texts, for sources that have columns."""
    fields = {field.label: field for field in form if field.name.startswith(COLUMN)}
    return {"seen_columns": [{"name": column, "field": fields.get(column), "texts": seen.texts_of(column)} for column in seen.columns]}


def _shown(partner: Partner, seen: Preview) -> tuple[list[Shown], list[Fault]]:
    """What the harvest would make of the items: listings, and faults beside those that the reader found."""
    taking, shown, faults = Taking(partner), [], list(seen.faults)
    with transaction.atomic():
        for item in seen.items:
            try:
                checking.check(item, taking)
                draft = applying.read(item, taking)
            except checking.UnfitError as error:
                faults.append(checking.fault_of(item, error))
            else:
                shown.append(_card(item, draft, taking))
        # Words that nobody knows are written down while they are read. Looking writes nothing.
        transaction.set_rollback(True)
    return shown, faults


def _card(item: Item, draft: applying.Draft, taking: Taking) -> Shown:
    values = draft.values
    return Shown(
        title=values["title"],
        text=values["description"],
        kind=str(Kind(values["kind"]).label),
        company=draft.company.values["name"],
        sector=sectors.tree()[values["sector_id"]].label,
        place=places.known()[values["place_id"]].name,
        until=values["valid_until"],
        url=draft.page or item.uri,
        left_out=not taking.wants(values),
    )
