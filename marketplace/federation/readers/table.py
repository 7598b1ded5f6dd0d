"""A table (CSV, XLSX or a list in JSON) at an address: one row, one listing."""

from collections.abc import Iterator, Mapping

from django.utils.translation import gettext as _

from marketplace.federation.items import Batch, Fetch, HarvestError
from marketplace.federation.models import Partner
from marketplace.imports import readers as tables
from marketplace.imports.errors import FileError

from .facts import Maker
from .reading import Reading, Record, Sample, begun, checked_columns, checked_url, chunks, fingerprint, snapshot, unchanged
from .visits import NOT_MODIFIED, UNKNOWN_TYPES, Limits, Visit, validators_of

LIMITS = Limits(max_bytes=tables.MAX_BYTES, items=tables.MAX_ROWS)
TYPES = (
    *UNKNOWN_TYPES, "text/csv", "application/csv", "text/x-csv", "text/comma-separated-values", "text/tab-separated-values", "text/plain",
    "application/vnd.ms-excel", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "application/json", "application/x-ndjson",
    "application/jsonl",
)  # fmt: skip


class TableReader:
    """Options: url, columns {column: field}; kind, defaults, values as `facts.Maker` has them."""

    limits = LIMITS

    def batches(self, partner: Partner, checkpoint: dict, *, fetch: Fetch) -> Iterator[Batch]:
        """One batch per 500 rows; one empty batch when the file is that of the last time."""
        options = partner.reader_options
        url, columns = checked_url(options), checked_columns(options)
        made_with = fingerprint(options)
        known, resume = (checkpoint if checkpoint.get("made_with") == made_with else {}), begun(checkpoint, made_with)
        visit = Visit(fetch, self.limits)
        answer = visit.get(url, TYPES, expected=_("a table (CSV or XLSX)"), validators=known.get("validators"))
        content = fingerprint(answer.body)
        if answer.status == NOT_MODIFIED or content == known.get("content"):
            yield unchanged(checkpoint)
            return
        rows = records(answer.body, url)
        visit.count(len(rows))
        reached = {"made_with": made_with, "validators": validators_of(answer), "content": content}
        yield from snapshot(chunks(rows, resume, content), Reading(Maker(partner, options), columns).go_on(resume), reached)

    def sample(self, options: Mapping, *, fetch: Fetch) -> Sample:
        """The rows as they are, for the preview."""
        url = checked_url(options)
        return Sample(records(Visit(fetch, self.limits).get(url, TYPES, expected=_("a table (CSV or XLSX)")).body, url))


def records(content: bytes, url: str) -> list[Record]:
    """The rows of the file with their numbers as a spreadsheet program counts them; raises HarvestError."""
    start = content[:2000].lstrip().lower()
    if start.startswith((b"<!doctype html", b"<html", b"<?xml")):
        raise HarvestError("not-a-table", _("At %(url)s lies a page for people, no table. Use the address of the file itself.") % {"url": url})
    try:
        table = tables.read(content, url.partition("?")[0])
    except FileError as error:
        raise HarvestError("not-a-table", " ".join(error.messages)) from error
    return [
        Record(_("row %(number)d") % {"number": row.number}, {column: row.cells.get(column, "") for column in table.columns}, " ".join(row.faults))
        for row in table.rows
    ]
