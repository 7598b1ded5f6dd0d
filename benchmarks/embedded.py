"""The embedded engine beside Elasticsearch, on the same listings: how fast each takes and answers, and whether the answers are the same.

    export ELASTICSEARCH_URL=http://127.0.0.1:9200   # python -m tests.elasticsearch starts one
    python benchmarks/embedded.py FOLDER… [--listings 50000] [--written 50000] [--rounds 6] [--questions 100]

Needs no database. Listings are made from the folders' texts (see `generated`). What is timed takes turns within every round, and the first round does
not count:

- writing: all listings into an empty index, in the batches of the change log's reader, each visible when its call returns. "ready" is the embedded engine
  with documents of tantivy's that were made before: what is left then is the engine's own part. "analysis" makes these and does nothing with them;
- questions: searches of one to three words of a listing's title, with facets, and suggestions for a listing, other ones in every round. Who is asked
  first changes from question to question, for the second one finds the words' forms in memory.

Told of the answers: in how many searches total and all facets with their counts are equal, and the overlap of the first ten, as the share of those of
Elasticsearch that the embedded engine has among its own first ten.
"""

# ruff: noqa: E402 - the settings come from the environment, which has to be there before Django is asked

import argparse
import os
import random
import statistics
import sys
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import measuring

if "ELASTICSEARCH_URL" not in os.environ:
    sys.exit("ELASTICSEARCH_URL is missing: python -m tests.elasticsearch starts a server.")
SCRATCH = measuring.configure()

import django

django.setup()

import generated
import tantivy
from django.utils import timezone

from search import engine, index, matching
from search.backends import elastic, embedded_clauses, embedded_writing
from search.backends.base import Backend
from search.backends.elastic import ElasticBackend
from search.backends.embedded import EmbeddedBackend
from search.documents import ListingDocument, Page, Query, Write

FIRST = 10

# Measured here, however long it takes.
elastic.SEARCH_SECONDS = elastic.WRITE_SECONDS = 120.0


# --- Writing --------------------------------------------------------------------------------------------------------------


def batches(items: Sequence) -> list[Sequence]:
    """As the reader of the change log hands them on."""
    return [items[start : start + index.BATCH] for start in range(0, len(items), index.BATCH)]


def write(backend: Backend, writes: Sequence[Write]) -> None:
    """All of them, into an index beside the one in use, which is removed."""
    staged = backend.stage()
    for batch in batches(writes):
        staged.write(batch)
    staged.remove()


def write_ready(ready: Sequence[tantivy.Document]) -> None:
    """The engine alone: the same commits, without asking what is there."""
    path = SCRATCH / uuid.uuid4().hex
    path.mkdir()
    opened = tantivy.Index(embedded_clauses.SCHEMA, path=str(path))
    for batch in batches(ready):
        writer = embedded_writing.open_writer(opened)
        for document in batch:
            writer.add_document(document)
        writer.commit()
        writer.wait_merging_threads()


# --- Questions ------------------------------------------------------------------------------------------------------------


@dataclass
class Asked:
    """Seconds and answers of each engine, question by question."""

    seconds: dict[str, list[float]] = field(default_factory=dict)
    answers: dict[str, list] = field(default_factory=dict)

    def ask(self, engines: dict[str, Backend], question: Callable[[Backend], object], *, counts: bool) -> None:
        """Put one question to each engine."""
        names = list(engines)
        for name in names if len(self.answers.get(names[0], ())) % 2 else reversed(names):
            begun = time.perf_counter()
            answer = question(engines[name])
            taken = time.perf_counter() - begun
            self.answers.setdefault(name, []).append(answer)
            if counts:
                self.seconds.setdefault(name, []).append(taken)


def search(source: random.Random, document: ListingDocument, today) -> Query:
    """What a person may look for."""
    words = [word for word in document.title.split() if word.isalpha() and len(word) > 3] or document.title.split()  # noqa: PLR2004 - not "de" and "per"
    text = " ".join(source.sample(words, min(len(words), source.randint(1, 3))))
    restricted = {"kinds": (document.kind,)} if source.random() < 0.3 else {"languages": (document.language,)} if source.random() < 0.3 else {}  # noqa: PLR2004
    return Query(text=text, valid_on=today, **restricted)


def suggestions(backend: Backend, document: ListingDocument, today) -> list[str]:
    """The uids, best first."""
    found = engine.suggest_on(backend, document, limit=20, threshold=matching.THRESHOLD, today=today)
    return [suggestion.uid for suggestion in found]


def overlap(ours: list[str], theirs: list[str]) -> float:
    """Of their first ten, the share among ours; nothing found by both is agreement."""
    return len(set(ours[:FIRST]) & set(theirs[:FIRST])) / len(theirs[:FIRST]) if theirs else float(not ours)


def uids(page: Page) -> list[str]:
    """Of the hits."""
    return [hit.uid for hit in page.hits]


# --- Telling --------------------------------------------------------------------------------------------------------------


def print_writing(times: dict[str, list[float]], spent: dict[str, list[float]], count: int) -> None:
    """Listings a second by the clock, and by the processor: of this process with its threads, without the server's."""
    print("| writing | listings a second, median (smallest to largest) | listings a second of the processor |\n|---|---:|---:|")
    for name, taken in times.items():
        cells = [measuring.told([count / one for one in every], ",.0f") for every in (taken, spent[name][1:])]
        print(f"| {name} | {' | '.join(cells)} |", flush=True)


def metered(run: Callable[[], object], spent: list[float]) -> Callable[[], None]:
    """`run`, with the seconds of the processor noted."""

    def metered() -> None:
        begun = time.process_time()
        run()
        spent.append(time.process_time() - begun)

    return metered


def print_asking(title: str, asked: Asked) -> None:
    """Milliseconds."""
    print(f"\n| {title} | ms, median | p95 |\n|---|---:|---:|")
    for name, taken in asked.seconds.items():
        print(f"| {name} | {1000 * statistics.median(taken):.1f} | {1000 * statistics.quantiles(taken, n=20)[-1]:.1f} |", flush=True)


def main() -> None:
    """Write, ask, compare."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folders", type=Path, nargs="+", help="folders with listings.jsonl")
    parser.add_argument("--listings", type=int, default=50_000)
    parser.add_argument("--written", type=int, help="as many of them are written in each round; all, unless told")
    parser.add_argument("--rounds", type=int, default=6)
    parser.add_argument("--questions", type=int, default=100, help="of each sort in a round")
    options = parser.parse_args()
    now, today, source = timezone.now(), timezone.localdate(), random.Random(generated.SEED)  # noqa: S311 - to measure, no secret
    documents = list(generated.documents(generated.listings(generated.purchases(options.folders), options.listings), now=now))
    writes = [Write(document.uid, document.version, document) for document in documents]
    server = ElasticBackend(elastic.connect(os.environ["ELASTICSEARCH_URL"]), f"embedded-{uuid.uuid4().hex[:8]}")
    engines: dict[str, Backend] = {"Elasticsearch": server, "embedded": EmbeddedBackend(SCRATCH / "index")}
    print(f"{len(documents):,} listings, {options.rounds} rounds; {measuring.machine()}\n")
    written = writes[: options.written]
    ready = [embedded_clauses.indexed(each) for each in written]
    variants = {
        **{name: partial(write, backend, written) for name, backend in engines.items()},
        "embedded, ready": lambda: write_ready(ready),
        "analysis": lambda: [embedded_clauses.indexed(each) for each in written],
    }
    try:
        spent: dict[str, list[float]] = {name: [] for name in variants}
        times = measuring.take_turns({name: metered(run, spent[name]) for name, run in variants.items()}, rounds=options.rounds)
        print_writing(times, spent, len(written))
        for backend in engines.values():
            backend.create()
            for batch in batches(writes):
                backend.write(batch)
        searched, suggested = Asked(), Asked()
        for turn in range(options.rounds + 1):
            for document in source.sample(documents, options.questions):
                query = search(source, document, today)
                searched.ask(engines, lambda backend, query=query: backend.find(query), counts=turn > 0)
                suggested.ask(engines, lambda backend, document=document: suggestions(backend, document, today), counts=turn > 0)
    finally:
        server.remove()
    print_asking("find, with facets", searched)
    print_asking("suggest, with reasons", suggested)
    pages = list(zip(searched.answers["embedded"], searched.answers["Elasticsearch"], strict=True))
    lists = list(zip(suggested.answers["embedded"], suggested.answers["Elasticsearch"], strict=True))
    same = sum((ours.total, ours.facets) == (theirs.total, theirs.facets) for ours, theirs in pages)
    print(f"\nTotal and all facets with their counts equal in {same} of {len(pages)} searches.")
    print(f"Overlap of the first ten: find {statistics.mean(overlap(uids(ours), uids(theirs)) for ours, theirs in pages):.3f},", end=" ")
    print(f"suggest {statistics.mean(overlap(*each) for each in lists):.3f}.")
    for ours, theirs in [pair for pair in pages if (pair[0].total, pair[0].facets) != (pair[1].total, pair[1].facets)][:3]:
        print(f"differ: total {ours.total} and {theirs.total}", file=sys.stderr)


if __name__ == "__main__":
    main()
