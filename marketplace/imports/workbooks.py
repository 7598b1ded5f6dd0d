"""Reading an XLSX file without trusting it: no formula is evaluated, no bomb is unpacked, no entity is expanded."""

import datetime
import io
import zipfile
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from itertools import zip_longest

from django.utils.translation import gettext as _
from openpyxl import DEFUSEDXML, load_workbook
from openpyxl.utils.exceptions import InvalidFileException

from .errors import FileError

if not DEFUSEDXML:
    raise ImportError("defusedxml is missing: without it a workbook could expand entities")  # pragma: no cover

#: A workbook of 20,000 long rows unpacks to some 60 MB; zip cannot hold more than 1,000 : 1, bombs use all of it.
MAX_UNPACKED = 200 * 2**20
MAX_RATIO = 200
MAX_FILES = 1000
MAX_WIDTH = 200
#: A run of so many empty rows ends the table: formatted but empty rows reach down to 1,048,576.
LAST_EMPTY_ROWS = 1000


class _Uncomputed:
    def __repr__(self) -> str:
        return "UNCOMPUTED"


#: Stands where a formula has no stored result.
UNCOMPUTED = _Uncomputed()


@dataclass(frozen=True, slots=True)
class Sheet:
    """One sheet: its rows with their numbers, cells as texts (or UNCOMPUTED), empty rows left out."""

    name: str
    rows: list[tuple[int, list[object]]]
    others: bool


def read(content: bytes, *, max_rows: int) -> Sheet:
    """The first sheet that holds something; reads a little more than `max_rows` rows at most. Raises FileError."""
    has_formulas = _check(content)
    try:
        with closing(load_workbook(io.BytesIO(content), read_only=True, data_only=True)) as values:
            formulas = load_workbook(io.BytesIO(content), read_only=True, data_only=False) if has_formulas else None
            try:
                return _first_sheet(values, formulas, max_rows)
            finally:
                if formulas:
                    formulas.close()
    except FileError:
        raise
    except (InvalidFileException, zipfile.BadZipFile, KeyError, ValueError, TypeError, AttributeError, IndexError, SyntaxError, OSError) as error:
        # openpyxl meets a broken workbook with any of these (SyntaxError is the XML parser's).
        raise FileError(_("This workbook cannot be read. Open it in a spreadsheet program, save it as .xlsx, and try again.")) from error


def _check(content: bytes) -> bool:
    """Refuse bombs and other archives before anything is unpacked; return whether a sheet holds formulas."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            entries = archive.infolist()
            if not any(entry.filename == "[Content_Types].xml" for entry in entries):
                raise FileError(_("This is a ZIP archive, no workbook. Unpack it and import the file in it."))
            unpacked = sum(entry.file_size for entry in entries)
            bomb = len(entries) > MAX_FILES or unpacked > MAX_UNPACKED
            if bomb or any(entry.file_size > 2**20 and entry.file_size > MAX_RATIO * max(entry.compress_size, 1) for entry in entries):
                raise FileError(_("This workbook unpacks to far more than a table needs. Save the table alone in a new file."))
            sheets = [entry for entry in entries if entry.filename.startswith("xl/worksheets/")]
            return any(_holds_formula(archive, entry) for entry in sheets)
    except zipfile.BadZipFile as error:
        raise FileError(_("This workbook is damaged. Export it again.")) from error


def _holds_formula(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bool:
    end = b""
    with archive.open(entry) as file:
        while block := file.read(2**16):
            if b"<f>" in end + block or b"<f " in end + block or b":f>" in end + block:
                return True
            end = block[-3:]
    return False


def _first_sheet(values: object, formulas: object | None, max_rows: int) -> Sheet:
    for sheet in values.worksheets:
        rows = list(_rows(sheet, formulas[sheet.title] if formulas else None, max_rows))
        if rows:
            return Sheet(sheet.title, rows, others=len(values.worksheets) > 1)
    raise FileError(_("The workbook has no rows."))


def _rows(values: object, formulas: object | None, max_rows: int) -> Iterator[tuple[int, list[object]]]:
    found, empty = 0, 0
    with_formulas = _cells(formulas) if formulas else iter(())
    for number, (cells, sources) in enumerate(zip_longest(_cells(values), with_formulas, fillvalue=()), start=1):
        row = [_text(cell, source) for cell, source in zip_longest(cells, sources)]
        if not any(row):
            empty += 1
            if empty > LAST_EMPTY_ROWS:
                return
            continue
        empty, found = 0, found + 1
        yield number, row
        if found > max_rows:
            return


def _cells(sheet: object) -> Iterator[tuple]:
    # What the file says of its own size may be wrong; the rows are counted as they come.
    sheet.reset_dimensions()
    return sheet.iter_rows(values_only=True, max_col=MAX_WIDTH)


def _text(value: object, source: object) -> object:
    if value is None:
        return UNCOMPUTED if source is not None else ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, datetime.datetime):
        return value.date().isoformat() if value.time() == datetime.time() else value.isoformat(" ", "seconds")
    return value.isoformat() if isinstance(value, (datetime.date, datetime.time)) else str(value)
