"""Form fields for the two long lists, sectors and municipalities; both work without JavaScript."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.urls import reverse_lazy
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from marketplace.core.forms import SuggestInput

from . import places, sectors
from .models import Place, Sector

DIVISION_LEVEL = 2
MAX_NAME = 80


class SectorInput(forms.Widget):
    """Sectors as buttons: the chosen one, those proposed, those found by words; below them a list of the 88 divisions.

    `proposed` and `words` are set by the form. A choice in the list wins over a ticked button: whoever opens the list means it.
    """

    template_name = "companies/widgets/sector.html"
    use_fieldset = True

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        super().__init__(attrs)
        self.proposed: list[Sector] = []
        self.words = ""

    def value_from_datadict(self, data, files, name: str) -> str | None:
        """The code chosen in the list, else the ticked one."""
        return data.get(f"{name}_list") or data.get(name)

    def value_omitted_from_data(self, data, files, name: str) -> bool:
        """Whether neither was sent."""
        return name not in data and f"{name}_list" not in data

    def get_context(self, name: str, value: object, attrs: dict[str, Any] | None) -> dict[str, Any]:
        """As Django's, with the buttons and the list."""
        context = super().get_context(name, value, attrs)
        chosen = sectors.tree().get(str(value or ""))
        found = sectors.find(self.words) if self.words.strip() else []
        context["widget"] |= {
            "options": options(chosen, found or self.proposed),
            "chosen": chosen,
            "words": self.words,
            "nothing_found": bool(self.words.strip()) and not found,
            "sections": grouped_divisions(),
        }
        return context

    def id_for_label(self, id_: str, index: object = None) -> str:
        """The search box, where one can begin to type."""
        return f"{id_}_words" if id_ else id_


def options(chosen: Sector | None, others: list[Sector]) -> list[Sector]:
    """The chosen one first, then the others, each once."""
    return list({sector.code: sector for sector in [*([chosen] if chosen else []), *others]}.values())


def grouped_divisions() -> list[tuple[Sector, list[Sector]]]:
    """The sections with their divisions."""
    everything = sectors.tree().values()
    return [(section, [one for one in everything if one.parent_id == section.code]) for section in everything if section.parent_id is None]


class SectorField(forms.Field):
    """A sector of the NACE tree, of any level."""

    widget = SectorInput
    default_error_messages = {"required": gettext_lazy("Choose the sector that fits best. A rough one is better than none.")}

    def to_python(self, value: object) -> Sector | None:
        """The sector of a code."""
        if value in self.empty_values:
            return None
        if isinstance(value, Sector):
            return value
        sector = Sector.objects.filter(pk=value).first() if str(value) in sectors.tree() else None
        if sector is None:
            raise ValidationError(_("We know no sector with this code. Search for it by a word."), code="unknown")
        return sector

    def prepare_value(self, value: object) -> object:
        """Its code."""
        return value.pk if isinstance(value, Sector) else value

    def has_changed(self, initial: object, data: object) -> bool:
        """Whether another code came."""
        return str(self.prepare_value(initial) or "") != str(self.prepare_value(data) or "")


class PlaceInput(SuggestInput):
    """The name of a municipality; the browser fetches the names when somebody goes to the field, and keeps them."""

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        fetching = {"hx-get": reverse_lazy("companies:places"), "hx-trigger": "focus once", "hx-target": "next datalist", "hx-swap": "innerHTML"}
        super().__init__({"maxlength": MAX_NAME, **fetching, **(attrs or {})})


class PlaceField(forms.Field):
    """A Catalan municipality, typed by name."""

    widget = PlaceInput
    default_error_messages = {"required": gettext_lazy("Write the municipality.")}

    def to_python(self, value: object) -> Place | None:
        """The place of a name, or an error with those it may have meant."""
        if value in self.empty_values or not str(value).strip():
            return None
        if isinstance(value, Place):
            return value
        name = str(value)[:MAX_NAME]
        found = places.match(name)
        place = Place.objects.filter(pk=found.pk).first() if found else None
        if place is None:
            meant = ", ".join(like.name for like in places.like(name))
            if meant:
                raise ValidationError(_("We know no municipality “%(name)s”. Did you mean %(meant)s?"), code="unknown", params={"name": name, "meant": meant})
            raise ValidationError(_("We know no municipality “%(name)s”. Write the name of one in Catalonia."), code="unknown", params={"name": name})
        return place

    def prepare_value(self, value: object) -> object:
        """Its name; a key (a model form's initial value) becomes one too."""
        if isinstance(value, Place):
            return value.name
        return places.known()[value].name if value in places.known() else value

    def has_changed(self, initial: object, data: object) -> bool:
        """Whether another place was typed."""
        initial_place = initial if isinstance(initial, Place) else places.known().get(initial)
        data_place = data if isinstance(data, Place) else places.match(str(data or ""))
        return (initial_place and initial_place.pk) != (data_place and data_place.pk)
