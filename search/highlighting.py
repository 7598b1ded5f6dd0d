"""Marking what matched, the same for every engine: from the texts and the words looked for, not from the engine's index."""

from functools import lru_cache
from html import escape

from . import analysis, vocabulary
from .analysis import Token
from .documents import ListingDocument
from .queries import FindWord

HIGHLIGHTED = ("title", "company_name", "keywords", "description")

#: How much of a long text is shown, and how much of it before the first match.
SNIPPET_CHARACTERS = 240
LEAD_CHARACTERS = 60


def highlights(document: ListingDocument, words: list[FindWord]) -> dict[str, str]:
    """Escaped HTML with <mark> around what answers one of `words`, for each field where something does."""
    marked = {name: _mark(document.text(name), document.language, words, whole=name != "description") for name in HIGHLIGHTED} if words else {}
    return {name: html for name, html in marked.items() if html}


def _mark(text: str, language: str, words: list[FindWord], *, whole: bool) -> str:
    spans = [(t.start, t.end) for t in _with_stop_words(text, language, words) if any(_answers(t, word) for word in words)]
    if not spans:
        return ""
    start, end = (0, len(text)) if whole else _snippet(text, spans[0][0])
    parts, position = [], start
    for first, last in spans:
        if first >= position and last <= end:
            parts += [escape(text[position:first]), "<mark>", escape(text[first:last]), "</mark>"]
            position = last
    parts.append(escape(text[position:end]))
    return ("… " if start else "") + "".join(parts).strip() + (" …" if end < len(text) else "")


def _with_stop_words(text: str, language: str, words: list[FindWord]) -> list[Token]:
    if not any(word.concepts for word in words):  # Nobody asks what the text's words stand for.
        return list(analysis.tokens(text, language))
    found = {t.start: t for t in analysis.tokens(text, language)} | {t.start: t for t in vocabulary.current().analyse(text, language)}
    return [found[start] for start in sorted(found)]


def _snippet(text: str, first: int) -> tuple[int, int]:
    """Bounds of a passage around `first` that cut no word where a space is near."""
    if len(text) <= SNIPPET_CHARACTERS:
        return 0, len(text)
    start = max(0, first - LEAD_CHARACTERS)
    if start:
        start = text.rfind(" ", 0, start + 1) + 1
    end = start + SNIPPET_CHARACTERS
    if end < len(text):
        end = max(text.rfind(" ", start, end), min(first + analysis.MAX_WORD, len(text)))
    return start, min(end, len(text))


def _answers(token: Token, word: FindWord) -> bool:
    return (
        token.word == word.word
        or token.lemma in word.lemmas
        or token.stem in word.stems
        or not word.concepts.isdisjoint(token.answers)
        or (word.is_prefix and token.word.startswith(word.word))
        or (word.edits > 0 and any(is_within_edits(form, word.word, word.edits) for form in (token.word, token.lemma)))
    )


@lru_cache(50_000)
def is_within_edits(one: str, other: str, most: int) -> bool:
    """Whether at most `most` letters were missed, added, changed or swapped with their neighbour."""
    if abs(len(one) - len(other)) > most:
        return False
    before: list[int] = []
    previous = list(range(len(other) + 1))
    for i, letter in enumerate(one, 1):
        current = [i]
        for j, other_letter in enumerate(other, 1):
            cost = min(previous[j] + 1, current[j - 1] + 1, previous[j - 1] + (letter != other_letter))
            if i > 1 and j > 1 and letter == other[j - 2] and one[i - 2] == other_letter:
                cost = min(cost, before[j - 2] + 1)
            current.append(cost)
        if min(current) > most:
            return False
        before, previous = previous, current
    return previous[-1] <= most
