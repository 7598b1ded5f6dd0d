"""A marketplace on this machine that speaks the federation's protocol over real HTTP: as it should, or as a test wants.

It holds its listings in memory. Several may share one `Origin` in different processes no more than one program does.
"""

import contextlib
import json
import urllib.parse
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from marketplace.federation.client import digest_of
from tests.websites import Site, serve

JSON, LINES = "application/json", "application/x-ndjson"


@dataclass
class Origin:
    """`log` has (uri, item) in order; `live` the newest item of each uri. `expire_before`: cursors of less get 410."""

    site: Site
    log: list[dict] = field(default_factory=list)
    version: int = 0
    expire_before: int = 0
    #: Called with each page's document (changes) or lines (snapshot) before it is sent; what it returns is sent.
    twist: Callable | None = None

    @property
    def url(self) -> str:
        return self.site.url

    @property
    def pages_asked(self) -> list[str]:
        return [path for _method, path in self.site.asked if "/api/federation/v1/" in path]

    def uri(self, number: int | str) -> str:
        return f"{self.url}/id/listing/{number}"

    # --- What its people do

    def put(self, number: int | str, *, version: int | None = None, **changes: object) -> dict:
        """A new or changed listing."""
        listing = listing_of(self, number) | changes
        listing = {name: value for name, value in listing.items() if value is not None}
        return self.add(self.item(listing, version=version))

    def item(self, listing: dict, *, version: int | None = None) -> dict:
        self.version += 1
        head = {"op": "upsert", "uri": listing["@id"], "version": version or self.version, "updated_at": "2026-11-01T10:00:00Z"}
        return head | {"expires_at": None, "digest": digest_of(listing), "listing": listing}

    def take_away(self, number: int | str, reason: str = "withdrawn", *, version: int | None = None) -> dict:
        self.version += 1
        head = {"op": "tombstone", "uri": self.uri(number), "version": version or self.version, "updated_at": "2026-11-02T10:00:00Z"}
        return self.add(head | {"reason": reason})

    def add(self, item: dict) -> dict:
        """One more line of the log, as it is."""
        self.log.append(item)
        return item

    @property
    def live(self) -> dict[str, dict]:
        newest = {item["uri"]: item for item in self.log}
        return {uri: item for uri, item in sorted(newest.items()) if item["op"] == "upsert"}

    # --- What it answers

    def changes(self, request) -> tuple:
        query = _query(request)
        begin, limit = int(query.get("cursor", "c0")[1:]), int(query.get("limit", 200))
        if begin < self.expire_before:
            return _problem(410, "cursor-expired")
        newest = {item["uri"]: place for place, item in enumerate(self.log)}
        rows = [(place, self.log[place]) for place in sorted(newest.values()) if place >= begin]
        page = rows[:limit]
        following = page[-1][0] + 1 if page else begin
        document = {"items": [item for _place, item in page], "cursor": f"c{following}", "more": len(rows) > limit}
        document = self.twist(document) if self.twist else document
        return 200, {"Content-Type": JSON}, _bytes(document)

    def snapshot(self, request) -> tuple:
        query = _query(request)
        as_of, _point, behind = query.get("after", f"c{len(self.log)}.").partition(".")
        if int(as_of[1:]) < self.expire_before:
            return _problem(410, "cursor-expired")
        limit, live = int(query.get("limit", 1000)), self.live
        rows = [(uri, item) for uri, item in live.items() if uri > behind]
        page = rows[:limit]
        lines = [{"as_of": as_of, "total": len(live)}, *(item for _uri, item in page), {"end": True, "count": len(page)}]
        lines = self.twist(lines) if self.twist else lines
        headers = {"Content-Type": LINES}
        if len(rows) > limit:
            after = urllib.parse.urlencode({"after": f"{as_of}.{page[-1][0]}", "limit": limit})
            headers["Link"] = f'<{self.url}/api/federation/v1/snapshot?{after}>; rel="next"'
        return 200, headers, lines if isinstance(lines, bytes) else b"".join(_bytes(line) + b"\n" for line in lines)


@contextlib.contextmanager
def origin() -> Iterator[Origin]:
    """One until the block ends."""
    with serve() as site:
        made = Origin(site)
        site.pages |= {"/api/federation/v1/changes": made.changes, "/api/federation/v1/snapshot": made.snapshot}
        yield made


def listing_of(origin: Origin, number: int | str) -> dict:
    """An offer as the protocol writes it."""
    return {
        "@context": ["https://schema.org", f"{origin.url}/api/federation/v1/context"],
        "@type": "Offer",
        "@id": origin.uri(number),
        "url": f"{origin.url}/anuncis/{number}/",
        "name": f"Estampació de xapa, sèrie {number}",
        "description": f"Peces estampades d'acer i alumini, fins a dos mil·límetres de gruix. Sèrie {number}.",
        "inLanguage": "ca",
        "keywords": ["xapa", "acer"],
        "category": {"@type": "CategoryCode", "inCodeSet": "NACE Rev. 2", "codeValue": "2229", "name": "Plàstics"},
        "mp:kindOfThing": "product",
        "itemOffered": {"@type": "Product", "name": f"Estampació {number}"},
        "areaServed": {"@type": "Country", "name": "ES"},
        "mp:place": {"@type": "City", "identifier": "082798", "name": "Terrassa", "geo": {"@type": "GeoCoordinates", "latitude": 41.56, "longitude": 2.01}},
        "mp:reachKm": 25,
        "mp:remote": False,
        "validFrom": "2026-11-01",
        "validThrough": "2030-06-30",
        "offeredBy": {
            "@type": "Organization",
            "@id": f"{origin.url}/id/company/{number}",
            "name": f"Taller {number}, SL",
            "address": {"@type": "PostalAddress", "addressLocality": "Sabadell", "addressCountry": "ES"},
        },
    }


def _query(request) -> dict[str, str]:
    return dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(request.path).query))


def _bytes(value: object) -> bytes:
    return value if isinstance(value, bytes) else json.dumps(value).encode()


def _problem(status: int, code: str) -> tuple:
    body = {"type": f"https://problems.example/api/problems/{code}", "title": "The cursor has expired", "status": status}
    return status, {"Content-Type": "application/problem+json"}, _bytes(body)
