"""From two texts to a score: pure functions, no I/O, the same for every engine. `reasons` tells the score's why.

A pair has one score, whoever asks: how much of what the demand wants does the offer answer (see `wants`)? The
answered weight, measured by what the demand could reach, gives the words' points, so every point leads back to two places in
the two texts. The nearness of their meanings (see `meaning`) gives as many, and leads back to the passage that comes nearest.
Sector, place and freshness add theirs. What is not known (no sector, no coordinates) is neutral: it gives the middle, not
nothing; where no meaning is known, the words speak for both.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date

from . import meaning
from .documents import ListingDocument, Signal, Whereabouts
from .geo import distance_km
from .meaning import Meaning, Nearness
from .passages import Passage
from .wants import Analysed, Answer, Span, Term, Weights, answers, coverage, reachable

#: Stored with every suggestion; changes whenever the same two texts could score otherwise.
ENGINE_VERSION = "fusion-2"

#: Below this there is no suggestion: "no good match" is an answer. Calibrated on the demo city's judged pairs as the lowest
#: at which, with meaning, three of four suggestions fit (benchmarks/calibration.py); 40 would show a fifth more of the fitting ones and twice as many others.
THRESHOLD = 45.0

# --- What each signal gives at most; together 100 -----------------------------------------------------------------
CONTENT_POINTS = 70.0  # What is asked for is what counts; a perfect place cannot save a wrong product.
SECTOR_POINTS = 14.0  # A second opinion about the text, independent of its words and of its language.
PLACE_POINTS = 10.0  # The nearer of two equal offers is better, but most goods travel.
FRESHNESS_POINTS = 6.0  # An old listing's owner may have found a partner already.

#: The meaning's share of the content's points; the words have the rest. Anything from 0.4 to 0.65 is as good on the judged sets.
MEANING_SHARE = 0.48
#: Across languages words meet only by cognates and synonyms: they say less.
MEANING_SHARE_ACROSS = 0.63

#: From this nearness on the meaning gives all its points: half of the good pairs of the judged sets lie between 0.25 and 0.45, chance ones
#: around 0.05, and few reach 0.6.
FULL_NEARNESS = 0.6

#: From this share of the content's points on, the other signals count in full; below, in proportion: the same street and the same
#: sector are no match when the texts have nothing to say to each other.
FULL_SUPPORT = 0.35

#: How much the neighbours' mean score counts beside the own one in the order of suggestions. In first trials Recall@100 of both sets of
#: procurement rose by 0.01 to 0.015; for nDCG@10 the ablation shows no clear gain or loss but one gain, within a language.
VOUCHED_SHARE = 0.5

#: What a signal gives of its maximum when nothing is known.
NEUTRAL = 0.5

#: The share of the reachable weight that gives half the text's points. Good pairs of the demo city cover 0.4 to 1, chance ones
#: 0.2 to 0.3, mostly by one word.
HALF_COVERAGE = 0.4
#: One word in common may be chance; agreement convinces more than in proportion.
COVERAGE_STEEPNESS = 2.0

# --- Sector, place, freshness ---------------------------------------------------------------------------------------
#: Share of the points by how many levels of the NACE path (section, division, group, class) two sectors have in common.
SECTOR_SHARES = (0.0, 0.3, 0.65, 0.85, 1.0)
#: At this distance a place gives half its points: a county's width.
HALF_DISTANCE_KM = 25.0
#: At this age freshness gives half its points: a season.
HALF_AGE_DAYS = 90.0

# --- Signals: shares from 0 to 1, None if nothing is known --------------------------------------------------------------


def words_share(covered: float) -> float:
    """Half the points at HALF_COVERAGE, steep around it, never quite all."""
    return covered**COVERAGE_STEEPNESS / (covered**COVERAGE_STEEPNESS + HALF_COVERAGE**COVERAGE_STEEPNESS)


def sector_share(one: tuple[str, ...], other: tuple[str, ...]) -> float | None:
    """By how far two paths in the NACE tree go together."""
    if not one or not other:
        return None
    return SECTOR_SHARES[min(common_levels(one, other), len(SECTOR_SHARES) - 1)] if one != other else 1.0


def common_levels(one: tuple[str, ...], other: tuple[str, ...]) -> int:
    """How many levels of the tree two paths share."""
    return next((level for level, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))


def kilometres(one: ListingDocument | Whereabouts, other: ListingDocument | Whereabouts) -> float | None:
    """Between the two places; None if one is not known."""
    if None in (one.latitude, one.longitude, other.latitude, other.longitude):
        return None
    return distance_km((one.latitude, one.longitude), (other.latitude, other.longitude))


def is_reachable(one: ListingDocument | Whereabouts, other: ListingDocument | Whereabouts) -> bool:
    """Whether neither side's reach ends before the other's place; at a distance everything is reachable."""
    if one.remote or other.remote or one.reach_km is other.reach_km is None:
        return True
    km = kilometres(one, other)
    return km is None or all(km <= d.reach_km for d in (one, other) if d.reach_km is not None)


def place_share(one: ListingDocument, other: ListingDocument) -> float | None:
    """By distance; full for what is delivered at a distance."""
    if one.remote or other.remote:
        return 1.0
    km = kilometres(one, other)
    return None if km is None else 0.5 ** (km / HALF_DISTANCE_KM)


def age_days(one: ListingDocument, other: ListingDocument, today: date) -> int:
    """Age of the older of the two."""
    return max(0, *((today - d.published_at.date()).days for d in (one, other)))


def freshness_share(days: int) -> float:
    """By age."""
    return 0.5 ** (days / HALF_AGE_DAYS)


# --- A pair -------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Assessment:
    """A pair's score, what it is made of and why; `vouched` belongs to the list in which `best` put it."""

    score: float
    signals: tuple[Signal, ...]
    terms: tuple[Term, ...]
    found: tuple[Answer, ...]
    nearness: Nearness | None
    offer: Analysed
    demand: Analysed
    weighing: Weights
    today: date
    vouched: float = 0.0


def assess(offer: Analysed, demand: Analysed, terms: list[Term], weighing: Weights, *, today: date) -> Assessment:
    """The assessment of a pair; `terms` are the demand's, weighed by `weighing`."""
    found = answers(terms, offer, weighing)
    near = meaning.nearness(demand.meaning, offer.meaning)
    signals = tuple(Signal(*each) for each in _signals(offer.document, demand.document, _covered(terms, found), near, today))
    return Assessment(sum(signal.points for signal in signals), signals, tuple(terms), tuple(found), near, offer, demand, weighing, today)


def _covered(terms: Sequence[Term], found: Iterable[Answer]) -> float:
    return coverage((answer.value for answer in found), reachable(term.weight for term in terms))


@dataclass(frozen=True, slots=True)
class Scored:
    """A candidate and the pair's score, before anybody asks why."""

    document: ListingDocument
    meaning: Meaning | None
    score: float


def scored(candidate: ListingDocument, asking: Analysed, covered: float, *, today: date) -> Scored:
    """The score of a pair of which it is known how much of the demand's words the offer covers."""
    own = meaning.of(candidate)
    offer, demand = (own, asking.meaning) if asking.document.kind == "demand" else (asking.meaning, own)
    near = meaning.nearness(demand, offer)
    return Scored(candidate, own, sum(points for _, points, _ in _signals(candidate, asking.document, covered, near, today)))


def score_without(assessment: Assessment, removed: Collection[Span]) -> float:
    """The score that the pair would have if these stretches were not in the offer: what they contribute is what is lost."""
    offer, answered = assessment.offer, [answer.term for answer in assessment.found]  # Nothing answers more when less is left.
    asked = {key for term in answered for key in term.want.keys if key in offer.places}
    left = {key: tuple([place for place in offer.places[key] if not _overlaps((place.field, place.token.start, place.token.end), removed)]) for key in asked}
    tokens = tuple([token for token in offer.tokens if not _overlaps(token, removed)])
    found = answers(answered, replace(offer, places=left, tokens=tokens), assessment.weighing)
    lost = {number: _lost_share(passage, removed) for number, passage in enumerate(offer.meaning.passages)} if offer.meaning else None
    covered, left_over = (_covered(assessment.terms, each) for each in (assessment.found, found))
    telling = 1 - left_over / covered if covered else 0.0
    near = meaning.nearness(assessment.demand.meaning, offer.meaning, without=lost, telling=max(0.0, telling))
    return sum(points for _, points, _ in _signals(offer.document, assessment.demand.document, left_over, near, assessment.today))


def _overlaps(span: Span, removed: Collection[Span]) -> bool:
    for field, start, end in removed:  # noqa: SIM110 - `any` takes twice the time, for every word of every text and quotation
        if span[1] < end and start < span[2] and span[0] == field:
            return True
    return False


def _lost_share(passage: Passage, removed: Collection[Span]) -> float:
    covered = sum(max(0, min(passage.end, end) - max(passage.start, start)) for field, start, end in removed if field == passage.field)
    return min(1.0, covered / (passage.end - passage.start))


def _signals(one: ListingDocument, other: ListingDocument, covered: float, near: Nearness | None, today: date) -> list[tuple[str, float, float]]:
    """Name, points and maximum of each signal."""
    words = words_share(covered)
    if near is None:
        content = CONTENT_POINTS * words
        told = [("text", content, CONTENT_POINTS)]
    else:
        of_meaning = CONTENT_POINTS * (MEANING_SHARE if one.language == other.language else MEANING_SHARE_ACROSS)
        of_words = CONTENT_POINTS - of_meaning
        told = [("text", of_words * words, of_words), ("meaning", of_meaning * min(1.0, near.value / FULL_NEARNESS), of_meaning)]
        content = sum(points for _, points, _ in told)
    support = min(1.0, content / CONTENT_POINTS / FULL_SUPPORT)
    told.append(_supporting("sector", SECTOR_POINTS * support, sector_share(one.sectors, other.sectors), SECTOR_POINTS))
    told.append(_supporting("place", PLACE_POINTS * support, place_share(one, other), PLACE_POINTS))
    told.append(_supporting("freshness", FRESHNESS_POINTS * support, freshness_share(age_days(one, other, today)), FRESHNESS_POINTS))
    return told


def _supporting(name: str, points: float, share: float | None, maximum: float) -> tuple[str, float, float]:
    return name, points * (NEUTRAL if share is None else share), maximum


def best(found: Iterable[Scored], *, limit: int, threshold: float) -> list[tuple[Scored, float]]:
    """At most `limit` of one asking listing's candidates from `threshold` on, the most promising first, equal ones in a stable order.

    The order is that of the scores, helped by what the listings most like each of them score: so many points more each is told with. The
    score itself stays a fact of the pair: nobody's rises because somebody else publishes.
    """
    every = list(found)
    support = meaning.vouched([each.score for each in every], [each.meaning for each in every])
    promising = [(each, VOUCHED_SHARE * mean) for each, mean in zip(every, support, strict=True) if each.score >= threshold]
    return sorted(promising, key=lambda pair: (-pair[0].score - pair[1], pair[0].document.uid))[:limit]
