"""Fields for choosing several sectors of the NACE tree, or several municipalities; both work without JavaScript."""

import re
from collections.abc import Iterable
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.datastructures import MultiValueDict
from django.utils.translation import gettext as _

from marketplace.companies import places, sectors
from marketplace.companies.fields import grouped_divisions
from marketplace.companies.models import Place, Sector

DIVISION_LEVEL = 2
MOST_NAMES = 1000
_SEPARATOR = re.compile(r"[\s,;]+")


class SectorTree(forms.Widget):
    """The 21 sections, each opening on its divisions, as boxes to tick; finer codes are typed below."""

    template_name = "console/widgets/sector_tree.html"
    use_fieldset = True

    def get_context(self, name: str, value: object, attrs: dict[str, Any] | None) -> dict[str, Any]:
        """With the tree and what is ticked in it."""
        context = super().get_context(name, value, attrs)
        chosen = set(value or ())
        groups = [(section, [(one, one.code in chosen) for one in divisions], section.code in chosen) for section, divisions in grouped_divisions()]
        finer = sorted(code for code in chosen if code not in sectors.tree() or sectors.tree()[code].level > DIVISION_LEVEL)
        context["widget"] |= {
            "groups": [
                {"section": section, "divisions": divisions, "is_chosen": whole, "count": sum(ticked for _one, ticked in divisions)}
                for section, divisions, whole in groups
            ],
            "codes": ", ".join(finer),
        }
        return context

    def value_from_datadict(self, data: MultiValueDict, files: object, name: str) -> list[str]:
        """The codes that were ticked and those that were typed."""
        typed = [code.replace(".", "") for code in _SEPARATOR.split(data.get(f"{name}_codes", "")) if code]
        return [*data.getlist(name), *typed]

    def value_omitted_from_data(self, data: MultiValueDict, files: object, name: str) -> bool:
        """Never: no tick is a choice too."""
        return False

    def id_for_label(self, id_: str, index: object = None) -> str:
        """The group has a legend, no label."""
        return ""


class SectorsField(forms.Field):
    """Sectors of any level, each with all below it."""

    widget = SectorTree

    def prepare_value(self, value: Iterable[Sector | str] | None) -> list[str]:
        """Their codes."""
        return [one.pk if isinstance(one, Sector) else str(one) for one in value or ()]

    def to_python(self, value: Iterable[str] | None) -> list[Sector]:
        """The sectors; what lies below another chosen one is left out, since it says nothing more."""
        codes = dict.fromkeys(code.upper() for code in value or ())
        if unknown := [code for code in codes if code not in sectors.tree()]:
            raise ValidationError(_("There is no sector with the code %(codes)s. Codes look like 26 or 6201."), params={"codes": ", ".join(unknown[:5])})
        kept = [code for code in codes if codes.keys().isdisjoint(set(sectors.tree()[code].codes) - {code})]
        return list(Sector.objects.filter(pk__in=kept))


class PlacesField(forms.CharField):
    """Catalan municipalities, typed by name, one a line or with commas between."""

    widget = forms.Textarea(attrs={"rows": 3, "spellcheck": "false"})

    def prepare_value(self, value: object) -> object:
        """Their names."""
        if isinstance(value, str) or value is None:
            return value
        return "\n".join(sorted(place.name if isinstance(place, Place) else places.known()[place].name for place in value))

    def to_python(self, value: object) -> list[Place]:
        """The places; raises ValidationError with those that may have been meant."""
        names = [name.strip() for name in re.split(r"[\n\r;]+", str(value or "")) if name.strip()]
        # "Terrassa, Rubí" is two; "Bisbal del Penedès, la" is one.
        names = [part for name in names for part in ([name] if places.match(name) else [one.strip() for one in name.split(",") if one.strip()])][:MOST_NAMES]
        found = {name: places.match(name) for name in names}
        if unknown := [name for name, place in found.items() if place is None]:
            meant = ", ".join(like.name for like in places.like(unknown[0])) or "–"
            raise ValidationError(_("We know no municipality “%(name)s”. Did you mean %(meant)s?"), params={"name": unknown[0][:80], "meant": meant})
        return list(Place.objects.filter(pk__in={place.pk for place in found.values()}))

    def validate(self, value: list[Place]) -> None:
        """None is a choice too."""

    def run_validators(self, value: list[Place]) -> None:
        """Those of texts do not fit."""
