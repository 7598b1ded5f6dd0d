"""What curators fill in for the vocabulary."""

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from marketplace.accounts.models import User
from marketplace.imports import readers
from search import editing
from search.analysis import LANGUAGES
from search.enums import EntryKind
from search.models import NOTE_LENGTH, Entry

KINDS = [
    (EntryKind.TWO_WAY, gettext_lazy("They mean the same: who looks for one finds the others too")),
    (EntryKind.ONE_WAY, gettext_lazy("One finds the other: who looks for the first finds the second too, not the other way round")),
    (EntryKind.STOP, gettext_lazy("They say nothing: searches and matches pass over them")),
]
NAMES = {"ca": gettext_lazy("Catalan"), "es": gettext_lazy("Spanish"), "en": gettext_lazy("English")}


def _expressions(language: str) -> forms.CharField:
    # Stricter limits, with words that help, are those of `editing`; this one only bounds the work.
    return forms.CharField(label=NAMES[language], required=False, max_length=2_000, strip=True, widget=forms.Textarea(attrs={"rows": 4, "lang": language}))


class EntryForm(forms.Form):
    """One entry. `seen` is the revision that the curator has before them."""

    kind = forms.ChoiceField(label=gettext_lazy("What it does"), choices=KINDS, initial=EntryKind.TWO_WAY, widget=forms.RadioSelect)
    ca, es, en = (_expressions(language) for language in LANGUAGES)
    also_ca, also_es, also_en = (_expressions(language) for language in LANGUAGES)
    note = forms.CharField(
        label=gettext_lazy("Note for your colleagues"), required=False, max_length=NOTE_LENGTH, help_text=gettext_lazy("For example who asked for it, and why.")
    )
    active = forms.BooleanField(label=gettext_lazy("In use"), required=False, initial=True)
    seen = forms.IntegerField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: object, entry: Entry | None = None, **kwargs: object) -> None:
        self.entry = entry
        initial = entry.facts() | {"seen": entry.revision} if entry else {}
        super().__init__(*args, initial=initial | (kwargs.pop("initial", None) or {}), **kwargs)

    @property
    def asked(self) -> list[forms.BoundField]:
        """The expressions of every kind."""
        return [self[language] for language in LANGUAGES]

    @property
    def found(self) -> list[forms.BoundField]:
        """What a one-way synonym finds besides."""
        return [self[f"also_{language}"] for language in LANGUAGES]

    def clean(self) -> dict:
        """As the operations will check it, so that a preview says the same."""
        data = super().clean()
        if not self.errors:
            try:
                self.facts = editing.checked(data, entry=self.entry)
            except ValidationError as error:
                self.add_error(None, error)
        return data

    def save(self, *, by: User) -> Entry:
        """Write the entry. Raises editing.StaleError if somebody else was quicker."""
        if self.entry is None:
            return editing.add(self.facts, by=by)
        return editing.change(self.entry, self.facts, seen=self.cleaned_data["seen"] or 0, by=by)

    def draft(self) -> Entry:
        """The entry as the form has it, unsaved, for a trial."""
        return Entry(**self.facts, **({"uid": self.entry.uid} if self.entry else {}))


class UploadForm(forms.Form):
    """A file of entries."""

    file = forms.FileField(
        label=gettext_lazy("File"),
        help_text=gettext_lazy("CSV or XLSX with the columns of the download. All rows are taken, or none: you get a list of what to mend."),
        widget=forms.FileInput(attrs={"accept": ".csv,.tsv,.txt,.xlsx"}),
    )

    def clean_file(self) -> object:
        """Not larger than the reader takes."""
        file = self.cleaned_data["file"]
        if file.size > readers.MAX_BYTES:
            raise ValidationError(_("The file is larger than %(limit)d MB. Split it into several.") % {"limit": readers.MAX_BYTES // 2**20})
        return file
