"""Listings as a spreadsheet that the import takes back, and that no spreadsheet program takes for formulas."""

import csv
import io
from collections.abc import Iterable, Iterator
from zoneinfo import ZoneInfo

from django.conf import settings
from django.utils import timezone
from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE

from marketplace.listings.models import Listing

COLUMNS = [
    "id", "state", "kind", "category", "title", "description", "keywords", "language", "sector", "place", "reach_km", "remote", "valid_until",
    "submitted_at", "published_at", "company", "tax_id", "size", "web",
]  # fmt: skip
# A cell that begins with one of these is run as a formula by spreadsheet programs (OWASP, CSV injection).
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def row(listing: Listing) -> list[object]:
    """The values of one listing in the order of COLUMNS. No contact data: a spreadsheet travels."""
    company = listing.company
    return [
        str(listing.uid), listing.state, listing.kind, listing.category, listing.title, listing.description, listing.keywords, listing.language,
        listing.sector_id, listing.place.name, listing.reach_km, "yes" if listing.remote else "no", listing.valid_until.isoformat(),
        _moment(listing.submitted_at), _moment(listing.published_at), company.name, company.tax_id or "", company.size, company.web,
    ]  # fmt: skip


def harmless(value: object) -> object:
    """A text that would be taken for a formula gets an apostrophe before it, which the import takes away again."""
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA_STARTS) else value


def stream_csv(listings: Iterable[Listing]) -> Iterator[bytes]:
    """UTF-8 with a byte order mark, so that Excel shows accents; a row at a time."""
    line = io.StringIO()
    writer = csv.writer(line)
    for values in _rows(listings):
        writer.writerow([harmless(value) for value in values])
        yield line.getvalue().encode("utf-8-sig" if values is COLUMNS else "utf-8")
        line.seek(0)
        line.truncate()


def write_xlsx(listings: Iterable[Listing], output: io.IOBase) -> None:
    """A workbook with one sheet; every text is stored as a text, whatever it begins with."""
    workbook = Workbook(write_only=True)
    sheet = workbook.create_sheet("listings")
    for values in _rows(listings):
        cells = [WriteOnlyCell(sheet, ILLEGAL_CHARACTERS_RE.sub("", value) if isinstance(value, str) else value) for value in values]
        for cell in cells:
            if cell.data_type == "f":
                cell.data_type = "s"
        sheet.append(cells)
    workbook.save(output)


def _rows(listings: Iterable[Listing]) -> Iterator[list[object]]:
    yield COLUMNS
    for listing in listings:
        yield row(listing)


def _moment(value: object) -> str:
    return timezone.localtime(value, ZoneInfo(settings.TIME_ZONE)).strftime("%Y-%m-%d %H:%M:%S") if value else ""
