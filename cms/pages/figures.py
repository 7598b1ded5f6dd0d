"""What the home page tells of the marketplace as it is now."""

from typing import Any

from django.core.cache import cache
from django.db.models import Count
from django.db.models.functions import Substr
from django.urls import reverse
from django.utils.text import Truncator
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from marketplace.companies import sectors
from marketplace.companies.models import Company
from marketplace.listings.enums import Kind
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


def home() -> dict[str, Any]:
    """The home page's context."""
    counts = cache.get_or_set("home-counts", _count, MAX_AGE)
    return {
        "figures": _figures(counts),
        "distances": DISTANCES,
        "sector_rows": _sector_rows(counts["sections"]),
        "latest_listings": Listing.objects.live().for_display().order_by("-published_at", "-id")[:LATEST_LISTINGS],
        "latest_companies": Company.objects.public().for_display().order_by("-created", "-id")[:LATEST_COMPANIES],
    }


def _count() -> dict[str, Any]:
    live = Listing.objects.live().order_by()
    kinds = dict(live.values_list("kind").annotate(n=Count("id")))
    current = Synergy.objects.current().order_by()
    return {
        "companies": Company.objects.public().count(),
        "offers": kinds.get(Kind.OFFER, 0),
        "demands": kinds.get(Kind.DEMAND, 0),
        "synergies": current.count(),
        "mutual": current.filter(state=SynergyState.MUTUAL).count(),
        # The first letter of a sector's path is its section.
        "sections": dict(live.annotate(section=Substr("sector__path", 1, 1)).values_list("section").annotate(n=Count("id"))),
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
    rows = [(_short(sectors.tree()[code].label), n) for code, n in ranked[:MOST_SECTORS]]
    rest = sum(n for _code, n in ranked[MOST_SECTORS:])
    return [*rows, (_("Other sectors"), rest)] if rest else rows


def _short(label: str) -> str:
    return Truncator(label.partition(";")[0]).chars(LABEL_LENGTH)


def public() -> dict[str, Any]:
    """The context of the page of figures."""
    counts = cache.get_or_set("home-counts", _count, MAX_AGE)
    return {"figures": _figures(counts), "sector_rows": _sector_rows(counts["sections"])}
