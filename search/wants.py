"""What a text wants, word by word, and how another answers it: pure functions, no I/O, the same for every engine.

Each word weighs by its rarity; another text answers it with the same word, another inflection, a cognate or a synonym, each a
little weaker. Every answer leads back to places in the two texts.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import log

from . import analysis, meaning
from .analysis import Token, Word
from .backends.base import Frequencies
from .documents import TEXT_FIELDS, ListingDocument
from .meaning import Meaning
from .vocabulary import EMPTY, Vocabulary

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


def keys_of(word: Word | Token, concepts: Iterable[str] = ()) -> list[Key]:
    """In which forms a word that stands for these concepts can be answered."""
    keys = [("text_word", word.word), ("text_lemma", word.lemma)]
    if len(word.stem) >= SHORTEST_STEM:
        keys.append(("text_stem", word.stem))
    if word.cognate:
        keys.append(("text_cognate", word.cognate))
    keys += [(CONCEPT, name) for name in concepts]
    return keys


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
            for key in keys_of(token, token.concepts):
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
        runs = {name: open_runs[name]._replace(end=token.end) if name in open_runs else token for name in token.answers}
        yield from ((name, run) for name, run in open_runs.items() if name not in runs)
        open_runs = runs
    yield from open_runs.items()


def _want(lemma: str, places: list[Place]) -> Want:
    keys = dict.fromkeys(key for place in places for key in keys_of(place.token, place.token.concepts))
    return Want(lemma, tuple(places), emphasis(lemma, [place.field for place in places]), tuple(keys))


def emphasis(lemma: str, fields: Sequence[str]) -> float:
    """How much a word that stands in these fields, as often as they are named, is wanted."""
    share = telling(lemma)
    # "Servei" gains nothing from standing in the title.
    return share * (sum([FIELD_WEIGHTS[name] for name in fields]) if share == 1 else len(fields)) ** 0.5


@lru_cache(100_000)
def telling(lemma: str) -> float:
    """How much a word says about what is wanted, besides its rarity."""
    if lemma in analysis.common_words() or (lemma.isdigit() and len(lemma) < SHORTEST_CODE):
        return COMMON_WEIGHT
    return BOILERPLATE_WEIGHT if lemma in analysis.boilerplate() else 1.0


def vocabulary(documents: Iterable[Analysed]) -> dict[str, list[str]]:
    """Every term of the documents by form: what to ask the engine's frequencies of."""
    return by_form(key for document in documents for key in document.places)


def by_form(keys: Iterable[Key]) -> dict[str, list[str]]:
    """The keys' words by form, each once."""
    found: dict[str, list[str]] = {}
    for form, word in dict.fromkeys(keys):
        found.setdefault(form, []).append(word)
    return found


def rarity(documents: int, containing: int) -> float:
    """BM25's inverse document frequency, never negative."""
    documents = max(documents, containing, LEAST_DOCUMENTS)
    return log(1 + (documents - containing + 0.5) / (containing + 0.5))


def weights(frequencies: Frequencies) -> Weights:
    """What each term of the asked vocabulary weighs."""
    rarities = {count: rarity(frequencies.documents, count) for count in set(frequencies.by_term.values())}
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


def worth(emphasis: float, weight: float) -> tuple[float, float]:
    """What answering a want by a key of this weight is worth: where the offer names it, and where it only mentions it."""
    return emphasis * weight, MENTIONED_WEIGHT * emphasis * weight


def length_influence(words: int) -> float:
    """What an offer of so many words loses of each answer; see `saturated`."""
    return SATURATION * (1 - LENGTH_INFLUENCE + LENGTH_INFLUENCE * words / USUAL_LENGTH)


def saturated(once: float, count: int, influence: float) -> float:
    """What `count` mentions give of a word that is worth `once`."""
    return once * count * (SATURATION + 1) / (count + influence)


def answers(terms: list[Term], offer: Analysed, weighing: Weights) -> list[Answer]:
    """The terms that the offer answers, each in the form that gives most; the most valuable first."""
    influence = length_influence(offer.length)
    found = []
    for term in terms:
        best: Answer | None = None
        for key in term.want.keys:
            places = offer.places.get(key)
            if places:
                named, mentioned = worth(term.want.emphasis, weighing[key])
                value = saturated(mentioned if places[0].field == "description" else named, len(places), influence)
                if best is None or value > best.value:
                    best = Answer(term, key, value)
        if best:
            found.append(best)
    return sorted(found, key=lambda answer: (-answer.value, answer.term.lemma))


def reachable(weights: Iterable[float]) -> float:
    """What the demand whose terms weigh so much could reach."""
    return sum(sorted(weights, reverse=True)[:REACHABLE_WORDS])


def coverage(values: Iterable[float], reachable: float) -> float:
    """Answered weight by what the demand could reach; above 1 where the offer insists on what is wanted."""
    return sum(sorted(values, reverse=True)) / reachable if reachable else 0.0
