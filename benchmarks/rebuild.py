"""What a rebuild of the index takes for each listing, and how much memory, of many listings beside a tenth of them.

    python -m tests.postgresql -- python benchmarks/rebuild.py [FOLDER …] [--small 10000] [--large 100000] [--rounds 3]
    ELASTICSEARCH_URL=http://127.0.0.1:9200 python -m tests.postgresql -- python benchmarks/rebuild.py …

Makes two databases beside that of DATABASE_URL, empty ones on PostgreSQL, and fills them with listings made of the texts in the folders (see generated.py;
without one, of those of the demo city), each with its change, by COPY, vacuumed and analysed. Then the sizes take turns: every rebuild is a process of its
own, so that its memory is its own. Without ELASTICSEARCH_URL it is the embedded engine's index.

- seconds: by the clock, the database's and the search server's time in it;
- processor: of the rebuilding process alone, which hardly depends on what else the machine does (with the embedded engine that is all but the database);
- memory: the most it ever held; "own" without the pages of files that the embedded engine maps into memory, which the system takes back when it needs them.

The rebuilt index is compared with the database once, at the end of each size, by the very `check` of the product: its time and memory are told too.
"""

# ruff: noqa: E402 - the settings come from the environment, which has to be there before Django is asked

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import measuring

SCRATCH = measuring.configure()

import django

django.setup()

import generated
from django.conf import settings
from django.core.management import call_command
from django.db import connection

from search import engine, index

SAMPLE_SECONDS = 0.2
KILOBYTES = 2**10


# --- One rebuild, in a process of its own ---------------------------------------------------------------------------------


def own_memory() -> float:
    """Megabytes in memory that no file stands for."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.partition("RssAnon:")[2].split()[0]) / KILOBYTES


@contextmanager
def watched() -> Iterator[dict[str, float]]:
    """What the block takes: seconds, processor seconds, the most megabytes."""
    taken: dict[str, float] = {"own": own_memory()}
    over = threading.Event()

    def watch() -> None:
        while not over.wait(SAMPLE_SECONDS):
            taken["own"] = max(taken["own"], own_memory())

    watcher = threading.Thread(target=watch)
    watcher.start()
    begun, worked = time.perf_counter(), time.process_time()
    yield taken
    taken |= {"seconds": time.perf_counter() - begun, "processor": time.process_time() - worked}
    over.set()
    watcher.join()
    taken["memory"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / KILOBYTES


def once(work: str) -> None:
    """Rebuild, or check, on the present database; print what it took."""
    backend = engine.backends()[0]
    with watched() as taken:
        if work == "rebuild":
            taken["documents"] = index.rebuild(backend)
        elif drift := index.check(backend):
            sys.exit(f"The index differs from the database: {dict(drift.counts)}")
    print(json.dumps(taken))


# --- Both sizes, in turns ---------------------------------------------------------------------------------------------------


class Size:
    """A database with so many listings, and its index."""

    def __init__(self, listings: int) -> None:
        self.listings, self.taken, self._folder = listings, [], SCRATCH / str(listings)
        database = f"rebuild_{listings}_{uuid.uuid4().hex[:8]}"
        with connection.cursor() as cursor:
            cursor.execute(f'CREATE DATABASE "{database}"')
        self._env = os.environ | {
            "DATABASE_URL": os.environ["DATABASE_URL"].rpartition("/")[0] + f"/{database}",
            "SEARCH_INDEX_PREFIX": database.replace("_", "-"),
            "EMBEDDED_FALLBACK": "false",
        }

    def run(self, *arguments: str) -> str:
        """Run the program once more, on this database."""
        command = [sys.executable, __file__, "--index", str(self._folder), *arguments]
        done = subprocess.run(command, env=self._env, capture_output=True, text=True, check=False)  # noqa: S603 - ourselves
        if done.returncode:
            sys.exit(done.stderr[-4000:])
        return done.stdout

    def rebuild(self) -> None:
        """Once, and remember what it took."""
        taken = json.loads(self.run("--once", "rebuild"))
        if taken["documents"] != self.listings:
            sys.exit(f"{taken['documents']} of {self.listings} listings are in the index.")
        self.taken.append(taken)
        print(f"  {self.listings:,}: {taken['seconds']:.1f} s, processor {taken['processor']:.1f} s, {taken['memory']:.0f} MB, own {taken['own']:.0f} MB, "
              f"load {os.getloadavg()[0]:.1f}", file=sys.stderr, flush=True)  # fmt: skip

    def each(self, name: str) -> list[float]:
        """Microseconds for each listing, round by round."""
        return [1_000_000 * one[name] / self.listings for one in self.taken]

    def most(self, name: str) -> float:
        """Megabytes."""
        return max(one[name] for one in self.taken)


def fill(folders: list[Path], listings: int) -> None:
    """Migrate the present database and fill it."""
    call_command("migrate", verbosity=0)
    begun = time.perf_counter()
    generated.fill(generated.listings(generated.purchases(folders), listings))
    print(f"{listings:,} listings made in {time.perf_counter() - begun:.0f} s")


def compare(options: argparse.Namespace) -> None:
    """Print the table."""
    small, large = sizes = [Size(options.small), Size(options.large)]
    for size in sizes:
        print(size.run("--fill", str(size.listings), *map(str, options.folders)), end="", file=sys.stderr, flush=True)
    for number in range(options.rounds + options.warm_up):
        for size in sizes if number % 2 else reversed(sizes):
            size.rebuild()
    for size in sizes:
        size.taken = size.taken[options.warm_up :]
    checks = [json.loads(size.run("--once", "check")) for size in sizes]
    print(f"{engine.backends()[0].name}, {measuring.machine()}, {options.rounds} rounds\n")
    print("| | µs a listing | processor, µs a listing | memory, MB | own, MB | check, µs a listing | check, MB |\n|---|---:|---:|---:|---:|---:|---:|")
    for size, check in zip(sizes, checks, strict=True):
        print(
            f"| {size.listings:,} | {measuring.told(size.each('seconds'), '.0f')} | {measuring.told(size.each('processor'), '.0f')} | "
            f"{size.most('memory'):.0f} | {size.most('own'):.0f} | {1_000_000 * check['seconds'] / size.listings:.0f} | {check['own']:.0f} |"
        )
    by_clock, by_processor = (statistics.median(measuring.ratios(large.each(name), small.each(name))) for name in ("seconds", "processor"))
    more, own = large.most("memory") - small.most("memory"), large.most("own") - small.most("own")
    print(f"| ratio, difference | {by_clock:.2f} | {by_processor:.2f} | {more:+.0f} | {own:+.0f} | | {checks[1]['own'] - checks[0]['own']:+.0f} |")


def main() -> None:
    """Compare, or do one part of it in a process of its own."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folders", nargs="*", type=Path)
    parser.add_argument("--small", type=int, default=10_000)
    parser.add_argument("--large", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--warm-up", type=int, default=1, help="rounds before that do not count")
    parser.add_argument("--fill", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--once", choices=["rebuild", "check"], help=argparse.SUPPRESS)
    parser.add_argument("--index", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    settings.EMBEDDED_INDEX_PATH = options.index or settings.EMBEDDED_INDEX_PATH
    if connection.vendor != "postgresql":
        sys.exit("Set DATABASE_URL to a PostgreSQL server, or run it by python -m tests.postgresql.")
    if options.fill:
        fill(options.folders, options.fill)
    elif options.once:
        once(options.once)
    else:
        compare(options)


if __name__ == "__main__":
    main()
