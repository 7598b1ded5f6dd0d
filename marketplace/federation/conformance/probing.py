"""Asking a marketplace, and keeping what each check found."""

import json
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import asdict, dataclass, field
from functools import cached_property
from typing import Any
from urllib.parse import urlencode, urljoin, urlsplit

from marketplace.federation.client import BASE, WELL_KNOWN, Fetch, Response, over_urllib3
from marketplace.federation.items import HarvestError

TIMEOUT, MAX_BYTES = 30.0, 32 * 2**20
#: So many items are looked at one by one; a market of a hundred thousand shows its faults before.
MOST_ITEMS = 5000
PAGE = 500
PROBLEM = "application/problem+json"
OK, UNAUTHORIZED, TOO_MANY = 200, 401, 429
LONGEST_WAIT = 65


class FaultError(Exception):
    """Not as it should be; `advice` says what to change."""

    def __init__(self, found: str, advice: str) -> None:
        super().__init__(found)
        self.found, self.advice = found, advice


class SkipError(Exception):
    """Something that cannot be looked at, and why."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a check found. `state`: ok, fault or skipped; `found` and `advice` in words."""

    group: str
    name: str
    state: str
    found: str = ""
    advice: str = ""
    milliseconds: int = 0


@dataclass(slots=True)
class Report:
    """All outcomes, in their order."""

    url: str
    outcomes: list[Outcome] = field(default_factory=list)

    @property
    def faults(self) -> list[Outcome]:
        """What has to change."""
        return [outcome for outcome in self.outcomes if outcome.state == "fault"]

    @property
    def as_dict(self) -> dict[str, Any]:
        """For `--json`."""
        return {"url": self.url, "conforms": not self.faults, "checks": [asdict(outcome) for outcome in self.outcomes]}


@dataclass
class Probe:
    """The marketplace that is looked at. What several checks need is asked once."""

    url: str
    key: str = ""
    fetch: Fetch = field(default_factory=lambda: over_urllib3(TIMEOUT, MAX_BYTES))

    def ask(
        self, method: str, address: str, *, key: bool = True, headers: Mapping[str, str] | None = None, body: bytes | None = None, **parameters: object
    ) -> Response:
        """What is answered at a path or a whole address; a 429 is waited for once. No redirect is followed, and the key goes to no other host."""
        address = urljoin(self.url + "/", address)
        if parameters:
            address += f"?{urlencode(parameters)}"
        sent = {"Accept": "*/*", "Accept-Language": "en"} | dict(headers or {})
        if key and self.key and urlsplit(address).netloc == urlsplit(self.url).netloc:
            sent["Authorization"] = f"Bearer {self.key}"
        try:
            answer = self.fetch(method, address, sent, body)
            if answer.status == TOO_MANY:
                wait = answer.headers.get("Retry-After", "")
                time.sleep(min(int(wait), LONGEST_WAIT) if wait.isdecimal() else LONGEST_WAIT)
                answer = self.fetch(method, address, sent, body)
        except HarvestError as error:
            raise FaultError(f"{method} {address}: {error.message}", "The address has to answer.") from error
        return answer

    def get(self, address: str, **options: object) -> Response:
        """As `ask`."""
        return self.ask("GET", address, **options)

    def path(self, name: str, **parts: str) -> str:
        """Where a part of the protocol is, as discovery says."""
        known = {"changes": f"{BASE}/changes", "snapshot": f"{BASE}/snapshot", "context": f"{BASE}/context", "listing": f"{BASE}/listings/{{uid}}"}
        address = self.endpoints.get(name) or known.get(name) or f"{BASE}/{name}"
        for part, value in parts.items():
            address = address.replace(f"{{{part}}}", value)
        return address

    def need_key(self) -> None:
        """Raise SkipError without one."""
        if not self.key:
            raise SkipError("needs a key: --key")

    # --- What is asked once

    @cached_property
    def discovery(self) -> dict:
        """The document, {} if there is none."""
        try:
            answer = self.get(WELL_KNOWN, key=False)
            document = json.loads(answer.body) if answer.status == OK else {}
        except (FaultError, ValueError, RecursionError):
            return {}
        return document if isinstance(document, dict) else {}

    @property
    def endpoints(self) -> dict[str, str]:
        """Those that are texts."""
        found = self.discovery.get("endpoints")
        return {name: value for name, value in found.items() if isinstance(value, str)} if isinstance(found, dict) else {}

    @cached_property
    def pages(self) -> list[dict]:
        """The log of changes from its beginning, to its end or to MOST_ITEMS."""
        self.need_key()
        pages, cursor = [], ""
        while True:
            page = document(self.get(self.path("changes"), limit=PAGE, **({"cursor": cursor} if cursor else {})))
            if not isinstance(page.get("items"), list) or not isinstance(page.get("cursor"), str):
                raise FaultError("A page of changes has no list “items” or no text “cursor”.", 'Answer {"items": […], "cursor": "…", "more": true|false}.')
            pages.append(page)
            if page.get("more") is not True or sum(len(one["items"]) for one in pages) >= MOST_ITEMS:
                return pages
            if page["cursor"] == cursor:
                raise FaultError("“more” is true, but the cursor leads to the same page again.", "Give the cursor behind the page's last item.")
            cursor = page["cursor"]

    @property
    def items(self) -> list[dict]:
        """The log's items, one after the other."""
        return [item for page in self.pages for item in page["items"] if isinstance(item, dict)]

    @property
    def is_whole(self) -> bool:
        """Whether the log was read to its end."""
        return self.pages[-1].get("more") is not True

    @cached_property
    def snapshot(self) -> list[dict]:
        """The lines of the snapshot, whole."""
        self.need_key()
        return lines(self.get(self.path("snapshot")))


# --- What answers have to be ----------------------------------------------------------------------------------------------


def expect(answer: Response, *statuses: int) -> None:
    """Raise FaultError unless it is one of these."""
    if answer.status not in statuses:
        wanted = " or ".join(map(str, statuses))
        raise FaultError(f"The status is {answer.status}.", f"Answer with status {wanted}.")


def document(answer: Response, *statuses: int) -> dict:
    """The JSON object in an answer of one of these statuses (200)."""
    expect(answer, *(statuses or (OK,)))
    try:
        found = json.loads(answer.body)
    except (ValueError, RecursionError) as error:
        raise FaultError("The answer is no JSON.", "Answer with one JSON object.") from error
    if not isinstance(found, dict):
        raise FaultError("The answer is no JSON object.", "Answer with one JSON object.")
    return found


def lines(answer: Response) -> list[dict]:
    """The JSON objects in the lines of an answer."""
    expect(answer, OK)
    try:
        found = [json.loads(line) for line in answer.body.splitlines() if line.strip()]
    except (ValueError, RecursionError) as error:
        raise FaultError("A line is no JSON.", "Send one JSON object a line (application/x-ndjson).") from error
    demand(all(isinstance(line, dict) for line in found), "A line is no JSON object.", "Send one JSON object a line.")
    return found


def problem(answer: Response, *statuses: int) -> dict:
    """The problem (RFC 9457) in an answer of one of these statuses."""
    expect(answer, *statuses)
    kind = answer.headers.get("Content-Type", "").partition(";")[0].strip()
    if kind != PROBLEM:
        raise FaultError(f"The status is right ({answer.status}), the media type is “{kind}”.", f"Tell errors as {PROBLEM} (RFC 9457).")
    found = document(answer, *statuses)
    for name in ("type", "title", "detail"):
        if not isinstance(found.get(name), str) or not found[name]:
            raise FaultError(f"The problem has no “{name}”.", "Say in “type”, “title” and “detail” what is wrong and what to change (RFC 9457).")
    if found.get("status") != answer.status:
        raise FaultError(f"The problem's “status” is {found.get('status')!r}, that of the answer {answer.status}.", "Give the answer's own status.")
    return found


def demand(condition: object, found: str, advice: str) -> None:
    """Raise FaultError unless the condition holds."""
    if not condition:
        raise FaultError(found, advice)


# --- Running them -----------------------------------------------------------------------------------------------------------

Check = Callable[[Probe], str | None]
_checks: list[tuple[str, str, Check]] = []


def check(group: str, name: str) -> Callable[[Check], Check]:
    """Register a check: it returns (a word on what it saw), or raises FaultError or SkipError."""

    def register(function: Check) -> Check:
        _checks.append((group, name, function))
        return function

    return register


def run(
    url: str,
    key: str = "",
    *,
    groups: Collection[str] = (),
    fetch: Fetch | None = None,
    told: Callable[[Outcome], None] = lambda _outcome: None,
) -> Report:
    """Look at the marketplace at `url` (a site without path), or at what these groups of checks say of it. Without a key only what is open to all.

    `told` hears of each outcome at once.
    """
    probe = Probe(url.rstrip("/"), key, **({"fetch": fetch} if fetch else {}))
    report = Report(probe.url)
    for group, name, function in _checks:
        if groups and group not in groups:
            continue
        began = time.monotonic()
        state, found, advice = _run(function, probe)
        outcome = Outcome(group, name, state, found, advice, int((time.monotonic() - began) * 1000))
        report.outcomes.append(outcome)
        told(outcome)
    return report


def _run(function: Check, probe: Probe) -> tuple[str, str, str]:
    try:
        return "ok", function(probe) or "", ""
    except FaultError as fault:
        return "fault", fault.found, fault.advice
    except SkipError as skip:
        return "skipped", str(skip), ""
    except (ValueError, TypeError, KeyError, AttributeError, IndexError, RecursionError) as error:
        # Another marketplace may say anything, also what no check thought of.
        return "fault", f"The answer has an unexpected shape ({type(error).__name__}: {error})."[:300], "Compare it with docs/federation.md."
