"""A text as the index keeps it beside the document: its words and expressions, found once, so that no question looks for them in the text again.

Of every field a line of the words, without stop words: each in small letters, with the concepts of every expression that it stands in ("gel=sanitiser").
Then of every field a line of the concepts ("=sanitiser"), each once for an expression: "gel hidroalcohòlic" is one sanitiser, not two. The words' other forms are not
kept: who knows a word as it is written and the language has them in memory.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from typing import NamedTuple

from . import analysis
from .analysis import Word
from .documents import TEXT_FIELDS, ListingDocument
from .wants import CONCEPT, Key, keys_of

_LINES, _CONCEPTS, _NEXT = "\n", "=", ","

#: Some 0.4 kB each; a town of 20,000 listings has 20,000 in its main language.
_CACHED_WORDS = 100_000


class Field(NamedTuple):
    """What was read in one field: as they are written its words, then the words themselves, and the concepts of each."""

    spelt: list[str]
    words: list[Word]
    concepts: list[tuple[str, ...]]


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
    found = [analysis.content(document.text(name), document.language) for name in TEXT_FIELDS]
    return [Field(spelt, words, analysis.concepts_of(words)) for spelt, words in found]


def written(found: Iterable[Field]) -> str:
    """What the index keeps; `of` reads it."""
    found = list(found)
    words = [" ".join([f"{word}={','.join(names)}" if names else word for word, names in zip(one.spelt, one.concepts, strict=True)]) for one in found]
    return _LINES.join([*words, *(" ".join(_expressions(one.concepts)) for one in found)])


def _expressions(concepts: Iterable[tuple[str, ...]]) -> Iterator[str]:
    before: tuple[str, ...] = ()
    for names in concepts:
        if names:
            yield from [_CONCEPTS + name for name in names if name not in before]
        before = names


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
    return _Known(language)


class _Known(dict[str, Known]):
    def __init__(self, language: str) -> None:
        super().__init__()
        self._language = language

    def __missing__(self, read: str) -> Known:
        if len(self) >= _CACHED_WORDS:
            self.clear()
        spelt, _, names = read.partition(_CONCEPTS)
        word = analysis.word(spelt, self._language) if spelt else None
        self[read] = found = Known(word, tuple(keys_of(word, filter(None, names.split(_NEXT)))) if word else ((CONCEPT, names),))
        return found
