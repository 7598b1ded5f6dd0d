"""From hundreds of candidates to the few that are told: the scores of `matching`, by counting words instead of looking where they stand.

Of a candidate's text only the words that the other side shares are counted; nothing else is made of it. The score is that of
`matching.assess` to the last bit, which then tells of the few best why. A text that the curators' vocabulary may touch is read in full.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from itertools import chain

from . import matching, reading, wants
from .documents import TEXT_FIELDS, ListingDocument
from .matching import Scored
from .reading import Read
from .vocabulary import EMPTY, Vocabulary
from .wants import CONCEPT, Analysed, Key, Term, Weights

Counts = Mapping[Key, tuple[int, bool]]
"""How often a text holds a word in a form, and whether its title or keywords do."""


def _may_touch(taught: Vocabulary, read: Read, language: str) -> bool:
    if taught == EMPTY:
        return False
    known = reading.known(language)
    return taught.may_touch({form for words in read.words for one in words for form in known[one].word[:2]})


# --- A demand asks: many offers -----------------------------------------------------------------------------------------------


class _Asked(dict[str, tuple[Key, ...]]):
    """What of each word of offers in a language counts, besides its concepts. Of ten words nine are asked for by nobody."""

    def __init__(self, keys: frozenset[Key], language: str) -> None:
        super().__init__()
        self._keys, self._known = keys, reading.known(language)

    def __missing__(self, read: str) -> tuple[Key, ...]:
        keys = self._known[read].keys
        self[read] = own = () if self._keys.isdisjoint(keys) else tuple([key for key in keys if key in self._keys])
        return own


@dataclass(frozen=True, slots=True)
class _Sought:
    """What a demand's terms count in an offer. By key: the number of each term that it answers, and what it is worth named and mentioned."""

    worth: Mapping[Key, Sequence[tuple[int, float, float]]]
    words: frozenset[Key]
    concepts: frozenset[str]
    taught: Vocabulary
    asked: dict[str, _Asked] = field(default_factory=dict)

    def of(self, language: str) -> _Asked:
        """What is asked for in texts of a language."""
        if language not in self.asked:
            self.asked[language] = _Asked(self.words, language)
        return self.asked[language]


def _sought(terms: Sequence[Term], weighing: Weights, taught: Vocabulary) -> _Sought:
    worth: dict[Key, list[tuple[int, float, float]]] = {}
    for number, term in enumerate(terms):
        for key in term.want.keys:
            worth.setdefault(key, []).append((number, *wants.worth(term.want.emphasis, weighing[key])))
    concepts = frozenset([word for form, word in worth if form == CONCEPT])
    return _Sought(worth, frozenset([key for key in worth if key[0] != CONCEPT]), concepts, taught)


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
    read = reading.of(offer)
    if _may_touch(sought.taught, read, offer.language):
        full = wants.analysed(offer, sought.taught)
        return full.length, held(full, sought.worth)
    asked, counts = sought.of(offer.language), Counter()
    named: frozenset[Key] = frozenset()
    for name, words, expressions in zip(TEXT_FIELDS, read.words, read.expressions, strict=True):
        if name == "description":
            named = frozenset(counts)
        counts.update(chain.from_iterable(map(asked.__getitem__, words)))
        counts.update([(CONCEPT, concept) for concept in expressions if concept in sought.concepts])
    return sum(map(len, read.words)), {key: (count, key in named) for key, count in counts.items()}


def held(full: Analysed, keys: Iterable[Key]) -> Counts:
    """How often a text that was read in full holds each of these; what it does not hold is left out."""
    return {key: (len(places), places[0].field != "description") for key in keys if (places := full.places.get(key))}


# --- An offer asks: many demands ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Reading:
    """A demand as what it wants: of each word the emphasis, and what answers it, as words of its `Read` or as keys."""

    document: ListingDocument
    wanted: Sequence[tuple[float, Iterable[str], Iterable[Key]]]
    taught: Analysed | None = None


def read_demand(demand: ListingDocument, taught: Vocabulary) -> Reading:
    """A demand, read word by word."""
    read = reading.of(demand)
    if _may_touch(taught, read, demand.language):
        full = wants.analysed(demand, taught)
        return Reading(demand, [(want.emphasis, (), want.keys) for want in full.wants], full)
    known = reading.known(demand.language)
    fields: dict[str, list[str]] = {}
    kinds: dict[str, set[str]] = {}
    for name, words in zip(TEXT_FIELDS, read.words, strict=True):
        for one in words:
            lemma = known[one].word.lemma
            if lemma in fields:
                fields[lemma].append(name)
                kinds[lemma].add(one)
            else:
                fields[lemma], kinds[lemma] = [name], {one}
    return Reading(demand, [(wants.emphasis(lemma, own), kinds[lemma], ()) for lemma, own in fields.items()])


def keys_of(found: Iterable[Reading]) -> set[Key]:
    """All that the demands hold."""
    by_language: dict[str, set[str]] = {}
    for demand in found:
        by_language.setdefault(demand.document.language, set()).update(*[kinds for _, kinds, _ in demand.wanted])
    keys = [known[one].keys for language, own in by_language.items() for known in [reading.known(language)] for one in own]
    return set().union(*keys, *[demand.taught.places for demand in found if demand.taught])


_Told = tuple[float, Sequence[tuple[float, int, bool]]]
"""What the heaviest of some keys weighs, and of those that the offer holds the weight, how often, and whether it names it."""


def demands(asking: Analysed, found: Sequence[Reading], weighing: Weights, *, today: date) -> Iterator[Scored]:
    """Each demand's score for the offer that asks, by what the demand wants, weighed by `weighing`."""
    holds, influence = held(asking, asking.places), wants.length_influence(asking.length)

    def told(keys: Iterable[Key]) -> _Told:
        return max([weighing[key] for key in keys]), [(weighing[key], *holds[key]) for key in keys if key in holds]

    by_language: dict[str, dict[str, _Told]] = {}
    for demand in found:
        language = demand.document.language
        known, own_keys = by_language.setdefault(language, {}), reading.known(language)
        values, weights = [], []
        for emphasis, kinds, keys in demand.wanted:
            for kind in kinds:
                if kind not in known:
                    known[kind] = told(own_keys[kind].keys)
            each = [known[kind] for kind in kinds] or [told(keys)]
            weights.append(emphasis * max([heaviest for heaviest, _ in each]))
            if shared := [one for _, own in each for one in own]:
                values.append(max([_value(emphasis, *one, influence) for one in shared]))
        yield matching.scored(demand.document, asking, wants.coverage(values, wants.reachable(weights)), today=today)


def _value(emphasis: float, weight: float, count: int, is_named: bool, influence: float) -> float:  # noqa: FBT001 - a pair of `Counts`
    named, mentioned = wants.worth(emphasis, weight)
    return wants.saturated(named if is_named else mentioned, count, influence)
