"""The passages of a listing: what is encoded by itself, and quoted as evidence of a like meaning.

A long profile names a dozen things. One vector for all of them is near to none; its sentences are.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from .documents import TEXT_FIELDS, ListingDocument

#: A sentence ends at its mark or at the line's end. Sources put lists into sentences and sentences into lines.
#: No spaces before the line's end: from each of ten thousand blanks it would be looked for anew.
_END = re.compile(r"(?<=[.!?;])\s+|\n\s*")

#: Shorter pieces ("Inc.", "2.5 m") mean nothing alone.
SHORTEST = 4

#: Longer ones are cut: a model reads so much at once.
LONGEST = 500

#: More passages than nearly every profile has; bounded work for a pasted catalogue.
MOST = 40


@dataclass(frozen=True, slots=True)
class Passage:
    """A sentence, a title or the keywords: where it stands in the text of its field."""

    field: str
    start: int
    end: int
    text: str


def passages(document: ListingDocument) -> tuple[Passage, ...]:
    """The passages of a listing, the title's first; at most MOST."""
    found = (passage for name in TEXT_FIELDS for passage in _of_field(name, document.text(name)))
    return tuple(passage for passage, _ in zip(found, range(MOST), strict=False))


def _of_field(name: str, text: str) -> Iterator[Passage]:
    start = 0
    for end, following in [*((match.start(), match.end()) for match in _END.finditer(text)), (len(text), len(text))]:
        piece = text[start:end]
        stripped = piece.strip()
        if len(stripped) >= SHORTEST:
            begin = start + piece.index(stripped)
            yield Passage(name, begin, begin + min(len(stripped), LONGEST), stripped[:LONGEST])
        start = following


def sentences(text: str) -> list[str]:
    """The passages of any text."""
    return [passage.text for passage in _of_field("", text)]


def whole(document: ListingDocument) -> str:
    """The listing as one text."""
    return ". ".join(text for name in TEXT_FIELDS if (text := document.text(name).strip()))


def texts(document: ListingDocument) -> tuple[str, ...]:
    """What is encoded of a listing: the whole, then each passage, unless there is just one. Nothing of one that says nothing."""
    each = tuple(passage.text for passage in passages(document))
    return (whole(document), *each) if len(each) > 1 else each
