"""Hints for who writes: sentences that are too long, the passive, words of the office. They propose, and never stop anybody.

After the common core of plain-language guides (ISO 24495-1:2023, sections 5.2 and 5.3): one thought a sentence, who does what,
words that the reader uses. The patterns know the usual forms of three languages, no grammar: a hint may be wrong, so it asks.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

#: Words; longer sentences are read twice.
LONGEST_SENTENCE = 25

#: Of one text; more are tiresome, and the first ones teach.
MOST_HINTS = 12

#: Of a text; more than any field holds sensibly.
MOST_CHARACTERS = 20_000

_SENTENCE = re.compile(r"[^.!?…\n]+(?:[.!?…]+|$|(?=\n))")
_WORD = re.compile(r"[\w'’·-]+")
#: A dot after these ends no sentence.
_SHORT = re.compile(r"\b(Sr|Sra|art|núm|pàg|pág|tel|etc|ex|p\. ?ex|e\.g|i\.e|No|Mr|Ms)\.\s", re.IGNORECASE)

_PARTICIPLES = {
    "ca": r"\w{2,}(?:ats?|ad(?:a|es)|its?|id(?:a|es)|uts?|ud(?:a|es)|[eè]s(?:os?|a|es)?|ert(?:s|a|es)?)",
    "es": r"\w{2,}(?:ad[oa]s?|id[oa]s?|puest[oa]s?|hech[oa]s?|escrit[oa]s?|resuelt[oa]s?)",
    "en": r"(?:\w{2,}ed|given|made|taken|done|written|paid|sent|held|kept|chosen|shown|known|set|met|put|granted|awarded|drawn|laid)",
}
_BEING = {
    "ca": r"(?:és|són|era|eren|serà|seran|seria|serien|siguin?|fou|foren|va ser|van ser|(?:ha|han|hagi|hagin) estat|pot ser|poden ser|ha de ser|han de ser)",
    "es": r"(?:es|son|era|eran|será|serán|sería|serían|sea|sean|fue|fueron|(?:ha|han|haya|hayan) sido|puede ser|pueden ser|debe ser|deben ser)",
    "en": r"(?:is|are|was|were|be|been|being|will be|can be|must be|may be|has been|have been)",
}
#: "Es concediran", "se concederá": nobody does it.
_NOBODY = {
    "ca": r"\b(?:es |s['’])\w{3,}(?:aran|iran|eran|arà|irà|erà)\b",
    "es": r"\bse \w{3,}(?:arán|erán|irán|ará|erá|irá)\b",
}
#: They look like participles and are none, or are said of things as they are.
_NO_PARTICIPLES = {
    "ca": {"gratuït", "gratuïts", "petit", "petits", "privat", "privada", "privats", "privades", "limitat", "limitada", "adequat", "adequada", "obert", "oberts", "oberta", "obertes", "després", "més", "només", "mes", "interès", "exprés", "res", "veritat", "necessitat", "ciutat", "activitat", "entitat", "cobert", "cert", "certa", "mateix", "cada"},
    "es": {"privado", "privada", "privados", "privadas", "limitado", "limitada", "adecuado", "adecuada", "cada", "nada", "lado", "estado", "partido", "sentido", "ayuda", "vida", "medida", "medidas", "salida", "ido", "todo", "toda"},
    "en": {"need", "needed", "used", "based", "interested", "located", "closed", "limited", "tired", "indeed", "speed", "red", "shed"},
}  # fmt: skip


@dataclass(frozen=True)
class Hint:
    """What could be plainer: `quote` is a stretch of the text, `note` says what to do about it."""

    kind: str
    quote: str
    note: str


def hints(text: str, language: str) -> list[Hint]:
    """What could be plainer in a text of a language ("ca", "es", "en"; of another, only the length of sentences), in its order."""
    text = text[:MOST_CHARACTERS]
    found = [(place, hint) for finder in (_long, _passive, _jargon) for place, hint in finder(text, language)]
    return [hint for _place, hint in sorted(found, key=lambda pair: pair[0])][:MOST_HINTS]


def sentences(text: str) -> Iterator[tuple[int, str]]:
    """Each sentence with the place where it begins."""
    # A letter that is no letter keeps the length, so that places stay true.
    guarded = _SHORT.sub(lambda found: found.group().replace(".", "\u2024"), text)
    for found in _SENTENCE.finditer(guarded):
        sentence = text[found.start() : found.end()]
        if sentence.strip():
            yield found.start() + len(sentence) - len(sentence.lstrip()), sentence.strip()


def _long(text: str, _language: str) -> Iterator[tuple[int, Hint]]:
    for place, sentence in sentences(text):
        words = len(_WORD.findall(sentence))
        if words > LONGEST_SENTENCE:
            note = ngettext("%(n)d word. Make two sentences of it.", "%(n)d words. Make two sentences of it.", words) % {"n": words}
            yield place, Hint("long", _beginning(sentence), note)


def _beginning(sentence: str) -> str:
    words = sentence.split()
    return " ".join(words[:8]) + (" …" if len(words) > 8 else "")  # noqa: PLR2004 - enough to find it again


def _passive(text: str, language: str) -> Iterator[tuple[int, Hint]]:
    for pattern in _passive_patterns(language):
        for found in pattern.finditer(text):
            if found.groupdict().get("participle", "").casefold() not in _NO_PARTICIPLES[language]:
                yield found.start(), Hint("passive", found.group(), _("Who does it? Say it: “the office pays”, “you send”."))


@cache
def _passive_patterns(language: str) -> list[re.Pattern[str]]:
    if language not in _BEING:
        return []
    between = r"(?:\s+\w+(?:ment|mente|ly))?\s+"
    passive = rf"\b{_BEING[language]}{between}(?P<participle>{_PARTICIPLES[language]})\b"
    return [re.compile(one, re.IGNORECASE) for one in (passive, _NOBODY.get(language)) if one]


def _jargon(text: str, language: str) -> Iterator[tuple[int, Hint]]:
    for word, plain in jargon(language).items():
        for found in re.finditer(rf"(?<!\w){re.escape(word)}(?!\w)", text.replace("’", "'"), re.IGNORECASE):
            yield found.start(), Hint("jargon", text[found.start() : found.end()], _("Plainer: %(words)s") % {"words": plain})


@cache
def jargon(language: str) -> dict[str, str]:
    """Words of the office, each with what people say; none for a language that has no list."""
    file = Path(__file__).parent / "data" / f"jargon-{language}.json"
    return json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
