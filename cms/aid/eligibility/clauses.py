"""What a rule is made of: clauses, each about one fact, and the groups that join them. Values only, no database.

A clause says for which values of its fact it holds; `truth` compares that with what is known:

    YES      every value that is still possible fulfils it
    NO       none does
    UNKNOWN  some do
"""

import datetime
import hashlib
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

from marketplace.companies import sectors
from marketplace.companies.enums import Size

from .days import A_DAY, MONTHS, months_before
from .known import Activity, Between, Known, Seat, spans
from .truth import Truth

PEOPLE, SECTOR, PLACE, FOUNDED, FORM, WHO = "people", "sector", "place", "founded", "form", "who"
TAXES, SOCIAL_SECURITY, DE_MINIMIS, SELF_EMPLOYED = "taxes", "social-security", "de-minimis", "self-employed"
REVENUE, QUESTION = "revenue-", "q-"
YES_OR_NO = ("yes", "no")

#: How many people each size class employs.
PEOPLE_OF = {Size.MICRO: Between(0, 9), Size.SMALL: Between(10, 49), Size.MEDIUM: Between(50, 249), Size.LARGE: Between(250, None)}


class Clause(ABC):
    """One condition about one fact."""

    @property
    @abstractmethod
    def fact(self) -> str:
        """What one has to know to decide it."""

    @abstractmethod
    def truth(self, known: Known | None, today: datetime.date) -> Truth:
        """Whether it holds; `known` is what is known of the fact."""


class SpanClause(Clause):
    """A condition that a number or a day lies in one of some ranges."""

    @abstractmethod
    def spans(self, today: datetime.date) -> tuple[Between, ...]:
        """The ranges in which it holds; they do not touch."""

    def truth(self, known: Known | None, today: datetime.date) -> Truth:
        """By comparing ranges."""
        known = known or Between()
        holding = self.spans(today)
        if any(known.within(span) for span in holding):
            return Truth.YES
        return Truth.NO if all(known.apart(span) for span in holding) else Truth.UNKNOWN


class ListClause(Clause):
    """A condition that a value of a closed list is one of some."""

    @property
    @abstractmethod
    def wanted(self) -> frozenset[str]:
        """The values with which it holds."""

    def truth(self, known: Known | None, today: datetime.date) -> Truth:
        """By comparing sets."""
        if known is None:
            return Truth.UNKNOWN
        if known.values <= self.wanted:
            return Truth.YES
        return Truth.UNKNOWN if known.values & self.wanted else Truth.NO


# --- Clauses ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class SectorIn(Clause):
    """The activity is one of these NACE codes (of any level) or below one."""

    codes: tuple[str, ...]
    fact = SECTOR

    def truth(self, known: Activity | None, today: datetime.date) -> Truth:
        """A company filed under 22 may be in 2229: UNKNOWN."""
        if known is None:
            return Truth.UNKNOWN
        if set(self.codes).intersection(known.path):
            return Truth.YES
        if known.path:
            below = [code for code in self.codes if _may_be_below(code, known.path[-1])]
            return Truth.UNKNOWN if below else Truth.NO
        return Truth.NO if known.without.issuperset(self.codes) else Truth.UNKNOWN


def _may_be_below(code: str, node: str) -> bool:
    sector = sectors.tree().get(code)
    return bool(sector) and node in sector.codes


@dataclass(frozen=True)
class SizeIn(SpanClause):
    """The company is of one of these size classes."""

    sizes: tuple[str, ...]
    fact = PEOPLE

    def spans(self, today: datetime.date) -> tuple[Between, ...]:
        """Their numbers of people."""
        return spans(PEOPLE_OF[Size(size)] for size in self.sizes)


@dataclass(frozen=True)
class PeopleBetween(SpanClause):
    """At least, at most so many people work there."""

    least: int | None = None
    most: int | None = None
    fact = PEOPLE

    def spans(self, today: datetime.date) -> tuple[Between, ...]:
        """One range."""
        return (Between(self.least, self.most),)


@dataclass(frozen=True)
class PlaceIn(Clause):
    """The company is in one of these municipalities (codes), comarcas or provinces (names)."""

    municipalities: tuple[str, ...] = ()
    comarcas: tuple[str, ...] = ()
    provinces: tuple[str, ...] = ()
    fact = PLACE

    def truth(self, known: Seat | None, today: datetime.date) -> Truth:
        """A municipality is known or not."""
        if known is None:
            return Truth.UNKNOWN
        inside = known.code in self.municipalities or known.comarca in self.comarcas or known.province in self.provinces
        return Truth.YES if inside else Truth.NO


class When(Enum):
    """How a founding day is limited."""

    SINCE = "since"
    BEFORE = "before"
    YOUNGER = "younger"
    OLDER = "older"


@dataclass(frozen=True)
class Founded(SpanClause):
    """Founded on `day` or later (SINCE) or BEFORE it; less than `years` years ago (YOUNGER) or at least so many (OLDER)."""

    when: When
    day: datetime.date | None = None
    years: int | None = None
    fact = FOUNDED

    def spans(self, today: datetime.date) -> tuple[Between, ...]:
        """One range, open on one side."""
        limit = self.day or months_before(today, MONTHS * self.years)
        if self.when is When.SINCE:
            return (Between(limit, None),)
        if self.when is When.BEFORE:
            return (Between(None, limit - A_DAY),)
        return (Between(limit + A_DAY, None),) if self.when is When.YOUNGER else (Between(None, limit),)


@dataclass(frozen=True)
class FormIn(ListClause):
    """The legal form is one of these."""

    forms: tuple[str, ...]
    fact = FORM

    @property
    def wanted(self) -> frozenset[str]:
        """The forms."""
        return frozenset(self.forms)


@dataclass(frozen=True)
class WhoIn(ListClause):
    """Whoever asks is one of these kinds of beneficiary."""

    kinds: tuple[str, ...]
    fact = WHO

    @property
    def wanted(self) -> frozenset[str]:
        """The kinds."""
        return frozenset(self.kinds)


@dataclass(frozen=True)
class Period:
    """Months of a year, compared with the same months of another."""

    year: int
    first: int = 1
    last: int = 12
    against: int | None = None

    @property
    def compared_year(self) -> int:
        """The year before, unless another one is named."""
        return self.against or self.year - 1

    @property
    def key(self) -> str:
        """As it stands in an address: "2020-03-05-2019"."""
        return f"{self.year}-{self.first:02}-{self.last:02}-{self.compared_year}"


@dataclass(frozen=True)
class RevenueFell(SpanClause):
    """The revenue of a period was at least `percent` % below that of the one it is compared with."""

    period: Period
    percent: int

    @property
    def fact(self) -> str:
        """Each period's fall is a fact of its own."""
        return REVENUE + self.period.key

    def spans(self, today: datetime.date) -> tuple[Between, ...]:
        """From this percentage on."""
        return (Between(self.percent, None),)


@dataclass(frozen=True)
class SelfEmployedSince(SpanClause):
    """Registered as self-employed on `day` at the latest, or at least so many months ago."""

    day: datetime.date | None = None
    months: int | None = None
    fact = SELF_EMPLOYED

    def limit(self, today: datetime.date) -> datetime.date:
        """The last day on which one may have registered."""
        return self.day or months_before(today, self.months)

    def spans(self, today: datetime.date) -> tuple[Between, ...]:
        """Up to that day."""
        return (Between(None, self.limit(today)),)


@dataclass(frozen=True)
class UpToDate(ListClause):
    """Nothing is owed to the tax office (TAXES) or to the social security (SOCIAL_SECURITY)."""

    fact: str = TAXES

    @property
    def wanted(self) -> frozenset[str]:
        """A plain yes."""
        return frozenset({"yes"})


@dataclass(frozen=True)
class DeMinimisBelow(SpanClause):
    """De minimis aid of the last three years sums up to less than `amount` whole euros."""

    amount: int
    fact = DE_MINIMIS

    def spans(self, today: datetime.date) -> tuple[Between, ...]:
        """Up to one euro less."""
        return (Between(None, self.amount - 1),)


@dataclass(frozen=True)
class Answered(ListClause):
    """An editor's own question in the three languages, answered as wanted. The same Catalan words are the same fact, in every aid."""

    text_ca: str
    text_es: str
    text_en: str
    answer: str = "yes"

    @property
    def fact(self) -> str:
        """By the words of the question."""
        words = " ".join(self.text_ca.casefold().split())
        return QUESTION + hashlib.sha256(words.encode()).hexdigest()[:8]

    @property
    def wanted(self) -> frozenset[str]:
        """One of the two answers."""
        return frozenset({self.answer})


# --- Groups -------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class AllOf:
    """Holds if each part does; without parts it holds."""

    parts: tuple["Rule", ...]


@dataclass(frozen=True)
class AnyOf:
    """Holds if one part does; without parts it does not."""

    parts: tuple["Rule", ...]


@dataclass(frozen=True)
class Not:
    """Holds if the part does not."""

    part: "Rule"


Rule = Clause | AllOf | AnyOf | Not


def clauses_of(rule: Rule) -> tuple[Clause, ...]:
    """Every clause of a rule once, in its order."""
    return tuple(dict.fromkeys(_walk(rule)))


def facts_of(rule: Rule) -> tuple[str, ...]:
    """Every fact a rule asks for once, in its order."""
    return tuple(dict.fromkeys(clause.fact for clause in _walk(rule)))


def _walk(rule: Rule) -> Iterator[Clause]:
    if isinstance(rule, Clause):
        yield rule
    elif isinstance(rule, Not):
        yield from _walk(rule.part)
    else:
        for part in rule.parts:
            yield from _walk(part)
