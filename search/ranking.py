"""From hundreds of candidates to the few that are told: the scores of `matching`, by counting words instead of looking where they stand.

Of a candidate's text only the words that the other side shares are counted; nothing else is made of it. The score is that of
`matching.assess` to the last bit, which then tells of the few best why. A text that the curators' vocabulary may touch is read in full.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
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

    `spellings` holds every form of every word that may count: one look tells that nobody asks for a word. `keys` keeps what is asked of
    each word that was met.
    """

    worth: Mapping[Key, Sequence[tuple[int, float, float]]]
    spellings: frozenset[str]
    concepts: frozenset[str]
    beginnings: frozenset[str]
    taught: Vocabulary
    keys: dict[Word, list[Key]] = field(default_factory=dict)

    def keys_of(self, word: Word) -> list[Key]:
        """What of a word counts, besides its concepts."""
        known = self.keys.get(word)
        if known is None:
            known = self.keys[word] = [key for key in wants.keys_of(word) if key in self.worth]
        return known


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
            for key in sought.keys_of(word):
                _add(counts, key, name)
        if sought.beginnings and not sought.beginnings.isdisjoint([word.lemma for word in shared]):
            for key in _expressions(words, sought.concepts):
                _add(counts, key, name)
    return sum([len(words) for _, words in texts]), counts


def _add(counts: Counts, key: Key, name: str) -> None:
    count, is_named = counts.get(key) or (0, name != "description")
    counts[key] = count + 1, is_named


def _expressions(words: Sequence[Word], concepts: frozenset[str]) -> Iterator[Key]:
    """The concept of each expression, of those that are sought: "gel hidroalcohòlic" is one sanitiser, not two."""
    before: tuple[str, ...] = ()
    for names in analysis.concepts_of(words):
        if names:
            yield from [(CONCEPT, name) for name in names if name in concepts and name not in before]
        before = names


def held(full: Analysed, keys: Iterable[Key]) -> Counts:
    """How often a text that was read in full holds each of these; what it does not hold is left out."""
    return {key: (len(places), places[0].field != "description") for key in keys if (places := full.places.get(key))}


# --- An offer asks: many demands ------------------------------------------------------------------------------------------------


_Kind = tuple[Word, tuple[str, ...]]
"""A word and the concepts for which it stands."""


@dataclass(frozen=True, slots=True)
class Reading:
    """A demand as what it wants: of each word the emphasis, and what answers it, a kind of word or keys."""

    document: ListingDocument
    wanted: Sequence[tuple[float, Iterable[_Kind], Iterable[Key]]]
    taught: Analysed | None = None


def reading(demand: ListingDocument, taught: Vocabulary) -> Reading:
    """A demand, read word by word."""
    texts = _texts(demand)
    if _may_touch(taught, texts):
        full = wants.analysed(demand, taught)
        return Reading(demand, [(want.emphasis, (), want.keys) for want in full.wants], full)
    fields: dict[str, list[str]] = {}
    kinds: dict[str, set[_Kind]] = {}
    for name, words in texts:
        for kind in zip(words, analysis.concepts_of(words), strict=True):
            lemma = kind[0].lemma
            if lemma in fields:
                fields[lemma].append(name)
                kinds[lemma].add(kind)
            else:
                fields[lemma], kinds[lemma] = [name], {kind}
    return Reading(demand, [(wants.emphasis(lemma, own), kinds[lemma], ()) for lemma, own in fields.items()])


def keys_of(readings: Iterable[Reading]) -> set[Key]:
    """All that the demands hold."""
    kinds = {kind for demand in readings for _, own, _ in demand.wanted for kind in own}
    return {key for kind in kinds for key in wants.keys_of(*kind)}.union(*(demand.taught.places for demand in readings if demand.taught))


def demands(asking: Analysed, found: Sequence[Reading], weighing: Weights, *, today: date) -> Iterator[Scored]:
    """Each demand's score for the offer that asks, by what the demand wants, weighed by `weighing`."""
    holds, influence = held(asking, asking.places), wants.length_influence(asking.length)

    def told(keys: Iterable[Key]) -> tuple[float, list[tuple[float, int, bool]]]:
        """What the heaviest weighs, and of those that the offer holds the weight, how often, and whether it names it."""
        return max([weighing[key] for key in keys]), [(weighing[key], *holds[key]) for key in keys if key in holds]

    known: dict[_Kind, tuple[float, list[tuple[float, int, bool]]]] = {}
    for demand in found:
        values, weights = [], []
        for emphasis, kinds, keys in demand.wanted:
            for kind in kinds:
                if kind not in known:
                    known[kind] = told(wants.keys_of(*kind))
            each = [known[kind] for kind in kinds] or [told(keys)]
            weights.append(emphasis * max([heaviest for heaviest, _ in each]))
            if shared := [one for _, own in each for one in own]:
                values.append(max([_value(emphasis, *one, influence) for one in shared]))
        yield matching.scored(demand.document, asking, wants.coverage(values, wants.reachable(weights)), today=today)


def _value(emphasis: float, weight: float, count: int, is_named: bool, influence: float) -> float:  # noqa: FBT001 - a pair of `Counts`
    named, mentioned = wants.worth(emphasis, weight)
    return wants.saturated(named if is_named else mentioned, count, influence)
