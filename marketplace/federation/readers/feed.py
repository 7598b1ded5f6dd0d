"""A news feed (RSS or Atom), one entry a listing. feedparser gets the bytes that we fetched; it never fetches anything itself."""

import datetime
import io
import re
import time
from collections.abc import Iterator, Mapping

import feedparser
from django.utils.translation import gettext as _

from marketplace.core.outgoing import Answer
from marketplace.federation.items import Batch, Fetch, HarvestError
from marketplace.federation.models import Partner

from .facts import Maker
from .fields import Field
from .reading import Page, Reading, Record, Sample, begun, checked_url, chunks, fingerprint, snapshot, unchanged
from .visits import MEGABYTE, NOT_MODIFIED, UNKNOWN_TYPES, Limits, Visit, absolute, validators_of

LIMITS = Limits(max_bytes=5 * MEGABYTE, pages=100, items=10_000)
TYPES = ("application/rss+xml", "application/atom+xml", "application/rdf+xml", "application/xml", "text/xml", "text/plain", *UNKNOWN_TYPES)
#: What an entry's parts mean where nobody said otherwise.
COLUMNS = {
    "id": Field.ID, "title": Field.TITLE, "summary": Field.DESCRIPTION, "content": Field.DESCRIPTION, "link": Field.URL, "updated": Field.UPDATED,
    "published": Field.VALID_FROM, "expired": Field.VALID_UNTIL, "tags": Field.KEYWORDS, "author": Field.COMPANY, "language": Field.LANGUAGE,
}  # fmt: skip
#: An entity that the document declares can be made to grow without bounds; feeds have no use for any. In UTF-16 every other byte is 0.
ENTITY = re.compile(rb"<!\s*ENTITY", re.IGNORECASE)
#: What feedparser adds to an entry and that tells nothing of its own.
LEFT_OUT = frozenset(("guidislink", "links", "title_detail", "summary_detail", "authors", "author_detail", "href", "publishers", "publisher_detail"))
MAX_CELL = 20_000


class FeedReader:
    """Options: url; columns {part of an entry: field} beside the usual ones; complete (False: the feed shows the newest only); kind, defaults, values."""

    limits = LIMITS

    def batches(self, partner: Partner, checkpoint: dict, *, fetch: Fetch) -> Iterator[Batch]:
        """A batch per page of the feed; most have one."""
        options = partner.reader_options
        url, made_with = checked_url(options), fingerprint(options)
        known, resume = (checkpoint if checkpoint.get("made_with") == made_with else {}), begun(checkpoint, made_with)
        visit, first_url = Visit(fetch, self.limits, resume.get("counted", 0)), str(resume.get("url") or url)
        answer = _get(visit, first_url, known.get("validators"))
        content = fingerprint(answer.body)
        if answer.status == NOT_MODIFIED or content == known.get("content"):
            yield unchanged(checkpoint)
            return
        first = parsed(answer)
        if _next(first, first_url) or resume.get("url"):
            # The first page being the same says nothing of the others.
            reached, pages = {"made_with": made_with}, _pages(visit, first_url, first, resume.get("number", 0))
        else:
            reached = {"made_with": made_with, "validators": validators_of(answer), "content": content}
            pages = chunks(_counted(visit, records(first)), resume, content)
        reading = Reading(Maker(partner, options), columns_of(options)).go_on(resume)
        yield from snapshot(pages, reading, reached, is_complete=options.get("complete") is not False)

    def sample(self, options: Mapping, *, fetch: Fetch) -> Sample:
        """The entries of the first page as they are, for the preview."""
        return Sample(records(parsed(_get(Visit(fetch, self.limits), checked_url(options)))))


def columns_of(options: Mapping) -> dict[str, str]:
    """The usual meaning of an entry's parts with what a person changed. A part of their own replaces the usual one for its field."""
    stated = options.get("columns")
    stated = {str(part): str(name) for part, name in stated.items() if name in ("", *Field.values)} if isinstance(stated, Mapping) else {}
    taken = set(stated.values())
    return {part: str(name) for part, name in COLUMNS.items() if part not in stated and name not in taken} | stated


def _get(visit: Visit, url: str, validators: Mapping[str, str] | None = None) -> Answer:
    return visit.get(url, TYPES, expected=_("a news feed (RSS or Atom)"), validators=validators)


def _pages(visit: Visit, url: str, page: feedparser.FeedParserDict, number: int) -> Iterator[Page]:
    """The entries page by page (RFC 5005, section 3)."""
    asked = {url}
    while True:
        found = _counted(visit, records(page, start=number + 1))
        number += len(found)
        url = _next(page, url)
        yield Page(found, {"url": url, "number": number, "counted": visit.counted} if url else {})
        if not url:
            return
        if url in asked:
            raise HarvestError("paging", _("The pages of the feed lead round in a circle."))
        asked.add(url)
        page = parsed(_get(visit, url))


def _counted(visit: Visit, found: list[Record]) -> list[Record]:
    visit.count(len(found))
    return found


def _next(page: feedparser.FeedParserDict, url: str) -> str:
    links = (link.get("href", "") for link in page.feed.get("links", ()) if link.get("rel") == "next")
    return next((absolute(url, href, _("the feed's next page")) for href in links if href), "")


def parsed(answer: Answer) -> feedparser.FeedParserDict:
    """The feed in an answer; raises HarvestError for what is none."""
    if not answer.body.strip():
        raise HarvestError("empty", _("The answer is empty. As this is seldom meant, nothing was changed here."))
    if ENTITY.search(answer.body.replace(b"\0", b"")):
        raise HarvestError("entities", _("The feed declares entities of its own, which can be made to grow without bounds. It is not read."))
    headers = {"content-type": answer.headers.get("Content-Type", "") or "application/xml"}
    # A stream, never a text: a text that looks like an address or a file name would be opened.
    page = feedparser.parse(io.BytesIO(answer.body), response_headers=headers, sanitize_html=False, resolve_relative_uris=False)
    if not page.version:
        raise HarvestError("not-a-feed", _("At %(url)s lies no news feed. Use the address of the RSS or Atom file itself.") % {"url": answer.url})
    return page


def records(page: feedparser.FeedParserDict, start: int = 1) -> list[Record]:
    """Each entry with its parts as texts."""
    language = page.feed.get("language", "")
    return [Record(_("entry %(number)d") % {"number": number}, _cells(entry, language)) for number, entry in enumerate(page.entries, start)]


def _cells(entry: feedparser.FeedParserDict, language: str) -> dict[str, str]:
    cells = {"id": entry.get("id") or entry.get("link", "")}
    for name in entry:
        if name in LEFT_OUT or name.endswith("_parsed"):
            continue
        told = entry.get(f"{name}_parsed")
        text = _iso(told) if told else _text(entry[name])
        if text:
            cells[name] = text[:MAX_CELL]
    # "anna@firm.example (Taller, SL)": the name alone.
    cells["author"] = str(entry.get("author_detail", {}).get("name") or "") if "author" in cells else ""
    if "content" in cells and "summary" in cells:
        # The summary is the content's beginning, as a rule.
        shorter = min(("content", "summary"), key=lambda name: len(cells[name]))
        del cells[shorter]
    return cells if "language" in cells or not language else cells | {"language": language}


def _iso(told: time.struct_time) -> str:
    try:
        return datetime.datetime(*told[:6], tzinfo=datetime.UTC).isoformat()
    except ValueError:
        return ""


def _text(value: object) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        return "; ".join(filter(None, map(_text, value)))
    if isinstance(value, Mapping):
        return next((text for key in ("value", "label", "term", "name", "href") if isinstance(text := value.get(key), str) and text), "")
    return ""
