"""Listings on web pages that say in schema.org's words what they hold; which pages there are tells the sitemap.

Only pages that may have changed are asked for: those whose `lastmod` is new, and those without one under the condition of their ETag.
What the others said is in the checkpoint, so that every run tells all that the site has. robots.txt is heeded.
"""

import re
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from django.utils.translation import gettext as _

from marketplace.core.outgoing import Answer
from marketplace.federation.items import Batch, Fetch, HarvestError
from marketplace.federation.models import Partner

from . import robots, schema_org, sitemaps
from .facts import Maker
from .fields import Field
from .reading import Page, Reading, Record, Sample, begun, fingerprint, snapshot
from .visits import FIRST_ERROR, FIRST_SERVER_ERROR, MEGABYTE, NOT_FOUND, NOT_MODIFIED, UNKNOWN_TYPES, Limits, Visit, absolute, validators_of

LIMITS = Limits(pages=6000, max_bytes=2 * MEGABYTE, items=20_000, all_seconds=1800)
#: Pages of one site; a sitemap with more wants a narrower path.
MAX_PAGES = 5000
#: The preview stops after so many pages, or so many without any listing.
PREVIEW_PAGES, PREVIEW_MOST = 5, 25
#: A site that fails so many times in a row is down: its pages are not the fault.
MOST_FAILURES = 5
#: Seconds between two pages, so that a small site has other visitors too.
PAUSE = 0.1
GONE = 410
TYPES = ("text/html", "application/xhtml+xml", "text/plain", *UNKNOWN_TYPES)
ROBOTS_TYPES = ("text/plain", "text/html", *UNKNOWN_TYPES)
COLUMNS = {str(name): str(name) for name in Field}


class WebReader:
    """Options: sitemap (else what robots.txt names, else /sitemap.xml), path (only addresses with it); kind, defaults, values."""

    limits = LIMITS

    def batches(self, partner: Partner, checkpoint: dict, *, fetch: Fetch) -> Iterator[Batch]:
        """Batches of what all pages say. A page that cannot be read keeps what it said before, and is a fault."""
        options = partner.reader_options
        made_with = fingerprint(options)
        resume = begun(checkpoint, made_with)
        known = resume or (checkpoint if checkpoint.get("made_with") == made_with else {})
        crawl = Crawl(Visit(fetch, self.limits), partner.base_url, options, dict(known.get("pages", {})), dict.fromkeys(resume.get("done", ())))
        # `memory` fills while the batches are read; it is handed over with the last.
        yield from snapshot(crawl.pages(), Reading(Maker(partner, options), COLUMNS).go_on(resume), {"made_with": made_with, "pages": crawl.memory})

    def sample(self, options: Mapping, *, fetch: Fetch, base_url: str = "") -> Sample:
        """What the first pages with listings say, for the preview."""
        found: list[Record] = []
        for number, page in enumerate(Crawl(Visit(fetch, self.limits), base_url, options, {}).pages(), start=1):
            found += page.records
            if (found and number >= PREVIEW_PAGES) or number >= PREVIEW_MOST:
                break
        return Sample(found)


@dataclass(slots=True)
class Crawl:
    """One walk over a site. `known` and `memory` map a page to what it said: {lastmod, validators, found}.

    `known` is of the last run and what this one has found, `memory` of this one alone, `done` names its pages.
    """

    visit: Visit
    base_url: str
    options: Mapping
    known: dict[str, Mapping]
    done: dict[str, None] = field(default_factory=dict)
    memory: dict[str, dict] = field(default_factory=dict)
    asked: int = 0
    failures: int = 0

    def pages(self) -> Iterator[Page]:
        """The records of each page in the sitemap that is not done yet."""
        self.memory.update({address: self.known[address] for address in self.done if address in self.known})
        sitemap = str(self.options.get("sitemap") or "").strip()
        rules = self._rules(sitemap or self.base_url)
        starts = [sitemap] if sitemap else [*rules.sitemaps] or [absolute(self.base_url, "/sitemap.xml", _("a sitemap"))]
        for start in starts:
            if not rules.allow(start):
                raise HarvestError("robots", _("The site's robots.txt asks programs not to read %(url)s. Ask the partner to allow it.") % {"url": start})
        addresses = self._addresses(starts)
        for address, lastmod in addresses.items():
            if address in self.done or not rules.allow(address):
                continue
            records = self._page(address, lastmod)
            self.visit.count(len(records))
            self.done[address] = None
            yield Page(records, {"pages": self.known, "done": self.done})

    def _rules(self, start: str) -> robots.Rules:
        """RFC 9309: a file that is not there allows all, a server in trouble allows nothing for now."""
        url = absolute(start, "/robots.txt", _("robots.txt"))
        answer = self.visit.get(url, ROBOTS_TYPES, expected=_("robots.txt"), statuses=range(FIRST_ERROR, FIRST_SERVER_ERROR))
        return robots.read(answer.body) if answer.status < FIRST_ERROR else robots.Rules()

    def _addresses(self, starts: list[str]) -> dict[str, str]:
        part, host = str(self.options.get("path") or ""), urlsplit(starts[0]).netloc
        found: dict[str, str] = {}
        for start in starts:
            for address, lastmod in sitemaps.pages(self.visit, start):
                # A sitemap may name pages of other hosts; what they say is not this partner's to tell.
                if urlsplit(address).netloc == host and part in urlsplit(address).path:
                    found[address.partition("#")[0]] = lastmod
                if len(found) > MAX_PAGES:
                    raise HarvestError(
                        "too-many-pages",
                        _("The sitemap names more than %(limit)d pages. Say which part of the addresses those with listings have.") % {"limit": MAX_PAGES},
                    )
        if not found:
            raise HarvestError("empty", _("The sitemap names no page that fits. As this is seldom meant, nothing was changed here."))
        return found

    def _page(self, address: str, lastmod: str) -> list[Record]:
        before = self.known.get(address)
        if before and lastmod and before.get("lastmod") == lastmod:
            return self._keep(address, before)
        if self.asked:
            time.sleep(PAUSE)
        self.asked += 1
        try:
            answer = self.visit.get(address, TYPES, expected=_("a web page"), validators=before and before.get("validators"), statuses=(NOT_FOUND, GONE))
        except HarvestError as error:
            self.failures += 1
            if self.failures >= MOST_FAILURES or error.code in ("too-many-pages", "too-slow"):
                raise
            kept = self._keep(address, before) if before else []
            return [*kept, Record(address, {"": address}, error.message)]
        self.failures = 0
        if answer.status in (NOT_FOUND, GONE):
            return []
        if answer.status == NOT_MODIFIED and before:
            return self._keep(address, {**before, "lastmod": lastmod})
        found = [[{name: _kept(text) for name, text in record.cells.items()}, _kept(record.fault)] for record in records(answer, address)]
        return self._keep(address, {"lastmod": lastmod, "validators": validators_of(answer), "found": found})

    def _keep(self, address: str, page: Mapping) -> list[Record]:
        self.known[address] = self.memory[address] = dict(page)
        return [Record(address if len(page["found"]) == 1 else f"{address} ({number})", cells, fault) for number, (cells, fault) in enumerate(page["found"], 1)]


def _kept(text: str) -> str:
    """The text as the checkpoint can keep it: no database takes a NUL or half a character in JSON, and one such page would stop all that follow."""
    return text.encode("utf-8", "replace").decode().replace("\0", "\N{REPLACEMENT CHARACTER}")


def records(answer: Answer, address: str) -> list[Record]:
    """The listings of one page. Most pages of a site have none, which is no fault."""
    charset = re.search(r"charset=[\"']?([\w.:-]+)", answer.headers.get("Content-Type", ""), re.IGNORECASE)
    found = []
    for document, fault in schema_org.blocks(schema_org.decoded(answer.body, charset[1] if charset else "")):
        if fault:
            found.append(Record(address, {Field.URL: address}, _("the JSON-LD of the page is not valid: %(error)s") % {"error": fault}))
        else:
            found += [Record(address, facts) for facts in schema_org.listings(document, address)]
    return found
