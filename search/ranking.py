"""From hundreds of candidates to the few that are told: the scores of `matching`, by counting words instead of looking where they stand.

Of a candidate's text only the words that the other side shares are counted; nothing else is made of it. The score is that of
`matching.assess` to the last bit, which then tells of the few best why. A text that the curators' vocabulary may touch is read in full.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import chain

from . import matching, reading, wants
from .documents import TEXT_FIELDS, ListingDocument
from .matching import Scored
from .reading import Read
from .vocabulary import EMPTY, Vocabulary
from .wants import CONCEPT, Analysed, Key, Term, Weights

Counts = dict[Key, tuple[int, bool]]
"""How often a text holds a word in a form, and whether its title or keywords do."""


def _may_touch(taught: Vocabulary, read: Read, language: str) -> bool:
    if taught == EMPTY:
        return False
    known = reading.known(language)
    return taught.may_touch({form for words in read.words for one in words for form in known[one].word[:2]})


# --- A demand asks: many offers -----------------------------------------------------------------------------------------------


class _Asked(dict[str, tuple[Key, ...]]):
    """What counts of each word, and of each expression's concept, in the texts of a language. Of ten words nine are asked for by nobody."""

    def __init__(self, keys: Iterable[Key], language: str) -> None:
        super().__init__()
        self._keys, self._known = frozenset(keys), reading.known(language)
        self._spellings = frozenset(word for _, word in self._keys)

    def __missing__(self, read: str) -> tuple[Key, ...]:
        word, keys = self._known[read]
        asked: tuple[Key, ...] = ()
        # A word's concepts count where their expression is told, once for all its words.
        if word is None or not self._spellings.isdisjoint(word):
            asked = tuple([key for key in keys if key in self._keys and (word is None or key[0] != CONCEPT)])
        self[read] = asked
        return asked


def _worth(terms: Sequence[Term], weighing: Weights) -> dict[Key, list[tuple[int, float, float]]]:
    """By key that counts in an offer: the number of each term that it answers, and what it is worth named and mentioned."""
    worth: dict[Key, list[tuple[int, float, float]]] = {}
    for number, term in enumerate(terms):
        for key in term.want.keys:
            worth.setdefault(key, []).append((number, *wants.worth(term.want.emphasis, weighing[key])))
    return worth


def offers(  # noqa: PLR0913 - a pair has two sides, a weighing, a vocabulary and a day
    asking: Analysed, terms: Sequence[Term], weighing: Weights, found: Sequence[ListingDocument], *, taught: Vocabulary, today: date
) -> Iterator[Scored]:
    """Each offer's score for the demand that asks; `terms` are the demand's, weighed by `weighing`."""
    worth, reachable = _worth(terms, weighing), wants.reachable(term.weight for term in terms)
    asked = {language: _Asked(worth, language) for language in {offer.language for offer in found}}
    for offer in found:
        read = reading.of(offer)
        if _may_touch(taught, read, offer.language):
            full = wants.analysed(offer, taught)
            length, counts = full.length, held(full, worth)
        else:
            length, counts = read.length, _counts(read, asked[offer.language])
        influence = wants.length_influence(length)
        best: dict[int, float] = {}
        for key, (count, is_named) in counts.items():
            for number, named, mentioned in worth[key]:
                value = wants.saturated(named if is_named else mentioned, count, influence)
                if value > best.get(number, 0.0):
                    best[number] = value
        yield matching.scored(offer, asking, wants.coverage(best.values(), reachable), today=today)


def _counts(read: Read, asked: _Asked) -> Counts:
    """How often an offer holds what is asked for."""
    counts: dict[Key, tuple[int, bool]] = {}
    for name, *lines in zip(TEXT_FIELDS, read.words, read.expressions, strict=True):
        is_named = name != "description"
        for keys in filter(None, map(asked.__getitem__, chain(*lines))):
            for key in keys:
                before = counts.get(key)
                counts[key] = (before[0] + 1, before[1]) if before else (1, is_named)
    return counts


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
        shared = [] if holds.keys().isdisjoint(keys) else [(weighing[key], *holds[key]) for key in keys if key in holds]
        return max(map(weighing.__getitem__, keys)), shared

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
            heaviest, shared = each[0] if len(each) == 1 else (max([weight for weight, _ in each]), [one for _, own in each for one in own])
            weights.append(emphasis * heaviest)
            if shared:
                values.append(max([_value(emphasis, *one, influence) for one in shared]))
        yield matching.scored(demand.document, asking, wants.coverage(values, wants.reachable(weights)), today=today)


def _value(emphasis: float, weight: float, count: int, is_named: bool, influence: float) -> float:  # noqa: FBT001 - a pair of `Counts`
    named, mentioned = wants.worth(emphasis, weight)
    return wants.saturated(named if is_named else mentioned, count, influence)
