"""Rows as a file for a spreadsheet program that takes none of them for a formula."""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence

from openpyxl import Workbook
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE

from marketplace.imports.export import harmless


def csv_lines(headings: Sequence[str], rows: Iterable[Sequence[object]]) -> Iterator[bytes]:
    """UTF-8 with a byte order mark, so that Excel shows accents; a row at a time."""
    yield _line(headings).encode("utf-8-sig")
    for row in rows:
        yield _line(row).encode()


def write_workbook(headings: Sequence[str], rows: Iterable[Sequence[object]], output: io.IOBase) -> None:
    """The same with one sheet."""
    workbook = Workbook(write_only=True)
    sheet = workbook.create_sheet()
    for row in (headings, *rows):
        sheet.append([ILLEGAL_CHARACTERS_RE.sub("", harmless(value)) if isinstance(value, str) else value for value in row])
    workbook.save(output)


def _line(row: Sequence[object]) -> str:
    line = io.StringIO()
    csv.writer(line).writerow([harmless(value) for value in row])
    return line.getvalue()
