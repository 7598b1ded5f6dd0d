"""The vocabulary as a file: out for colleagues and other towns, in again as a whole or not at all."""

import csv
import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from marketplace.accounts.models import User
from marketplace.imports import readers
from marketplace.imports.errors import FileError
from marketplace.imports.export import harmless
from search import editing
from search.models import FACTS, Entry

COLUMNS = list(FACTS)
NEEDED = {"kind", "ca", "es", "en"}
BETWEEN = " | "
NO = {"no", "false", "0", "fals", "falso", "off"}


@dataclass(slots=True)
class Result:
    """What became of a file. With a fault, nothing was taken."""

    added: int = 0
    known: int = 0
    faults: list[str] = field(default_factory=list)


def row(entry: Entry) -> list[str]:
    """The cells of one entry in the order of COLUMNS."""
    facts = entry.facts() | {"active": "yes" if entry.active else "no"}
    return [BETWEEN.join(str(facts[name]).splitlines()) for name in COLUMNS]


def stream_csv(entries: Iterable[Entry]) -> Iterator[bytes]:
    """UTF-8 with a byte order mark, so that Excel shows accents; no cell is taken for a formula."""
    line = io.StringIO()
    writer = csv.writer(line)
    for number, cells in enumerate((COLUMNS, *map(row, entries))):
        writer.writerow([harmless(cell) for cell in cells])
        yield line.getvalue().encode("utf-8" if number else "utf-8-sig")
        line.seek(0)
        line.truncate()


def take(content: bytes, name: str, *, by: User) -> Result:
    """Add every entry of the file that is not there yet; with one fault nothing is added."""
    try:
        table = readers.read(content, name)
    except FileError as error:
        return Result(faults=list(error.messages))
    if missing := NEEDED - {column.strip().lower() for column in table.columns}:
        return Result(faults=[_("The file lacks these columns: %(names)s.") % {"names": ", ".join(sorted(missing))}])
    result = Result()
    with transaction.atomic():
        for line in table.rows:
            _take(line, result, by=by)
        if result.faults:
            transaction.set_rollback(True)
    return result


def _take(line: readers.Row, result: Result, *, by: User) -> None:
    cells = {column.strip().lower(): cell.strip() for column, cell in line.cells.items()}
    facts = {name: cells.get(name, "") for name in COLUMNS} | {"active": cells.get("active", "").lower() not in NO}
    try:
        if line.faults:
            raise ValidationError(list(line.faults))  # noqa: TRY301 - one place tells what is wrong with a row
        editing.add(facts, by=by)
    except ValidationError as error:
        if any(getattr(one, "code", "") == editing.REPEATED for one in _errors(error)):
            result.known += 1
        else:
            result.faults.append(_("Row %(number)d: %(fault)s") % {"number": line.number, "fault": " ".join(error.messages)})
    else:
        result.added += 1


def _errors(error: ValidationError) -> list[ValidationError]:
    return [one for own in error.error_dict.values() for one in own] if hasattr(error, "error_dict") else error.error_list
