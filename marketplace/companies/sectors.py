"""Finding a sector of the NACE tree by words, and guessing one from a text.

The tree is read from the file the database was filled from: it never changes while the process runs, and a picker asks
at every pause of a person's typing.
"""

import math
import re
from collections import defaultdict
from collections.abc import Mapping
from functools import cache

from search import analysis

from . import reference
from .models import Sector

LANGUAGES = ("ca", "es", "en")
#: A word of the label itself tells more than one of the group or division above it.
INHERITED = 0.5
#: A text that shares only a common word with a label ("serveis") tells nothing.
LEAST_EVIDENCE = 4.0
CLASS_LEVEL = 4
#: Of what was typed so much is looked at.
MAX_TEXT = 200


@cache
def tree() -> Mapping[str, Sector]:
    """Every sector by its code, in the tree's order; these objects are not tied to a database."""
    return {sector.code: sector for sector in sorted(reference.sectors(Sector), key=lambda sector: sector.path)}


@cache
def _folded() -> Mapping[str, str]:
    """The folded words of each sector's labels in all languages, each after a space, so that " plast" finds a beginning."""
    return {code: " ".join(["", *(word for language in LANGUAGES for word in _words(sector, language))]) for code, sector in tree().items()}


def _words(sector: Sector, language: str) -> list[str]:
    return _fold(getattr(sector, f"label_{language}"))


def _fold(text: str) -> list[str]:
    return [folded for word in re.split(r"[\W_]+", text) if (folded := analysis.fold(word))]


def _says(label: str, beginnings: list[str]) -> bool:
    words = " ".join(["", *_fold(label)])
    return all(beginning in words for beginning in beginnings)


def find(text: str, *, limit: int = 8) -> list[Sector]:
    """Sectors whose code or label begins its words with those of `text`, whatever accents and language; else guesses."""
    text = text.strip()[:MAX_TEXT]
    if text.replace(".", "").isdigit():
        return [sector for code, sector in tree().items() if code.startswith(text.replace(".", ""))][:limit]
    beginnings = [f" {word}" for word in _fold(text)]
    if not beginnings:
        return []
    found = [tree()[code] for code, words in _folded().items() if all(beginning in words for beginning in beginnings)]
    # What the reader's own language says first: "plàst" means plastics, not the English "plastering"; then the short
    # labels: "Educació" before "Altres activitats d'educació no classificades".
    found.sort(key=lambda sector: (not _says(sector.label, beginnings), len(sector.label), sector.path))
    return found[:limit] or propose(text, limit=limit)


def propose(text: str, language: str = "", *, limit: int = 3) -> list[Sector]:
    """The classes and groups whose labels share most with `text`, the best first; none when nothing tells."""
    ranked = sorted(scores(text, language).items(), key=lambda item: (-item[1], item[0]))
    return [tree()[code] for code, _ in ranked[:limit]]


def scores(text: str, language: str = "") -> dict[str, float]:
    """How like each class's label, with those above it, is to `text` (weighted cosine, 0 to 1); only those with some evidence."""
    features = _features(text, language or analysis.detect_language(text))
    weights, places, lengths = _index()
    found: dict[str, float] = defaultdict(float)
    for feature in features:
        for code, share in places.get(feature, {}).items():
            found[code] += weights[feature] ** 2 * share
    return {code: score / lengths[code] for code, score in found.items() if score >= LEAST_EVIDENCE**2}


@cache
def _index() -> tuple[Mapping[str, float], Mapping[str, Mapping[str, float]], Mapping[str, float]]:
    """The weight of each feature (the rarer the heavier), in which classes it stands with which share, the length of each class's label."""
    own = {code: set().union(*(_features(getattr(sector, f"label_{language}"), language) for language in LANGUAGES)) for code, sector in tree().items()}
    places: dict[str, dict[str, float]] = defaultdict(dict)
    classes = [sector for sector in tree().values() if sector.level == CLASS_LEVEL]
    for sector in classes:
        for above in sector.codes:
            for feature in own[above]:
                places[feature][sector.code] = 1.0 if above == sector.code else max(INHERITED, places[feature].get(sector.code, 0))
    weights = {feature: math.log(len(classes) / len(codes)) for feature, codes in places.items()}
    squares: dict[str, float] = defaultdict(float)
    for feature, codes in places.items():
        for code, share in codes.items():
            squares[code] += (weights[feature] * share) ** 2
    return weights, places, {code: math.sqrt(square) for code, square in squares.items()}


def _features(text: str, language: str) -> set[str]:
    """In which forms two texts of any of the languages can meet: cognates and concepts, lemmas of words too short for those."""
    features = set()
    for token in analysis.analyse(text, language):
        features.add(token.cognate or token.lemma)
        features.update(f"={concept}" for concept in token.concepts)
    return features
