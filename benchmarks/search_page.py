"""What the public search page costs, beside raw SQL and json.dumps of the same listings, and beside the engine's answer alone.

    python benchmarks/search_page.py [--rows 5000] [--rounds 7] [--each 10]
    python -m tests.postgresql -- python benchmarks/search_page.py

Takes an empty database (without DATABASE_URL one of SQLite, which is thrown away), migrates it, fills it with listings of 300 companies in all sectors
and indexes them (embedded engine, words alone; ELASTICSEARCH_URL for the other). The variants take turns within every round:

- "raw SQL and json.dumps": the listings of one page by one statement written by hand, on the driver's own cursor, and json.dumps of what the API tells
  of them; which listings they are is known beforehand;
- "engine": search.find, the page's hits and facets;
- "engine, then raw": both, which is the least that any page of a search can take;
- "the API": GET /api/v1/listings/ with the same search and its facets, through the whole handler;
- "the page, results only": what htmx gets when somebody types or ticks;
- "the whole page": HTML as a person gets it, with header, footer, forms and filters.

No page is kept between requests. Seconds are those of the clock.
"""

# ruff: noqa: E402 - the settings come from the environment, which has to be there before Django is asked

import argparse
import contextlib
import datetime
import json
import os
import sys
from urllib.parse import urlencode

import measuring

# The rate is counted, but never reached.
measuring.configure(API_RATE_ADDRESS="1000000000")

import django

django.setup()

from django.conf import settings
from django.core.management import call_command
from django.db import connection
from django.http import QueryDict
from django.urls import reverse
from django.utils import timezone, translation

import search
from marketplace.companies import places, sectors
from marketplace.companies.models import Company
from marketplace.listings.enums import Category, Kind, State
from marketplace.listings.filters import PAGE_SIZE, ListingFilter
from marketplace.listings.models import Listing

# Without sums in the names of files: to collect and rewrite them all takes longer than to measure.
settings.STORAGES = settings.STORAGES | {"staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}
API = "/api/v1/listings/"
COMPANIES = 300
THINGS = (
    "Peces de plàstic a mida",
    "Gel hidroalcohòlic",
    "Transport urgent de mercaderies",
    "Disseny de motlles",
    "Guants de nitril",
    "Nau amb molls de càrrega",
)
DESCRIPTION = """Som un taller amb trenta anys d'ofici. Fem encàrrecs des del prototip fins a sèries de deu mil, amb certificat de qualitat i lliurament en
una setmana. També ajudem a triar el material, i fora d'hores responem per correu. """
SEARCHES = {
    "the newest": [],
    "two words": [("q", "peces plàstic")],
    "words, a sector, a place": [("q", "motlles"), ("near", "Terrassa"), ("km", "50"), ("sector", "C"), ("kind", "offer")],
}
RAW = """SELECT l.id, l.published_at, l.valid_until, l.uid, l.kind, l.category, l.title, l.description, l.keywords, l.language, l.sector_id, l.place_id,
l.reach_km, l.remote, l.version, l.source_uri, l.source_name, l.source_url, c.uid, c.name, c.size, c.verified
FROM listings_listing l JOIN companies_company c ON c.id = l.company_id
WHERE l.state = 'published' AND l.valid_until >= {mark} AND NOT c.hidden AND l.uid IN ({marks})"""


def fill(rows: int) -> None:
    """Live listings of all sectors in many municipalities."""
    now, today = timezone.now(), timezone.localdate()
    codes = sorted(code for code, sector in sectors.tree().items() if sector.level == 4)  # noqa: PLR2004 - the tree's last level
    towns = sorted(places.known())[:60] + ["082798"] * 20
    Company.objects.bulk_create(
        Company(name=f"Empresa {number}, SL", sector_id=codes[7 * number % len(codes)], place_id=towns[number % len(towns)], size="small")
        for number in range(COMPANIES)
    )
    companies = list(Company.objects.all())
    Listing.objects.bulk_create(
        (
            Listing(
                company=companies[number % COMPANIES], kind=list(Kind)[number % 2], category=list(Category)[number // 2 % 4],
                title=f"{THINGS[number % len(THINGS)]}, lot {number}", description=f"{THINGS[number // 7 % len(THINGS)]}. {DESCRIPTION * (1 + number % 3)}",
                keywords="plàstic, motlles, PET", language=("ca", "es")[number % 5 == 0], sector_id=codes[11 * number % len(codes)],
                place_id=towns[number % len(towns)], reach_km=None if number % 3 else 50, valid_until=today + datetime.timedelta(days=30 + number % 300),
                state=State.PUBLISHED, published_at=now - datetime.timedelta(minutes=number),
            )
            for number in range(rows)
        ),
        batch_size=500,
    )  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


class Search:
    """One search, asked in every way."""

    def __init__(self, parameters: list[tuple[str, str]]) -> None:
        self.site, self.string = measuring.Site(), urlencode(parameters)
        self.address = reverse("listings:search")
        self.query = ListingFilter(QueryDict(self.string)).query(page_size=PAGE_SIZE)
        uids = [hit.uid for hit in search.find(self.query).hits]
        self.uids = uids if connection.vendor == "postgresql" else [uid.replace("-", "") for uid in uids]
        self.objects = json.loads(self.api())["results"]

    def raw(self) -> bytes:
        """The listings of the page."""
        today, one = timezone.localdate(), "%s" if connection.vendor == "postgresql" else "?"
        connection.ensure_connection()
        with contextlib.closing(connection.connection.cursor()) as cursor:
            statement = RAW.format(mark=one, marks=", ".join([one] * len(self.uids)))
            cursor.execute(statement, [today if connection.vendor == "postgresql" else today.isoformat(), *self.uids]).fetchall()
        return json.dumps({"results": self.objects}, ensure_ascii=False, separators=(",", ":")).encode()

    def engine(self) -> None:
        """Hits and facets."""
        search.find(self.query)

    def both(self) -> None:
        """The least that a page needs."""
        self.engine()
        self.raw()

    def api(self) -> bytes:
        """As a program asks."""
        return self.site.get(API, "&".join(filter(None, [self.string, f"limit={PAGE_SIZE}", "facets=true"])), HTTP_ACCEPT_LANGUAGE="ca")

    def part(self) -> bytes:
        """As htmx asks."""
        return self.site.get(self.address, self.string, HTTP_ACCEPT_LANGUAGE="ca", HTTP_HX_REQUEST="true")

    def page(self) -> bytes:
        """As a browser asks."""
        return self.site.get(self.address, self.string, HTTP_ACCEPT_LANGUAGE="ca")


def measure(name: str, asked: Search, options: argparse.Namespace) -> None:
    """Print the table of one search."""
    variants = {
        "raw SQL and json.dumps": asked.raw,
        "engine": asked.engine,
        "engine, then raw": asked.both,
        "the API": asked.api,
        "the page, results only": asked.part,
        "the whole page": asked.page,
    }
    times = measuring.take_turns(
        {variant: lambda call=call: [call() for _ in range(options.each)] and None for variant, call in variants.items()}, rounds=options.rounds
    )
    bytes_ = f"{len(asked.raw()):,} bytes raw, {len(asked.api()):,} of the API, {len(asked.part()):,} of results, {len(asked.page()):,} of the page"
    print(
        f"\n### {name}: {len(asked.objects)} listings; {bytes_}; queries of the API {measuring.queries(asked.api)}, of the page {measuring.queries(asked.page)}\n"
    )
    for base in ("raw SQL and json.dumps", "engine, then raw"):
        measuring.print_table(times, base=base, each=options.each, title="a page")
        print()


def main() -> None:
    """Fill, then measure."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=5000)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--each", type=int, default=10, help="pages of each variant in a round")
    options = parser.parse_args()
    call_command("migrate", verbosity=0)
    call_command("createcachetable", verbosity=0)
    call_command("collectstatic", interactive=False, verbosity=0)
    if Listing.objects.exists():
        sys.exit("This database has listings already. Take an empty one: the program fills it.")
    fill(options.rows)
    call_command("rebuild_index", verbosity=0)
    translation.activate("ca")
    engine = "Elasticsearch" if os.environ.get("ELASTICSEARCH_URL") else "embedded engine"
    print(f"{connection.vendor}, {engine}, {options.rows:,} listings, {options.rounds} rounds of {options.each} pages, {measuring.machine()}")
    for name, parameters in SEARCHES.items():
        measure(name, Search(parameters), options)


if __name__ == "__main__":
    main()
