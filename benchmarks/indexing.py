"""How fast rows become findable: through the change log, beside the client's own bulk of ready documents; and how fast the change log itself is.

    export ELASTICSEARCH_URL=http://127.0.0.1:9200   # python -m tests.elasticsearch starts one
    python -m tests.postgresql -- python benchmarks/indexing.py FOLDER… [--listings 20000] [--rounds 6]

Takes an empty database, migrates it and fills it with listings made from the folders' texts (see `generated`), each with a change. The variants take
turns within every round, each with an empty index of the same settings:

- "helpers.bulk": the client's own helper sends the very same bodies, which stand ready, with their versions, and makes them visible at the end;
- "the change log": `search.index.run_once` until nothing is left: reading changes and rows, making the documents, analysing their texts in three
  languages, sending them, making each batch visible before its checkpoint.

At the end both indices have to hold the same documents. The change log is measured once more with a reader that does nothing with what it reads, which
leaves reading, lease and checkpoint. Seconds are those of the clock; the server shares the machine's cores with all variants.
"""

# ruff: noqa: E402 - the settings come from the environment, which has to be there before Django is asked

import argparse
import os
import sys
import time
import uuid
from collections.abc import Callable
from pathlib import Path

import measuring

if "ELASTICSEARCH_URL" not in os.environ:
    sys.exit("ELASTICSEARCH_URL is missing: python -m tests.elasticsearch starts a server.")
measuring.configure(SEARCH_INDEX_PREFIX=f"indexing-{uuid.uuid4().hex[:8]}", EMBEDDED_FALLBACK="false")

import django

django.setup()

import generated
from django.core.management import call_command
from django.db import connection
from elasticsearch import helpers

from marketplace.core import changelog
from marketplace.core.models import Reader
from marketplace.listings.documents import ListingSource
from marketplace.listings.models import Listing
from search import engine, index
from search.backends import elastic, elastic_bodies
from search.backends.elastic import ElasticBackend
from search.documents import Write

PATIENT_SECONDS = 120


def ready() -> list[dict]:
    """What helpers.bulk gets: every listing's body, as the product makes it."""
    writes = (Write(document.uid, document.version, document) for batch in ListingSource().all() for document in batch)
    return [
        {"_op_type": "index", "_id": write.uid, "version": write.version, "version_type": "external", "_source": elastic_bodies.indexed(write)}
        for write in writes
    ]


def bulk(backend: ElasticBackend, actions: list[dict]) -> float:
    """Seconds of the client's own helper with ready documents, into an empty index."""
    staged = backend.stage()
    client = elastic.connect(os.environ["ELASTICSEARCH_URL"]).options(request_timeout=PATIENT_SECONDS)
    try:
        begun = time.perf_counter()
        helpers.bulk(client, actions, index=staged._index)  # noqa: SLF001 - the index that `stage` made
        client.indices.refresh(index=staged._index)  # noqa: SLF001 - as above
        taken = time.perf_counter() - begun
        check(client, staged._index, len(actions))  # noqa: SLF001 - as above
        return taken
    finally:
        staged.remove()


def through_the_log(backend: ElasticBackend, count: int) -> float:
    """Seconds from the first change that is read to the last document that can be found."""
    Reader.objects.filter(name=index.READERS[backend.name]).delete()
    backend.create()
    client = elastic.connect(os.environ["ELASTICSEARCH_URL"]).options(request_timeout=PATIENT_SECONDS)
    try:
        begun = time.perf_counter()
        drain(index.run_once)
        taken = time.perf_counter() - begun
        check(client, backend._index, count)  # noqa: SLF001 - the alias
        return taken
    finally:
        backend.remove()


def check(client: object, name: str, count: int) -> None:
    """Raise unless everything can be found, without another refresh."""
    found = client.count(index=name, query={"term": {"live": True}})["count"]
    if found != count:
        raise RuntimeError(f"{found} documents of {count} can be found.")


def drain(run_once: Callable[[], int]) -> int:
    """Until nothing is left; how many changes that was."""
    total = 0
    while done := run_once():
        total += done
    return total


def read_only() -> float:
    """Seconds to read the log and move the checkpoint, batch by batch."""
    Reader.objects.filter(name="measured").delete()
    begun = time.perf_counter()
    drain(lambda: changelog.consume("measured", lambda _changes: None, limit=index.BATCH))
    return time.perf_counter() - begun


def main() -> None:
    """Fill, then measure."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folders", type=Path, nargs="+", help="folders with listings.jsonl")
    parser.add_argument("--listings", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=6)
    options = parser.parse_args()
    call_command("migrate", verbosity=0)
    if not Listing.objects.exists():
        generated.fill(generated.listings(generated.purchases(options.folders), options.listings))
    count = Listing.objects.live().count()
    (backend,) = engine.backends()
    actions = ready()
    times: dict[str, list[float]] = {"helpers.bulk": [], "the change log": [], "reading the log alone": []}
    for turn in range(options.rounds + 1):
        steps = [("helpers.bulk", lambda: bulk(backend, actions)), ("the change log", lambda: through_the_log(backend, count))]
        for name, run in steps if turn % 2 else reversed(steps):
            times[name].append(run())
        times["reading the log alone"].append(read_only())
    print(f"{connection.vendor}, {count:,} listings, {options.rounds} rounds; {measuring.machine()}\n")
    print("| | listings a second, median (smallest to largest) | rate of helpers.bulk |\n|---|---:|---:|")
    for name, taken in times.items():
        counted, base = taken[1:], times["helpers.bulk"][1:]
        print(f"| {name} | {measuring.told([count / one for one in counted], ',.0f')} | {measuring.told(measuring.ratios(base, counted))} |")


if __name__ == "__main__":
    main()
