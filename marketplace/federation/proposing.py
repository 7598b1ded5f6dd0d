"""What a partner's word may mean, with how sure that is: for a person to confirm, never used by itself."""

import difflib
import re
from collections.abc import Iterator, Mapping
from functools import cache

from marketplace.companies import places, sectors
from marketplace.imports import values
from search import vocabulary

from .enums import Scheme
from .models import Mapping as Word
from .usual import SECTORS

#: A proposal below this would be a guess that costs more reading than it saves.
BAR = 0.35
#: How much each way of finding says. A usual word for a sector was written down by hand; a label that begins with the words may be one of many.
USUAL, CODE, BEGINNING, ALTERNATIVE = 0.9, 0.85, 0.75, 0.9
#: A five-digit number may be an INE code without its last digit, or a postal code.
INE5 = 0.6
MOST_ALTERNATIVES = 8
#: The evidence (sectors.scores) that is worth one half: a rare word of a short label has 3 and more.
HALF = 3.0
#: Words that say nothing of what a sector is about.
EMPTY = frozenset(
    ["sector", "sectors", "sectores", "activitat", "activitats", "actividad", "actividades", "activity", "activities", "empresa", "empreses", "empresas", "company", "companies", "servei", "serveis", "servicio", "servicios", "service", "services", "industria", "industries", "industrias", "industry", "altres", "otros", "otras", "other", "de", "del", "dels", "la", "les", "los", "las", "el", "els", "i", "y", "and", "e", "o", "u", "of", "the", "en", "a"]
)  # fmt: skip


def clean(text: str) -> str:
    """One line without marks at its ends: "  Plàstics (PVC): " → "Plàstics (PVC)"."""
    return " ".join(text.replace("\0", " ").split()).strip(" .,:;·|>/–-")


def proposed(word: Word) -> Word:
    """The word, unsaved, with what it may mean; nothing below the bar."""
    code, score = propose(word.scheme, word.label or word.value)
    if score >= BAR:
        word.score = round(score, 2)
        if word.scheme == Scheme.SECTOR:
            word.sector_id = code
        elif word.scheme == Scheme.PLACE:
            word.place_id = code
        else:
            word.choice = code
    return word


def propose(scheme: str, label: str) -> tuple[str, float]:
    """The likeliest meaning of a word and a score from 0 to 1; ("", 0.0) where nothing tells."""
    best = ("", 0.0)
    for text, weight in [(label, 1.0), *((other, ALTERNATIVE) for other in alternatives(label))]:
        for code, score in _PROPOSE[Scheme(scheme)](text):
            best = max(best, (code, weight * score), key=lambda found: found[1])
    return best


def alternatives(label: str) -> list[str]:
    """The label with its words replaced by those that the curators' vocabulary calls the same."""
    folded, found = f" {values.fold(label)} ", []
    with vocabulary.in_force():
        rules = vocabulary.current().rules
    for rule in rules:
        expressions = [f" {values.fold(text)} " for _language, text in rule.expressions]
        for expression in expressions:
            if expression.strip() and expression in folded:
                found += [folded.replace(expression, other).strip() for other in expressions if other != expression]
    return list(dict.fromkeys(found))[:MOST_ALTERNATIVES]


# --- By scheme ----------------------------------------------------------------------------------------------------------


def _sector(text: str) -> Iterator[tuple[str, float]]:
    if (found := values.sector(text)) is not None:
        yield found.code, 1.0
    if (code := re.search(r"(?<![\d.])(\d{2}(?:\.?\d{1,2})?)(?![\d.])", text)) and code[1].replace(".", "") in sectors.tree():
        yield code[1].replace(".", ""), CODE
    words = [word for word in values.fold(text).split() if word not in EMPTY]
    if not words:
        return
    yield from _usual(words)
    yield from _beginning(words)
    scores = sectors.scores(" ".join(words))
    if scores:
        code = max(scores, key=lambda found: (scores[found], found))
        # One word in two that no label knows may be the one that matters.
        known = sum(bool(sectors.scores(word)) for word in words) / len(words)
        yield code, known * scores[code] / (scores[code] + HALF)


def _beginning(words: list[str]) -> Iterator[tuple[str, float]]:
    """A sector whose label has all the words; of "plàstics" and "fabricació de productes de plàstics" a third is the same."""
    for sector in sectors.find(" ".join(words), limit=1):
        for language in sectors.LANGUAGES:
            label = [word for word in values.fold(getattr(sector, f"label_{language}")).split() if word not in EMPTY]
            if all(any(part.startswith(word) for part in label) for word in words):
                yield sector.code, BEGINNING * (0.5 + 0.5 * len(words) / len(label))


def _usual(words: list[str]) -> Iterator[tuple[str, float]]:
    """Words that everybody uses for a sector and no classification does; the more of the label they cover the surer."""
    text = f" {' '.join(words)} "
    for phrase, code in _usual_words().items():
        if f" {phrase} " in text:
            yield code, USUAL * (0.6 + 0.4 * len(phrase.split()) / len(words))


@cache
def _usual_words() -> Mapping[str, str]:
    return {" ".join(word for word in values.fold(phrase).split() if word not in EMPTY): code for code, phrases in SECTORS.items() for phrase in phrases}


def _place(text: str) -> Iterator[tuple[str, float]]:
    if (found := values.place(text)) is not None:
        yield found.code, 1.0
    if re.fullmatch(r"\d{5}", text.strip()):
        known = [code for code in places.known() if code.startswith(text.strip())]
        if len(known) == 1:
            yield known[0], INE5
    parts = [text, *re.split(r"\s*[,;/()·–-]\s*", text)]
    for part in dict.fromkeys(filter(None, parts)):
        for place in places.like(part, limit=3)[:1]:
            score = difflib.SequenceMatcher(None, values.fold(part), values.fold(place.name)).ratio()
            yield place.code, 0.9 * score * (1.0 if part == text else 0.8)


def _choice(scheme: Scheme) -> object:
    words = {Scheme.CATEGORY: values.CATEGORY_WORDS, Scheme.KIND: values.KIND_WORDS, Scheme.LANGUAGE: values.LANGUAGES}[scheme]

    def found(text: str) -> Iterator[tuple[str, float]]:
        folded = values.fold(text).split()
        for code, beginnings in words.items():
            near = max((difflib.SequenceMatcher(None, word, beginning).ratio() for word in folded for beginning in beginnings if len(beginning) > 2), default=0)  # noqa: PLR2004 - two letters are like too much
            told = any(word.startswith(beginning) for word in folded for beginning in beginnings)
            yield str(code), 0.9 if told else 0.7 * near if near > 0.6 else 0.0  # noqa: PLR2004 - less is chance

    return found


_PROPOSE = {Scheme.SECTOR: _sector, Scheme.PLACE: _place} | {scheme: _choice(scheme) for scheme in (Scheme.CATEGORY, Scheme.KIND, Scheme.LANGUAGE)}
