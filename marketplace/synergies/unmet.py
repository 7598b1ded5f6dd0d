"""Listings that find nobody: which ones, and the figures of demands that nothing answers.

A live listing without a suggestion is one of three: the engine has not seen its last change yet ("unseen"), it has looked and
found nothing good enough ("without"), or a curator looked too and nothing is to be had ("nothing").
"""

import datetime
import functools
import operator
from collections.abc import Iterator
from dataclasses import dataclass

from django.db.models import Count, Exists, F, OuterRef, Q
from django.db.models.functions import TruncMonth
from django.utils import timezone

import search
from marketplace.companies.models import Sector
from marketplace.core import changelog
from marketplace.core.models import Change
from marketplace.listings import documents
from marketplace.listings.enums import Kind
from marketplace.listings.models import Listing
from marketplace.listings.querysets import ListingQuerySet

from . import refresh
from .enums import State
from .models import Synergy, UnmetMark

MOST_NEAREST = 3
#: The figures tell of so many months, this one included.
MONTHS = 12


def _current(kind: Kind) -> Exists:
    """Whether the listing has a suggestion worth showing."""
    return Exists(Synergy.objects.current().filter(**{kind.value: OuterRef("pk")}).order_by())


def _unread() -> Exists:
    """Whether the listing has a change that the synergies' reader has still to see."""
    transaction, last = changelog.position(refresh.READER)
    later = Q(transaction__gt=transaction) | Q(transaction=transaction, id__gt=last)
    return Exists(Change.objects.filter(later, uid=OuterRef("uid")))


def _marked() -> Exists:
    """Whether a curator said, of this very text, that nothing is to be had."""
    return Exists(UnmetMark.objects.filter(listing=OuterRef("pk"), listing_version=OuterRef("version")))


def _live_without(kind: Kind) -> ListingQuerySet:
    return Listing.objects.live().filter(~_current(kind), kind=kind)


def without(kind: Kind) -> ListingQuerySet:
    """Looked at, nothing found, nobody has said that nothing is to be had. With `refused`, how many suggestions were set aside."""
    return with_refused(_live_without(kind).filter(~_unread(), ~_marked()))


def unseen() -> ListingQuerySet:
    """Without a suggestion because the engine has not looked at them yet; of both kinds."""
    return with_refused((_live_without(Kind.OFFER) | _live_without(Kind.DEMAND)).filter(_unread()))


def nothing() -> ListingQuerySet:
    """Those of which a curator said that nothing is to be had; of both kinds."""
    return with_refused((_live_without(Kind.OFFER) | _live_without(Kind.DEMAND)).filter(~_unread(), _marked()))


def with_refused(listings: ListingQuerySet) -> ListingQuerySet:
    """With `refused`: how many suggestions one of the two companies set aside."""
    set_aside = (Count(key, filter=Q(**{f"{key}__state": State.DISMISSED}), distinct=True) for key in ("synergies_as_demand", "synergies_as_offer"))
    return listings.annotate(refused=functools.reduce(operator.add, set_aside))


def is_unseen(listing: Listing) -> bool:
    """Whether the engine has still to see the listing's last change."""
    return Listing.objects.filter(_unread(), pk=listing.pk).exists()


# --- The nearest ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Nearest:
    """A candidate of whatever score, and what it lacks."""

    listing: Listing
    score: float
    missing: list[str]

    @property
    def suffices(self) -> bool:
        """Good enough to be suggested: set aside, or kept off the list by others."""
        return self.score >= search.THRESHOLD


def nearest(listing: Listing, *, limit: int = MOST_NEAREST) -> list[Nearest]:
    """The best candidates of whatever score; one question to the engine. Raises SearchUnavailable."""
    found = search.suggest(documents.document(listing), limit=limit, threshold=0.0)
    rows = {str(row.uid): row for row in Listing.objects.live().for_display().filter(uid__in=[one.uid for one in found])}
    return [Nearest(rows[one.uid], one.score, _missing(one)) for one in found if one.uid in rows]


def _missing(suggestion: search.Suggestion) -> list[str]:
    return [word for reason in suggestion.reasons if reason.code == "missing" for word in reason.data["terms"]]


# --- Figures --------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Row:
    """Live demands of one month of publication, section and municipality; of them without a match, and of those given up."""

    month: datetime.date
    section: str
    place: str
    demands: int
    unmet: int
    given_up: int


@dataclass(frozen=True)
class Figure:
    """One line of a figure: of so many demands, so many have no match."""

    label: str
    demands: int
    unmet: int


@dataclass(frozen=True)
class Figures:
    """The unmet demand of today. What the engine has still to look at is in none of the figures."""

    rows: list[Row]

    @property
    def demands(self) -> int:
        """All live demands that were looked at."""
        return sum(row.demands for row in self.rows)

    @property
    def unmet(self) -> int:
        """Those without a match."""
        return sum(row.unmet for row in self.rows)

    @property
    def given_up(self) -> int:
        """Those of which a curator says that nothing is to be had."""
        return sum(row.given_up for row in self.rows)

    def by_section(self) -> list[Figure]:
        """Per section of NACE, the most unmet first; codes, see `section_labels`."""
        return _summed((row.section, row) for row in self.rows)

    def by_place(self) -> list[Figure]:
        """Per municipality, the most unmet first."""
        return _summed((row.place, row) for row in self.rows)

    def by_month(self) -> list[tuple[datetime.date, Figure]]:
        """Per month of publication, the last MONTHS of them, the oldest first; months without a demand too."""
        counted = {figure.label: figure for figure in _summed((row.month.isoformat(), row) for row in self.rows)}
        months = list(_last_months())
        return [(month, counted.get(month.isoformat(), Figure(month.isoformat(), 0, 0))) for month in months]


def figures() -> Figures:
    """Counted in the database: one query, whatever the number of demands."""
    demands = Listing.objects.live().filter(~_unread(), kind=Kind.DEMAND, published_at__isnull=False)
    demands = demands.annotate(is_met=_current(Kind.DEMAND), is_marked=_marked(), month=TruncMonth("published_at"), path=F("sector__path"))
    counted = (
        demands.order_by()
        .values("month", "path", "place__name")
        .annotate(demands=Count("pk"), unmet=Count("pk", filter=Q(is_met=False)), given_up=Count("pk", filter=Q(is_met=False, is_marked=True)))
    )
    sums: dict[tuple[datetime.date, str, str], list[int]] = {}
    for row in counted:
        sums_of_row = sums.setdefault((timezone.localdate(row["month"]), row["path"].split()[0], row["place__name"]), [0, 0, 0])
        for place, name in enumerate(("demands", "unmet", "given_up")):
            sums_of_row[place] += row[name]
    return Figures([Row(*key, *counts) for key, counts in sorted(sums.items())])


def section_labels() -> dict[str, str]:
    """The names of the 21 sections in the language of this moment."""
    return {sector.code: sector.label for sector in Sector.objects.filter(level=1)}


def _summed(rows: Iterator[tuple[str, Row]]) -> list[Figure]:
    sums: dict[str, list[int]] = {}
    for label, row in rows:
        both = sums.setdefault(label, [0, 0])
        both[0] += row.demands
        both[1] += row.unmet
    return sorted((Figure(label, *both) for label, both in sums.items()), key=lambda figure: (-figure.unmet, -figure.demands, figure.label))


def _last_months() -> Iterator[datetime.date]:
    this = timezone.localdate().replace(day=1)
    for back in reversed(range(MONTHS)):
        years, month = divmod(this.month - 1 - back, 12)
        yield this.replace(year=this.year + years, month=month + 1)
