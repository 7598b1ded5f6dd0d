"""What the programs that measure have in common: settings to throw away, variants that take turns, medians with their spread.

    import measuring

    SCRATCH = measuring.configure(CACHE_URL="locmemcache://")  # before anything of Django's is imported
    import django
    django.setup()
    …
    times = measuring.take_turns({"raw": raw, "ours": ours}, rounds=9)
    measuring.print_table(times, base="raw", each=pages)

A program of this folder finds this module by its name, and after the import the project's packages too.
"""

import gc
import io
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from types import SimpleNamespace

ROOT = Path(__file__).resolve().parent.parent
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

HOST = "127.0.0.1"
PORT = "8765"
_kept: list[tempfile.TemporaryDirectory] = []


# --- Before Django --------------------------------------------------------------------------------------------------------


def configure(**values: str) -> Path:
    """Put production's settings for a process that is thrown away into the environment; the folder that goes with it.

    `values` say what differs. The database is that of DATABASE_URL, without it an empty one of SQLite in the folder; nothing is sent, and meaning
    (which takes seconds to load) is left out unless asked for.
    """
    _kept.append(tempfile.TemporaryDirectory(prefix="measuring-"))
    folder = Path(_kept[-1].name)
    os.environ.setdefault("DATABASE_URL", f"sqlite:///{folder / 'db.sqlite3'}")
    os.environ |= {
        "DJANGO_SETTINGS_MODULE": "marketplace.settings",
        "DEBUG": "false",
        "SECRET_KEY": "only-to-measure-" * 4,
        "ALLOWED_HOSTS": HOST,
        "SECURE_SSL_REDIRECT": "false",
        "EMAIL_URL": "dummymail://",
        "PAGE_CACHE_URL": "dummycache://",
        "SEMANTIC_ENCODER": "",
        "SITE_URL": f"http://{HOST}:{PORT}",
        "STATIC_ROOT": str(folder / "static"),
        "MEDIA_ROOT": str(folder / "media"),
        "EMBEDDED_INDEX_PATH": str(folder / "index"),
        **values,
    }
    return folder


# --- Rounds ---------------------------------------------------------------------------------------------------------------


def take_turns(
    variants: Mapping[str, Callable[[], object]], *, rounds: int, clock: Callable[[], float] = time.perf_counter, warm_up: int = 1
) -> dict[str, list[float]]:
    """Seconds of each variant, one figure a round; the first `warm_up` rounds come on top and do not count.

    Within a round every variant runs once, in turns from the first and from the last; the garbage of one is collected before the next begins.
    """
    times: dict[str, list[float]] = {name: [] for name in variants}
    for number in range(rounds + warm_up):
        order = list(variants.items())
        for name, run in order if number % 2 else reversed(order):
            gc.collect()
            begun = clock()
            run()
            times[name].append(clock() - begun)
    return {name: taken[warm_up:] for name, taken in times.items()}


def walk(things: Iterable[object]) -> None:
    """To the end, keeping none: a page's objects are gone before the next is read."""
    for _thing in things:
        pass


def ratios(ours: Sequence[float], theirs: Sequence[float]) -> list[float]:
    """Round by round, so that what slowed both down does not count."""
    return [one / other for one, other in zip(ours, theirs, strict=True)]


# --- Telling --------------------------------------------------------------------------------------------------------------


def told(values: Sequence[float], form: str = ".2f") -> str:
    """The median, and the smallest and the largest: "1.05 (1.01 to 1.12)"."""
    return f"{statistics.median(values):{form}} ({min(values):{form}} to {max(values):{form}})"


def print_table(times: Mapping[str, Sequence[float]], *, base: str, each: float = 1, title: str = "", unit: str = "ms") -> None:
    """A table of Markdown: of each variant the time (of one of `each` things that a run does), and how many times that of `base`."""
    factor = {"s": 1, "ms": 1000, "µs": 1_000_000}[unit]
    print(f"| {title} | {unit}, median (smallest to largest) | times {base} |\n|---|---:|---:|")
    for name, taken in times.items():
        print(f"| {name} | {told([factor * one / each for one in taken])} | {told(ratios(taken, times[base]))} |", flush=True)


def machine() -> str:
    """What a table's heading says of it: "2 cores, 24 GB, load 0.4"."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return f"{os.cpu_count()} cores, {memory:.0f} GB, load {os.getloadavg()[0]:.1f}"


# --- The site, without the network ------------------------------------------------------------------------------------------


class Site:
    """The site's whole handler, as a server calls it. Make it after `django.setup()`."""

    def __init__(self) -> None:
        from django.core.handlers.wsgi import WSGIHandler  # noqa: PLC0415 - after Django's set-up

        self.application = WSGIHandler()

    def get(self, path: str, query: str = "", **headers: str) -> bytes:
        """The body of one GET (headers as WSGI names them: HTTP_ACCEPT_LANGUAGE="ca"); raises RuntimeError unless it is a 200."""
        given = self.ask(path, query, **headers)
        if given.status != 200:  # noqa: PLR2004 - HTTP's number
            raise RuntimeError(f"{path}?{query}: {given.status}, {given.body[:500]!r}")
        return given.body

    def ask(self, path: str, query: str = "", **headers: str) -> SimpleNamespace:
        """One GET: its status, headers and body."""
        said: dict[str, object] = {}

        def start(status: str, given: list[tuple[str, str]], _error: object = None) -> None:
            said.update(status=int(status[:3]), headers=dict(given))

        environ = {
            "REQUEST_METHOD": "GET", "PATH_INFO": path, "QUERY_STRING": query, "SCRIPT_NAME": "", "SERVER_NAME": HOST, "SERVER_PORT": PORT,
            "HTTP_HOST": f"{HOST}:{PORT}", "SERVER_PROTOCOL": "HTTP/1.1", "REMOTE_ADDR": HOST, "wsgi.url_scheme": "http", "wsgi.input": io.BytesIO(),
            "wsgi.errors": sys.stderr, **headers,
        }  # fmt: skip
        response = self.application(environ, start)
        body = b"".join(response)
        response.close()
        return SimpleNamespace(body=body, **said)


def queries(call: Callable[[], object]) -> int:
    """How many queries it asks the database."""
    from django.db import connection  # noqa: PLC0415 - after Django's set-up
    from django.test.utils import CaptureQueriesContext  # noqa: PLC0415 - as above

    with CaptureQueriesContext(connection) as asked:
        call()
    return len(asked)
