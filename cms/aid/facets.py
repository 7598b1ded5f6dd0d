"""The filters beside the aid that was found: what can be ticked, how many each would give, and what is on."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.utils.translation import gettext as _

from marketplace.companies import sectors
from marketplace.companies.enums import Size
from marketplace.companies.models import Sector
from marketplace.listings.facets import Chip, Group, Option

from .enums import Beneficiary, Kind, Level, State
from .filters import FACETS, SORTS, AidFilter, Fit
from .models import Funder

Counts = Mapping[str, int]
CHOICES = {"kind": Kind, "state": State, "beneficiary": Beneficiary, "size": Size, "level": Level, "fit": Fit}


def _option(value: str, label: str, count: int | None, *, checked: bool) -> Option:
    return Option(value=value, label=label, count=count, checked=checked, depth=0)


def groups(wanted: AidFilter, facets: Mapping[str, Counts], funders: Iterable[Funder]) -> dict[str, Group]:
    """Every facet by its parameter. `funders`: those of the aid there is."""
    found = {
        name: Group(name, wanted.form.fields[name].label, _closed(choices.choices, wanted.values[name], facets[name])) for name, choices in CHOICES.items()
    }
    found["sector"] = Group("sector", wanted.form.fields["sector"].label, _sections(wanted.values["sector"], facets["sector"]))
    found["funder"] = Group("funder", wanted.form.fields["funder"].label, _funders(wanted.values["funder"], facets["funder"], funders))
    return found


def _closed(choices: Iterable[tuple[str, Any]], ticked: list[str], counts: Counts) -> list[Option]:
    """The lines of a closed list; what nobody would find and nobody ticked is left out."""
    options = [_option(value, label, counts.get(value, 0), checked=value in ticked) for value, label in choices]
    return [option for option in options if option["count"] or option["checked"]]


def _sections(ticked: list[Sector], counts: Counts) -> list[Option]:
    """What is ticked, then the sections, those with most aid first."""
    chosen = [_option(sector.code, sector.label, counts.get(sector.code, 0), checked=True) for sector in ticked]
    rest = [sector for sector in sectors.tree().values() if sector.level == 1 and counts.get(sector.code) and sector not in ticked]
    rest.sort(key=lambda sector: (-counts[sector.code], sector.path))
    return chosen + [_option(sector.code, sector.label, counts[sector.code], checked=False) for sector in rest]


def _funders(ticked: list[Funder], counts: Counts, funders: Iterable[Funder]) -> list[Option]:
    known = {funder.pk: funder for funder in (*funders, *ticked)}
    options = [_option(str(funder.pk), funder.name, counts.get(str(funder.pk), 0), checked=funder in ticked) for funder in known.values()]
    return sorted((option for option in options if option["count"] or option["checked"]), key=lambda option: (-option["count"], option["label"]))


def chips(wanted: AidFilter) -> list[Chip]:
    """One for each filter that is on; the text is no filter, it stands in the search box."""
    found = [_chip(wanted, name, value) for name in FACETS for value in wanted.values[name]]
    if wanted.values["ended"]:
        found.append(Chip("ended", "1", _("Closed aid too"), wanted.query_string(without=("ended",))))
    return found


def _chip(wanted: AidFilter, name: str, value: object) -> Chip:
    written = str(getattr(value, "pk", value))
    label = CHOICES[name](value).label if name in CHOICES else value.label if name == "sector" else value.name
    return Chip(name, written, label, wanted.query_string(without_value=(name, written)))


def clear_url(wanted: AidFilter) -> str:
    """The address without any filter; text, company, order and what is to be compared stay."""
    return wanted.query_string(without=(*FACETS, "ended"))


def with_ended(wanted: AidFilter) -> str:
    """The address that shows closed aid too."""
    return wanted.with_ended().query_string()


def sort_options(wanted: AidFilter) -> list[Option]:
    """The orders that make sense now. The usual one is no choice: who then types a text gets the order that is usual for texts."""
    labels, (usual, *others) = dict(SORTS), wanted.sorts(wanted.values)
    options = [_option("", labels[usual], None, checked=wanted.sort == usual)]
    return options + [_option(value, labels[value], None, checked=value == wanted.sort) for value in others]


def ways_out(wanted: AidFilter, facets: Mapping[str, Counts], ended: int) -> list[tuple[Chip, int]]:
    """When nothing was found: each filter whose removal alone would give something, with how much, and closed aid if there is some.

    Each facet is counted without its own filter; of several values of a facet taking one away gives less, so those are not proposed.
    """
    ways = [(chip, _alone(chip.name, facets)) for chip in chips(wanted) if chip.name != "ended" and len(wanted.values[chip.name]) == 1]
    if ended:
        ways.append((Chip("ended", "", "", with_ended(wanted)), ended))
    return sorted((way for way in ways if way[1]), key=lambda way: -way[1])


def _alone(name: str, facets: Mapping[str, Counts]) -> int:
    # One aid stands under several values of most facets: the number of aid is at least that of the largest value.
    return sum(facets[name].values()) if name in {"kind", "fit"} else max(facets[name].values(), default=0)
