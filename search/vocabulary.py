"""What curators teach the engine: words that mean the same, words that also find others, phrases that say nothing.

A vocabulary is a value. It works on what is asked and on the texts as they are scored, never on the index, so an edit needs no
rebuild: the asked words bring the expressions of their synonyms along, and `matching` reads both texts with it.

`current()` is what holds in this context: nothing at all outside `in_force()`, which the engine's door opens and which asks the
database every few seconds whether somebody edited something; `using(draft)` puts another one in its place for a trial that no
other thread sees.
"""

import hashlib
import threading
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TypeVar

from . import analysis
from .analysis import LANGUAGES, Token
from .backends.base import Backend, Frequencies
from .enums import EntryKind

#: How long a process may go on with what it knows; then one small query asks for anything newer.
CHECK_SECONDS = 5.0

CONCEPT = "text_concept"
_WORD, _LEMMA = "text_word", "text_lemma"

Value = TypeVar("Value")

#: Elided and contracted forms, so that "servei de" covers "servei d'aigua" and "servei del menjador" too.
_PREPOSITIONS = {"d": "de", "del": "de", "dels": "de"}

Expression = tuple[str, str]
"""A language and the words as a person wrote them."""

Forms = frozenset[str]
"""A word as it stands and its lemma: "uniforme" is read as the verb uniformar, "uniformes" as the noun, and they meet in one of the two."""

Terms = dict[str, dict[str, float]]
"""Weight by term, by field of the index."""


@dataclass(frozen=True, slots=True)
class Reading:
    """An expression as it is read in texts of one language; of a stop phrase with its small words: "servei de" is not "servei"."""

    language: str
    words: tuple[Forms, ...]

    def begins_at(self, place: int, tokens: list[Token]) -> bool:
        """Whether the text's words go on like this from `place`."""
        here = tokens[place : place + len(self.words)]
        return len(here) == len(self.words) and here[0].language == self.language and not any(map(Forms.isdisjoint, self.words, map(_forms, here)))


@dataclass(frozen=True, slots=True)
class Rule:
    """An entry as the engine uses it. `found` is what a one-way synonym finds besides; `name` is its own among all rules."""

    name: str
    kind: str
    asked: tuple[Expression, ...]
    found: tuple[Expression, ...] = ()

    @property
    def expressions(self) -> tuple[Expression, ...]:
        """Those of both sides."""
        return self.asked + self.found

    @property
    def concepts(self) -> Iterator[tuple[str, tuple[Expression, ...], tuple[Expression, ...]]]:
        """Name, who asks for it, who answers it. Of a one-way synonym each side is a concept, and only the one asks for both."""
        if self.kind == EntryKind.STOP:
            return
        yield f"{self.name}=", self.asked, self.asked
        if self.kind == EntryKind.ONE_WAY:
            yield f"{self.name}>", self.asked + self.found, self.found


#: By a form of the first word, what begins with it: readings with the names of their concepts.
_Index = Mapping[str, tuple[tuple[Reading, tuple[str, ...]], ...]]


@dataclass(frozen=True, slots=True, eq=False)
class Vocabulary:
    """Rules, ready for use. Two with the same rules are equal."""

    rules: tuple[Rule, ...] = ()
    key: str = ""
    _asking: _Index = field(default_factory=dict)
    _answering: _Index = field(default_factory=dict)
    _phrases: _Index = field(default_factory=dict)
    #: By a form of the first word that is no stop word, the words that a text must hold to read otherwise.
    _needed: Mapping[str, tuple[tuple[Forms, ...], ...]] = field(default_factory=dict)
    #: By concept, the expressions that answer it and that ask for it, each as it reads in each language.
    _answers_of: Mapping[str, tuple[frozenset[Reading], ...]] = field(default_factory=dict)
    _askers_of: Mapping[str, tuple[frozenset[Reading], ...]] = field(default_factory=dict)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Vocabulary) and other.key == self.key

    def __hash__(self) -> int:
        return hash(self.key)

    # --- Texts --------------------------------------------------------------------------------------------------------

    def may_touch(self, forms: set[str]) -> bool:
        """Whether a text that holds these words and lemmas may read otherwise than without the vocabulary; quick, and never wrong with a no."""
        begun = self._needed.keys() & forms
        return any(not any(word.isdisjoint(forms) for word in words) for form in begun for words in self._needed[form])

    def analyse(self, text: str, language: str) -> list[Token]:
        """As `analysis.analyse`, with the concepts of synonyms and without what stop phrases cover, unless that is everything."""
        found = analysis.analyse(text, language)
        if self._answers_of:
            asking, answering = _covering(found, self._asking), _covering(found, self._answering)
            found = [
                token._replace(concepts=token.concepts + tuple(sorted(asking[token.start])), answers=token.answers + tuple(sorted(answering[token.start])))
                if token.start in asking or token.start in answering
                else token
                for token in found
            ]
        if self._phrases:
            covered = _covering(list(analysis.tokens(text, language)), self._phrases)
            found = [token for token in found if token.start not in covered] or found
        return found

    # --- Engines ------------------------------------------------------------------------------------------------------

    def expressions_found(self, concepts: Iterable[str]) -> frozenset[tuple[Forms, ...]]:
        """The words of every expression that answers one of these concepts; those that the engine itself knows have none."""
        return frozenset(reading.words for name in concepts for expression in self._answers_of.get(name, ()) for reading in expression)

    def frequencies(self, backend: Backend, terms: Mapping[str, Sequence[str]]) -> Frequencies:
        """The backend's document frequencies. No index holds a curator's concept: it is as frequent as its expressions together."""
        own = [name for name in terms.get(CONCEPT, ()) if name in self._answers_of]
        if not own:
            return backend.frequencies(terms)
        forms = sorted({form for words in self.expressions_found(own) for word in words for form in word})
        asked = {
            **terms,
            CONCEPT: [name for name in terms[CONCEPT] if name not in self._answers_of],
            **{name: list(dict.fromkeys((*terms.get(name, ()), *forms))) for name in (_WORD, _LEMMA)},
        }
        found = backend.frequencies({name: words for name, words in asked.items() if words})
        return Frequencies(found.documents, found.by_term | {(CONCEPT, name): self._count(name, found) for name in own})

    def _count(self, name: str, found: Frequencies) -> int:
        # An expression of several words stands in no more documents than the rarest of them.
        counts = (max(min(_count(word, found) for word in reading.words) for reading in expression) for expression in self._answers_of[name] if expression)
        return max(1, min(found.documents, sum(counts)))

    def fetching(self, terms: Terms, *, answers: bool) -> Terms:
        """Terms for candidates, with the words of expressions in place of the concepts: of those that answer them, else of those that ask for them.

        The words of one expression share its weight. That fetches texts with some of them too; `matching` wants them together.
        """
        sides = self._answers_of if answers else self._askers_of
        if sides.keys().isdisjoint(terms.get(CONCEPT, ())):
            return terms
        wanted = {name: dict(words) for name, words in terms.items()} | {name: dict(terms.get(name, {})) for name in (_WORD, _LEMMA)}
        for concept, weight in terms[CONCEPT].items():
            for reading in frozenset().union(*sides.get(concept, ())):
                share = weight / len(reading.words)
                for word in reading.words:
                    for name in (_WORD, _LEMMA):
                        wanted[name] |= {form: max(wanted[name].get(form, 0.0), share) for form in word}
        wanted[CONCEPT] = {concept: weight for concept, weight in terms[CONCEPT].items() if concept not in sides}
        return {name: words for name, words in wanted.items() if words}


def _covering(tokens: list[Token], index: _Index) -> dict[int, set[str]]:
    """By the start of each token that stands in an expression of the index, the names of all of these."""
    covered: dict[int, set[str]] = {}
    for place, token in enumerate(tokens):
        for reading, names in (*index.get(token.word, ()), *index.get(token.lemma, ())):
            if reading.begins_at(place, tokens):
                for inside in tokens[place : place + len(reading.words)]:
                    covered.setdefault(inside.start, set()).update(names)
    return covered


def _forms(token: Token) -> Forms:
    return frozenset((_PREPOSITIONS.get(token.word, token.word), token.lemma))


def _count(word: Forms, found: Frequencies) -> int:
    return max(found.by_term.get((name, form), 0) for name in (_WORD, _LEMMA) for form in word)


# --- Making one ---------------------------------------------------------------------------------------------------------


def build(rules: Iterable[Rule]) -> Vocabulary:
    """A vocabulary of these rules, in whatever order they come."""
    ordered = tuple(sorted(rules, key=lambda rule: rule.name))
    if not ordered:
        return EMPTY
    concepts = [concept for rule in ordered for concept in rule.concepts]
    askers_of = {name: tuple(readings(*expression) for expression in askers) for name, askers, _ in concepts}
    answers_of = {name: tuple(readings(*expression) for expression in answers) for name, _, answers in concepts}
    phrases = {rule.name: tuple(readings(*expression, whole=True) for expression in rule.asked) for rule in ordered if rule.kind == EntryKind.STOP}
    content = {reading for rule in ordered for expression in rule.expressions for reading in readings(*expression)}
    return Vocabulary(
        rules=ordered,
        key=hashlib.sha256(repr(ordered).encode()).hexdigest(),
        _asking=_index(askers_of),
        _answering=_index(answers_of),
        _phrases=_index(phrases),
        _needed=_by_first_word((words, words) for words in {reading.words for reading in content}),
        _answers_of=answers_of,
        _askers_of=askers_of,
    )


def _index(readings_of: Mapping[str, tuple[frozenset[Reading], ...]]) -> _Index:
    names: dict[Reading, list[str]] = {}
    for name, own in readings_of.items():
        for reading in frozenset().union(*own):
            names.setdefault(reading, []).append(name)
    return _by_first_word((reading.words, (reading, tuple(own))) for reading, own in names.items())


def _by_first_word(entries: Iterable[tuple[tuple[Forms, ...], Value]]) -> dict[str, tuple[Value, ...]]:
    index: dict[str, list[Value]] = {}
    for words, value in entries:
        for form in words[0]:
            index.setdefault(form, []).append(value)
    return {form: tuple(own) for form, own in index.items()}


@lru_cache(10_000)
def readings(language: str, text: str, *, whole: bool = False) -> frozenset[Reading]:
    """How an expression reads in texts of each language, without its stop words unless `whole`.

    It counts in its own language ("pie" is a cake in English and a foot in Spanish); one whose words no dictionary has ("FFP2",
    "hidrogel") in all of them.
    """
    found = set()
    for other in LANGUAGES:
        tokens = list(analysis.tokens(text, other))
        content = [t for t in tokens if t.word not in analysis.stop_words(language)]
        is_here = other == language or all(t.language == language or not analysis.is_known(text[t.start : t.end]) for t in content)
        if content and is_here:
            read = tokens if whole else content
            found.add(Reading(read[0].language, tuple(map(_forms, read))))
    return frozenset(found)


EMPTY = Vocabulary()


# --- What holds ---------------------------------------------------------------------------------------------------------

_in_use: ContextVar[Vocabulary | None] = ContextVar("vocabulary", default=None)


def current() -> Vocabulary:
    """What holds in this context."""
    return _in_use.get() or EMPTY


@contextmanager
def using(vocabulary: Vocabulary) -> Iterator[Vocabulary]:
    """Within it `vocabulary` holds, in this context alone."""
    token = _in_use.set(vocabulary)
    try:
        yield vocabulary
    finally:
        _in_use.reset(token)


@contextmanager
def in_force() -> Iterator[Vocabulary]:
    """Within it the curators' vocabulary holds, unless another one holds already."""
    held = _in_use.get()
    if held is not None:
        yield held
        return
    with using(_kept.fresh()) as vocabulary:
        yield vocabulary


class _Kept:
    """The curators' vocabulary as this process knows it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._version: tuple[int, int] | None = None
        self._vocabulary = EMPTY
        self._asked_at = 0.0

    def fresh(self) -> Vocabulary:
        """Not older than CHECK_SECONDS."""
        if self._version is None or time.monotonic() - self._asked_at >= CHECK_SECONDS:
            self.check()
        return self._vocabulary

    def check(self) -> None:
        """Ask for the version, and load what is newer."""
        from .models import Edit, Entry  # noqa: PLC0415 - models cannot be imported before Django's apps are ready, and the engine is

        asked_at, version = time.monotonic(), Edit.objects.version()
        # The version first: an edit between the two queries is loaded, and loaded again at the next check.
        vocabulary = self._vocabulary if version == self._version else build(entry.rule() for entry in Entry.objects.filter(active=True))
        with self._lock:
            self._version, self._vocabulary, self._asked_at = version, vocabulary, asked_at

    def forget(self) -> None:
        """Ask at the next opportunity."""
        with self._lock:
            self._version = None


_kept = _Kept()


def check() -> None:
    """Know of every edit that is committed now: for who works on an edit's consequences."""
    _kept.check()


def forget() -> None:
    """Know nothing, so that the next question asks the database."""
    _kept.forget()
