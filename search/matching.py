"""From two texts to a score: pure functions, no I/O, the same for every engine. `reasons` tells the score's why.

A pair has one score, whoever asks: how much of what the demand wants does the offer answer? Each word of the demand weighs
by its rarity; the offer answers it with the same word, another inflection, a cognate or a synonym, each a little weaker. The
answered weight, measured by what the demand could reach, gives the words' points, so every point leads back to two places in
the two texts. The nearness of their meanings (see `meaning`) gives as many, and leads back to the passage that comes nearest.
Sector, place and freshness add theirs. What is not known (no sector, no coordinates) is neutral: it gives the middle, not
nothing; where no meaning is known, the words speak for both.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import lru_cache
from math import log

from . import analysis, meaning
from .analysis import Token
from .backends.base import Frequencies
from .documents import TEXT_FIELDS, ListingDocument, Signal
from .geo import distance_km
from .meaning import Meaning, Nearness
from .passages import Passage
from .vocabulary import EMPTY, Vocabulary

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

CONCEPT = "text_concept"

#: The forms in which curators' words are recognised.
TAUGHT_FORMS = ("text_word", "text_lemma")

#: How sure an answer in this form is; the forms are fields of the index. Measured on three sets, nDCG moves by less than 0.015 within ± 0.2 of each.
FORM_STRENGTHS = {
    "text_word": 1.0,
    "text_lemma": 0.95,
    "text_stem": 0.9,  # Sometimes joins strangers: universitat and universal share "univers".
    "text_cognate": 0.75,  # Sometimes a false friend.
    CONCEPT: 0.65,  # A synonym is near, not the same.
}

# --- BM25 -----------------------------------------------------------------------------------------------------------
#: How soon repeating a word stops helping (Lucene's default).
SATURATION = 1.2
#: How much a long text's single mention loses. Lucene's 0.75 punishes companies with a long catalogue (nDCG 0.509 instead of 0.518).
LENGTH_INFLUENCE = 0.4
#: Words of a usual listing. Fixed, so that a score does not move when others publish longer or shorter texts.
USUAL_LENGTH = 50

#: Fewer listings than this say nothing about how rare a word is.
LEAST_DOCUMENTS = 100

#: "servei de", "suministro de" say little; their rarity in the index says most of that already.
BOILERPLATE_WEIGHT = 0.8

#: Everyday words, numbers without a unit of their own: in a small index they look rare, though they tell nothing.
COMMON_WEIGHT = 0.5

#: Shorter stems join strangers: mes (month) and mesa (table).
SHORTEST_STEM = 4

#: Longer numbers may be codes of products or standards.
SHORTEST_CODE = 4

#: What stands in the title or is named as a keyword is wanted; the description tells the circumstances too.
FIELD_WEIGHTS = {"title": 4.0, "keywords": 4.0, "description": 1.0}

#: What an offer only mentions in its description it may not sell: "we deliver to hospitals".
MENTIONED_WEIGHT = 0.8

#: A long demand is fully answered when the weight of its so many heaviest words is: nobody offers every adjective.
REACHABLE_WORDS = 8

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

#: Heaviest words of an asking text that fetch candidates; further ones bring noise and time.
MOST_QUERY_WORDS = 48


#: A term as it is indexed: a form of FORM_STRENGTHS and the word in that form.
Key = tuple[str, str]

#: By key: how sure an answer in that form is, times how rare it is in the index.
Weights = Mapping[Key, float]


#: A stretch of a document: field, start, end.
Span = tuple[str, int, int]


@dataclass(frozen=True, slots=True)
class Place:
    """A token and the field in which it stands."""

    field: str
    token: Token


@dataclass(frozen=True, slots=True)
class Want:
    """A word of a text as something wanted: where it stands, how much it tells besides its rarity, what would answer it."""

    lemma: str
    places: tuple[Place, ...]
    emphasis: float
    keys: tuple[Key, ...]


@dataclass(frozen=True, slots=True)
class Analysed:
    """A document with its words by form, each with the places where they stand, the title's first."""

    document: ListingDocument
    places: dict[Key, tuple[Place, ...]]
    wants: tuple[Want, ...]
    tokens: tuple[Span, ...]
    meaning: Meaning | None = None

    @property
    def length(self) -> int:
        """Words, without those that only hold a sentence together."""
        return len(self.tokens)


@dataclass(frozen=True, slots=True)
class Term:
    """A want with the weight that an answer can have at most."""

    want: Want
    weight: float

    @property
    def lemma(self) -> str:
        """The word in its dictionary form, folded."""
        return self.want.lemma


@dataclass(frozen=True, slots=True)
class Answer:
    """How an offer answers a term: in which form, and how much of the demand's weight that gives."""

    term: Term
    key: Key
    value: float


# --- Words and weights ------------------------------------------------------------------------------------------------


def keys_of(token: Token) -> Iterator[tuple[str, str]]:
    """In which forms a token can be answered."""
    yield "text_word", token.word
    yield "text_lemma", token.lemma
    if len(token.stem) >= SHORTEST_STEM:
        yield "text_stem", token.stem
    if token.cognate:
        yield "text_cognate", token.cognate
    for name in token.concepts:
        yield CONCEPT, name


@lru_cache(4_096)
def analysed(document: ListingDocument, taught: Vocabulary = EMPTY) -> Analysed:
    """The document ready for matching, read with the curators' vocabulary; kept for the next time, for the same listings meet again and again."""
    if taught != EMPTY:
        plain = analysed(document)
        # Most documents hold no curator's word: an edit, or the trial of one, makes nobody read them again.
        if not taught.may_touch({word for form, word in plain.places if form in TAUGHT_FORMS}):
            return plain
    places: dict[Key, list[Place]] = {}
    words: dict[str, list[Place]] = {}
    spans: list[Span] = []
    for name in TEXT_FIELDS:
        tokens = taught.analyse(document.text(name), document.language)
        spans += [(name, token.start, token.end) for token in tokens]
        for token in tokens:
            place = Place(name, token)
            words.setdefault(token.lemma, []).append(place)
            for key in keys_of(token):
                own = places.setdefault(key, [])  # Stays empty for what the text asks for but does not answer.
                if key[0] != CONCEPT:
                    own.append(place)
        for concept, expression in _expressions(tokens):
            places.setdefault((CONCEPT, concept), []).append(Place(name, expression))
    return Analysed(
        document, {key: tuple(own) for key, own in places.items()}, tuple(_want(*word) for word in words.items()), tuple(spans), meaning.of(document)
    )


def _expressions(tokens: list[Token]) -> Iterator[tuple[str, Token]]:
    """Each concept with its whole expression as one token: "gel hidroalcohòlic" is one sanitiser, not two."""
    open_runs: dict[str, Token] = {}
    for token in tokens:
        runs = {name: replace(open_runs[name], end=token.end) if name in open_runs else token for name in token.answers}
        yield from ((name, run) for name, run in open_runs.items() if name not in runs)
        open_runs = runs
    yield from open_runs.items()


def _want(lemma: str, places: list[Place]) -> Want:
    keys = dict.fromkeys(key for place in places for key in keys_of(place.token))
    share = telling(lemma)
    # "Servei" gains nothing from standing in the title.
    emphasis = share * sum(FIELD_WEIGHTS[place.field] if share == 1 else 1.0 for place in places) ** 0.5
    return Want(lemma, tuple(places), emphasis, tuple(keys))


def telling(lemma: str) -> float:
    """How much a word says about what is wanted, besides its rarity."""
    if lemma in analysis.common_words() or (lemma.isdigit() and len(lemma) < SHORTEST_CODE):
        return COMMON_WEIGHT
    return BOILERPLATE_WEIGHT if lemma in analysis.boilerplate() else 1.0


def vocabulary(documents: Iterable[Analysed]) -> dict[str, list[str]]:
    """Every term of the documents by form: what to ask the engine's frequencies of."""
    found: dict[str, list[str]] = {}
    for form, word in dict.fromkeys(key for document in documents for key in document.places):
        found.setdefault(form, []).append(word)
    return found


def rarity(documents: int, containing: int) -> float:
    """BM25's inverse document frequency, never negative."""
    documents = max(documents, containing, LEAST_DOCUMENTS)
    return log(1 + (documents - containing + 0.5) / (containing + 0.5))


def weights(frequencies: Frequencies) -> Weights:
    """What each term of the asked vocabulary weighs."""
    rarities = [rarity(frequencies.documents, count) for count in range(max(frequencies.by_term.values(), default=0) + 1)]
    return {key: FORM_STRENGTHS[key[0]] * rarities[count] for key, count in frequencies.by_term.items()}


def wanted_terms(demand: Analysed, weighing: Weights) -> list[Term]:
    """What the demand wants, the heaviest first."""
    terms = [Term(want, want.emphasis * max(weighing[key] for key in want.keys)) for want in demand.wants]
    return sorted(terms, key=lambda term: (-term.weight, term.lemma))


def candidate_terms(asking: Analysed, frequencies: Frequencies) -> dict[str, dict[str, float]]:
    """The terms, with weights, that fetch what may match: by index field. The engine multiplies by rarity itself."""
    wanted: dict[str, dict[str, float]] = {}
    for term in wanted_terms(asking, weights(frequencies))[:MOST_QUERY_WORDS]:
        for form, word in term.want.keys:
            if frequencies.by_term[form, word]:
                wanted.setdefault(form, {})[word] = FORM_STRENGTHS[form]
    return wanted


def answers(terms: list[Term], offer: Analysed, weighing: Weights) -> list[Answer]:
    """The terms that the offer answers, each in the form that gives most; the most valuable first."""
    length_factor = SATURATION * (1 - LENGTH_INFLUENCE + LENGTH_INFLUENCE * offer.length / USUAL_LENGTH)
    found = []
    for term in terms:
        best: Answer | None = None
        for key in term.want.keys:
            places = offer.places.get(key)
            if places:
                count = len(places)
                mentioned = MENTIONED_WEIGHT if places[0].field == "description" else 1.0
                value = mentioned * term.want.emphasis * weighing[key] * count * (SATURATION + 1) / (count + length_factor)
                if best is None or value > best.value:
                    best = Answer(term, key, value)
        if best:
            found.append(best)
    return sorted(found, key=lambda answer: (-answer.value, answer.term.lemma))


def coverage(terms: Sequence[Term], found: Iterable[Answer]) -> float:
    """Answered weight by what the demand could reach; above 1 where the offer insists on what is wanted."""
    reachable = sum(term.weight for term in terms[:REACHABLE_WORDS])
    return sum(answer.value for answer in found) / reachable if reachable else 0.0


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


def kilometres(one: ListingDocument, other: ListingDocument) -> float | None:
    """Between the two places; None if one is not known."""
    points = [(d.latitude, d.longitude) for d in (one, other)]
    if any(None in point for point in points):
        return None
    return distance_km(*points)


def is_reachable(one: ListingDocument, other: ListingDocument) -> bool:
    """Whether neither side's reach ends before the other's place; at a distance everything is reachable."""
    km = kilometres(one, other)
    if km is None or one.remote or other.remote:
        return True
    return all(km <= d.reach_km for d in (one, other) if d.reach_km is not None)


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
    signals = tuple(_signals(offer.document, demand.document, coverage(terms, found), near, today))
    return Assessment(sum(signal.points for signal in signals), signals, tuple(terms), tuple(found), near, offer, demand, weighing, today)


def score_without(assessment: Assessment, removed: Collection[Span]) -> float:
    """The score that the pair would have if these stretches were not in the offer: what they contribute is what is lost."""
    offer = assessment.offer
    asked = {key for term in assessment.terms for key in term.want.keys if key in offer.places}
    left = {key: tuple(place for place in offer.places[key] if not _overlaps((place.field, place.token.start, place.token.end), removed)) for key in asked}
    tokens = tuple(token for token in offer.tokens if not _overlaps(token, removed))
    found = answers(list(assessment.terms), replace(offer, places=left, tokens=tokens), assessment.weighing)
    lost = {number: _lost_share(passage, removed) for number, passage in enumerate(offer.meaning.passages)} if offer.meaning else None
    covered, left_over = (coverage(assessment.terms, each) for each in (assessment.found, found))
    telling = 1 - left_over / covered if covered else 0.0
    near = meaning.nearness(assessment.demand.meaning, offer.meaning, without=lost, telling=max(0.0, telling))
    return sum(signal.points for signal in _signals(offer.document, assessment.demand.document, left_over, near, assessment.today))


def _overlaps(span: Span, removed: Collection[Span]) -> bool:
    return any(span[0] == field and span[1] < end and start < span[2] for field, start, end in removed)


def _lost_share(passage: Passage, removed: Collection[Span]) -> float:
    covered = sum(max(0, min(passage.end, end) - max(passage.start, start)) for field, start, end in removed if field == passage.field)
    return min(1.0, covered / (passage.end - passage.start))


def _signals(one: ListingDocument, other: ListingDocument, covered: float, near: Nearness | None, today: date) -> Iterator[Signal]:
    words = words_share(covered)
    if near is None:
        content = [Signal("text", CONTENT_POINTS * words, CONTENT_POINTS)]
    else:
        of_meaning = CONTENT_POINTS * (MEANING_SHARE if one.language == other.language else MEANING_SHARE_ACROSS)
        of_words = CONTENT_POINTS - of_meaning
        content = [Signal("text", of_words * words, of_words), Signal("meaning", of_meaning * min(1.0, near.value / FULL_NEARNESS), of_meaning)]
    yield from content
    support = min(1.0, sum(signal.points for signal in content) / CONTENT_POINTS / FULL_SUPPORT)
    yield _supporting("sector", SECTOR_POINTS * support, sector_share(one.sectors, other.sectors), SECTOR_POINTS)
    yield _supporting("place", PLACE_POINTS * support, place_share(one, other), PLACE_POINTS)
    yield _supporting("freshness", FRESHNESS_POINTS * support, freshness_share(age_days(one, other, today)), FRESHNESS_POINTS)


def _supporting(name: str, points: float, share: float | None, maximum: float) -> Signal:
    return Signal(name, points * (NEUTRAL if share is None else share), maximum)


def best(assessments: Iterable[Assessment], *, asking: ListingDocument, limit: int, threshold: float) -> list[Assessment]:
    """At most `limit` of the assessments of `asking` from `threshold` on, the most promising first, equal ones in a stable order.

    The order is that of the scores, helped by what the listings most like each of them score. The score itself stays a fact of
    the pair: nobody's rises because somebody else publishes.
    """
    every = list(assessments)
    others = [a.offer if asking.kind == "demand" else a.demand for a in every]
    support = meaning.vouched([a.score for a in every], [other.meaning for other in others])
    promising = [replace(a, vouched=VOUCHED_SHARE * mean) for a, mean in zip(every, support, strict=True) if a.score >= threshold]
    return sorted(promising, key=lambda a: (-a.score - a.vouched, a.offer.document.uid, a.demand.document.uid))[:limit]
