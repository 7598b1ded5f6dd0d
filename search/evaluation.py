"""Measuring the matching on a set of queries, documents and judgements, through the same path as the product's suggestions.

A set is a folder with corpus.jsonl {id, lang, title, text}, queries.jsonl {id, lang, text} and qrels.tsv (a header, then
query id, document id, grade). Documents stand for offers, queries for demands.
"""

import csv
import datetime
import json
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import islice
from math import log2
from pathlib import Path
from statistics import fmean

from . import vectors
from .analysis import LANGUAGES, detect_language
from .backends.base import Backend
from .documents import ListingDocument, Write
from .encoding import Encoder
from .engine import assessed_on
from .significance import Interval, mean_difference

#: How many suggestions each query asks for: Recall@100 needs them.
DEPTH = 100
TOP = 10

#: How the product's own suggestions are called beside others.
OURS = "ours"

#: Every document and query has the same time, so that the text alone decides.
MOMENT = datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)
TODAY = MOMENT.date()

#: A language with fewer of a set's texts is a stray, no part of the set.
STRAY_SHARE = 0.05

_BATCH = 500
_QUERY = "query:"  # A query may have a document's id; a listing is never suggested to itself.


class DatasetError(ValueError):
    """The folder is no set; the message says what is missing or where it is wrong."""


@dataclass(frozen=True, slots=True)
class Dataset:
    """Offers, demands and, by demand, the relevant offers with their grade."""

    offers: list[ListingDocument]
    demands: list[ListingDocument]
    judgements: dict[str, dict[str, int]]


def load(folder: Path, *, queries_language: str = "", documents_language: str = "") -> Dataset:
    """The set in `folder`; with languages, only their queries and documents and the judgements between those."""
    offers = [_document(row, "offer") for row in _rows(folder / "corpus.jsonl") if documents_language in {"", row["lang"]}]
    demands = [_document(row, "demand") for row in _rows(folder / "queries.jsonl") if queries_language in {"", row["lang"]}]
    known = {offer.uid for offer in offers}
    judged_by_id = _judgements(folder / "qrels.tsv")
    judgements = {_QUERY + query: {uid: grade for uid, grade in grades.items() if uid in known} for query, grades in judged_by_id.items()}
    judged = [demand for demand in demands if any(grade > 0 for grade in judgements.get(demand.uid, {}).values())]
    if not judged:
        raise DatasetError(f"{folder}: no query of this choice has a relevant document of this choice.")
    return Dataset(offers, judged, judgements)


def _rows(path: Path) -> Iterator[dict[str, str]]:
    try:
        with path.open(encoding="utf-8") as lines:
            for number, line in enumerate(lines, 1):
                if line.strip():
                    row = json.loads(line)
                    if not {"id", "text"} <= row.keys():
                        raise DatasetError(f"{path}, line {number}: id and text are needed.")
                    yield {"title": "", **row, "lang": row.get("lang") or detect_language(row["text"])}
    except (OSError, json.JSONDecodeError) as error:
        raise DatasetError(f"{path}: {error}") from error


def _judgements(path: Path) -> dict[str, dict[str, int]]:
    found: dict[str, dict[str, int]] = {}
    try:
        with path.open(encoding="utf-8", newline="") as lines:
            for query, document, grade in islice(csv.reader(lines, delimiter="\t"), 1, None):
                found.setdefault(query, {})[document] = int(grade)
    except (OSError, ValueError) as error:
        raise DatasetError(f"{path}: {error}") from error
    return found


def _document(row: dict[str, str], kind: str) -> ListingDocument:
    return ListingDocument(
        uid=row["id"] if kind == "offer" else _QUERY + row["id"],
        version=1,
        kind=kind,
        category="product",
        language=row["lang"] if row["lang"] in LANGUAGES else detect_language(row["text"]),
        title=row["title"] or "",
        description=row["text"],
        published_at=MOMENT,
        valid_until=TODAY,
    )


@contextmanager
def scratch(backend: Backend, offers: list[ListingDocument]) -> Iterator[Backend]:
    """An index of its own with the offers, removed afterwards."""
    index = backend.stage()
    try:
        for start in range(0, len(offers), _BATCH):
            index.write([Write(offer.uid, offer.version, offer) for offer in offers[start : start + _BATCH]])
        yield index
    finally:
        index.remove()


Ask = Callable[[ListingDocument], list[str]]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a system found for each demand of a set, in their order, and how good that is by each of MEASURES."""

    name: str
    found: list[list[str]]
    scores: dict[str, list[float]]
    seconds: float

    def figures(self) -> dict[str, float]:
        """The mean of each measure, and the seconds."""
        return {name: round(fmean(values), 4) for name, values in self.scores.items()} | {"seconds": round(self.seconds, 1)}


def with_vectors(dataset: Dataset, encoder: Encoder) -> Dataset:
    """The set with the vectors that the worker would have made of its listings."""
    kept, everything = vectors.InMemory(), [*dataset.offers, *dataset.demands]
    vectors.encode(vectors.missing(everything, kept, encoder), kept, encoder)
    return replace(dataset, offers=vectors.attached(dataset.offers, kept, encoder), demands=vectors.attached(dataset.demands, kept, encoder))


def suggestions(index: Backend) -> Ask:
    """The product's own answers, through the path of its suggestions: whatever the score, as deep as Recall@100 needs, without the reasons."""
    return lambda demand: [found.offer.document.uid for found in assessed_on(index, demand, limit=DEPTH, threshold=0.0, today=TODAY)]


def run(name: str, ask: Ask, dataset: Dataset, *, progress: Callable[[], object] = lambda: None) -> Outcome:
    """Ask a system for every demand and measure its answers."""
    began = time.monotonic()
    found, scores = [], {measure: [] for measure in MEASURES}
    for demand in dataset.demands:
        found.append(ask(demand))
        for measure, of in MEASURES.items():
            scores[measure].append(of(found[-1], dataset.judgements[demand.uid]))
        progress()
    return Outcome(name, found, scores, time.monotonic() - began)


def evaluate(backend: Backend, dataset: Dataset, *, progress: Callable[[], object] = lambda: None) -> Outcome:
    """The suggestions of every demand from an index of the set's offers; its seconds count the indexing too."""
    began = time.monotonic()
    with scratch(backend, dataset.offers) as index:
        outcome = run(OURS, suggestions(index), dataset, progress=progress)
    return replace(outcome, seconds=time.monotonic() - began)


def difference(ours: Outcome, theirs: Outcome) -> dict[str, Interval]:
    """Ours − theirs by measure."""
    return mean_of_differences([(ours, theirs)])


def mean_of_differences(pairs: list[tuple[Outcome, Outcome]]) -> dict[str, Interval]:
    """The mean over several sets of ours − theirs, by measure."""
    return {measure: mean_difference([(ours.scores[measure], theirs.scores[measure]) for ours, theirs in pairs]) for measure in MEASURES}


def language_pairs(folder: Path) -> list[tuple[str, str]]:
    """The languages (of queries, of documents) between which the set has judgements; the pairs of one language first.

    Without languages of a few stray texts, as in a register of one language that holds some of another.
    """
    language_of = {row["id"]: row["lang"] for row in _rows(folder / "corpus.jsonl")}
    asked_in = {row["id"]: row["lang"] for row in _rows(folder / "queries.jsonl")}
    judged = {
        (asked_in[query], language_of[uid])
        for query, grades in _judgements(folder / "qrels.tsv").items()
        for uid, grade in grades.items()
        if grade > 0 and query in asked_in and uid in language_of
    }
    pairs = [(one, other) for one in _spoken(asked_in.values()) for other in _spoken(language_of.values()) if (one, other) in judged]
    return sorted(pairs, key=lambda pair: pair[0] != pair[1])


def _spoken(languages: Collection[str]) -> list[str]:
    return [language for language, count in Counter(languages).items() if count >= STRAY_SHARE * len(languages)]


def kind_of_pair(languages: tuple[str, str]) -> str:
    """With which pairs of languages this one's figures are averaged."""
    if languages[0] == languages[1]:
        return "the same language"
    # The Romance languages share most of their words' roots; a word of English is answered by its meaning or not at all.
    return "with English" if "en" in languages else "Catalan and Spanish"


# --- Measures (as trec_eval has them, with exponential gains) ----------------------------------------------------------


def ndcg(found: list[str], grades: dict[str, int]) -> float:
    """Gain of the first ten, discounted by rank, by that of the best possible order."""
    ideal = _gain(sorted(grades.values(), reverse=True))
    return _gain([grades.get(uid, 0) for uid in found]) / ideal if ideal else 0.0


def _gain(grades: list[int]) -> float:
    return sum((2 ** max(grade, 0) - 1) / log2(rank + 1) for rank, grade in enumerate(grades[:TOP], 1))


def reciprocal_rank(found: list[str], grades: dict[str, int]) -> float:
    """One by the rank of the first relevant document among the first ten."""
    return next((1 / rank for rank, uid in enumerate(found[:TOP], 1) if grades.get(uid, 0) > 0), 0.0)


def recall(found: list[str], grades: dict[str, int]) -> float:
    """The share of the relevant documents that are among the first hundred."""
    relevant = {uid for uid, grade in grades.items() if grade > 0}
    return len(relevant.intersection(found[:DEPTH])) / len(relevant) if relevant else 0.0


MEASURES: dict[str, Callable[[list[str], dict[str, int]], float]] = {"ndcg@10": ndcg, "mrr@10": reciprocal_rank, "recall@100": recall}
