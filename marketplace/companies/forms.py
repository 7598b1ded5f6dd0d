"""The forms about companies."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import URLValidator
from django.utils.translation import gettext_lazy as _

from marketplace.accounts.models import User
from marketplace.core.forms import DateInput, ImageInput

from . import sectors
from .fields import PlaceField, SectorField
from .models import Company, Place, Sector
from .operations import EDITABLE
from .querysets import CompanyQuerySet
from .validators import clean_tax_id, validate_logo, validate_tax_id

MAX_TYPED_TAX_ID = 20
STEP = "step"


class CompanyForm(forms.ModelForm):
    """A company's data. It checks what was typed; `operations` write it."""

    tax_id = forms.CharField(
        label=_("NIF"), max_length=MAX_TYPED_TAX_ID, help_text=_("Of the company, or your own if you are self-employed. For example B12345674."),
        error_messages={"required": _("Write the NIF: it tells one company from another.")},
    )  # fmt: skip
    sector = SectorField(label=_("Sector"), help_text=_("What the company does above all."))
    place = PlaceField(label=_("Municipality"), help_text=_("Begin to write and choose."))
    logo = forms.FileField(label=_("Logo"), required=False, widget=ImageInput, validators=[validate_logo], help_text=_("PNG, JPEG or WebP, up to 2 MB."))
    web = forms.URLField(
        label=_("Web"), required=False, assume_scheme="https", validators=[URLValidator(schemes=["http", "https"])], help_text=_("For example www.company.cat"),
    )  # fmt: skip
    version = forms.IntegerField(widget=forms.HiddenInput, required=False)

    class Meta:
        model = Company
        fields = ("tax_id", *EDITABLE)
        labels = {
            "name": _("Name of the company"),
            "description": _("What you do"),
            "size": _("Size"),
            "legal_form": _("Legal form"),
            "founded": _("Founded on"),
            "language": _("Language of the description"),
        }
        help_texts = {
            "name": _("As your clients know it."),
            "founded": _("The day of the deed, or the one on which you registered as self-employed. Everybody sees the year."),
            "legal_form": _("Some aid depends on it."),
            "description": _("Two or three sentences that a client would understand. Everybody can read them."),
        }
        widgets = {
            "founded": DateInput,
            "contact_email": forms.EmailInput(attrs={"autocomplete": "email"}),
            "contact_phone": forms.TextInput(attrs={"autocomplete": "tel"}),
        }

    def __init__(self, *args: object, person: User | None = None, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        self.existing: Company | None = None
        if person and not self.instance.pk:
            self.initial = {"contact_name": person.name, "contact_email": person.email, "language": person.language} | (self.initial or {})
        if self.instance.pk:
            self.initial["version"] = self.instance.version
        if self.instance.tax_id:
            # The NIF says which company this is, so it never changes; the Innovation Service corrects mistakes.
            self.fields["tax_id"].disabled = True
            self.fields["tax_id"].help_text = _("The NIF cannot be changed. If it is wrong, write to the Innovation Service.")
        self.fields["sector"].widget.words = self.data.get("sector_words", "") if self.is_bound else ""

    @property
    def is_step(self) -> bool:
        """The person pressed a button that asks for something within the form (look for a sector), not its end."""
        return self.is_bound and bool(self.data.get(STEP))

    def clean_tax_id(self) -> str:
        """The compact NIF, or a message that says what is wrong with it."""
        number = clean_tax_id(self.cleaned_data["tax_id"])
        validate_tax_id(number)
        return number

    def clean(self) -> dict[str, Any]:
        """The fields, after a look whether the company is here already."""
        cleaned = super().clean()
        if number := cleaned.get("tax_id"):
            self.refuse_existing(Company.objects.filter(tax_id=number).exclude(pk=self.instance.pk).first())
        return cleaned

    def validate_unique(self) -> None:
        """Nothing: `clean` did it, with a way out."""

    def refuse_existing(self, company: Company | None) -> None:
        """Say that this company is here; the page then offers to ask to join."""
        if company is None:
            return
        self.existing = company
        message = _("%(name)s is already here with this NIF. Ask to join it instead of adding it again.")
        self.add_error("tax_id", ValidationError(message, code="exists", params={"name": company.name}))


class JoinForm(forms.Form):
    """A word to the owners with the request to join."""

    message = forms.CharField(
        label=_("Message to the owners"), max_length=500, required=False, widget=forms.Textarea(attrs={"rows": 4}),
        help_text=_("Who you are in the company, so that they know it is you."),
    )  # fmt: skip


class CompanyFilterForm(forms.Form):
    """What the public list of companies can be narrowed by; anything wrong is simply no restriction."""

    text = forms.CharField(label=_("Name, activity or word"), required=False, max_length=100, widget=forms.TextInput(attrs={"type": "search"}))
    section = forms.ChoiceField(label=_("Sector"), required=False)
    place = forms.ModelChoiceField(label=_("Municipality"), queryset=Place.objects.none(), required=False, empty_label=_("All municipalities"))

    all_optional = True

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        sections: list[Sector] = [sector for sector in sectors.tree().values() if sector.level == 1]
        self.fields["section"].choices = [("", _("All sectors")), *((section.code, section.label) for section in sections)]
        self.fields["place"].queryset = Place.objects.filter(companies__hidden=False).distinct()

    def narrowed(self, companies: CompanyQuerySet) -> CompanyQuerySet:
        """`companies` after the filters that make sense."""
        self.is_valid()
        values = self.cleaned_data
        if values.get("text"):
            companies = companies.about(values["text"])
        if values.get("section"):
            companies = companies.in_section(values["section"])
        if values.get("place"):
            companies = companies.filter(place=values["place"])
        return companies
