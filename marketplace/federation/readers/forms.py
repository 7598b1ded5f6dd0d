"""How each kind of source is described: a form per reader, so that the console only prints it.

Give a form the columns and the proposal of a preview, and it asks what each column holds; `options` is what `Partner.reader_options`
keeps.
"""

from collections.abc import Mapping, Sequence

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from marketplace.federation.enums import ReaderKind
from marketplace.listings.enums import Kind

from .fields import TRANSLATED, Field
from .json_api import Paging, Plan
from .reading import HarvestError

COLUMN = "column-"
PATH = "path-"
#: Fields of which a person may say what holds where the source says nothing.
DEFAULTED = (Field.CATEGORY, Field.SECTOR, Field.PLACE, Field.LANGUAGE, Field.COMPANY)


class OptionsForm(forms.Form):
    """What all kinds have in common. `columns` are those seen in the source, `proposal` says what each may hold."""

    kind = forms.ChoiceField(
        label=gettext_lazy("All entries are"), required=False, choices=[("", gettext_lazy("What the source says of each")), *Kind.choices],
        help_text=gettext_lazy("Counts where the source says nothing."),
    )  # fmt: skip
    defaults = forms.CharField(
        label=gettext_lazy("Where the source says nothing"), required=False, widget=forms.Textarea(attrs={"rows": 3}),
        help_text=gettext_lazy("One a line, like: category = product. Possible are category, sector, place, language and company."),
    )  # fmt: skip
    values = forms.CharField(
        label=gettext_lazy("What its words mean"), required=False, widget=forms.Textarea(attrs={"rows": 3}),
        help_text=gettext_lazy("One a line, like: kind: We are looking for = demand. Possible are kind, category, sector, place and language."),
    )  # fmt: skip

    #: In the order of printing.
    own_fields: Sequence[str] = ()

    def __init__(
        self,
        data: Mapping | None = None,
        *,
        options: Mapping | None = None,
        columns: Sequence[str] = (),
        proposal: Mapping[str, str] | None = None,
        **more: object,
    ) -> None:
        self.stored = dict(options or {})
        super().__init__(data, initial=self.initial_of(self.stored), **more)
        self.columns = list(dict.fromkeys([*columns, *self.known_columns()]))
        self.add_columns(proposal or {})
        self.order_fields([*self.own_fields, *(name for name in self.fields if name.startswith((COLUMN, PATH))), "kind", "defaults", "values"])

    def known_columns(self) -> Sequence[str]:
        """The columns that the stored options name, which the source may have lost."""
        return ()

    def add_columns(self, proposal: Mapping[str, str]) -> None:
        """Fields of what each column holds; none here."""

    def initial_of(self, options: Mapping) -> dict[str, object]:
        """From stored options to the form's values."""
        plain = {name: value for name, value in options.items() if name in self.base_fields and not isinstance(value, Mapping)}
        translations = [f"{name}: {theirs} = {ours}" for name, words in _mapping(options.get("values")).items() for theirs, ours in _mapping(words).items()]
        return plain | {
            "defaults": "\n".join(f"{name} = {text}" for name, text in _mapping(options.get("defaults")).items()),
            "values": "\n".join(translations),
        }

    def clean_defaults(self) -> dict[str, str]:
        """Field → text."""
        found = {}
        for line in filter(str.strip, self.cleaned_data["defaults"].splitlines()):
            name, sign, text = (part.strip() for part in line.partition("="))
            if not sign or name not in DEFAULTED or not text:
                raise forms.ValidationError(
                    _("Write the line “%(line)s” like: category = product. Possible are: %(names)s.")
                    % {"line": line.strip()[:80], "names": ", ".join(DEFAULTED)}
                )
            found[name] = text
        return found

    def clean_values(self) -> dict[str, dict[str, str]]:
        """Field → the partner's word → ours."""
        found: dict[str, dict[str, str]] = {}
        for line in filter(str.strip, self.cleaned_data["values"].splitlines()):
            name, colon, rest = (part.strip() for part in line.partition(":"))
            theirs, sign, ours = (part.strip() for part in rest.rpartition("="))
            if not colon or not sign or name not in TRANSLATED or not theirs or not ours:
                raise forms.ValidationError(
                    _("Write the line “%(line)s” like: kind: We are looking for = demand. Possible are: %(names)s.")
                    % {"line": line.strip()[:80], "names": ", ".join(TRANSLATED)}
                )
            found.setdefault(name, {})[theirs] = ours
        return found

    @property
    def options(self) -> dict:
        """For `Partner.reader_options`; the form has to be valid."""
        names = [name for name in self.base_fields if self.cleaned_data.get(name) not in ("", None, {})]
        return {name: self.cleaned_data[name] for name in names}


class ColumnsMixin:
    """Asks what each column holds."""

    def known_columns(self) -> Sequence[str]:
        """Those of the stored options."""
        return list(_mapping(self.stored.get("columns")))

    def add_columns(self, proposal: Mapping[str, str]) -> None:
        """A choice per column: as stored, else as proposed."""
        stored = _mapping(self.stored.get("columns"))
        for number, column in enumerate(self.columns):
            self.fields[f"{COLUMN}{number}"] = forms.ChoiceField(
                label=column, required=False, choices=[("", gettext_lazy("nothing for us")), *Field.choices],
                initial=stored.get(column, "" if stored else proposal.get(column, "")),
            )  # fmt: skip

    @property
    def chosen(self) -> dict[str, str]:
        """Column → field."""
        return {column: self.cleaned_data.get(f"{COLUMN}{number}", "") for number, column in enumerate(self.columns)}


class TableForm(ColumnsMixin, OptionsForm):
    """A table at an address."""

    url = forms.URLField(
        label=gettext_lazy("Address of the file"), max_length=500, assume_scheme="https", help_text=gettext_lazy("CSV or XLSX, at most 10 MB and 20,000 rows.")
    )
    own_fields = ("url",)

    @property
    def options(self) -> dict:
        """With what each column holds."""
        return super().options | {"columns": {column: name for column, name in self.chosen.items() if name}}


class FeedForm(ColumnsMixin, OptionsForm):
    """A news feed."""

    url = forms.URLField(label=gettext_lazy("Address of the feed"), max_length=500, assume_scheme="https")
    complete = forms.BooleanField(
        label=gettext_lazy("The feed holds everything that is on offer"), required=False, initial=True,
        help_text=gettext_lazy("What leaves it is taken to be withdrawn. Otherwise entries stay until they end."),
    )  # fmt: skip
    own_fields = ("url", "complete")

    def add_columns(self, proposal: Mapping[str, str]) -> None:
        """As of a table; where nothing is stored, the usual meaning of an entry's parts counts."""
        from .feed import COLUMNS  # noqa: PLC0415 - feedparser takes a moment to load, which other forms need not wait for

        super().add_columns({**proposal, **{part: str(name) for part, name in COLUMNS.items()}})

    @property
    def options(self) -> dict:
        """With what each part holds; "" says that the usual meaning does not hold."""
        return super().options | {"columns": self.chosen, "complete": self.cleaned_data["complete"]}


class JsonForm(OptionsForm):
    """A JSON interface: a path per field."""

    url = forms.URLField(label=gettext_lazy("Address of the interface"), max_length=500, assume_scheme="https")
    items = forms.CharField(
        label=gettext_lazy("Path of the list of entries"),
        required=False,
        max_length=200,
        help_text=gettext_lazy("Like data.items; @ for a list without a name."),
    )
    paging = forms.ChoiceField(label=gettext_lazy("Pages"), choices=Paging.choices, required=False)
    page_param = forms.CharField(
        label=gettext_lazy("Name of the parameter"),
        required=False,
        max_length=60,
        help_text=gettext_lazy("Of the page's number, of the entries to skip, or of the cursor."),
    )
    first_page = forms.IntegerField(label=gettext_lazy("Number of the first page"), required=False, min_value=0, max_value=1)
    size_param = forms.CharField(label=gettext_lazy("Parameter of the page's size"), required=False, max_length=60)
    size = forms.IntegerField(label=gettext_lazy("Entries per page"), required=False, min_value=1, max_value=10_000)
    next = forms.CharField(
        label=gettext_lazy("Path of the next page's address or cursor"),
        required=False,
        max_length=200,
        help_text=gettext_lazy("Empty: the Link header says it."),
    )
    own_fields = ("url", "items", "paging", "page_param", "first_page", "size_param", "size", "next")

    def known_columns(self) -> Sequence[str]:
        """The paths of the stored options."""
        return list(_mapping(self.stored.get("fields")).values())

    def add_columns(self, proposal: Mapping[str, str]) -> None:
        """A path per field, with those seen in the source to choose from."""
        stored = _mapping(self.stored.get("fields"))
        proposed = {name: path for path, name in reversed(proposal.items()) if name}
        for name in Field:
            self.fields[f"{PATH}{name}"] = forms.CharField(
                label=name.label, required=False, max_length=300, initial=stored.get(str(name), "" if stored else proposed.get(str(name), "")),
            )  # fmt: skip

    @property
    def options(self) -> dict:
        """With the paths."""
        return super().options | {"fields": {str(name): path for name in Field if (path := self.cleaned_data.get(f"{PATH}{name}"))}}

    def clean(self) -> dict:
        """Refuse paths that nobody can follow, and paging that lacks a part."""
        cleaned = super().clean()
        if cleaned.get("url") and any(cleaned.get(f"{PATH}{name}") for name in Field):
            try:
                Plan.load(self.options)
            except HarvestError as error:
                raise forms.ValidationError(error.message) from error
        return cleaned


class WebForm(OptionsForm):
    """Web pages with schema.org data."""

    sitemap = forms.URLField(
        label=gettext_lazy("Address of the sitemap"),
        max_length=500,
        required=False,
        assume_scheme="https",
        help_text=gettext_lazy("Empty: as robots.txt says, else /sitemap.xml."),
    )
    path = forms.CharField(
        label=gettext_lazy("Only addresses with"), required=False, max_length=200, help_text=gettext_lazy("Like /offers/. Empty: all pages of the sitemap.")
    )
    own_fields = ("sitemap", "path")


FORMS: Mapping[str, type[OptionsForm]] = {ReaderKind.TABLE: TableForm, ReaderKind.FEED: FeedForm, ReaderKind.JSON: JsonForm, ReaderKind.WEB: WebForm}


def form_for(reader: str) -> type[OptionsForm] | None:
    """The form of a reader; None where there is nothing to describe (our own protocol)."""
    return FORMS.get(reader)


def _mapping(value: object) -> Mapping:
    return value if isinstance(value, Mapping) else {}
