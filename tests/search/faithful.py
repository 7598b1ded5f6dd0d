"""What evidence is worth: offers of the demo city lose what a suggestion quotes, and are scored anew.

Shared by the tests of faithfulness and by benchmarks/faithfulness.py.
"""

import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from statistics import fmean

from marketplace.demo import city
from search import engine, matching, reasons, vectors, wants
from search.backends.base import Backend
from search.documents import KEYWORD_SEPARATOR, TEXT_FIELDS, ListingDocument, Write
from search.encoding import Encoder
from search.matching import Assessment
from search.wants import Span
from tests.search.documents import NOW, TODAY, listing

#: What a told contribution may be wrong by: so many points, or that share of it. Words alone are counted exactly, but for synonyms that
#: stand side by side; what a passage means to a whole is foretold, for nobody encodes an offer anew for each of its quotations.
WORDS, MEANING, WORDS_WITH_MEANING = (1.0, 0.15), (2.0, 0.2), (3.0, 0.25)

#: So many suggestions of each demand are looked at.
LIMIT = 5


@dataclass(frozen=True, slots=True)
class Case:
    """A quotation of a suggestion: the stretches of the offer, and the points that the reason tells."""

    assessment: Assessment
    cited: tuple[Span, ...]
    points: float


def city_documents() -> list[ListingDocument]:
    """The published listings of the demo city, all of one day, without places: the texts decide."""
    return [_document(row) for row in city.rows("listings") if row["state"] == "published"]


def _document(row: dict) -> ListingDocument:
    sector = row["sector"]
    return listing(
        row["title"],
        row["description"],
        uid=row["key"],
        kind=row["kind"],
        category=row["category"],
        language=row["language"],
        keywords=tuple(row["keywords"]),
        sector=sector,
        sectors=(sector[:2], sector[:3], sector),
        company_uid=row["company"],
        published_at=NOW,
        valid_until=TODAY,
    )


def indexed(backend: Backend, documents: list[ListingDocument]) -> None:
    """Write the documents into the engine."""
    backend.write([Write(document.uid, document.version, document) for document in documents])


def suggested(backend: Backend, demands: Iterable[ListingDocument], *, limit: int = LIMIT, threshold: float = matching.THRESHOLD) -> Iterator[Assessment]:
    """What the engine suggests to each demand."""
    for demand in demands:
        yield from engine.assessed_on(backend, demand, limit=limit, threshold=threshold, today=TODAY)


def cases(assessments: Iterable[Assessment], code: str) -> Iterator[Case]:
    """Every quotation of the reason `code` ("terms" or "meaning") as the demand's owner is told it."""
    for assessment in assessments:
        for reason in reasons.reasons(assessment, asking=assessment.demand.document):
            for pair in reason.data["pairs"] if reason.code == code else ():
                cited = ((pair["field_theirs"], *pair["theirs"]), *(tuple(span) for span in pair["also"]))
                yield Case(assessment, cited, pair["points"])


def without(document: ListingDocument, spans: Iterable[Span]) -> ListingDocument:
    """The document whose texts lack these stretches; its vectors are not its own any more."""
    left = {name: _cut(document.text(name), [(start, end) for field, start, end in spans if field == name]) for name in TEXT_FIELDS}
    keywords = tuple(word for word in left["keywords"].split(KEYWORD_SEPARATOR.strip()) if word.strip())
    return replace(document, title=left["title"], description=left["description"], keywords=tuple(map(str.strip, keywords)), vectors="")


def _cut(text: str, spans: list[tuple[int, int]]) -> str:
    for start, end in sorted(spans, reverse=True):
        text = text[:start] + text[end:]
    return text


def fall(case: Case, spans: Iterable[Span], *, kept: vectors.Vectors | None = None, encoder: Encoder | None = None) -> float:
    """By how much the score falls when the offer is published anew without these stretches, analysed and encoded anew."""
    before = case.assessment
    shortened = without(before.offer.document, spans)
    if encoder:
        vectors.encode(vectors.missing([shortened], kept, encoder), kept, encoder)
        [shortened] = vectors.attached([shortened], kept, encoder)
    after = matching.assess(wants.analysed(shortened), before.demand, list(before.terms), before.weighing, today=TODAY)
    return before.score - after.score


def chance(seed: int = 2020) -> random.Random:
    """The same choices every time."""
    return random.Random(seed)  # noqa: S311 - a sample, not a secret


def elsewhere(case: Case, source: random.Random) -> tuple[Span, ...]:
    """As much of the offer's text as is cited, in one stretch of whole words that touches no stretch of the case; empty if there is none."""
    length = sum(end - start for _, start, end in case.cited)
    document = case.assessment.offer.document
    free = []
    for name in TEXT_FIELDS:
        text = document.text(name)
        starts = [0, *(place + 1 for place, letter in enumerate(text) if letter.isspace())]
        for start in starts:
            end = next((place for place in range(start + length, len(text) + 1) if place == len(text) or text[place].isspace()), None)
            if end and not any(field == name and start < other_end and other_start < end for field, other_start, other_end in case.cited):
                free.append((name, start, end))
    return (source.choice(free),) if free else ()


def is_near(told: float, measured: float, tolerance: tuple[float, float]) -> bool:
    """Whether what was measured is what was told, within so many points or that share of what was told."""
    points, share = tolerance
    return abs(told - measured) <= max(points, share * abs(told))


def share_near(told: list[float], measured: list[float], tolerance: tuple[float, float]) -> float:
    """The share of the cases where it is."""
    return fmean(is_near(*pair, tolerance) for pair in zip(told, measured, strict=True))
