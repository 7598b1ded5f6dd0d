"""Reads a marketplace of this federation. Free of Django, for partners too: it needs urllib3 and rfc8785, `items` and core's `lines`.

    client = Client("https://marketplace.example.org", key="…")
    page = client.changes(cursor)
    for item in page.items: …

Every request goes through one callable, so that a program with rules of its own about where it may go brings its own.
"""

import datetime
import hashlib
import http.client
import json
import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from urllib.parse import parse_qs, quote, urlencode, urlsplit

import rfc8785
import urllib3
from urllib3.util import parse_url

from marketplace.core import lines

from .items import TOMBSTONE, UPSERT, CursorExpired, Fault, HarvestError, Item

__all__ = ["Client", "CursorExpired", "Fault", "HarvestError", "Item", "Page", "Response", "Snapshot", "digest_of", "parse"]

WELL_KNOWN = "/.well-known/marketplace-federation"
BASE = "/api/federation/v1"
USUAL_LIMIT = 500
#: A page with more is no page of this protocol.
MOST_ITEMS = 5000
MAX_BYTES = 32 * 2**20
CHUNK = 2**16
#: Seconds for one answer, from the first word to the last.
TIMEOUT = 30.0
REASONS = ("withdrawn", "expired", "moderated", "erasure")
MAX_VERSION, MAX_RAW, MAX_URI, LONGEST_NUMBER = 2**63 - 1, 20_000, 500, 40
_DIGEST = re.compile(r"sha-256:[0-9a-f]{64}")
_NEXT = re.compile(r'<([^<>]*)>\s*;[^<]*\brel="?next"?')
NOT_MODIFIED, GONE, FIRST_SUCCESS, FIRST_REDIRECT, FIRST_ERROR = 304, 410, 200, 300, 400


@dataclass(frozen=True, slots=True)
class Response:
    """What came back. `headers` finds names in any case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


#: `fetch(method, url, headers, body)`; raises what it likes when there is no answer, and follows no redirect.
Fetch = Callable[[str, str, Mapping[str, str], bytes | None], Response]


@dataclass(frozen=True, slots=True)
class Page:
    """Some changes. `cursor` is where to go on, once these are kept; `more`: there are further ones now."""

    items: list[Item]
    faults: list[Fault]
    cursor: str
    more: bool


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A page of all that is live. Read on with `after` until it is "", then with the changes behind `as_of`; what no page showed is gone."""

    items: list[Item]
    faults: list[Fault]
    as_of: str
    after: str
    total: int | None


@dataclass(slots=True)
class Client:
    """One marketplace, asked with one key. Raises HarvestError for what is no answer of this protocol, CursorExpired for a cursor of no use any more."""

    base_url: str
    key: str = ""
    language: str = "en"
    fetch: Fetch = field(default_factory=lambda: over_urllib3())  # noqa: PLW0108 - it is defined below

    # --- Reading

    def discovery(self) -> dict:
        """Who the marketplace is."""
        return self._document(self._ask("GET", WELL_KNOWN))

    def changes(self, cursor: str = "", limit: int = USUAL_LIMIT) -> Page:
        """The changes behind the cursor, at most `limit`, oldest first; from the beginning without one."""
        answer = self._ask("GET", f"{BASE}/changes?{urlencode({'cursor': cursor, 'limit': limit} if cursor else {'limit': limit})}")
        document = self._document(answer)
        found, following = document.get("items"), document.get("cursor")
        if not isinstance(found, list) or not isinstance(following, str) or not following:
            raise HarvestError("bad-page", "The page of changes has no “items” or no “cursor”.")
        if document.get("more") is True and following == cursor:
            raise HarvestError("bad-page", "The page of changes says that there are more, but its cursor leads nowhere.")
        return Page(*_sorted(found), following, document.get("more") is True)

    def all_changes(self, cursor: str = "", limit: int = USUAL_LIMIT) -> Iterator[Page]:
        """Page after page, to what is the end now."""
        while True:
            page = self.changes(cursor, limit)
            yield page
            if not page.more:
                return
            cursor = page.cursor

    def snapshot(self, after: str = "", limit: int = USUAL_LIMIT) -> Snapshot:
        """A page of all that is live, from the beginning without `after`."""
        answer = self._ask("GET", f"{BASE}/snapshot?{urlencode({'after': after, 'limit': limit} if after else {'limit': limit})}")
        lines = answer.body.split(b"\n")
        if len(lines) > MOST_ITEMS:
            raise HarvestError("bad-page", f"The page has more than {MOST_ITEMS} items.")
        head, *rest = [_line(line) for line in lines if line.strip()] or [None]
        if not isinstance(head, dict) or not isinstance(head.get("as_of"), str) or not head["as_of"]:
            raise HarvestError("bad-page", "The snapshot does not say as of which cursor it is.")
        if not rest or not isinstance(rest[-1], dict) or rest[-1].get("end") is not True or rest[-1].get("count") != len(rest) - 1:
            raise HarvestError("cut-page", "The snapshot was cut in the middle.")
        following = self._after(answer)
        if following and following == after:
            raise HarvestError("bad-page", "The snapshot's next page is the same again.")
        total = head.get("total")
        return Snapshot(*_sorted(rest[:-1]), head["as_of"], following, total if type(total) is int and total >= 0 else None)

    def whole_snapshot(self, limit: int = USUAL_LIMIT) -> Iterator[Snapshot]:
        """Page after page, to the last one."""
        after = ""
        while True:
            page = self.snapshot(after, limit)
            yield page
            if not page.after:
                return
            after = page.after

    def listing(self, uid: str, etag: str = "") -> tuple[Item | None, str]:
        """One listing as it is now (a tombstone if it is gone) and its ETag; None if it is still that of `etag`."""
        answer = self._ask("GET", f"{BASE}/listings/{quote(uid, safe='')}", headers={"If-None-Match": etag} if etag else {}, expected=(NOT_MODIFIED, GONE))
        if answer.status == NOT_MODIFIED:
            return None, etag
        item = parse(self._document(answer))
        if isinstance(item, Fault):
            raise HarvestError(item.code, item.message)
        return item, answer.headers.get("ETag", "")

    # --- Interest across marketplaces

    def send_interest(self, uid: str, interest: Mapping[str, object], *, idempotency_key: str) -> dict:
        """Tell the owner of a listing there that somebody here is interested. Sent twice under one key, it arrives once."""
        headers = {"Idempotency-Key": idempotency_key}
        return self._document(self._ask("POST", f"{BASE}/listings/{quote(uid, safe='')}/interests", interest, headers))

    def interest(self, uid: str) -> dict:
        """What became of an interest."""
        return self._document(self._ask("GET", f"{BASE}/interests/{quote(uid, safe='')}"))

    def request(self, method: str, path: str, document: Mapping[str, object] | None = None, *, headers: Mapping[str, str] | None = None) -> Response:
        """Any other part of the protocol; raises HarvestError as the others do."""
        return self._ask(method, path, document, headers)

    # --- Asking

    def _ask(
        self, method: str, path: str, document: Mapping[str, object] | None = None, headers: Mapping[str, str] | None = None, expected: Sequence[int] = ()
    ) -> Response:
        sent = {"Accept": "application/json, application/x-ndjson, application/problem+json", "Accept-Language": self.language} | dict(headers or {})
        if self.key:
            sent["Authorization"] = f"Bearer {self.key}"
        body = None
        if document is not None:
            sent["Content-Type"], body = "application/json", json.dumps(document, ensure_ascii=False).encode()
        answer = self.fetch(method, self.base_url.rstrip("/") + path, sent, body)
        if FIRST_SUCCESS <= answer.status < FIRST_REDIRECT or answer.status in expected:
            return answer
        raise _error(answer)

    def _document(self, answer: Response) -> dict:
        document = _loaded(answer.body)
        if not isinstance(document, dict):
            raise HarvestError("bad-json", "The answer is not a JSON object.")
        return document

    def _after(self, answer: Response) -> str:
        """The place in the snapshot that the Link header leads to. Only this is taken from it: the host that we ask stays the one we know."""
        found = _NEXT.search(answer.headers.get("Link", ""))
        try:
            after = parse_qs(urlsplit(found[1]).query).get("after", [""])[0] if found else ""
        except ValueError as error:
            raise HarvestError("bad-page", "The Link header is no address.") from error
        if found and not after:
            raise HarvestError("bad-page", "The Link header of the snapshot does not say where to go on.")
        return after


def over_urllib3(timeout: float = TIMEOUT, max_bytes: int = MAX_BYTES) -> Fetch:
    """The usual way to ask: `timeout` is for the whole answer. For addresses that others typed it is too trusting: it goes wherever the name leads."""

    def fetch(method: str, url: str, headers: Mapping[str, str], body: bytes | None) -> Response:
        watch = lines.Watch(time.monotonic() + timeout)
        try:
            target = parse_url(url)
            sent = {"Host": target.netloc, "Accept-Encoding": "gzip", "Connection": "close"} | dict(headers)
            with watch, closing(lines.connection(target.scheme, target.host, target.port, watch)) as line:
                line.request(method, target.request_uri, body=body, headers=sent, preload_content=False)
                with closing(line.getresponse()) as answer:
                    content = _read(answer, url, max_bytes)
        except (urllib3.exceptions.HTTPError, http.client.HTTPException, OSError, ValueError) as error:
            raise HarvestError("no-answer", f"{url}: {error}") from error
        if watch.is_over:
            # A body of unknown length looks whole when its line is cut.
            raise HarvestError("no-answer", f"{url} takes longer than {timeout} seconds.")
        return Response(answer.status, answer.headers, content)

    return fetch


def _read(answer: urllib3.BaseHTTPResponse, url: str, max_bytes: int) -> bytes:
    """The body; what is unpacked counts."""
    parts, size = [], 0
    while part := answer.read(CHUNK, decode_content=True):
        parts.append(part)
        size += len(part)
        if size > max_bytes:
            raise HarvestError("too-large", f"{url} answers with more than {max_bytes} bytes.")
    return b"".join(parts)


def _error(answer: Response) -> HarvestError:
    """What the marketplace says of its refusal (RFC 9457), else its status."""
    try:
        problem = json.loads(answer.body)
    except (ValueError, RecursionError):
        problem = {}
    problem = problem if isinstance(problem, dict) else {}
    told = "; ".join(part for name in ("title", "detail") if isinstance(part := problem.get(name), str))[:1000]
    if answer.status == GONE:
        return CursorExpired(told or "The cursor has expired.")
    kind = problem.get("type") if isinstance(problem.get("type"), str) else ""
    code = re.sub(r"[^a-z0-9-]", "", kind.rpartition("/")[2].lower())[:40]
    return HarvestError(code or f"http-{answer.status}", told or f"The marketplace answers with status {answer.status}.", retry_after=_retry_after(answer))


def _retry_after(answer: Response) -> float | None:
    text = answer.headers.get("Retry-After", "").strip()
    return float(text) if text.isascii() and text.isdecimal() and len(text) < 7 else None  # noqa: PLR2004 - under twelve days


# --- Items ----------------------------------------------------------------------------------------------------------------


class _BadItemError(ValueError):
    """Code and message of a Fault."""


def parse(value: object) -> Item | Fault:
    """An item as it came, or what is wrong with it. Whose it is and whether its digest is right is not looked at here."""
    try:
        return _item(value)
    except _BadItemError as error:
        return _fault(value, *error.args)


def _item(value: object) -> Item:
    if not isinstance(value, dict):
        raise _BadItemError("not-an-item", "It is not a JSON object.")
    op, uri, version = value.get("op"), value.get("uri"), value.get("version")
    if op not in (UPSERT, TOMBSTONE):
        raise _BadItemError("bad-op", "“op” has to be “upsert” or “tombstone”.")
    if not isinstance(uri, str) or not 0 < len(uri) <= MAX_URI:
        raise _BadItemError("bad-uri", f"“uri” has to be an address of at most {MAX_URI} characters.")
    if type(version) is not int or not 1 <= version <= MAX_VERSION:
        raise _BadItemError("bad-version", f"“version” has to be a whole number from 1 to {MAX_VERSION}.")
    try:
        updated_at, expires_at = (_moment(value.get(name)) for name in ("updated_at", "expires_at"))
    except ValueError as error:
        raise _BadItemError("bad-date", "“updated_at” and “expires_at” have to be times with an offset, like 2026-12-31T22:59:59Z.") from error
    if op == TOMBSTONE:
        return Item(op=op, uri=uri, version=version, updated_at=updated_at, reason=_reason(value))
    digest, listing = _content(value)
    return Item(op=op, uri=uri, version=version, updated_at=updated_at, expires_at=expires_at, digest=digest, listing=listing)


def _reason(value: dict) -> str:
    reason = value.get("reason", "withdrawn")
    if reason not in REASONS:
        raise _BadItemError("bad-reason", f"“reason” has to be one of {', '.join(REASONS)}.")
    return reason


def _content(value: dict) -> tuple[str, dict]:
    digest, listing = value.get("digest"), value.get("listing")
    if not isinstance(digest, str) or not _DIGEST.fullmatch(digest):
        raise _BadItemError("bad-digest", "“digest” has to be “sha-256:” and 64 hexadecimal digits.")
    if not isinstance(listing, dict):
        raise _BadItemError("no-listing", "“listing” has to be a JSON object.")
    return digest, listing


def digest_of(listing: Mapping) -> str:
    """What stands in an item as “digest”: the SHA-256 of the listing's canonical JSON (RFC 8785)."""
    return f"sha-256:{hashlib.sha256(rfc8785.dumps(dict(listing))).hexdigest()}"


def _sorted(values: Sequence[object]) -> tuple[list[Item], list[Fault]]:
    if len(values) > MOST_ITEMS:
        raise HarvestError("bad-page", f"The page has more than {MOST_ITEMS} items.")
    read = [parse(value) for value in values]
    return [one for one in read if isinstance(one, Item)], [one for one in read if isinstance(one, Fault)]


def _fault(value: object, code: str, message: str) -> Fault:
    uri = value.get("uri") if isinstance(value, dict) else ""
    try:
        raw = json.dumps(value, ensure_ascii=False)
    except (ValueError, RecursionError):
        raw = "…"
    return Fault(uri=uri[:MAX_URI] if isinstance(uri, str) else "", code=code, message=message, raw=raw[:MAX_RAW])


def _moment(value: object) -> datetime.datetime | None:
    """A time of RFC 3339; raises ValueError. The years at both ends, where another offset is another year, are none."""
    if value is None:
        return None
    if not isinstance(value, str) or len(value) > 40:  # noqa: PLR2004
        raise ValueError
    moment = datetime.datetime.fromisoformat(value)
    if moment.tzinfo is None or not 1970 <= moment.year <= 9998:  # noqa: PLR2004
        raise ValueError
    return moment.astimezone(datetime.UTC)


def _loaded(text: bytes) -> object:
    """JSON; raises HarvestError for what is none. NaN and the like are left to their item, which has no canonical form with them."""
    try:
        return json.loads(text, parse_int=_whole)
    except (ValueError, RecursionError) as error:
        raise HarvestError("bad-json", f"The answer is no JSON: {str(error)[:200]}") from error


def _whole(digits: str) -> int | float:
    """Python refuses numbers of thousands of digits; they must spoil their item, not the page."""
    return int(digits) if len(digits) <= LONGEST_NUMBER else float("inf")


def _line(text: bytes) -> object:
    """A line of a snapshot; None, which is no item, for what is no JSON."""
    try:
        return _loaded(text)
    except HarvestError:
        return None
