"""What curators decide about a file: which column holds what, and what counts where a row says nothing."""

from django import forms
from django.core.exceptions import ValidationError
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from marketplace.companies import places, sectors
from marketplace.imports import mapping as columns
from marketplace.imports import readers, values
from marketplace.imports.candidates import Options
from marketplace.imports.enums import Target
from marketplace.imports.models import Import
from marketplace.listings.enums import Category, Kind

DIVISION_LEVEL = 2
SAMPLES = 3
SAMPLE_LENGTH = 60


class UploadForm(forms.Form):
    """The file."""

    file = forms.FileField(
        label=gettext_lazy("File"),
        help_text=gettext_lazy(
            "CSV, XLSX or JSONL, up to 10 MB and 20,000 rows: the export of an online form as it is. Nothing is imported before you have seen it."
        ),
        widget=forms.FileInput(attrs={"accept": ".csv,.tsv,.txt,.xlsx,.jsonl,.json"}),
    )

    def clean_file(self) -> object:
        """Not larger than the reader takes."""
        file = self.cleaned_data["file"]
        if file.size > readers.MAX_BYTES:
            raise ValidationError(_("The file is larger than %(limit)d MB. Split it into several.") % {"limit": readers.MAX_BYTES // 2**20})
        return file


def _sector_choices() -> list[tuple[str, str]]:
    named = [(sector.code, f"{sector.code} · {sector.label}") for sector in sectors.tree().values() if sector.level <= DIVISION_LEVEL]
    return [("", _("The text decides")), *named]


class OptionsForm(forms.Form):
    """What counts for all rows, or for those that say nothing."""

    kind = forms.ChoiceField(label=gettext_lazy("Rows that do not say are"), required=False, choices=[("", gettext_lazy("An error")), *Kind.choices])
    category = forms.ChoiceField(label=gettext_lazy("Category of rows that name none"), choices=Category.choices, initial=Category.SOLUTION)
    sector = forms.ChoiceField(label=gettext_lazy("Sector of rows that name none"), required=False, choices=_sector_choices)
    place = forms.CharField(
        label=gettext_lazy("Municipality of rows that name none"), required=False, max_length=80, help_text=gettext_lazy("Empty means the city of this site.")
    )
    publish = forms.BooleanField(
        label=gettext_lazy("Publish at once"), required=False, help_text=gettext_lazy("Without this tick the listings wait for review, one by one or in bulk.")
    )

    def clean_place(self) -> str:
        """The code of the municipality."""
        name = self.cleaned_data["place"]
        found = values.place(name) if name else None
        if name and not found:
            near = ", ".join(place.name for place in places.like(name))
            raise ValidationError(_("“%(name)s” is no municipality that we know. Similar: %(near)s.") % {"name": name, "near": near or "–"})
        return found.code if found else ""

    def options(self) -> Options:
        """As the import keeps them."""
        return Options(**self.cleaned_data)


class MappingForm(forms.Form):
    """A choice for each column of the file."""

    def __init__(self, *args: object, source: Import, table: readers.Table, kind: str = "", **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        self._table, self._kind = table, kind
        choices = [("", _("– leave out –")), *Target.choices]
        for number, column in enumerate(table.columns):
            self.fields[f"column{number}"] = forms.ChoiceField(label=column, required=False, choices=choices, initial=source.mapping.get(column, ""))

    @cached_property
    def rows(self) -> list[dict]:
        """Column, its field and what it holds, for the table on the page."""
        return [
            {"column": column, "field": self[f"column{number}"], "samples": self._samples(column)} for number, column in enumerate(self._table.columns)
        ]  # fmt: skip

    def _samples(self, column: str) -> list[str]:
        cells = dict.fromkeys(cell for row in self._table.rows[:50] if (cell := row.cells.get(column, "")))
        return [cell if len(cell) <= SAMPLE_LENGTH else f"{cell[:SAMPLE_LENGTH]}…" for cell in list(cells)[:SAMPLES]]

    def clean(self) -> dict:
        """Enough to make listings from."""
        data = super().clean()
        if not self.errors:
            columns.check(self.mapping(), self._table.columns, kind=self._kind)
        return data

    def mapping(self) -> dict[str, str]:
        """Column → target, as the import keeps it."""
        return {column: self.cleaned_data[f"column{number}"] for number, column in enumerate(self._table.columns)}
