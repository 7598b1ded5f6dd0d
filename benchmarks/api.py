"""What the API's list of listings costs, beside raw SQL and json.dumps of the same bytes.

    python benchmarks/api.py [--rows 5000] [--rounds 9] [--limit 50 100 500]
    python -m tests.postgresql -- python benchmarks/api.py

Takes an empty database (without DATABASE_URL one of SQLite, which is thrown away), migrates it and fills it with listings of 300
companies. The variants take turns within every round, the first round does not count, and each reads the same pages of a round:

- "the API": GET /api/v1/listings/ through the site's whole handler, with all its middleware, the address's rate counted in the
  database, filters looked at, the cursor of one page taken from the last, ETag and links made;
- "raw": the same pages by one SQL statement each, written by hand, on the driver's own cursor, and json.dumps of the page. The
  objects to dump stand ready, so that turning rows into objects costs this variant nothing.

Connections stay open in both, as they do on PostgreSQL (on SQLite by `?conn_max_age=60` in DATABASE_URL).
Both give the same bytes of listings, which is checked. Seconds are those of the clock: the database's time counts.
"""

# ruff: noqa: E402 - the settings come from the environment, which has to be there before Django is asked

import argparse
import contextlib
import datetime
import gc
import io
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

SCRATCH = tempfile.TemporaryDirectory(prefix="api-")
HOST = "127.0.0.1"
os.environ |= {
    "DJANGO_SETTINGS_MODULE": "marketplace.settings",
    "DATABASE_URL": os.environ.get("DATABASE_URL", f"sqlite:///{SCRATCH.name}/db.sqlite3?conn_max_age=60"),
    "DEBUG": "false",
    "SECRET_KEY": "only-to-measure-" * 4,
    "ALLOWED_HOSTS": HOST,
    "SECURE_SSL_REDIRECT": "false",
    "EMAIL_URL": "dummymail://",
    "PAGE_CACHE_URL": "dummycache://",
    "SEMANTIC_ENCODER": "",
    "SITE_URL": f"http://{HOST}:8765",
    "STATIC_ROOT": SCRATCH.name,
    "EMBEDDED_INDEX_PATH": f"{SCRATCH.name}/index",
    # Counted, but never reached.
    "API_RATE_ADDRESS": "1000000000",
}

import django

django.setup()

from django.core.handlers.wsgi import WSGIHandler
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from marketplace.companies.models import Company
from marketplace.listings.enums import Kind, State
from marketplace.listings.models import Listing
from marketplace.rest.renderers import dumps

ADDRESS = "/api/v1/listings/"
COMPANIES = 300
RAW = """SELECT l.id, l.published_at, l.valid_until, l.uid, l.kind, l.category, l.title, l.description, l.keywords, l.language, l.sector_id, l.place_id,
l.reach_km, l.remote, l.version, l.source_uri, l.source_name, l.source_url, c.uid, c.name, c.size, c.verified
FROM listings_listing l JOIN companies_company c ON c.id = l.company_id
WHERE l.state = 'published' AND l.valid_until >= {mark} AND NOT c.hidden AND l.published_at <= {mark} AND (l.published_at < {mark} OR l.id < {mark})
ORDER BY l.published_at DESC, l.id DESC LIMIT {mark}"""
DESCRIPTION = """Som un taller de Terrassa amb trenta anys d'ofici. Fabriquem peces de plàstic a mida, des del prototip fins a sèries de deu mil:
injecció, termoformat i mecanitzat, amb certificat de qualitat i lliurament en una setmana. """


def fill(rows: int) -> None:
    """Live listings as there are many: texts of a few hundred characters, five published in one moment."""
    now, today = timezone.now(), timezone.localdate()
    Company.objects.bulk_create(Company(name=f"Empresa {number}, SL", sector_id="2229", place_id="082798", size="small") for number in range(COMPANIES))
    companies = list(Company.objects.all())
    Listing.objects.bulk_create(
        (
            Listing(
                company=companies[number % COMPANIES], kind=list(Kind)[number % 2], category="product", title=f"Peces de plàstic a mida, lot {number}",
                description=DESCRIPTION * (1 + number % 4), keywords="plàstic, motlles, PET", language="ca", sector_id="2229", place_id="082798",
                reach_km=None if number % 3 else 50, valid_until=today + datetime.timedelta(days=30 + number % 300), state=State.PUBLISHED,
                published_at=now - datetime.timedelta(minutes=number // 5),
            )
            for number in range(rows)
        ),
        batch_size=500,
    )  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


class Api:
    """Reads the list as a program does, but for the network."""

    def __init__(self, limit: int) -> None:
        self.application, self.limit = WSGIHandler(), limit

    def ask(self, query: str) -> bytes:
        """One GET through the handler, as a server would call it."""
        status: list[str] = []
        environ = {
            "REQUEST_METHOD": "GET", "PATH_INFO": ADDRESS, "QUERY_STRING": query, "SCRIPT_NAME": "", "SERVER_NAME": HOST, "SERVER_PORT": "8765",
            "HTTP_HOST": f"{HOST}:8765", "SERVER_PROTOCOL": "HTTP/1.1", "REMOTE_ADDR": HOST, "wsgi.url_scheme": "http", "wsgi.input": io.BytesIO(),
            "wsgi.errors": sys.stderr, "HTTP_ACCEPT_LANGUAGE": "ca",
        }  # fmt: skip
        response = self.application(environ, lambda given, _headers, _error=None: status.append(given))
        body = b"".join(response)
        response.close()
        if not status[0].startswith("200"):
            raise RuntimeError(f"{status[0]}: {body[:500]!r}")
        return body

    def pages(self, number: int) -> Iterator[bytes]:
        """The first pages."""
        query = f"limit={self.limit}"
        for _ in range(number):
            body = self.ask(query)
            yield body
            # The way on is at the end of the page; a program would read all of it.
            following = json.loads("{" + body[body.rindex(b'"next":') :].decode())["next"]
            if following is None:
                return
            query = following.partition("?")[2]


def raw_pages(objects: list[dict], limit: int, number: int) -> Iterator[bytes]:
    """What costs time in the raw variant; `objects` are what the API gives for these rows."""
    today = timezone.localdate()
    at, uid = timezone.now() + datetime.timedelta(days=1), 0
    statement = RAW.format(mark="%s" if connection.vendor == "postgresql" else "?")
    connection.ensure_connection()
    with contextlib.closing(connection.connection.cursor()) as cursor:
        for page in range(number):
            parameters = (today, at, at, uid, limit) if connection.vendor == "postgresql" else (today.isoformat(), str(at), str(at), uid, limit)
            rows = cursor.execute(statement, parameters).fetchall()
            if not rows:
                return
            uid, at = rows[-1][:2]
            yield dumps({"results": objects[page * limit : page * limit + len(rows)]})


def seconds(read: Callable[[], Iterator[bytes]]) -> float:
    """How long it takes to the last page."""
    gc.collect()
    begun = time.perf_counter()
    for _page in read():
        pass
    return time.perf_counter() - begun


def check_same(api: Api, objects: list[dict], limit: int, number: int) -> int:
    """Raise unless both give the same listings in the same bytes; how many bytes."""
    total = 0
    for ours, raw in zip(list(api.pages(number)), list(raw_pages(objects, limit, number)), strict=True):
        if not ours.startswith(raw[:-1]):
            raise RuntimeError("The two variants differ.")
        total += len(raw)
    return total


def queries(api: Api, limit: int) -> int:
    """How many queries a page asks."""
    with CaptureQueriesContext(connection) as asked:
        api.ask(f"limit={limit}")
    return len(asked)


def measure(limit: int, options: argparse.Namespace) -> None:
    """Print the rows of one page size."""
    api, number = Api(limit), max(1, min(options.rows, options.read) // limit)
    objects = [row for page in api.pages(number) for row in json.loads(page)["results"]]
    size = check_same(api, objects, limit, number)
    variants = {"raw SQL and json.dumps": lambda: raw_pages(objects, limit, number), "the API": lambda: api.pages(number)}
    times: dict[str, list[float]] = {name: [] for name in variants}
    for turn in range(options.rounds + 1):
        order = list(variants.items())
        for name, read in order if turn % 2 else reversed(order):
            times[name].append(seconds(read) / number)
    base = times["raw SQL and json.dumps"][1:]
    for name, taken in ((name, every[1:]) for name, every in times.items()):
        ratios = [ours / raw for ours, raw in zip(taken, base, strict=True)]
        ratio = f"{statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})"
        print(f"| {limit} | {name} | {1000 * statistics.median(taken):.2f} | {1000 * min(taken):.2f} to {1000 * max(taken):.2f} | {ratio} |")
    print(f"| {limit} | {size // number:,} bytes a page; queries {queries(api, limit)}, of a page of one {queries(api, 1)} | | | |")


def main() -> None:
    """Fill, then measure."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=5000)
    parser.add_argument("--read", type=int, default=2000, help="rows that a variant reads in a round")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--limit", type=int, nargs="+", default=[50, 100, 500])
    options = parser.parse_args()
    call_command("migrate", verbosity=0)
    call_command("createcachetable", verbosity=0)
    if Listing.objects.exists():
        sys.exit("This database has listings already. Take an empty one: the program fills it.")
    fill(options.rows)
    print(f"{connection.vendor}, {options.rows:,} listings, {options.rounds} rounds\n")
    print("| Page | | ms a page, median | smallest to largest | times raw |\n|---:|---|---:|---:|---:|")
    for limit in options.limit:
        measure(limit, options)


if __name__ == "__main__":
    main()
