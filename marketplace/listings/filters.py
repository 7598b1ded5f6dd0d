"""The query string of a search: checked, and turned into what the engine is asked.

The public page, the API, alerts and saved searches all use `ListingFilter`. Nothing in a query string is an error that stops:
what cannot be understood is left out and listed in `ignored`, and the rest still works.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from math import cos, radians
from typing import Any
from urllib.parse import urlencode

import django_filters
from django import forms
from django.conf import settings
from django.db.models import Q
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.text import Truncator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from marketplace.companies import places, sectors
from marketplace.companies.enums import Size
from marketplace.companies.models import Place, Sector
from search import Query

from .enums import Category, Kind
from .models import Listing
from .querysets import ListingQuerySet

PAGE_SIZE = 20
#: Longer than any question; somebody who pastes a page gets its beginning looked up.
MAX_TEXT = 200
#: More ticks than that nobody makes by hand.
MAX_VALUES = 30
MAX_KM = 1000
KM_PER_DEGREE = 111.2
DEFAULT_SORT = "relevance"
SORTS = [
    ("relevance", gettext_lazy("Best match")),
    ("recent", gettext_lazy("Newest")),
    ("nearest", gettext_lazy("Nearest")),
    ("expiring", gettext_lazy("Ending soon")),
]


@dataclass(frozen=True)
class Ignored:
    """Something in the query string that was left out, and why, in words for the person who sent it."""

    name: str
    value: str
    message: str


# --- Fields: each keeps what it understands and remembers the rest in `left_out` ---------------------------------


class TextField(forms.CharField):
    """What was typed, in one line, cut at MAX_TEXT characters."""

    def clean(self, value: object) -> str:
        """The text; what was cut off goes to `left_out`."""
        text = " ".join(super().clean(value).split())
        self.left_out = []
        if len(text) > MAX_TEXT:
            self.left_out = [(text[MAX_TEXT:], _("Your text is very long. We searched for its first %(n)d characters.") % {"n": MAX_TEXT})]
        return text[:MAX_TEXT].rstrip()


class ManyField(forms.Field):
    """Several values of one parameter (`kind=offer&kind=demand`); unknown ones are left out."""

    widget = forms.SelectMultiple

    def clean(self, value: list[str] | None) -> list:
        """What the known values stand for, each once."""
        given = list(dict.fromkeys(text for text in value or [] if text))[:MAX_VALUES]
        known = self.known([text for text in given if "\x00" not in text])
        self.left_out = [(text, _("There is no such choice in “%(filter)s”.") % {"filter": self.label}) for text in given if text not in known]
        return [known[text] for text in given if text in known]

    def known(self, values: list[str]) -> dict[str, Any]:
        """The values that exist, each with what it stands for."""
        raise NotImplementedError


class ChoicesField(ManyField):
    """Several of a closed list."""

    def __init__(self, *args: object, choices: Iterable[tuple[str, Any]], **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        self.choices = dict(choices)

    def known(self, values: list[str]) -> dict[str, str]:
        """The values that are in the list."""
        return {value: value for value in values if value in self.choices}


class TableField(ManyField):
    """Several rows of a reference table, by their code. `table` gives all its rows by code."""

    def __init__(self, *args: object, table: Callable[[], Mapping[str, Any]], **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        self.table = table

    def known(self, values: list[str]) -> dict[str, Any]:
        """The codes that are in the table, each with its row."""
        return {value: self.table()[value] for value in values if value in self.table()}


class NearField(forms.CharField):
    """A municipality by its name, accents and capitals ignored, or by its INE code."""

    def clean(self, value: object) -> Place | None:
        """The place; an unknown one is an error that proposes others."""
        text = super().clean(value)
        if not text:
            return None
        place = places.known().get(text) or places.match(text)
        if place is None:
            meant = ", ".join(like.name for like in places.like(text))
            raise forms.ValidationError(
                _("We know no municipality of this name. Did you mean %(meant)s?") % {"meant": meant} if meant else _("We know no municipality of this name.")
            )
        return place


# --- Filters: what each field means in a plain database query (the engine gets `query()` instead) ---------------------


class TextFilter(django_filters.Filter):
    """Words in any of the texts."""

    field_class = TextField

    def filter(self, qs: ListingQuerySet, value: str) -> ListingQuerySet:
        """As django-filter asks."""
        return qs.matching(value) if value else qs


class ChoicesFilter(django_filters.Filter):
    """Any of the ticked values."""

    field_class = ChoicesField

    def filter(self, qs: ListingQuerySet, value: list[str]) -> ListingQuerySet:
        """As django-filter asks."""
        return qs.filter(**{f"{self.field_name}__in": value}) if value else qs


class SectorFilter(django_filters.Filter):
    """In any of the ticked branches of the tree."""

    field_class = TableField

    def filter(self, qs: ListingQuerySet, value: list[Sector]) -> ListingQuerySet:
        """As django-filter asks."""
        under = Q()
        for sector in value:
            under |= Q(sector__path__startswith=sector.path)
        return qs.filter(under)


class PlaceFilter(ChoicesFilter):
    """In any of the ticked municipalities."""

    field_class = TableField


class NearFilter(django_filters.Filter):
    """Restricts nothing by itself: with `km` it does, see ListingFilter.filter_queryset."""

    field_class = NearField

    def filter(self, qs: ListingQuerySet, value: Place | None) -> ListingQuerySet:
        """As django-filter asks."""
        return qs


class NumberFilter(django_filters.NumberFilter):
    """A whole number that other parameters need."""

    field_class = forms.IntegerField

    def filter(self, qs: ListingQuerySet, value: int | None) -> ListingQuerySet:
        """As django-filter asks."""
        return qs


class SortFilter(django_filters.ChoiceFilter):
    """An order. A database without geometry cannot tell what is nearest or relevant: newest first then."""

    def filter(self, qs: ListingQuerySet, value: str | None) -> ListingQuerySet:
        """As django-filter asks."""
        return qs.order_by("valid_until", "id") if value == "expiring" else qs.order_by("-published_at", "-id")


class ListingFilter(django_filters.FilterSet):
    """A search as it stands in a query string.

    `query()` is for the engine; `qs` is the same search in plain SQL, for when no engine answers; `parameters()` is the
    shortest query string that means the same, and what a saved search keeps.
    """

    q = TextFilter(label=gettext_lazy("Text"))
    kind = ChoicesFilter(label=gettext_lazy("Kind"), choices=Kind.choices)
    category = ChoicesFilter(label=gettext_lazy("Category"), choices=Category.choices)
    near = NearFilter(label=gettext_lazy("Near"))
    km = NumberFilter(label=gettext_lazy("Distance"), min_value=1, max_value=MAX_KM)
    place = PlaceFilter(label=gettext_lazy("Municipality"), field_name="place", table=places.known)
    sector = SectorFilter(label=gettext_lazy("Sector"), table=sectors.tree)
    language = ChoicesFilter(label=gettext_lazy("Language of the text"), choices=settings.LANGUAGES)
    size = ChoicesFilter(label=gettext_lazy("Company size"), field_name="company__size", choices=Size.choices)
    sort = SortFilter(label=gettext_lazy("Order"), choices=SORTS, empty_label=None)
    page = NumberFilter(label=gettext_lazy("Page"), min_value=1, max_value=10**6)

    class Meta:
        model = Listing
        fields: tuple[str, ...] = ()

    def __init__(self, data: Mapping[str, Any] | None = None, queryset: ListingQuerySet | None = None, **kwargs: object) -> None:
        super().__init__(data if data is not None else {}, Listing.objects.live() if queryset is None else queryset, **kwargs)

    @cached_property
    def values(self) -> dict[str, Any]:
        """What was understood, by parameter; rows for `sector`, `place` and `near`."""
        self.form.full_clean()
        values = {name: self.form.cleaned_data.get(name) for name in self.filters}
        # Somebody who ticked a sector and then a part of it wants the part.
        inner = {code for sector in values["sector"] for code in sector.codes[:-1]}
        values["sector"] = [sector for sector in values["sector"] if sector.code not in inner]
        if values["km"] and not self.data.get("near"):
            # "Up to 25 km" with nothing else means from here.
            values["near"] = places.match(settings.CITY_NAME)
        if values["sort"] == "nearest" and not values["near"]:
            values["sort"] = ""
        return values

    @cached_property
    def ignored(self) -> list[Ignored]:
        """What was not understood."""
        _values = self.values
        refused = [Ignored(name, self._shown(value), message) for name, field in self.form.fields.items() for value, message in getattr(field, "left_out", ())]
        for name, errors in self.form.errors.items():
            refused.append(Ignored(name, self._shown(self.data.get(name, "")), f"{self.form.fields[name].label}: {errors[0]}"))
        return refused

    def _shown(self, value: str) -> str:
        return Truncator(" ".join(value.replace("\x00", " ").split())).chars(40)

    def query(self, *, page_size: int = PAGE_SIZE) -> Query:
        """What to ask the engine."""
        values = self.values
        near = values["near"]
        return Query(
            text=values["q"] or "",
            kinds=tuple(values["kind"]),
            categories=tuple(values["category"]),
            sectors=tuple(sector.code for sector in values["sector"]),
            languages=tuple(values["language"]),
            sizes=tuple(values["size"]),
            places=tuple(place.code for place in values["place"]),
            near=(near.latitude, near.longitude) if near else None,
            within_km=values["km"] if near else None,
            valid_on=timezone.localdate(),
            sort=values["sort"] or DEFAULT_SORT,
            page=values["page"] or 1,
            page_size=page_size,
        )

    def filter_queryset(self, queryset: ListingQuerySet) -> ListingQuerySet:
        """The same search in SQL; a distance becomes the square around the place."""
        _values = self.values
        queryset = super().filter_queryset(queryset)
        near, km = self.values["near"], self.values["km"]
        if not (near and km):
            return queryset
        height = km / KM_PER_DEGREE
        width = height / max(cos(radians(near.latitude)), 0.01)
        return queryset.filter(
            place__latitude__range=(near.latitude - height, near.latitude + height),
            place__longitude__range=(near.longitude - width, near.longitude + width),
        )

    def parameters(self, *, without: Iterable[str] = (), without_value: tuple[str, str] | None = None, page: int | None = None) -> list[tuple[str, str]]:
        """The search as the shortest list of parameters, in a fixed order; less some of them if asked."""
        values = self.values
        pairs = [("q", values["q"])]
        pairs += [("kind", value) for value in values["kind"]]
        pairs += [("category", value) for value in values["category"]]
        if values["near"]:
            pairs += [("near", values["near"].name), ("km", values["km"])]
        pairs += [("place", place.code) for place in values["place"]]
        pairs += [("sector", sector.code) for sector in values["sector"]]
        pairs += [("language", value) for value in values["language"]]
        pairs += [("size", value) for value in values["size"]]
        needless = {DEFAULT_SORT, "nearest"} if "near" in without else {DEFAULT_SORT}
        pairs += [("sort", values["sort"] if values["sort"] not in needless else "")]
        pairs += [("page", page if page and page > 1 else "")]
        return [(name, str(value)) for name, value in pairs if value and name not in without and (name, str(value)) != without_value]

    def query_string(self, **changes: object) -> str:
        """`parameters` (same arguments) as "?a=b&c=d", or "?" when nothing is left."""
        return "?" + urlencode(self.parameters(**changes))

    @property
    def is_untidy(self) -> bool:
        """Whether the query string holds empty or needless parameters, as a form without JavaScript sends them."""
        return any(not value or (name, value) in {("sort", DEFAULT_SORT), ("page", "1")} for name in self.filters for value in self._given(name)) or (
            "km" in self.data and not self.values["near"] and not self.ignored
        )

    def _given(self, name: str) -> list[str]:
        return self.data.getlist(name) if hasattr(self.data, "getlist") else [str(self.data[name])] if name in self.data else []
