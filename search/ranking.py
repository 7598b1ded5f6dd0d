"""From hundreds of candidates to the few that are told: the scores of `matching`, by counting words instead of looking where they stand.

Of a candidate's text only the words that the other side shares are counted; nothing else is made of it. The score is that of
`matching.assess` to the last bit, which then tells of the few best why. A text that the curators' vocabulary may touch is read in full.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from . import analysis, matching, wants
from .analysis import Word
from .documents import TEXT_FIELDS, ListingDocument
from .matching import Scored
from .vocabulary import EMPTY, Vocabulary
from .wants import CONCEPT, Analysed, Key, Term, Weights

Counts = dict[Key, tuple[int, bool]]
"""How often a text holds a word in a form, and whether its title or keywords do."""

_Texts = list[tuple[str, list[Word]]]
"""The words of each field, without stop words."""


def _texts(document: ListingDocument) -> _Texts:
    stops = analysis.stop_words(document.language)
    return [(name, [word for word in analysis.words(document.text(name), document.language) if word.word not in stops]) for name in TEXT_FIELDS]


def _may_touch(taught: Vocabulary, texts: _Texts) -> bool:
    return taught != EMPTY and taught.may_touch({form for _, words in texts for word in words for form in (word.word, word.lemma)})


# --- A demand asks: many offers -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Sought:
    """What a demand's terms count in an offer. By key: the number of each term that it answers, and what it is worth named and mentioned.

    `spellings` holds every form of every word that may count: one look tells that nobody asks for a word.
    """

    worth: Mapping[Key, Sequence[tuple[int, float, float]]]
    spellings: frozenset[str]
    concepts: frozenset[str]
    beginnings: frozenset[str]
    taught: Vocabulary


def _sought(terms: Sequence[Term], weighing: Weights, taught: Vocabulary) -> _Sought:
    worth: dict[Key, list[tuple[int, float, float]]] = {}
    for number, term in enumerate(terms):
        for key in term.want.keys:
            worth.setdefault(key, []).append((number, *wants.worth(term.want.emphasis, weighing[key])))
    concepts = frozenset(word for form, word in worth if form == CONCEPT)
    beginnings = analysis.beginnings(concepts)
    return _Sought(worth, beginnings.union(word for _, word in worth), concepts, beginnings, taught)


def offers(  # noqa: PLR0913 - a pair has two sides, a weighing, a vocabulary and a day
    asking: Analysed, terms: Sequence[Term], weighing: Weights, found: Iterable[ListingDocument], *, taught: Vocabulary, today: date
) -> Iterator[Scored]:
    """Each offer's score for the demand that asks; `terms` are the demand's, weighed by `weighing`."""
    sought, reachable = _sought(terms, weighing, taught), wants.reachable(term.weight for term in terms)
    for offer in found:
        length, counts = _counts(offer, sought)
        influence = wants.length_influence(length)
        best: dict[int, float] = {}
        for key, (count, is_named) in counts.items():
            for number, named, mentioned in sought.worth[key]:
                value = wants.saturated(named if is_named else mentioned, count, influence)
                if value > best.get(number, 0.0):
                    best[number] = value
        yield matching.scored(offer, asking, wants.coverage(best.values(), reachable), today=today)


def _counts(offer: ListingDocument, sought: _Sought) -> tuple[int, Counts]:
    """The offer's length in words, and how often it holds what is sought."""
    texts, counts = _texts(offer), {}
    if _may_touch(sought.taught, texts):
        full = wants.analysed(offer, sought.taught)
        return full.length, held(full, sought.worth)
    for name, words in texts:
        # Of a usual candidate's words nine of ten end here.
        shared = [word for word in words if not sought.spellings.isdisjoint(word)]
        for word in shared:
            for key in wants.keys_of(word):
                if key in sought.worth:
                    _add(counts, key, name)
        if any(word.lemma in sought.beginnings for word in shared):
            for concept in _expressions(words):
                if concept in sought.concepts:
                    _add(counts, (CONCEPT, concept), name)
    return sum(len(words) for _, words in texts), counts


def _add(counts: Counts, key: Key, name: str) -> None:
    count, is_named = counts.get(key, (0, name != "description"))
    counts[key] = count + 1, is_named


def _expressions(words: Sequence[Word]) -> Iterator[str]:
    """The concept of each expression: "gel hidroalcohòlic" is one sanitiser, not two."""
    before: tuple[str, ...] = ()
    for names in analysis.concepts_of(words):
        yield from (name for name in names if name not in before)
        before = names


def held(full: Analysed, keys: Iterable[Key]) -> Counts:
    """How often a text that was read in full holds each of these; what it does not hold is left out."""
    return {key: (len(places), places[0].field != "description") for key in keys if (places := full.places.get(key))}


# --- An offer asks: many demands ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Reading:
    """A demand as what it wants: of each word its emphasis, and what answers it. `keys` is all that it holds."""

    document: ListingDocument
    wanted: Sequence[tuple[float, Iterable[Key]]]
    keys: Iterable[Key]


def reading(demand: ListingDocument, taught: Vocabulary) -> Reading:
    """A demand, read word by word."""
    texts = _texts(demand)
    if _may_touch(taught, texts):
        full = wants.analysed(demand, taught)
        return Reading(demand, [(want.emphasis, want.keys) for want in full.wants], full.places)
    fields: dict[str, list[str]] = {}
    keys: dict[str, dict[Key, None]] = {}
    for name, words in texts:
        for word, concepts in zip(words, analysis.concepts_of(words), strict=True):
            fields.setdefault(word.lemma, []).append(name)
            keys.setdefault(word.lemma, {}).update(dict.fromkeys(wants.keys_of(word, concepts)))
    wanted = [(wants.emphasis(lemma, own), keys[lemma]) for lemma, own in fields.items()]
    return Reading(demand, wanted, dict.fromkeys(key for own in keys.values() for key in own))


def demands(asking: Analysed, found: Iterable[Reading], weighing: Weights, *, today: date) -> Iterator[Scored]:
    """Each demand's score for the offer that asks, by what the demand wants, weighed by `weighing`."""
    holds, influence = held(asking, asking.places), wants.length_influence(asking.length)
    for demand in found:
        values, weights = [], []
        for emphasis, keys in demand.wanted:
            weights.append(emphasis * max([weighing[key] for key in keys]))
            if shared := [key for key in keys if key in holds]:
                values.append(max(_value(emphasis, weighing[key], *holds[key], influence) for key in shared))
        yield matching.scored(demand.document, asking, wants.coverage(values, wants.reachable(weights)), today=today)


def _value(emphasis: float, weight: float, count: int, is_named: bool, influence: float) -> float:  # noqa: FBT001 - a pair of `Counts`
    named, mentioned = wants.worth(emphasis, weight)
    return wants.saturated(named if is_named else mentioned, count, influence)
