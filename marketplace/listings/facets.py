"""The filters beside a search's results: what can be ticked, how many each would give, and what is on."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypedDict

from django.conf import settings
from django.utils.translation import gettext as _

from marketplace.companies import places, sectors
from marketplace.companies.enums import Size
from marketplace.companies.models import Place, Sector

from .enums import Category, Kind
from .filters import SORTS, ListingFilter

#: Municipalities offered beside those that are ticked.
MOST_PLACES = 12
DISTANCES = (5, 10, 25, 50, 100)

Counts = Mapping[str, int]


class Option(TypedDict):
    """A line of a facet, as components/facet.html wants it. `count` is None when nobody counted; `depth` is the level in a tree."""

    value: str
    label: str
    count: int | None
    checked: bool
    depth: int


@dataclass(frozen=True)
class Group:
    """A facet: the parameter it writes, its name, its lines."""

    name: str
    legend: str
    options: list[Option]


@dataclass(frozen=True)
class Chip:
    """A filter that is on, and the address without it. `param` and `value` are what it stands for."""

    name: str
    value: str
    label: str
    url: str


def _option(value: str, label: str, count: int | None, *, checked: bool, depth: int = 0) -> Option:
    return Option(value=value, label=label, count=count, checked=checked, depth=depth)


def groups(wanted: ListingFilter, facets: Mapping[str, Counts]) -> dict[str, Group]:
    """Every facet by its parameter."""
    values = wanted.values
    labels = {name: filter_.label for name, filter_ in wanted.filters.items()}
    return {
        "kind": Group("kind", labels["kind"], _closed(Kind.choices, values["kind"], facets.get("kinds"))),
        "category": Group("category", labels["category"], _closed(Category.choices, values["category"], facets.get("categories"))),
        "place": Group("place", labels["place"], _places(values["place"], facets.get("places"))),
        "sector": Group("sector", labels["sector"], sector_tree(values["sector"], facets.get("sectors"))),
        "language": Group("language", labels["language"], _closed(settings.LANGUAGES, values["language"], facets.get("languages"))),
        "size": Group("size", labels["size"], _closed(Size.choices, values["size"], facets.get("sizes"))),
    }


def _closed(choices: Iterable[tuple[str, Any]], ticked: list[str], counts: Counts | None) -> list[Option]:
    return [_option(value, label, None if counts is None else counts.get(value, 0), checked=value in ticked) for value, label in choices]


def _places(ticked: list[Place], counts: Counts | None) -> list[Option]:
    """The ticked municipalities, then those with most listings."""
    counts = counts or {}
    chosen = {place.code: place for place in ticked}
    most = [code for code, _n in sorted(counts.items(), key=lambda item: (-item[1], item[0])) if code not in chosen][:MOST_PLACES]
    options = [_option(place.code, place.name, counts.get(place.code, 0), checked=True) for place in chosen.values()]
    return options + [_option(code, places.known()[code].name, counts[code], checked=False) for code in most if code in places.known()]


def sector_tree(ticked: list[Sector], counts: Counts | None) -> list[Option]:
    """The sections, and under each ticked sector and its ancestors one level more. Empty branches are left out.

    Without counts: every section, since none is known to be empty.
    """
    opened = {code for sector in ticked for code in sector.codes}
    children: dict[str | None, list[Sector]] = defaultdict(list)
    for sector in sectors.tree().values():
        if (sector.level == 1 or sector.parent_id in opened) and (counts is None or counts.get(sector.code) or sector.code in opened):
            children[sector.parent_id].append(sector)
    return list(_branches(None, children, {sector.code for sector in ticked}, counts))


def _branches(parent: str | None, children: Mapping[str | None, list[Sector]], ticked: set[str], counts: Counts | None) -> Iterator[Option]:
    """The sectors under `parent`, the largest first, each followed by its own branches."""
    sizes = counts or {}
    for sector in sorted(children.get(parent, ()), key=lambda sector: (-sizes.get(sector.code, 0), sector.path)):
        number = None if counts is None else sizes.get(sector.code, 0)
        yield _option(sector.code, sector.label, number, checked=sector.code in ticked, depth=sector.level - 1)
        yield from _branches(sector.code, children, ticked, counts)


def chips(wanted: ListingFilter) -> list[Chip]:
    """One for each filter that is on; the text is no filter, it stands in the search box."""
    values = wanted.values
    found = [_chip(wanted, "kind", value, Kind(value).label) for value in values["kind"]]
    found += [_chip(wanted, "category", value, Category(value).label) for value in values["category"]]
    if values["near"]:
        found.append(_near_chip(wanted))
    found += [_chip(wanted, "place", place.code, place.name) for place in values["place"]]
    found += [_chip(wanted, "sector", sector.code, sector.label) for sector in values["sector"]]
    found += [_chip(wanted, "language", value, dict(settings.LANGUAGES)[value]) for value in values["language"]]
    found += [_chip(wanted, "size", value, Size(value).label) for value in values["size"]]
    return found


def _chip(wanted: ListingFilter, name: str, value: str, label: str) -> Chip:
    return Chip(name, value, label, wanted.query_string(without_value=(name, value)))


def _near_chip(wanted: ListingFilter) -> Chip:
    place, km = wanted.values["near"], wanted.values["km"]
    label = _("Up to %(km)d km from %(place)s") % {"km": km, "place": place.name} if km else _("Distance from %(place)s") % {"place": place.name}
    return Chip("near", place.code, label, wanted.query_string(without=("near", "km")))


def clear_url(wanted: ListingFilter) -> str:
    """The address without any filter; text and order stay."""
    return wanted.query_string(without=("kind", "category", "near", "km", "place", "sector", "language", "size"))


def sort_options(wanted: ListingFilter) -> list[Option]:
    """The orders there are; "nearest" only from somewhere."""
    present = wanted.values["sort"] or SORTS[0][0]
    return [_option(value, label, None, checked=value == present) for value, label in SORTS if value != "nearest" or wanted.values["near"]]


def distance_options(wanted: ListingFilter) -> list[Option]:
    """The usual distances, and the one that is asked for if it is another."""
    present = wanted.values["km"]
    distances = sorted({*DISTANCES, *([present] if present else [])})
    return [_option(str(km), _("up to %(km)d km") % {"km": km}, None, checked=km == present) for km in distances]


def ways_out(wanted: ListingFilter, facets: Mapping[str, Counts], count_without_distance: int) -> list[tuple[Chip, int]]:
    """When nothing was found: each filter whose removal alone would give something, with how much.

    Each facet is counted without its own filter, so taking a lone value off gives the sum of its facet.
    """
    names = {"kind": "kinds", "category": "categories", "place": "places", "language": "languages", "size": "sizes"}
    ways = []
    for chip in chips(wanted):
        if len(wanted.values[chip.name] if chip.name != "near" else [1]) > 1:
            continue
        if chip.name == "near":
            number = count_without_distance
        elif chip.name == "sector":
            number = sum(n for code, n in facets.get("sectors", {}).items() if code.isalpha())
        else:
            number = sum(facets.get(names[chip.name], {}).values())
        if number:
            ways.append((chip, number))
    return sorted(ways, key=lambda way: -way[1])
