"""What the home page and the page of figures tell of the marketplace as it is now."""

import datetime
from collections import Counter
from itertools import dropwhile
from typing import Any

from django.core.cache import cache
from django.db.models import Count, Value
from django.db.models.functions import Substr, TruncMonth
from django.urls import reverse
from django.utils import timezone
from django.utils.dates import MONTHS
from django.utils.text import Truncator, capfirst
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from marketplace.companies import sectors
from marketplace.companies.models import Company
from marketplace.listings.enums import Category, Kind
from marketplace.listings.models import Listing
from marketplace.synergies.enums import State as SynergyState
from marketplace.synergies.models import Synergy

#: Seconds that the counts may be old; the newest listings and companies are never old.
MAX_AGE = 60
LATEST_LISTINGS, LATEST_COMPANIES, MOST_SECTORS = 6, 6, 8
#: Kilometres around the city that the search field offers.
DISTANCES = (10, 25, 50)
#: A line of the chart on a narrow screen.
LABEL_LENGTH = 38
#: Rows of the other charts.
MOST_PLACES, MONTHS_SHOWN = 8, 12


def home() -> dict[str, Any]:
    """The home page's context."""
    counts = cache.get_or_set("home-counts", _count, MAX_AGE)
    return {
        "figures": _figures(counts),
        "distances": DISTANCES,
        "sector_rows": _sector_rows(counts["sections"]),
        "latest_listings": Listing.objects.live().for_display().order_by("-published_at", "-id")[:LATEST_LISTINGS],
        "latest_companies": Company.objects.public().of_this_marketplace().for_display().order_by("-created", "-id")[:LATEST_COMPANIES],
    }


def _count() -> dict[str, Any]:
    # The first letter of a sector's path is its section.
    listings = Listing.objects.live().order_by().values_list("kind", Substr("sector__path", 1, 1)).annotate(n=Count("id"))
    current = Synergy.objects.current().order_by().values_list("state", Value("")).annotate(n=Count("id"))
    companies = Company.objects.public().of_this_marketplace().order_by().values_list(Value("companies"), Value("")).annotate(n=Count("id"))
    kinds: Counter[str] = Counter()
    sections: Counter[str] = Counter()
    # One query for all three: kinds and states have no name in common.
    for name, section, n in listings.union(current, companies, all=True):
        kinds[name] += n
        if section:
            sections[section] += n
    return {
        "companies": kinds["companies"],
        "offers": kinds[Kind.OFFER],
        "demands": kinds[Kind.DEMAND],
        "synergies": sum(kinds[state] for state in SynergyState),
        "mutual": kinds[SynergyState.MUTUAL],
        "sections": dict(sections),
    }


def indicators() -> dict[str, Any]:
    """The same figures for programs: with codes, noughts and every row."""
    counts = cache.get_or_set("home-counts", _count, MAX_AGE)
    details = cache.get_or_set("figures-details", _count_details, MAX_AGE)
    tree = sectors.tree()
    labels = {
        "companies": _("Companies"),
        "offers": _("Offers"),
        "demands": _("Demands"),
        "synergies": _("Synergies suggested"),
        "mutual": _("Synergies with a yes from both"),
    }
    series = {
        "sectors": (_("By sector"), [(code, tree[code].label, n) for code, n in sorted(counts["sections"].items(), key=lambda item: (-item[1], item[0]))]),
        "categories": (_("Offers and demands of each kind"), [(code, str(Category(code).label), n) for code, n in details["categories"]]),
        "places": (_("By municipality"), [(code, name, n) for code, name, n in details["places"]]),
        "months": (_("By month of publication"), [(f"{first:%Y-%m}", _month(first), n) for first, n in details["months"]]),
    }
    return {
        "figures": [{"code": code, "label": label, "value": counts[code]} for code, label in labels.items()],
        "series": [
            {"code": code, "label": label, "rows": [{"code": row, "label": words, "value": n} for row, words, n in rows]}
            for code, (label, rows) in series.items()
        ],
    }


def _figures(counts: dict[str, Any]) -> list[dict[str, object]]:
    search = reverse("listings:search")
    companies, offers, demands, synergies, mutual = (counts[name] for name in ("companies", "offers", "demands", "synergies", "mutual"))
    figures: list[dict[str, object]] = [
        {"number": companies, "label": ngettext("company", "companies", companies), "url": reverse("companies:list")},
        {"number": offers, "label": ngettext("offer", "offers", offers), "url": f"{search}?kind=offer"},
        {"number": demands, "label": ngettext("demand", "demands", demands), "url": f"{search}?kind=demand"},
        {"number": synergies, "label": ngettext("synergy suggested", "synergies suggested", synergies)},
        {"number": mutual, "label": ngettext("with a yes from both", "with a yes from both", mutual)},
    ]
    # A nought says nothing to somebody who comes for the first time.
    return [figure for figure in figures if figure["number"]]


def _sector_rows(sections: dict[str, int]) -> list[tuple[str, int]]:
    """The sections with most listings, and the rest in one row, for the chart."""
    ranked = sorted(sections.items(), key=lambda item: (-item[1], item[0]))
    return _with_rest([(_short(sectors.tree()[code].label), n) for code, n in ranked], MOST_SECTORS, _("Other sectors"))


def _with_rest(rows: list[tuple[str, int]], most: int, others: str) -> list[tuple[str, int]]:
    """The first rows, and the rest in one."""
    rest = sum(n for _label, n in rows[most:])
    return [*rows[:most], (others, rest)] if rest else rows[:most]


def _short(label: str) -> str:
    return Truncator(label.partition(";")[0]).chars(LABEL_LENGTH)


def public() -> dict[str, Any]:
    """The context of the page of figures: the same figures as at home, and charts of what is live."""
    counts = cache.get_or_set("home-counts", _count, MAX_AGE)
    details = cache.get_or_set("figures-details", _count_details, MAX_AGE)
    charts = [
        _chart(_("By sector"), _("Sector"), _sector_rows(counts["sections"])),
        _chart(_("Offers and demands of each kind"), _("Kind"), [(str(Category(code).label), n) for code, n in details["categories"]]),
        _chart(
            _("By municipality"), _("Municipality"), _with_rest([(name, n) for _code, name, n in details["places"]], MOST_PLACES, _("Other municipalities"))
        ),
        _chart(_("By month of publication"), _("Month"), [(_month(first), n) for first, n in details["months"]]),
    ]
    return {"figures": _figures(counts), "charts": [chart for chart in charts if any(n for _label, n in chart["rows"])]}


def _chart(title: str, label: str, rows: list[tuple[str, int]]) -> dict[str, Any]:
    return {"title": title, "label": label, "rows": rows, "unit": _("Offers and demands")}


def _count_details() -> dict[str, Any]:
    live = Listing.objects.live().order_by()
    places = sorted(live.values_list("place", "place__name").annotate(n=Count("id")), key=lambda row: (-row[2], row[1]))
    categories = Counter(dict(live.values_list("category").annotate(n=Count("id")))).most_common()
    months = {moment.date(): n for moment, n in live.values_list(TruncMonth("published_at")).annotate(n=Count("id")) if moment}
    return {
        "categories": categories,
        "places": places,
        # From the first month with something in it: a young marketplace does not begin with noughts.
        "months": list(dropwhile(lambda row: not row[1], ((first, months.get(first, 0)) for first in _last_months(timezone.localdate(), MONTHS_SHOWN)))),
    }


def _last_months(today: datetime.date, count: int) -> list[datetime.date]:
    """The first days of this month and those before it, oldest first."""
    numbers = range(today.year * 12 + today.month - count, today.year * 12 + today.month)
    return [datetime.date(number // 12, number % 12 + 1, 1) for number in numbers]


def _month(first: datetime.date) -> str:
    return f"{capfirst(str(MONTHS[first.month]))} {first.year}"
