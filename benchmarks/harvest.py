"""How many of a partner's listings arrive a second: over HTTP from another process into PostgreSQL and the change log.

    python -m tests.postgresql -- python benchmarks/harvest.py [--rows 100000] [--page 500] [--changes 10000]

Takes an empty PostgreSQL database (`tests.postgresql` makes one and throws it away) and migrates it. The partner is a process of
its own that serves ready-made pages of the federation's protocol, so that only reading them is measured. What is timed is what the
worker does: asking, checking addresses and digests, reading the JSON-LD, writing listings, companies, their histories, steps and
changes, and the checkpoint with each page. Three visits:

- everything: the snapshot, into an empty market;
- the same again: the snapshot once more, which changes nothing;
- changes: the feed, with as many changed listings as `--changes` says.

Seconds are those of the clock, beside them those of the processor that the harvester and its PostgreSQL backend took: on a busy machine the clock tells more of the
others.
Memory is the most that the process ever held (ru_maxrss).
"""

# ruff: noqa: E402 - the settings come from the environment, which has to be there before Django is asked

import argparse
import json
import multiprocessing
import os
import resource
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import measuring

measuring.configure(OUTGOING_ALLOWED_HOSTS="127.0.0.1")

import django

django.setup()

from django.core.management import call_command
from django.db import connection

from marketplace.companies import places, sectors
from marketplace.core.models import Change
from marketplace.federation import harvest
from marketplace.federation.client import digest_of
from marketplace.federation.enums import PartnerState
from marketplace.federation.models import Checkpoint, HarvestRun, Partner, QuarantinedItem
from marketplace.listings.models import Listing, Transition

#: Listings of one company.
EACH = 4
DESCRIPTION = """Som un taller amb trenta anys d'ofici. Fabriquem peces de plàstic a mida, des del prototip fins a sèries de deu mil:
injecció, termoformat i mecanitzat, amb certificat de qualitat i lliurament en una setmana. Treballem amb PET, policarbonat i materials reciclats,
i ajudem a triar el que convé a cada ús. Per a encàrrecs urgents tenim un torn de nit. També reparem motlles d'altres fabricants."""


# --- The partner ----------------------------------------------------------------------------------------------------------


def item(base: str, number: int, version: int) -> bytes:
    """One listing as the protocol writes it, of some two thousand bytes."""
    uri, company = f"{base}/id/listing/{number:08}", number // EACH
    sector, place = sorted(sectors.tree())[number % len(sectors.tree())], sorted(places.known())[number % len(places.known())]
    owner = {"@type": "Organization", "@id": f"{base}/id/company/{company:08}", "name": f"Taller {company}, SL", "description": DESCRIPTION[:200]}
    owner["address"] = {"@type": "PostalAddress", "addressLocality": places.known()[place].name, "addressCountry": "ES"}
    listing = {
        "@context": ["https://schema.org", f"{base}/api/federation/v1/context"],
        "@type": "Offer",
        "@id": uri,
        "url": f"{base}/anuncis/{number}/",
        "name": f"Peces de plàstic a mida, sèrie {number}, versió {version}",
        "description": f"{DESCRIPTION} Sèrie {number}.",
        "inLanguage": "ca",
        "keywords": ["plàstic", "injecció", f"sèrie {number % 97}"],
        "category": {"@type": "CategoryCode", "inCodeSet": "NACE Rev. 2", "codeValue": sector, "name": sectors.tree()[sector].label_ca},
        "mp:kindOfThing": "product",
        "itemOffered": {"@type": "Product", "name": f"Peces {number}"},
        "areaServed": {"@type": "Country", "name": "ES"},
        "mp:place": {"@type": "City", "identifier": place, "name": places.known()[place].name},
        "mp:reachKm": 25,
        "mp:remote": False,
        "validFrom": "2026-01-01",
        "validThrough": "2035-12-31",
        "offeredBy": owner,
    }
    head = {"op": "upsert", "uri": uri, "version": version, "updated_at": "2026-11-01T10:00:00Z", "expires_at": None}
    return json.dumps(head | {"digest": digest_of(listing), "listing": listing}, ensure_ascii=False, separators=(",", ":")).encode()


def serve(rows: int, changes: int, page: int, ready: multiprocessing.Queue) -> None:
    """Serve ready-made pages until the process is ended."""
    bodies: dict[str, tuple[bytes, str]] = {}

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            query = dict(parse_qsl(parts.query))
            body, following = bodies[f"{parts.path.rpartition('/')[2]}:{query.get('after') or query.get('cursor') or ''}"]
            self.send_response(200)
            self.send_header("Content-Type", "application/json" if "changes" in parts.path else "application/x-ndjson")
            self.send_header("Content-Length", str(len(body)))
            if following:
                self.send_header("Link", f'<{parts.path}?after={following}>; rel="next"')
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_arguments: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    base = f"http://127.0.0.1:{server.server_address[1]}"
    for begin in range(0, rows, page):
        items = [item(base, number, 1) for number in range(begin, min(begin + page, rows))]
        head, end = json.dumps({"as_of": "c0", "total": rows}).encode(), json.dumps({"end": True, "count": len(items)}).encode()
        following = str(begin + page) if begin + page < rows else ""
        bodies[f"snapshot:{begin or ''}"] = b"\n".join([head, *items, end]), following
    for begin in range(0, changes, page):
        items = [item(base, number, 2) for number in range(begin, min(begin + page, changes))]
        more = b"true" if begin + page < changes else b"false"
        bodies[f"changes:c{begin}"] = b'{"items":[%s],"cursor":"c%d","more":%s}' % (b",".join(items), begin + page, more), ""
    ready.put((base, sum(len(body) for body, _following in bodies.values())))
    server.serve_forever()


# --- The visits -----------------------------------------------------------------------------------------------------------


def database_seconds() -> float:
    """Of the processor, by the backend that serves this connection; 0 where it runs on another machine."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        status = Path(f"/proc/{cursor.fetchone()[0]}/stat")
    if not status.exists():
        return 0.0
    user, system = status.read_text().rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


def timed(name: str, partner: Partner, count: int) -> None:
    """One visit to its end, and what it did."""
    began, worked, theirs = time.perf_counter(), time.process_time(), database_seconds()
    harvest.visit(partner)
    seconds, worked, theirs = time.perf_counter() - began, time.process_time() - worked, database_seconds() - theirs
    run = HarvestRun.objects.latest("pk")
    error = Checkpoint.objects.get(partner=partner).error
    if error or QuarantinedItem.objects.exists():
        raise SystemExit(error or str(QuarantinedItem.objects.first().message))
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    told = {name: number for name in ("created", "changed", "unchanged", "ended") if (number := getattr(run, name))}
    print(
        f"| {name} | {count:,} | {seconds:.1f} | {worked:.1f} | {theirs:.1f} | {count / seconds:,.0f} | {memory:.0f} MB | {run.pages} pages, {told} |",
        flush=True,
    )


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--page", type=int, default=500)
    parser.add_argument("--changes", type=int, default=10_000)
    options = parser.parse_args()
    if connection.vendor != "postgresql":
        raise SystemExit("DATABASE_URL has to lead to an empty PostgreSQL database: python -m tests.postgresql -- python benchmarks/harvest.py")
    ready: multiprocessing.Queue = multiprocessing.Queue()
    other = multiprocessing.get_context("fork").Process(target=serve, args=(options.rows, options.changes, options.page, ready), daemon=True)
    connection.close()
    other.start()
    call_command("migrate", verbosity=0)
    base, size = ready.get()
    partner = Partner.objects.create(name="Other city", base_url=base, state=PartnerState.ACTIVE, reader_options={"limit": options.page})
    print(f"{options.rows:,} listings, {size / 2**20:.0f} MB of pages, {options.page} to a page, PostgreSQL {connection.pg_version // 10000}")
    print("| visit | listings | s | processor: harvester | PostgreSQL | listings/s | memory | |\n|---|---|---|---|---|---|---|---|")
    timed("everything", partner, options.rows)
    harvest.ask_snapshot(partner)
    timed("the same again", partner, options.rows)
    timed("changes", partner, options.changes)
    print(
        f"In the database: {Listing.objects.count():,} listings, {Listing.history.count():,} in their history, {Transition.objects.count():,} steps, {Change.objects.count():,} changes."
    )
    other.terminate()


if __name__ == "__main__":
    main()
