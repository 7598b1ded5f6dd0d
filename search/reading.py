"""A text as the index keeps it beside the document: its words and expressions, found once, so that no question looks for them in the text again.

Of every field a line of the words, without stop words: each in small letters, with the concepts of every expression that it stands in ("gel=sanitiser").
Then of every field a line of the concepts ("=sanitiser"), each once for an expression: "gel hidroalcohòlic" is one sanitiser, not two. The words' other forms are not
kept: who knows a word as it is written and the language has them in memory.
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import cache, lru_cache
from typing import NamedTuple

from . import analysis
from .analysis import Word
from .documents import TEXT_FIELDS, ListingDocument
from .wants import CONCEPT, Key, keys_of

_LINES, _CONCEPTS, _NEXT = "\n", "=", ","

#: Some thousand concepts of data/concepts.tsv meet in one word, or side by side.
_MEETINGS = 20_000


class Content(NamedTuple):
    """A word that is no stop word, in all its forms, as it is written in small letters, and the expressions that begin with it."""

    spelt: str
    word: str
    lemma: str
    stem: str
    cognate: str
    expressions: analysis.Expressions | None


_NO_COLUMNS: tuple[tuple, ...] = ((),) * len(Content._fields)


class Field(NamedTuple):
    """What was read in one field: every word as it stands; of those that are no stop words the forms, and by their places the concepts."""

    surfaces: list[str]
    spelt: Sequence[str]
    words: Sequence[str]
    lemmas: Sequence[str]
    stems: Sequence[str]
    cognates: Sequence[str]
    concepts: Mapping[int, tuple[str, ...]]


class Read(NamedTuple):
    """A text's words and its expressions' concepts, by field in the order of TEXT_FIELDS."""

    words: Sequence[list[str]]
    expressions: Sequence[list[str]]

    @property
    def length(self) -> int:
        """In words."""
        return sum(map(len, self.words))


def fields(document: ListingDocument) -> list[Field]:
    """What stands in each of TEXT_FIELDS."""
    content = _content(document.language)
    return [_field(document.text(name), content) for name in TEXT_FIELDS]


def _field(text: str, content: Mapping[str, Content | None]) -> Field:
    surfaces = analysis.surfaces(text)
    columns = tuple(zip(*filter(None, map(content.__getitem__, surfaces)), strict=True)) or _NO_COLUMNS
    spelt, words, lemmas, stems, cognates, expressions = columns
    return Field(surfaces, spelt, words, lemmas, stems, cognates, analysis.concepts_by(expressions, lemmas))


@cache
def _content(language: str) -> Mapping[str, Content | None]:
    words, stops = analysis.known(language), analysis.stop_words(language)

    def read(surface: str) -> Content | None:
        word = words[surface]
        if word is None or word.word in stops:
            return None
        return Content(surface.lower(), word.word, word.lemma, word.stem, word.cognate, analysis.expressions_from(word))

    return analysis.Remembered(read)


def written(found: Iterable[Field]) -> str:
    """What the index keeps; `of` reads it."""
    words, expressions = zip(*map(_lines, found), strict=True)
    return _LINES.join(words + expressions)


def _lines(field: Field) -> tuple[str, str]:
    """The words of a field, and the concepts of its expressions."""
    words = list(field.spelt)
    begun = []
    for place, names in field.concepts.items():
        words[place] += _suffix(names)
        begun.append(_begun(names, field.concepts.get(place - 1, ())))
    return " ".join(words), " ".join(filter(None, begun))


@lru_cache(_MEETINGS)
def _suffix(names: tuple[str, ...]) -> str:
    return _CONCEPTS + _NEXT.join(names)


@lru_cache(_MEETINGS)
def _begun(names: tuple[str, ...], before: tuple[str, ...]) -> str:
    """The concepts that a word has and the one before it has not."""
    return " ".join([_CONCEPTS + name for name in names if name not in before])


def of(document: ListingDocument) -> Read:
    """What was read when the document was indexed; read now if it comes from elsewhere."""
    lines = list(map(str.split, (document.read or written(fields(document))).split(_LINES)))
    return Read(lines[: len(TEXT_FIELDS)], lines[len(TEXT_FIELDS) :])


# --- Its words ------------------------------------------------------------------------------------------------------------------


class Known(NamedTuple):
    """A word of a `Read` in all its forms, and the keys by which it can be answered, those of its concepts too. Of a concept's line just this key."""

    word: Word | None
    keys: tuple[Key, ...]


@cache
def known(language: str) -> Mapping[str, Known]:
    """The words of texts of a language, by how a `Read` has them."""
    words = analysis.known(language)

    def read(written: str) -> Known:
        spelt, _, names = written.partition(_CONCEPTS)
        word = words[spelt] if spelt else None
        return Known(word, tuple(keys_of(word, filter(None, names.split(_NEXT)))) if word else ((CONCEPT, names),))

    return analysis.Remembered(read)
