"""Files as tables of texts: CSV, XLSX and JSONL in the shapes in which online forms and offices export them.

Everything comes out as text; what a text means is `values`' business. A fault of the whole file is a FileError whose message
says what to do; a fault of one row stays with that row, so that the good ones land.
"""

import csv
import io
import json
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from . import workbooks
from .errors import FileError

MAX_BYTES = 10 * 2**20
MAX_ROWS = 20_000
MAX_COLUMNS = 100
DELIMITERS = (",", ";", "\t")
SAMPLE_RECORDS = 50
#: What no text holds: control characters but tab and line ends.
CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
#: How Excel writes a carriage return that somebody typed; exports of exports carry it on as text.
TYPED_RETURN = re.compile(r"\s*_x000D_", re.IGNORECASE)
#: A file that begins like one of these is no table, whatever its name.
NOT_TABLES = {
    b"\xd0\xcf\x11\xe0": gettext_lazy("This is an old Excel file (.xls). Open it and save it as .xlsx or CSV."),
    b"%PDF": gettext_lazy("This is a PDF. Export the answers as CSV or XLSX."),
    b"\x89PNG": gettext_lazy("This is a picture. Export the answers as CSV or XLSX."),
    b"\xff\xd8\xff": gettext_lazy("This is a picture. Export the answers as CSV or XLSX."),
}


@dataclass(frozen=True, slots=True)
class Row:
    """One record: `number` as a spreadsheet program counts (the header is row 1). `faults` make it unusable, `notes` do not."""

    number: int
    cells: dict[str, str]
    faults: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Table:
    """A file's columns and rows, and how it was read."""

    columns: list[str]
    rows: list[Row]
    reading: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def read(content: bytes, name: str = "") -> Table:
    """The table in `content`; raises FileError. The kind is told by the content, the name only helps between CSV and JSONL."""
    if not content.strip():
        raise FileError(_("The file is empty."))
    if len(content) > MAX_BYTES:
        raise FileError(_("The file is larger than %(limit)d MB. Split it into several.") % {"limit": MAX_BYTES // 2**20})
    for beginning, message in NOT_TABLES.items():
        if content.startswith(beginning):
            raise FileError(message)
    if content.startswith(b"PK"):
        return _from_workbook(content)
    text, encoding = decode(content)
    if name.lower().endswith((".jsonl", ".ndjson", ".json")) or text.lstrip()[:1] in ("{", "["):
        return _from_json(text, encoding)
    return _from_csv(text, encoding)


def decode(content: bytes) -> tuple[str, str]:
    """The text and the name of its encoding: by byte order mark, else UTF-8 if it is valid, else Windows-1252."""
    for mark, encoding in ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16")):
        if content.startswith(mark):
            try:
                return content.decode(encoding), encoding
            except UnicodeDecodeError as error:
                raise FileError(_("The file says it is %(encoding)s but it is not. Save it as UTF-8.") % {"encoding": encoding}) from error
    if content[:4096].count(0) > len(content[:4096]) // 10:
        raise FileError(_("This file is no text that we can read. Save it as CSV in UTF-8, or as XLSX."))
    try:
        return content.decode("utf-8"), "utf-8"
    except UnicodeDecodeError:
        # Five bytes mean nothing in Windows-1252; programs that write them mean the control characters of Latin-1.
        return "".join(bytes([byte]).decode("cp1252", "ignore") or chr(byte) for byte in content), "windows-1252"


# --- CSV ----------------------------------------------------------------------------------------------------------------


def _from_csv(text: str, encoding: str) -> Table:
    declared = re.match(r"sep=(.)\r?\n", text)
    if declared:
        text = text[declared.end() :]
    delimiter = declared[1] if declared else sniff(text)
    records = [(number, record) for number, record in enumerate(_records(text, delimiter), start=2 if declared else 1) if any(cell.strip() for cell in record)]
    reading = {"format": "CSV", "encoding": encoding, "delimiter": {"\t": "tab"}.get(delimiter, delimiter)}
    return _table(records, reading)


def _records(text: str, delimiter: str) -> Iterator[list[str]]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        yield from reader
    except csv.Error as error:
        raise FileError(
            _("Line %(line)d: a cell does not end. Most often a quotation mark is opened and never closed.") % {"line": reader.line_num},
        ) from error


def sniff(text: str) -> str:
    """The delimiter that cuts the most records into the same number (two or more) of cells."""
    best = (0.0, 0, DELIMITERS[0])
    for delimiter in DELIMITERS:
        widths = Counter()
        try:
            for record in _records(text, delimiter):
                if record:
                    widths[len(record)] += 1
                if widths.total() == SAMPLE_RECORDS:
                    break
        except FileError:
            continue
        if not widths:
            continue
        width, count = widths.most_common(1)[0]
        if width > 1 and (count / widths.total(), width) > best[:2]:
            best = (count / widths.total(), width, delimiter)
    return best[2]


# --- XLSX ---------------------------------------------------------------------------------------------------------------


def _from_workbook(content: bytes) -> Table:
    sheet = workbooks.read(content, max_rows=MAX_ROWS + 1)
    records, faults = [], {}
    for number, cells in sheet.rows:
        records.append((number, [cell if isinstance(cell, str) else "" for cell in cells]))
        if uncomputed := [index for index, cell in enumerate(cells) if cell is workbooks.UNCOMPUTED]:
            faults[number] = uncomputed
    table = _table(records, {"format": "XLSX", "sheet": sheet.name})
    if sheet.others:
        table.notes.append(_("Only the sheet “%(name)s” is read; the file has others.") % {"name": sheet.name})
    return _with_notes(table, faults) if faults else table


def _with_notes(table: Table, faults: dict[int, list[int]]) -> Table:
    rows = []
    for row in table.rows:
        missing = [table.columns[index] for index in faults.get(row.number, ()) if index < len(table.columns)]
        messages = tuple(
            _(
                "column “%(column)s”: the formula has no stored result, so the cell counts as empty. Open the file in a spreadsheet program, save it, and import it again."
            )
            % {"column": name}
            for name in missing
        )
        rows.append(Row(row.number, row.cells, row.faults, row.notes + messages))
    return Table(table.columns, rows, table.reading, table.notes)


# --- JSON ---------------------------------------------------------------------------------------------------------------


def _from_json(text: str, encoding: str) -> Table:
    objects, columns, rows = list(_objects(text)), {}, []
    _check_size(len(objects))
    for number, value in objects:
        if not isinstance(value, dict):
            rows.append(Row(number, {}, (str(value),)))
            continue
        notes, cells = [], {}
        for key, content in value.items():
            column = clean(str(key), notes)
            cells[column] = clean(_flat(content), notes)
            columns[column] = True
        rows.append(Row(number, cells, (), tuple(notes)))
    if not columns:
        raise FileError(_("No line of the file is a JSON object."))
    if len(columns) > MAX_COLUMNS:
        raise FileError(_("The file has more than %(limit)d columns.") % {"limit": MAX_COLUMNS})
    return Table(list(columns), rows, {"format": "JSONL", "encoding": encoding})


def _objects(text: str) -> Iterator[tuple[int, object]]:
    """Each object with its line (or its place in the list); for a line that is none, what is wrong with it."""
    if text.lstrip().startswith("["):
        try:
            yield from enumerate(json.loads(text), start=1)
        except (ValueError, RecursionError) as error:
            raise FileError(_("The file is not valid JSON: %(error)s") % {"error": error}) from error
        return
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            try:
                value = json.loads(line)
            except (ValueError, RecursionError) as error:
                value = _("this line is not valid JSON (%(error)s). Mend it or take it out.") % {"error": str(error)[:100]}
            yield number, value if isinstance(value, (dict, str)) else _("this line is no JSON object. Mend it or take it out.")


def _flat(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return "; ".join(_flat(item) for item in value)
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict) else str(value)


# --- Common to all ------------------------------------------------------------------------------------------------------


def _table(records: Sequence[tuple[int, list[str]]], reading: dict[str, str]) -> Table:
    """The first record names the columns."""
    if not records:
        raise FileError(_("The file is empty."))
    columns = _names(records[0][1])
    _check_size(len(records) - 1)
    return Table(columns, [_row(number, record, columns) for number, record in records[1:]], reading)


def _check_size(rows: int) -> None:
    if rows > MAX_ROWS:
        raise FileError(_("The file has more than %(limit)d rows. Split it into several.") % {"limit": MAX_ROWS})
    if rows < 1:
        raise FileError(_("The file has a header and no rows."))


def _names(record: list[str]) -> list[str]:
    """The columns' names: cleaned, none empty, none twice."""
    while record and not record[-1].strip():
        record = record[:-1]
    if len(record) > MAX_COLUMNS:
        raise FileError(_("The file has more than %(limit)d columns.") % {"limit": MAX_COLUMNS})
    names: dict[str, bool] = {}
    for index, cell in enumerate(record, start=1):
        name = " ".join(clean(cell, []).split())[:200] or _("Column %(number)d") % {"number": index}
        unique, copy = name, 2
        while unique in names:
            unique, copy = f"{name} ({copy})", copy + 1
        names[unique] = True
    return list(names)


def _row(number: int, record: list[str], columns: list[str]) -> Row:
    notes: list[str] = []
    extra = [cell for cell in record[len(columns) :] if cell.strip()]
    faults = ()
    if extra:
        message = ngettext(
            "the row has %(count)d cell more than the header. Put texts that hold the delimiter between quotation marks.",
            "the row has %(count)d cells more than the header. Put texts that hold the delimiter between quotation marks.",
            len(extra),
        )
        faults = (message % {"count": len(extra)},)
    cells = {name: clean(cell, notes) for name, cell in zip(columns, record, strict=False)}
    return Row(number, cells, faults, tuple(dict.fromkeys(notes)))


def clean(cell: str, notes: list[str]) -> str:
    """The text without what cannot be seen or stored; the apostrophe that our export puts before formulas goes too."""
    if CONTROL.search(cell):
        notes.append(_("invisible control characters were taken out."))
        cell = CONTROL.sub("", cell)
    cell = TYPED_RETURN.sub("", cell)
    # Half of a surrogate pair is no character and no database takes it.
    cell = cell.encode("utf-8", "replace").decode("utf-8").replace("\r\n", "\n").replace("\r", "\n").strip()
    return cell[1:] if cell[:1] == "'" and cell[1:2] in ("=", "+", "-", "@") else cell
