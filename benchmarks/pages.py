"""What a public page costs from the cache and rendered, beside a view that does nothing.

    python benchmarks/pages.py [--rounds 9] [--requests 100] [--port 8765] [/ /es/ADDRESS …]

Takes the site of DATABASE_URL (`manage.py demo --no-serve` makes one) with production's settings, and page addresses (the
default: the home page, and the first page of every other kind). In one run, the variants take turns within every round, and
the first round, which warms up, does not count. "Trivial" is a view that returns two letters, behind the same middleware but
without the page cache; that makes it quicker, and the comparison harder. Seconds in process are those of the processor;
with gunicorn (one process, over one kept connection) those of the clock.
"""

# ruff: noqa: E402 - the settings come from the environment, which has to be there before Django is asked

import argparse
import http.client
import io
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

SCRATCH = tempfile.TemporaryDirectory(prefix="pages-")
HOST = "127.0.0.1"
os.environ |= {
    "DJANGO_SETTINGS_MODULE": "marketplace.settings",
    "DEBUG": "false",
    "SECRET_KEY": "only-to-measure-" * 4,
    "ALLOWED_HOSTS": HOST,
    "SECURE_SSL_REDIRECT": "false",
    "EMAIL_URL": "dummymail://",
    "STATIC_ROOT": os.environ.get("STATIC_ROOT", f"{SCRATCH.name}/static"),
    "PAGE_CACHE_URL": os.environ.get("PAGE_CACHE_URL", f"filecache://{SCRATCH.name}/pages?max_entries=2000"),
    # In production the other cache is a table; so that its queries count.
    "CACHE_URL": os.environ.get("CACHE_URL", "dbcache://cache?max_entries=100000"),
    "SITE_URL": f"http://{HOST}:8765",
}
os.environ.setdefault("DATABASE_URL", f"sqlite:///{Path(__file__).parent.parent / 'var' / 'marketplace.sqlite3'}")

import django

django.setup()

from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler
from django.core.management import call_command
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.test import override_settings
from django.test.utils import CaptureQueriesContext
from django.urls import path
from wagtail.models import Page

from marketplace.urls import urlpatterns as site_patterns

CACHE = "cms.pages.cache.middleware.PageCacheMiddleware"
TRIVIAL = "/trivial-view/"
ENCODINGS = "gzip, deflate, br"


def trivial(request: HttpRequest) -> HttpResponse:
    """Nothing."""
    return HttpResponse("ok")


urlpatterns = [path(TRIVIAL.strip("/") + "/", trivial), *site_patterns]
settings.ROOT_URLCONF = __name__


def handler(*, cache: bool) -> WSGIHandler:
    """The site's own handler, with all its middleware, with or without the page cache."""
    middleware = [name for name in settings.MIDDLEWARE if cache or name != CACHE]
    with override_settings(MIDDLEWARE=middleware):
        return WSGIHandler()


def ask(application: WSGIHandler, address: str, **headers: str) -> tuple[int, bytes, dict[str, str]]:
    """One GET through the handler, as a server would call it: status, body, headers."""
    said: dict[str, object] = {}

    def start(status: str, given: list[tuple[str, str]], _error: object = None) -> None:
        said.update(status=int(status[:3]), headers=dict(given))

    environ = {
        "REQUEST_METHOD": "GET", "PATH_INFO": address, "QUERY_STRING": "", "SCRIPT_NAME": "", "SERVER_NAME": HOST, "SERVER_PORT": "8765",
        "HTTP_HOST": f"{HOST}:8765", "SERVER_PROTOCOL": "HTTP/1.1", "REMOTE_ADDR": HOST, "wsgi.url_scheme": "http", "wsgi.input": io.BytesIO(),
        "wsgi.errors": sys.stderr, "HTTP_ACCEPT_ENCODING": ENCODINGS,
    } | headers  # fmt: skip
    response = application(environ, start)
    body = b"".join(response)
    response.close()
    return said["status"], body, said["headers"]


def some_addresses() -> list[str]:
    """The home page and the first page of each other kind."""
    pages = Page.objects.live().public().filter(depth__gt=1, locale__language_code="ca").order_by("path").specific()
    kinds = {page.specific_class: page for page in reversed(pages)}
    return sorted((page.get_url() for page in kinds.values()), key=lambda address: (address != "/", address))


def take_turns(variants: dict[str, Callable[[], None]], *, rounds: int, requests: int, clock: Callable[[], float]) -> dict[str, list[float]]:
    """Seconds a request of each variant, a figure for each round after the first."""
    times: dict[str, list[float]] = {name: [] for name in variants}
    for number in range(rounds + 1):
        order = list(variants.items())
        # Nobody is always first.
        for name, call in order[number % len(order) :] + order[: number % len(order)]:
            begun = clock()
            for _ in range(requests):
                call()
            if number:
                times[name].append((clock() - begun) / requests)
    return times


def show(times: dict[str, list[float]], base: str) -> None:
    """A row for each variant: median, smallest and largest of the rounds, and its ratio to the base, round by round."""
    for name, seconds in times.items():
        ratios = [a / b for a, b in zip(seconds, times[base], strict=True)]
        spread = f"{1000 * min(seconds):.2f} to {1000 * max(seconds):.2f}"
        print(f"| {name} | {1000 * statistics.median(seconds):.2f} | {spread} | {statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f}) |")


def in_process(addresses: list[str], options: argparse.Namespace) -> None:
    """The handler alone."""
    plain, cached = handler(cache=False), handler(cache=True)
    print("\n| Through the handler | ms, median | smallest to largest | times the trivial view |\n|---|---:|---:|---:|")
    for address in addresses:
        # The first of a process fills what is kept as long as it lives; the second asks what every page asks.
        ask(plain, address)
        rendered, (status, page, _) = queries(plain, address)
        _, small, headers = ask(cached, address)
        kept, _ = queries(cached, address)
        if status != 200 or "ETag" not in headers:  # noqa: PLR2004 - HTTP's OK
            print(f"| {address}: {status}, not kept | | | |")
            continue
        variants = {
            "trivial": lambda: ask(plain, TRIVIAL),
            f"{address} from the cache": lambda address=address: ask(cached, address),
            f"{address} from the cache, 304": lambda address=address, tag=headers["ETag"]: ask(cached, address, HTTP_IF_NONE_MATCH=tag),
            f"{address} rendered": lambda address=address: ask(plain, address),
        }
        show(take_turns(variants, rounds=options.rounds, requests=options.requests, clock=time.process_time), "trivial")
        print(f"| {address}: queries {rendered} rendered, {kept} from the cache; HTML {len(page):,} bytes, {len(small):,} as sent | | | |")


def queries(application: WSGIHandler, address: str) -> tuple[int, tuple[int, bytes, dict[str, str]]]:
    """How many queries a GET makes, and what it gave."""
    with CaptureQueriesContext(connection) as made:
        answer = ask(application, address)
        number = len(made)
    return number, answer


def over_http(address: str, options: argparse.Namespace) -> None:
    """The same through gunicorn, one process, whose trivial view has the page cache before it too."""
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parent.parent)}
    command = [sys.executable, "-m", "gunicorn", "benchmarks.pages:application", "--bind", f"{HOST}:{options.port}", "--workers", "1", "--threads", "1"]
    server = subprocess.Popen(command, env=environment, cwd=Path(__file__).parent.parent, stderr=subprocess.DEVNULL)  # noqa: S603 - our own server
    try:
        connection = _connected(options.port)
        variants = {name: lambda path=path: _fetch(connection, path) for name, path in {"trivial": TRIVIAL, f"{address} from the cache": address}.items()}
        print("\n| Through gunicorn | ms, median | smallest to largest | times the trivial view |\n|---|---:|---:|---:|")
        show(take_turns(variants, rounds=options.rounds, requests=options.requests, clock=time.perf_counter), "trivial")
    finally:
        server.terminate()
        server.wait(10)


def _connected(port: int) -> http.client.HTTPConnection:
    for _ in range(150):
        connection = http.client.HTTPConnection(HOST, port, timeout=20)
        try:
            connection.connect()
        except OSError:
            time.sleep(0.2)
        else:
            return connection
    message = "gunicorn did not start"
    raise RuntimeError(message)


def _fetch(connection: http.client.HTTPConnection, address: str) -> None:
    connection.request("GET", address, headers={"Accept-Encoding": ENCODINGS, "Host": f"{HOST}:8765"})
    response = connection.getresponse()
    response.read()
    if response.status != 200:  # noqa: PLR2004 - HTTP's OK
        message = f"{address}: {response.status}"
        raise RuntimeError(message)


def application(environ: dict, start: Callable) -> object:
    """What gunicorn serves."""
    return _served()(environ, start)


def _served() -> WSGIHandler:
    if not hasattr(_served, "handler"):
        _served.handler = handler(cache=True)
    return _served.handler


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("addresses", nargs="*")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--requests", type=int, default=100)
    parser.add_argument("--port", type=int, default=8765)
    options = parser.parse_args()
    call_command("collectstatic", interactive=False, verbosity=0)
    addresses = options.addresses or some_addresses()
    in_process(addresses, options)
    over_http(addresses[0], options)


if __name__ == "__main__":
    main()
