"""The form of a listing: six things to fill in, the rest with good defaults."""

import datetime
import unicodedata
import uuid
from collections.abc import Mapping

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MinLengthValidator, ProhibitNullCharactersValidator
from django.utils import timezone
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from marketplace.companies.fields import PlaceField, SectorField
from marketplace.companies.models import Company
from marketplace.core.forms import ChoiceCards, DateInput

from . import proposals
from .enums import Category, Kind
from .models import MAX_DESCRIPTION, Listing
from .operations import EDITABLE

SHORTEST_TITLE, SHORTEST_DESCRIPTION = 8, 30
#: Marks that turn the reading order of everything after them; right-to-left scripts do not need them.
BIDI_OVERRIDES = "\u202a\u202b\u202d\u202e\u202c"
KIND_HINTS = {Kind.OFFER.value: _("You have something others may need."), Kind.DEMAND.value: _("You look for something.")}
CATEGORY_HINTS = {
    Category.SOLUTION.value: _("Work, a service, a repair, transport…"),
    Category.PRODUCT.value: _("Goods: parts, material, machines…"),
    Category.KNOWLEDGE.value: _("Advice, training, research, a licence…"),
    Category.SPACE.value: _("A room, a workshop, hours of a machine…"),
}


class PlainTextField(forms.CharField):
    """Text as people mean it: composed letters, no invisible control characters; a NUL is refused with a sentence that helps."""

    def __init__(self, **kwargs: object) -> None:
        super().__init__(**kwargs)
        nul = ProhibitNullCharactersValidator(message=_("There is a character in this text that we cannot keep (a NUL). Paste it again as plain text."))
        self.validators = [nul if isinstance(one, ProhibitNullCharactersValidator) else one for one in self.validators]

    def to_python(self, value: object) -> str:
        """The text without what nobody sees. The NUL stays for its validator: it says that the text came damaged."""
        text = unicodedata.normalize("NFC", super().to_python(value))
        return "".join(one for one in text if one in "\n\r\t\x00" or (unicodedata.category(one) != "Cc" and one not in BIDI_OVERRIDES))


class ListingForm(forms.ModelForm):
    """An offer or a demand. It checks what was typed; `operations` write it."""

    kind = forms.ChoiceField(
        label=_("What is it?"),
        choices=Kind.choices,
        widget=ChoiceCards(hints=KIND_HINTS),
        error_messages={"required": _("Choose: do you offer it, or need it?")},
    )
    category = forms.ChoiceField(
        label=_("Of which kind?"),
        choices=Category.choices,
        widget=ChoiceCards(hints=CATEGORY_HINTS),
        error_messages={"required": _("Choose what comes nearest.")},
    )
    title = PlainTextField(
        label=_("Title"), max_length=120, help_text=_("What it is, in one line, as others would search for it."),
        validators=[MinLengthValidator(SHORTEST_TITLE, _("Write a little more, so that others know what it is."))],
        error_messages={"required": _("Write a title.")},
    )  # fmt: skip
    description = PlainTextField(
        label=_("Description"), max_length=MAX_DESCRIPTION, widget=forms.Textarea(attrs={"rows": 8}),
        help_text=_("Quantities, materials, standards, dates: what another company needs to know to say yes. No phone or e-mail: you share them when both say yes."),
        validators=[MinLengthValidator(SHORTEST_DESCRIPTION, _("Write a sentence or two: matches are found by these words."))],
        error_messages={"required": _("Describe it in a sentence or two.")},
    )  # fmt: skip
    sector = SectorField(label=_("Sector"), help_text=_("We propose some as you write."))
    valid_until = forms.DateField(label=_("Valid until"), widget=DateInput, help_text=_("You can renew it with one click."))
    language = forms.ChoiceField(label=_("Language of the text"), required=False, choices=[("", _("Find out from the text")), *settings.LANGUAGES])
    keywords = PlainTextField(label=_("Keywords"), max_length=200, required=False, help_text=_("Other words for the same thing, separated by commas."))
    place = PlaceField(label=_("Municipality"))
    reach_km = forms.IntegerField(
        label=_("How far? (kilometres)"),
        required=False,
        min_value=1,
        max_value=1000,
        help_text=_("From the municipality. Empty means that distance does not matter."),
    )
    submission_key = forms.UUIDField(widget=forms.HiddenInput, required=False)
    version = forms.IntegerField(widget=forms.HiddenInput, required=False)
    company = forms.ModelChoiceField(label=_("Company"), queryset=Company.objects.none(), to_field_name="uid", required=False, empty_label=None)

    class Meta:
        model = Listing
        fields = EDITABLE
        labels = {"remote": _("Also at a distance: online or by courier")}

    def __init__(self, *args: object, company: Company, companies: list[Company], **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        self._company = company
        self.fields["company"].queryset = Company.objects.filter(pk__in=[one.pk for one in companies])
        if self.instance.pk:
            self.initial["version"] = self.instance.version
        else:
            self.initial = self._defaults() | {name: value for name, value in self.initial.items() if value not in (None, "")}
        if self.instance.pk or len(companies) == 1:
            del self.fields["company"]
        if self.instance.pk:
            del self.fields["submission_key"]
        for name in ("title", "description", "keywords"):
            self.fields[name].widget.attrs["dir"] = "auto"
        self.fields["title"].widget.attrs["data-count"] = ""
        self.fields["sector"].widget.words = self.data.get("sector_words", "") if self.is_bound else ""

    def _defaults(self) -> dict[str, object]:
        end = timezone.localdate() + datetime.timedelta(days=settings.LISTING_VALIDITY_DAYS)
        return {"company": self._company.uid, "place": self._company.place_id, "valid_until": end, "submission_key": uuid.uuid4(), "language": ""}

    @property
    def is_step(self) -> bool:
        """The person pressed a button that asks for something within the form (a sector, proposals), not its end."""
        return self.is_bound and bool(self.data.get("step"))

    @property
    def typed(self) -> Mapping[str, str]:
        """What stands in the fields now, right or wrong, as text: what proposals are made from."""
        names = ("kind", "category", "title", "description", "keywords", "language")
        return {name: str(self[name].value() or "")[: 2 * MAX_DESCRIPTION].replace("\x00", "") for name in names}

    @property
    def content(self) -> dict[str, object]:
        """The checked values as `operations` take them."""
        return {name: self.cleaned_data[name] for name in EDITABLE}

    def propose(self) -> None:
        """Put the sectors that fit the text beside the chosen one."""
        self.fields["sector"].widget.proposed = proposals.sectors_for(self.typed, self._company)

    def differs_from(self, listing: Listing) -> bool:
        """Whether the form says anything else than `listing`."""
        return any(getattr(listing, name) != value for name, value in self.content.items())

    def clean_kind(self) -> str:
        """The kind. A published offer cannot turn into a demand: its synergies would be about something else."""
        kind = self.cleaned_data["kind"]
        if self.instance.pk and self.instance.published_at and kind != self.instance.kind:
            raise ValidationError(_now("It has been published, so it stays what it is. Publish another one instead."), code="kind")
        return kind

    def clean_keywords(self) -> str:
        """Keywords once each, with one comma between."""
        words = [" ".join(word.split()) for word in self.cleaned_data["keywords"].replace(";", ",").replace("\n", ",").split(",")]
        return ", ".join(dict.fromkeys(word for word in words if word))

    def clean_valid_until(self) -> datetime.date:
        """A day from today on, at most a validity period away."""
        day, today = self.cleaned_data["valid_until"], timezone.localdate()
        if self.instance.pk and day == self.instance.valid_until and day >= today:
            return day
        if day < today:
            raise ValidationError(_now("This date has passed. Choose one from today on."), code="past")
        if day > today + datetime.timedelta(days=settings.LISTING_VALIDITY_DAYS):
            days = settings.LISTING_VALIDITY_DAYS
            raise ValidationError(
                ngettext(
                    "Choose a day within %(days)d day. You can renew it later.", "Choose a day within the next %(days)d days. You can renew it later.", days
                ),
                code="far",
                params={"days": days},
            )
        return day

    def clean(self) -> dict[str, object]:
        """The fields, with the language found out where nobody chose it."""
        cleaned = super().clean()
        if not cleaned.get("language"):
            text = f"{cleaned.get('title', '')} {cleaned.get('description', '')}"
            cleaned["language"] = proposals.language_of(text, default=self._company.language)
        return cleaned
