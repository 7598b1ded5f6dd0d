"""Measuring the matching on a set of queries, documents and judgements, through the same path as the product's suggestions.

A set is a folder with corpus.jsonl {id, lang, title, text}, queries.jsonl {id, lang, text} and qrels.tsv (a header, then
query id, document id, grade). Documents stand for offers, queries for demands.
"""

import csv
import datetime
import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from math import log2
from pathlib import Path
from statistics import fmean

from .analysis import LANGUAGES, detect_language
from .backends.base import Backend
from .documents import ListingDocument, Write
from .engine import suggest_on

#: How many suggestions each query asks for: Recall@100 needs them.
DEPTH = 100
TOP = 10

#: Every document and query has the same time, so that the text alone decides.
MOMENT = datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)
TODAY = MOMENT.date()
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


def evaluate(backend: Backend, dataset: Dataset, *, progress: Callable[[], object] = lambda: None) -> dict[str, object]:
    """nDCG@10, MRR@10 and Recall@100 of the suggestions of every demand, and how long indexing and asking took."""
    began = time.monotonic()
    gains, ranks, recalls = [], [], []
    with scratch(backend, dataset.offers) as index:
        for demand in dataset.demands:
            found = [s.uid for s in suggest_on(index, demand, limit=DEPTH, threshold=0.0, today=TODAY)]
            grades = dataset.judgements[demand.uid]
            gains.append(ndcg(found, grades))
            ranks.append(reciprocal_rank(found, grades))
            recalls.append(recall(found, grades))
            progress()
    return {
        "ndcg@10": round(fmean(gains), 4),
        "mrr@10": round(fmean(ranks), 4),
        "recall@100": round(fmean(recalls), 4),
        "queries": len(dataset.demands),
        "seconds": round(time.monotonic() - began, 1),
        "engine": backend.name,
    }


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
