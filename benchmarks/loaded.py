"""A database and an index of Elasticsearch with the same generated listings, for what is measured on both.

    import loaded

    loaded.configure(options)     # before anything of Django's is imported
    …
    backend = loaded.load(options)

ELASTICSEARCH_URL says where; the index is made under a prefix of its own and removed at the end, unless `--keep NAME` names the prefix: then the database
(DATABASE_URL) and the index stay, and the next run finds both filled.
"""

import argparse
import atexit
import json
import os
import statistics
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Self

import measuring
import urllib3
from elastic_transport import Transport

Request = tuple[str, str, dict[str, str], bytes]

ROWS = 2_000

#: Seconds that an answer may take while much else runs on the machine: a measurement ends by no timeout.
PATIENCE = 60.0


def arguments(description: str) -> argparse.ArgumentParser:
    """What every such program takes."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("folders", type=Path, nargs="+", help="folders with listings.jsonl")
    parser.add_argument("--listings", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=6)
    parser.add_argument("--keep", default="", help="prefix of an index to keep, or to find filled")
    return parser


def configure(options: argparse.Namespace, **values: str) -> Path:
    """Production's settings with Elasticsearch alone; the folder to throw things into."""
    if "ELASTICSEARCH_URL" not in os.environ:
        sys.exit("ELASTICSEARCH_URL is missing: python -m tests.elasticsearch starts a server.")
    prefix = options.keep or f"measured-{uuid.uuid4().hex[:8]}"
    return measuring.configure(SEARCH_INDEX_PREFIX=prefix, EMBEDDED_FALLBACK="false", **values)


def load(options: argparse.Namespace):
    """The backend, with the index and the database filled unless they are."""
    import generated  # noqa: PLC0415 - needs Django's settings
    from django.core.management import call_command  # noqa: PLC0415 - as above

    from marketplace.listings.models import Listing  # noqa: PLC0415 - as above
    from search import engine  # noqa: PLC0415 - as above
    from search.backends import elastic  # noqa: PLC0415 - as above

    elastic.SEARCH_SECONDS = PATIENCE
    call_command("migrate", verbosity=0)
    if not Listing.objects.exists():
        known = generated.purchases(options.folders)
        generated.fill(generated.listings(known, options.listings))
    backend = engine.backends()[0]
    if not options.keep:
        atexit.register(backend.remove)
    if not backend.exists():
        staged = backend.stage()
        for writes in _writes():
            staged.write(writes)
        backend.swap(staged)
    return backend


def _writes() -> Iterator[list]:
    from marketplace.listings.documents import ListingSource  # noqa: PLC0415 - needs Django's settings
    from search.documents import Write  # noqa: PLC0415 - as above

    for documents in ListingSource().all(ROWS):
        yield [Write(document.uid, document.version, document) for document in documents]


def read_all_words() -> None:
    """Meet every word once: a process that has just started reads words for the first time, which takes longer."""
    from marketplace.listings.models import Listing  # noqa: PLC0415 - needs Django's settings
    from search import analysis  # noqa: PLC0415 - as above

    for *texts, language in Listing.objects.values_list("title", "description", "keywords", "language").iterator():
        for text in texts:
            analysis.words(text, language)


# --- The same requests, bare --------------------------------------------------------------------------------------------


class Tap:
    """Keeps what Elasticsearch's client sends, ready to be sent again."""

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self._perform = Transport.perform_request

    def __enter__(self) -> Self:
        tap, perform = self, self._perform

        def performed(transport: Transport, method: str, target: str, *, body: object = None, headers: object = None, **options: object) -> object:
            kind = (headers or {}).get("content-type", "application/json")
            tap.requests.append((method, target, dict(headers or {}), transport.serializers.dumps(body, mimetype=kind)))
            return perform(transport, method, target, body=body, headers=headers, **options)

        Transport.perform_request = performed
        return self

    def __exit__(self, *_: object) -> None:
        Transport.perform_request = self._perform


class Bare:
    """Sends requests again, over one connection."""

    def __init__(self, url: str) -> None:
        self.pool = urllib3.connection_from_url(url, maxsize=1)

    def send(self, requests: list[Request]) -> int:
        """The bytes of all answers, each of which was read."""
        total = 0
        for method, target, headers, body in requests:
            answer = self.pool.request(method, target, body=body, headers=headers).data
            json.loads(answer)
            total += len(answer)
        return total


def compare(  # noqa: PLR0913
    variants: dict[str, Callable | None], rounds: list[list], *, url: str, each: int, title: str, forget: Callable[[], object] = lambda: None
) -> None:
    """Print what each round's things cost by the one variant that has a function, and by the other, which sends what that sent.

    `forget` empties what the product has kept while the requests were learnt. The first round does not count.
    """
    (bare_name, _), (name, ours) = variants.items()
    bare, sent = Bare(url), []
    for things in rounds:
        with Tap() as tap:
            for thing in things:
                ours(thing)
        sent.append(tap.requests)
    size = bare.send(sent[-1]) / each
    forget()
    turns = {
        bare_name: iter([(lambda requests=requests: bare.send(requests)) for requests in sent]),
        name: iter([(lambda things=things: [ours(t) for t in things]) for things in rounds]),
    }
    cpu: dict[str, list[float]] = {bare_name: [], name: []}

    def run(which: str) -> None:
        work, begun = next(turns[which]), time.thread_time()
        work()
        cpu[which].append(1000 * (time.thread_time() - begun) / each)

    times = measuring.take_turns({which: (lambda which=which: run(which)) for which in variants}, rounds=len(rounds) - 1)
    measuring.print_table(times, base=bare_name, each=each, title=title)
    parts = ", ".join(f"{which} {statistics.median(own[1:]):.1f} ms" for which, own in cpu.items())
    print(
        f"| {len(sent[-1]) / each:.1f} requests, {size / 1000:.0f} kB of answers each; processor time of this process: {parts}; {measuring.machine()} | | |",
        flush=True,
    )
