"""From the finder's query string to the aid on a page.

There are hundreds of aids, not millions: their facts are loaded in a fixed number of queries and filtered, counted and ordered here. The
engine does what it alone can, which texts a person's words mean and in what order. When it does not answer, plain words must do.
"""

import logging
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from django.core.paginator import Paginator
from django.utils import timezone
from django.utils.functional import cached_property

import search
from marketplace.companies import sectors
from marketplace.companies.enums import Size
from marketplace.companies.models import Company
from search import Hit, analysis

from . import register, states
from .documents import uid_of
from .eligibility.evaluation import Verdict, evaluate, truth
from .eligibility.profile import profile_of
from .eligibility.rules import rule_of
from .enums import Beneficiary
from .filters import FACETS, AidFilter
from .models import AidIndexPage, AidPage, Funder
from .states import ALIVE, Standing, State

logger = logging.getLogger(__name__)

PAGE_SIZE = 20
#: Of more texts nobody looks at the last ones.
MOST_FOUND = 500
#: Where an aid stands in the order of deadlines.
_PLACES = {State.CLOSING_SOON: 0, State.OPEN: 0, State.PERMANENT: 1, State.ANNOUNCED: 2, State.EXHAUSTED: 3, State.CLOSED: 4}
_FIT_PLACES = {"yes": 0, "unknown": 1, "no": 2}
#: An aid that is for anybody counts for each of these.
EVERY_VALUE: Mapping[str, tuple[str, ...]] = {"beneficiary": tuple(Beneficiary.values), "size": tuple(Size.values)}


@dataclass(frozen=True)
class Item:
    """An aid with what is asked of it: its address, its facts as sets, what the engine and the rules say."""

    page: AidPage
    url: str
    today: date
    hit: Hit | None = None
    #: For the company that asks: yes, unknown or no; empty when nobody asks.
    fit: str = ""
    #: The same with the clauses that decide it, for what is shown.
    verdict: Verdict | None = None
    #: The number by which it was asked for: that of another language's version in a link from there.
    asked_as: int = 0
    #: Whether it is among those to compare.
    is_chosen: bool = False

    @cached_property
    def standing(self) -> Standing:
        """Its state and the call that decides it. Not the page's own: that one is shared and would keep yesterday's."""
        return states.standing(self.page.calls.all(), self.today)

    @property
    def days_left(self) -> int | None:
        """Days to the deadline while one can ask."""
        return self.standing.days_left(self.today)

    @property
    def alive(self) -> bool:
        """Whether one can ask, or soon can."""
        return self.standing.state in ALIVE

    @property
    def without_end(self) -> bool:
        """Whether one can ask and there is no deadline to wait for."""
        return self.standing.state == State.PERMANENT

    @cached_property
    def facts(self) -> dict[str, frozenset[str]]:
        """Its values by facet. The empty set means no restriction: it counts for every value."""
        return {
            "kind": frozenset([self.page.kind]),
            "state": frozenset([self.standing.state]),
            "beneficiary": frozenset(self.page.beneficiaries),
            "size": frozenset(self.page.sizes),
            "sector": frozenset(row.sector_id for row in self.page.sector_rows.all()),
            "level": frozenset(funder.level for funder in self.page.funders),
            "funder": frozenset(str(funder.pk) for funder in self.page.funders),
            "fit": frozenset([self.fit] if self.fit else []),
        }


@dataclass(frozen=True)
class Results:
    """A page of what was found. `facets` counts each without its own filter; `ended` is how many closed ones are left out."""

    items: list[Item]
    total: int
    page: int
    facets: dict[str, dict[str, int]]
    ended: int
    page_size: int = PAGE_SIZE
    degraded: bool = False
    #: All of them in their order, for the calendar and the feeds.
    all_items: list[Item] = field(default_factory=list)
    #: Who gives any of the aid there is.
    funders: list[Funder] = field(default_factory=list)
    #: What was chosen for the comparison, found or not.
    chosen: list[Item] = field(default_factory=list)


# --- Loading -------------------------------------------------------------------------------------------------------------


def load(index: AidIndexPage, request: object = None, *, numbers: Collection[int] | None = None) -> list[Item]:
    """Every public aid below the finder, with what lists show; `numbers`: only these."""
    return [item(page, index, request) for page in register.pages(index) if numbers is None or page.pk in numbers]


def item(page: AidPage, index: AidIndexPage, request: object = None) -> Item:
    """The aid in a list. Its address is built from the finder's: Wagtail's own way asks the database for each page."""
    return Item(page, f"{index.get_url(request)}{page.slug}/", timezone.localdate())


def chosen(items: list[Item], numbers: list[int]) -> list[Item]:
    """Those of `items` with these numbers, in their order; a number may be that of another language's version."""
    by_number = {one.page.pk: one for one in items}
    if missing := [number for number in numbers if number not in by_number]:
        by_key = {one.page.translation_key: one for one in items}
        keys = AidPage.objects.filter(pk__in=missing).values_list("pk", "translation_key")
        by_number |= {number: by_key[key] for number, key in keys if key in by_key}
    return [replace(by_number[number], asked_as=number) for number in numbers if number in by_number]


#: How many aids an aid points to.
MOST_RELATED = 3


def related(page: AidPage, items: list[Item]) -> list[Item]:
    """What the editors point to and one can still use, filled up with open aid that is like it, the most alike first."""
    usable = [one for one in items if one.page.pk != page.pk and one.alive]
    first = chosen(usable, [row.aid_id for row in page.related_rows.all()])
    pointed_to = {one.page.pk for one in first}
    like = [(likeness(page, one.page), one) for one in usable if one.page.pk not in pointed_to]
    rest = sorted((pair for pair in like if pair[0] >= LEAST_ALIKE), key=lambda pair: (-pair[0], *by_deadline(pair[1])))
    return (first + [one for _likeness, one in rest])[:MOST_RELATED]


#: Below this two aids have no more in common than that companies get them.
LEAST_ALIKE = 1.5


def likeness(one: AidPage, other: AidPage) -> float:
    """How alike two aids are by their facts: what one gets, who may ask, in which sectors, and the words of both titles."""
    who = not one.beneficiaries or not other.beneficiaries or not set(one.beneficiaries).isdisjoint(other.beneficiaries)
    words = len(_title_words(one) & _title_words(other))
    sectors_of_both = {row.sector_id for row in one.sector_rows.all()} & {row.sector_id for row in other.sector_rows.all()}
    return 1.5 * words + (one.kind == other.kind) + 1.5 * bool(sectors_of_both) + 0.5 * who


def _title_words(page: AidPage) -> set[str]:
    return {token.lemma for token in analysis.analyse(page.title, page.locale.language_code)}


# --- Filters -------------------------------------------------------------------------------------------------------------


def _accepts(item: Item, name: str, chosen: list) -> bool:
    """Whether an aid is of one of the chosen values of a facet."""
    own = item.facts[name]
    if not chosen or (not own and name != "fit"):
        return True
    if name == "sector":
        return any(_same_branch(code, sector.code) for code in own for sector in chosen)
    return not own.isdisjoint(str(getattr(value, "pk", value)) for value in chosen)


def _same_branch(own: str, asked: str) -> bool:
    """Whether one sector is the other or lies below it: aid for printers is for some of industry, and aid for industry for printers."""
    tree = sectors.tree()
    return own in tree and (own in tree[asked].codes or asked in tree[own].codes)


def refused_by(item: Item, values: Mapping[str, Any]) -> set[str]:
    """The facets that an aid does not pass, "ended" among them when it is closed and closed ones were not asked for."""
    refused = {name for name in FACETS if not _accepts(item, name, values[name])}
    if not item.alive and not values["ended"] and not values["state"]:
        refused.add("ended")
    return refused


def count(refusals: Iterable[tuple[Item, set[str]]]) -> dict[str, dict[str, int]]:
    """How many each value of each facet would give. Each facet is counted without its own filter, so that a second value can be ticked."""
    counts: dict[str, dict[str, int]] = {name: {} for name in FACETS}
    for one, refused in refusals:
        for name in FACETS:
            # A state is its own switch: whoever ticks "closed" wants closed ones.
            if refused <= ({name, "ended"} if name == "state" else {name}):
                for value in _counted(one, name):
                    counts[name][value] = counts[name].get(value, 0) + 1
    return counts


def _counted(item: Item, name: str) -> Iterable[str]:
    own = item.facts[name]
    if name == "sector":
        tree = sectors.tree()
        return {code for own_code in own if own_code in tree for code in tree[own_code].codes} or (code for code, sector in tree.items() if sector.level == 1)
    return own or EVERY_VALUE.get(name, ())


# --- For a company -------------------------------------------------------------------------------------------------------


def with_answers(items: list[Item], company: Company) -> list[Item]:
    """The aid with yes, unknown or no for a company."""
    profile = profile_of(company)
    return [replace(one, fit=truth(rule_of(one.page), profile, one.today).value) for one in items]


def with_verdicts(items: list[Item], company: Company) -> list[Item]:
    """The aid with the clauses that decide for a company: dearer, so for those that are shown."""
    profile = profile_of(company)
    verdicts = [evaluate(rule_of(one.page), profile, one.today) for one in items]
    return [replace(one, fit=verdict.answer.value, verdict=verdict) for one, verdict in zip(items, verdicts, strict=True)]


# --- Text ----------------------------------------------------------------------------------------------------------------


def _with_text(items: list[Item], text: str, language: str) -> tuple[list[Item], bool]:
    """The aid that a text finds, the best first, and whether the engine was away. An official number finds its own aid."""
    numbered = [one for one in items if any(call.number and call.number.casefold() == text.casefold() for call in one.page.calls.all())]
    if numbered:
        return numbered, False
    try:
        found = search.find(search.Query(text=text, kinds=("aid",), languages=(language,), page_size=MOST_FOUND))
    except search.SearchUnavailable:
        logger.warning("No search engine answers; looking for the words in titles and summaries.")
        return plainly(items, text), True
    by_uid = {str(uid_of(one.page)): one for one in items}
    return [replace(by_uid[hit.uid], hit=hit) for hit in found.hits if hit.uid in by_uid], found.degraded


def plainly(items: list[Item], text: str) -> list[Item]:
    """Those in whose title, sentence or funders every word of the text begins a word, whatever its accents and capitals."""
    words = [f" {folded}" for word in text.split() if (folded := analysis.fold(word))]
    return [one for one in items if all(word in _plain_text(one) for word in words)]


def _plain_text(item: Item) -> str:
    texts = [item.page.title, item.page.summary, item.page.get_kind_display(), *(funder.name for funder in item.page.funders)]
    return " " + " ".join(analysis.fold(word) for text in texts for word in text.replace("’", " ").replace("'", " ").split())


# --- Order and pages -----------------------------------------------------------------------------------------------------


def by_deadline(item: Item) -> tuple:
    """What closes first, then what is always open, what will open, what has ended."""
    call, place = item.standing.call, _PLACES[item.standing.state]
    if place == _PLACES[State.OPEN]:
        return (place, call.deadline.toordinal(), item.page.title)
    if item.standing.state == State.ANNOUNCED:
        return (place, call.opens_on.toordinal(), item.page.title)
    ended = (call.deadline or call.exhausted_on) if call and not item.alive else None
    return (place, -ended.toordinal() if ended else 0, item.page.title)


def _newest_first(item: Item) -> tuple:
    first = item.page.first_published_at
    return (-first.timestamp() if first else 0, -item.page.pk)


def in_order(items: list[Item], sort: str) -> list[Item]:
    """The aid in the order that was asked for; "relevance" is the order in which the text found them."""
    orders: dict[str, Callable[[Item], tuple]] = {"deadline": by_deadline, "newest": _newest_first}
    if sort == "fit":
        return sorted(items, key=lambda one: (_FIT_PLACES.get(one.fit, 1), *by_deadline(one)))
    return sorted(items, key=orders[sort]) if sort in orders else items


def find(wanted: AidFilter, index: AidIndexPage, request: object = None, *, company: Company | None = None, page_size: int = PAGE_SIZE) -> Results:
    """What the query string asks for; the last page if there are not so many. With a company each aid has its verdict."""
    values = wanted.values
    items = every = load(index, request)
    if company:
        items = with_answers(items, company)
    degraded = False
    if values["q"]:
        items, degraded = _with_text(items, values["q"], index.locale.language_code)
    refusals = [(one, refused_by(one, values)) for one in items]
    found = in_order([one for one, refused in refusals if not refused], wanted.sort)
    page = Paginator(found, page_size).get_page(values["page"] or 1)
    to_compare = chosen(every, values["a"])
    shown = with_verdicts(list(page), company) if company else list(page)
    return Results(
        items=[replace(one, is_chosen=any(one.page.pk == other.page.pk for other in to_compare)) for one in shown],
        total=len(found),
        page=page.number,
        page_size=page_size,
        facets=count(refusals),
        ended=sum(refused == {"ended"} for _one, refused in refusals),
        degraded=degraded,
        all_items=found,
        funders=list({funder.pk: funder for one in every for funder in one.page.funders}.values()),
        chosen=to_compare,
    )
