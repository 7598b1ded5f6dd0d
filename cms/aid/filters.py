"""The query string of the aid finder: checked, and put into words when something in it is left out.

The finder, the calendar, its feeds and alerts read the same parameters with `AidFilter`. Nothing in a query string is an error that
stops: what cannot be understood is left out and listed in `ignored`, and the rest still works.
"""

from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.db import models
from django.utils.datastructures import MultiValueDict
from django.utils.functional import cached_property
from django.utils.text import Truncator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from marketplace.companies import sectors
from marketplace.companies.enums import Size
from marketplace.listings.filters import ChoicesField, Ignored, ManyField, TableField, TextField

from .enums import Beneficiary, Kind, Level, State
from .models import Funder

#: A comparison of more does not fit on a screen, nor in a head.
MOST_COMPARED = 4
#: The filters, as they stand in the query string and beside the results; each may have several values.
FACETS = ("kind", "state", "beneficiary", "size", "sector", "level", "funder", "fit")
SORTS = [
    ("relevance", gettext_lazy("Best match")),
    ("fit", gettext_lazy("Fits your company first")),
    ("deadline", gettext_lazy("Closing first")),
    ("newest", gettext_lazy("Newest")),
]
#: What other sites hang onto links; nobody typed it, so nobody is told that it means nothing here.
TRACKING = ("utm_", "fbclid", "gclid", "mc_", "_ga")
#: Not more than any list of parameters a person makes.
MOST_TOLD = 5


class Fit(models.TextChoices):
    """What the rules say of a company; the values are those of the eligibility's answers."""

    YES = "yes", gettext_lazy("You can ask for it")
    UNKNOWN = "unknown", gettext_lazy("To be checked")
    NO = "no", gettext_lazy("Not for you")


class FundersField(ManyField):
    """Several funders, by their number."""

    def known(self, values: list[str]) -> dict[str, Funder]:
        """Those that exist."""
        return {str(funder.pk): funder for funder in Funder.objects.filter(pk__in=[value for value in values if _is_number(value)])} if values else {}


class NumbersField(ManyField):
    """Several numbers of aid pages, each once, at most MOST_COMPARED. Whether they exist is known later."""

    def known(self, values: list[str]) -> dict[str, int]:
        """Those that are numbers."""
        return {value: int(value) for value in values if _is_number(value)}

    def clean(self, value: list[str] | None) -> list[int]:
        """The first MOST_COMPARED; the others go to `left_out`."""
        numbers = list(dict.fromkeys(super().clean(value)))
        more = _("You can compare up to %(n)d. Take one away first.") % {"n": MOST_COMPARED}
        self.left_out += [(str(number), more) for number in numbers[MOST_COMPARED:]]
        return numbers[:MOST_COMPARED]


def _is_number(value: str) -> bool:
    # Nine digits: more is no id, and would not fit into a database's integer.
    return value.isascii() and value.isdigit() and len(value) <= 9  # noqa: PLR2004


class _Form(forms.Form):
    q = TextField(label=gettext_lazy("Text"), required=False)
    kind = ChoicesField(label=gettext_lazy("What you get"), choices=Kind.choices, required=False)
    state = ChoicesField(label=gettext_lazy("State"), choices=State.choices, required=False)
    beneficiary = ChoicesField(label=gettext_lazy("Who can ask"), choices=Beneficiary.choices, required=False)
    size = ChoicesField(label=gettext_lazy("Company size"), choices=Size.choices, required=False)
    sector = TableField(label=gettext_lazy("Sector"), table=sectors.tree, required=False)
    level = ChoicesField(label=gettext_lazy("Who gives it"), choices=Level.choices, required=False)
    funder = FundersField(label=gettext_lazy("Funder"), required=False)
    ended = forms.BooleanField(label=gettext_lazy("Show closed aid too"), required=False)
    company = forms.UUIDField(label=gettext_lazy("Company"), required=False)
    fit = ChoicesField(label=gettext_lazy("For your company"), choices=Fit.choices, required=False)
    sort = forms.ChoiceField(label=gettext_lazy("Order"), choices=SORTS, required=False)
    page = forms.IntegerField(label=gettext_lazy("Page"), min_value=1, max_value=10**6, required=False)
    a = NumbersField(label=gettext_lazy("To compare"), required=False)


class AidFilter:
    """A search for aid as it stands in a query string.

    `parameters()` is the shortest query string that means the same; an alert keeps it without `page`, `sort` and `a`.
    """

    def __init__(self, data: Mapping[str, Any] | None = None) -> None:
        self.data = data if hasattr(data, "getlist") else MultiValueDict({name: [value] for name, value in (data or {}).items()})
        self.form = _Form(self.data)

    @cached_property
    def values(self) -> dict[str, Any]:
        """What was understood, by parameter; rows for `sector` and `funder`."""
        self.form.full_clean()
        values = {name: self.form.cleaned_data.get(name) for name in self.form.fields}
        # Somebody who ticked a sector and then a part of it wants the part.
        inner = {code for sector in values["sector"] for code in sector.codes[:-1]}
        values["sector"] = [sector for sector in values["sector"] if sector.code not in inner]
        if not values["company"]:
            values["fit"] = []
        if values["sort"] not in self.sorts(values):
            values["sort"] = ""
        return values

    @staticmethod
    def sorts(values: Mapping[str, Any]) -> list[str]:
        """The orders that make sense for these values, the usual one first."""
        return [*(["fit"] if values["company"] else []), *(["relevance"] if values["q"] else []), "deadline", "newest"]

    @property
    def sort(self) -> str:
        """The order that holds."""
        return self.values["sort"] or self.sorts(self.values)[0]

    def for_anybody(self) -> "AidFilter":
        """The same without what only a member can ask: what fits a company."""
        return self._but({name: values for name, values in self._pairs() if name not in {"company", "fit"}})

    def with_ended(self) -> "AidFilter":
        """The same, and closed aid too."""
        return self._but(dict(self._pairs()) | {"ended": ["1"]})

    def _pairs(self) -> list[tuple[str, list[str]]]:
        return [(name, self._given(name)) for name in self.data]

    def _but(self, data: dict[str, list[str]]) -> "AidFilter":
        return AidFilter(MultiValueDict(data))

    @cached_property
    def ignored(self) -> list[Ignored]:
        """What was not understood."""
        _values = self.values
        refused = [Ignored(name, _shown(value), message) for name, field in self.form.fields.items() for value, message in getattr(field, "left_out", ())]
        for name, errors in self.form.errors.items():
            refused.append(Ignored(name, _shown(str(self.data.get(name, ""))), f"{self.form.fields[name].label}: {errors[0]}"))
        unknown = [name for name in self.data if name not in self.form.fields and not name.startswith(TRACKING)]
        return refused + [Ignored(name, _shown(name), _("We do not know this part of the address.")) for name in unknown[:MOST_TOLD]]

    def parameters(self, *, without: Iterable[str] = (), without_value: tuple[str, str] | None = None, page: int | None = None) -> list[tuple[str, str]]:
        """The search as the shortest list of parameters, in a fixed order; less some of them if asked."""
        values = self.values
        pairs = [("q", values["q"])]
        pairs += [(name, str(getattr(value, "pk", value))) for name in FACETS if name != "fit" for value in values[name]]
        pairs += [("ended", "1" if values["ended"] else ""), ("company", values["company"])]
        pairs += [("fit", value) for value in values["fit"] if "company" not in without]
        pairs += [("sort", values["sort"] if self.sort != self.sorts(values)[0] else "")]
        pairs += [("page", page if page and page > 1 else "")]
        pairs += [("a", number) for number in values["a"]]
        return [(name, str(value)) for name, value in pairs if value and name not in without and (name, str(value)) != without_value]

    def query_string(self, **changes: object) -> str:
        """`parameters` (same arguments) as "?a=b&c=d", or "?" when nothing is left."""
        return "?" + urlencode(self.parameters(**changes))

    @property
    def is_untidy(self) -> bool:
        """Whether the query string holds empty or needless parameters, as a form without JavaScript sends them."""
        usual = {("sort", self.sorts(self.values)[0]), ("page", "1")}
        return any(not value or (name, value) in usual for name in self.form.fields for value in self._given(name))

    def _given(self, name: str) -> list[str]:
        return self.data.getlist(name)


def _shown(value: str) -> str:
    return Truncator(" ".join(value.replace("\x00", " ").split())).chars(40)
