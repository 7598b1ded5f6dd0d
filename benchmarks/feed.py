"""How long a partner takes to read the whole feed, beside raw SQL and json.dumps of the same bytes.

    python -m tests.postgresql -- python benchmarks/feed.py [--rows 100000] [--rounds 6] [--page 1000]

Takes an empty PostgreSQL database (`tests.postgresql` makes one and throws it away), migrates it and fills the feed. The
variants take turns within every round, the first round does not count, and each reads all pages of a round one after the other:

- "the view": GET …/changes through the site's whole handler, with all its middleware, a partner's key, its rate and its usage
  counted, the cursor of one page taken from the last;
- "raw": the same pages by one prepared SQL statement each (keyset, below the oldest open transaction), the cursor of psycopg
  itself, and json.dumps of the page. The objects to dump stand ready, so that reading JSON costs this variant nothing.

Both give the same bytes, which is checked. Seconds are those of the clock: the database's time counts. Memory is measured apart,
by tracemalloc: the most that reading to the end ever holds, of the feed and of a tenth of it.
"""

# ruff: noqa: E402 - the settings come from the environment, which has to be there before Django is asked

import argparse
import json
import statistics
import sys
import tracemalloc
import uuid
from collections.abc import Iterator

import measuring

measuring.configure()

import django

django.setup()

from django.core.management import call_command
from django.db import connection, transaction
from django.utils import timezone

from marketplace.core import transactions
from marketplace.federation import digests, jsonld
from marketplace.federation.enums import PartnerState, ReaderKind
from marketplace.federation.export import rfc3339
from marketplace.federation.models import FeedEntry, Partner
from marketplace.rest import keys
from marketplace.rest.models import ApiClient, Scope

CHANGES = "/api/federation/v1/changes"
BATCH = 1000
RAW = """SELECT "transaction", id, text FROM federation_feedentry WHERE ("transaction", id) > (%s, %s)
AND "transaction" < pg_snapshot_xmin(pg_current_snapshot())::text::bigint ORDER BY "transaction", id LIMIT %s"""
DESCRIPTION = """Som un taller de Terrassa amb trenta anys d'ofici. Fabriquem peces de plàstic a mida, des del prototip fins a sèries de deu mil:
injecció, termoformat i mecanitzat, amb certificat de qualitat i lliurament en una setmana. Treballem amb PET, policarbonat i materials reciclats,
i ajudem a triar el que convé a cada ús. Per a encàrrecs urgents tenim un torn de nit. També reparem motlles d'altres fabricants. """


def fill(rows: int) -> None:
    """The feed as the export would have written it: texts of about two thousand bytes, a transaction for each thousand entries."""
    for begin in range(0, rows, BATCH):
        with transaction.atomic():
            FeedEntry.objects.bulk_create(entry(number) for number in range(begin, min(begin + BATCH, rows)))
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE federation_feedentry")


def entry(number: int) -> FeedEntry:
    """One entry, whose listing is like many."""
    uid, now = uuid.uuid4(), timezone.now()
    uri = jsonld.listing_uri(uid)
    listing = {
        "@context": [jsonld.SCHEMA_ORG, f"http://{measuring.HOST}:{measuring.PORT}{jsonld.CONTEXT_PATH}"], "@type": "Offer", "@id": uri, "url": f"http://{measuring.HOST}:{measuring.PORT}/anuncis/{uid}/",
        "name": f"Peces de plàstic a mida, lot {number}", "description": DESCRIPTION * (1 + number % 3), "inLanguage": "ca", "keywords": ["plàstic", "motlles", "PET"],
        "category": {"@type": "CategoryCode", "inCodeSet": jsonld.SECTORS, "codeValue": "2229", "name": "Fabricació d'altres productes de matèries plàstiques"},
        "mp:kindOfThing": "product", "itemOffered": {"@type": "Product", "name": f"Peces de plàstic a mida, lot {number}"}, "areaServed": {"@type": "Country", "name": "ES"},
        "mp:place": {"@type": "City", "identifier": "082798", "name": "Terrassa", "geo": {"@type": "GeoCoordinates", "latitude": 41.5611, "longitude": 2.0081}},
        "mp:reachKm": None, "mp:remote": False, "validFrom": "2026-11-01", "validThrough": "2027-10-31",
        "offeredBy": {"@type": "Organization", "@id": f"{uri}#company", "name": "Plàstics Egara, SL", "mp:size": "small",
                      "address": {"@type": "PostalAddress", "addressLocality": "Terrassa", "addressCountry": "ES"}},
    }  # fmt: skip
    text = digests.canonical(listing)
    head = {"op": "upsert", "uri": uri, "version": number + 1, "updated_at": rfc3339(now), "expires_at": rfc3339(now), "digest": digests.digest(text)}
    whole = f'{json.dumps(head, separators=(",", ":"))[:-1]},"listing":{text.decode()}}}'
    return FeedEntry(
        transaction=transactions.own(), uid=uid, uri=uri, op="upsert", version=number + 1, updated_at=now, expires_at=now, digest=head["digest"], kind="offer",
        sector_path="C 22 222 2229", place="082798", text=whole,
    )  # fmt: skip


def a_partner() -> str:
    """The key of a partner that is given everything, at any rate."""
    client = ApiClient.objects.create(name="Measuring", rate=10**9)
    Partner.objects.create(
        name="Measuring", base_url="https://partner.example.org", reader=ReaderKind.NONE, state=PartnerState.ACTIVE, gives=True, client=client
    )
    return keys.issue(client, name="feed", scopes=[Scope.FEDERATION], expires_at=None, by=None)[1]


class View:
    """Reads the feed as a partner does, but for the network."""

    def __init__(self, key: str, page: int) -> None:
        self.site, self.key, self.page = measuring.Site(), key, page

    def ask(self, query: str) -> bytes:
        """One page."""
        return self.site.get(CHANGES, query, HTTP_AUTHORIZATION=f"Bearer {self.key}")

    def pages(self) -> Iterator[bytes]:
        """To the end."""
        cursor = ""
        while True:
            body = self.ask(f"limit={self.page}" + (f"&cursor={cursor}" if cursor else ""))
            yield body
            # The end of the page says where to go on; a partner would read all of it.
            tail = json.loads("{" + body[body.rindex(b'"cursor":') :].decode())
            cursor = tail["cursor"]
            if not tail["more"]:
                return


def raw_pages(page: int) -> Iterator[list[str]]:
    """The texts of each page, by SQL alone."""
    place = (0, 0)
    with connection.cursor() as django_cursor:
        cursor = django_cursor.cursor
        while rows := cursor.execute(RAW, (*place, page), prepare=True).fetchall():
            place = rows[-1][:2]
            yield [text for _transaction, _id, text in rows]


def read_raw(objects: list[dict], page: int) -> Iterator[bytes]:
    """What costs time in the raw variant."""
    for number, texts in enumerate(raw_pages(page)):
        ready = objects[number * page : number * page + len(texts)]
        yield json.dumps({"items": ready}, ensure_ascii=False, separators=(",", ":")).encode()


def peak(view: View, pages: int) -> float:
    """The most megabytes that reading so many pages ever holds."""
    tracemalloc.start()
    for number, _page in enumerate(view.pages(), start=1):
        if number == pages:
            break
    held = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return held / 2**20


def check_same(view: View, objects: list[dict], page: int) -> int:
    """Raise unless both give the same items in the same bytes; how many bytes."""
    total = 0
    for ours, raw in zip(view.pages(), read_raw(objects, page), strict=True):
        if not ours.startswith(raw[:-1]):
            raise RuntimeError("The two variants differ.")
        total += len(raw)
    return total


def measure(options: argparse.Namespace) -> None:
    """Print the tables."""
    view = View(a_partner(), options.page)
    objects = [json.loads(text) for texts in raw_pages(options.page) for text in texts]
    size = check_same(view, objects, options.page)
    times = measuring.take_turns(
        {"raw SQL and json.dumps": lambda: measuring.walk(read_raw(objects, options.page)), "the view": lambda: measuring.walk(view.pages())},
        rounds=options.rounds,
    )
    print(f"{options.rows:,} changes, {size / 2**20:.0f} MB, pages of {options.page}, {options.rounds} rounds, {measuring.machine()}\n")
    measuring.print_table(times, base="raw SQL and json.dumps", title="to the end", unit="s")
    print(f"\nThe view: {options.rows / statistics.median(times['the view']):,.0f} changes a second.")
    pages = -(-options.rows // options.page)
    print(f"\nMost memory held: {peak(view, max(pages // 10, 1)):.1f} MB for a tenth of the pages, {peak(view, pages):.1f} MB for all.")


def main() -> None:
    """Fill, then measure."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=5, help="after one that does not count")
    parser.add_argument("--page", type=int, default=1000)
    options = parser.parse_args()
    if connection.vendor != "postgresql":
        sys.exit("Set DATABASE_URL to an empty PostgreSQL database, or run it by python -m tests.postgresql.")
    call_command("migrate", verbosity=0)
    if FeedEntry.objects.exists():
        sys.exit("This database has a feed already. Take an empty one: the program fills it.")
    fill(options.rows)
    measure(options)


if __name__ == "__main__":
    main()
