"""A kept page, and the answer that is made of it."""

import gzip
import hashlib
import time
from dataclasses import dataclass

import brotli
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.cache import get_conditional_response
from django.utils.http import http_date

from .generations import Tokens

#: Pages change with the clock: an aid closes at midnight, an office opens at nine. Both are quarters of an hour, in every time zone.
QUARTER = 15 * 60
#: Larger pages are not kept; the longest of ours has some 100 KB.
LARGEST = 2**20
VARY = "Accept-Encoding, Cookie, HX-Request"
#: What the middleware in front of us or the answer itself writes anew.
NOT_KEPT = {"content-length", "vary", "etag", "last-modified", "cache-control", "expires", "date", "age"}
GZIP_LEVEL, BROTLI_QUALITY = 6, 6


@dataclass(frozen=True, slots=True)
class Entry:
    """One page: the address it answers, `tokens` of the kinds it shows, until when the clock leaves it true, since when it says this, and its bytes."""

    address: str
    tokens: Tokens
    fresh_until: float
    modified: int
    etag: str
    headers: dict[str, str]
    bodies: dict[str, bytes]

    def response(self, request: HttpRequest) -> HttpResponse:
        """The page, compressed as the browser likes it, or 304 when it has this very page."""
        encoding = accepted(request.META.get("HTTP_ACCEPT_ENCODING", ""))
        body = self.bodies[encoding] if encoding else gzip.decompress(self.bodies["gzip"])
        response = HttpResponse(body if request.method == "GET" else b"", headers=self.headers)
        response["Content-Length"] = str(len(body))
        if encoding:
            response["Content-Encoding"] = encoding
        now = time.time()
        response["Vary"] = VARY
        response["ETag"] = self.etag
        response["Cache-Control"] = self._cache_control(now)
        # Within its own second a date does not tell two versions apart.
        modified = self.modified if now >= self.modified + 1 else None
        if modified:
            response["Last-Modified"] = http_date(modified)
        return get_conditional_response(request, etag=self.etag, last_modified=modified, response=response)

    def _cache_control(self, now: float) -> str:
        # Browsers ask each time (304, mostly): who signs in must not see the page of before. A proxy may be told not to ask.
        for_proxy = min(settings.PAGE_CACHE_PROXY_SECONDS, int(self.fresh_until - now))
        return f"public, max-age=0, must-revalidate, s-maxage={for_proxy}" if for_proxy > 0 else "public, max-age=0, must-revalidate"


def make(response: HttpResponse, *, address: str, tokens: Tokens, fresh_until: float, before: Entry | None) -> Entry:
    """What is kept of an answer; `before`: the page that it replaces."""
    content = response.content
    etag = weak_etag(content)
    return Entry(
        address=address,
        tokens=tokens,
        fresh_until=fresh_until,
        # Rendered anew and still the same: not modified.
        modified=before.modified if before and before.etag == etag else int(time.time()),
        etag=etag,
        headers={name: value for name, value in response.items() if name.lower() not in NOT_KEPT},
        # Nothing on these pages is secret, so compressing them gives nothing away (BREACH).
        bodies={"br": brotli.compress(content, mode=brotli.MODE_TEXT, quality=BROTLI_QUALITY), "gzip": gzip.compress(content, GZIP_LEVEL, mtime=0)},
    )


def weak_etag(content: bytes) -> str:
    """Of the text as it is before compression. Weak, since the same tag stands for the plain and the compressed bytes."""
    return f'W/"{hashlib.sha256(content).hexdigest()[:32]}"'


def next_quarter(moment: float) -> float:
    """The quarter of an hour that follows, in Unix time."""
    return (moment // QUARTER + 1) * QUARTER


def accepted(header: str) -> str:
    """The encoding br or gzip, whichever the browser takes (br where it takes both), or nothing."""
    names = {name.strip() for name, _, quality in (part.partition(";") for part in header.lower().split(",")) if quality.strip() not in ("q=0", "q=0.0")}
    return "br" if "br" in names else "gzip" if "gzip" in names else ""
