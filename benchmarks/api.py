"""What the API's list of listings costs, beside raw SQL and json.dumps of the same bytes.

    python benchmarks/api.py [--rows 5000] [--rounds 9] [--limit 50 100 500]
    python -m tests.postgresql -- python benchmarks/api.py

Takes an empty database (without DATABASE_URL one of SQLite, which is thrown away), migrates it and fills it with listings of 300
companies. The variants take turns within every round, the first round does not count, and each reads the same pages of a round:

- "the API": GET /api/v1/listings/ through the site's whole handler, with all its middleware, the address's rate counted in the
  database, filters looked at, the cursor of one page taken from the last, ETag and links made;
- "raw": the same pages by one SQL statement each, written by hand, on the driver's own cursor, and json.dumps of the page. The
  objects to dump stand ready, so that turning rows into objects costs this variant nothing.
- "raw SQL and orjson": the same with the writer of JSON that the API has, which takes a twentieth of the time.

Connections stay open in both, as they do on PostgreSQL (on SQLite by `?conn_max_age=60` in DATABASE_URL).
Both give the same bytes of listings, which is checked. Seconds are those of the clock: the database's time counts.
"""

# ruff: noqa: E402 - the settings come from the environment, which has to be there before Django is asked

import argparse
import contextlib
import datetime
import json
import sys
from collections.abc import Callable, Iterator

import measuring

# The rate is counted, but never reached.
measuring.configure(API_RATE_ADDRESS="1000000000")

import django

django.setup()

from django.core.management import call_command
from django.db import connection
from django.utils import timezone

from marketplace.companies.models import Company
from marketplace.listings.enums import Kind, State
from marketplace.listings.models import Listing
from marketplace.rest.renderers import dumps as orjson_dumps

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
        self.site, self.limit = measuring.Site(), limit

    def ask(self, query: str) -> bytes:
        """One page."""
        return self.site.get(ADDRESS, query, HTTP_ACCEPT_LANGUAGE="ca")

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


def plain_dumps(data: object) -> bytes:
    """What `marketplace.rest.renderers.dumps` writes, by the standard library."""
    return json.dumps(data, ensure_ascii=False, separators=(",", ":")).encode()


def raw_pages(objects: list[dict], limit: int, number: int, dumps: Callable[[object], bytes] = plain_dumps) -> Iterator[bytes]:
    """What costs time in the raw variants; `objects` are what the API gives for these rows."""
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


def check_same(api: Api, objects: list[dict], limit: int, number: int) -> int:
    """Raise unless both give the same listings in the same bytes; how many bytes."""
    total = 0
    for ours, raw in zip(list(api.pages(number)), list(raw_pages(objects, limit, number)), strict=True):
        if not ours.startswith(raw[:-1]):
            raise RuntimeError("The two variants differ.")
        total += len(raw)
    return total


def measure(limit: int, options: argparse.Namespace) -> None:
    """Print the table of one page size."""
    api, number = Api(limit), max(1, min(options.rows, options.read) // limit)
    objects = [row for page in api.pages(number) for row in json.loads(page)["results"]]
    size = check_same(api, objects, limit, number)
    times = measuring.take_turns(
        {
            "raw SQL and json.dumps": lambda: measuring.walk(raw_pages(objects, limit, number)),
            "raw SQL and orjson": lambda: measuring.walk(raw_pages(objects, limit, number, orjson_dumps)),
            "the API": lambda: measuring.walk(api.pages(number)),
        },
        rounds=options.rounds,
    )
    asked = [measuring.queries(lambda many=many: api.ask(f"limit={many}")) for many in (limit, 1)]
    print(f"\nPages of {limit}, {size // number:,} bytes; {asked[0]} queries, of a page of one {asked[1]}:\n")
    measuring.print_table(times, base="raw SQL and json.dumps", each=number, title="a page")


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
    print(f"{connection.vendor}, {options.rows:,} listings, {options.rounds} rounds, {measuring.machine()}")
    for limit in options.limit:
        measure(limit, options)


if __name__ == "__main__":
    main()
