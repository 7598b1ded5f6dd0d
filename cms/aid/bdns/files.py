"""A file of calls as records: JSON as the database's service gives it, JSON lines, or a table (CSV, XLSX) with the same names."""

import json
import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from django.utils.translation import gettext as _

from marketplace.imports import readers
from marketplace.imports.errors import FileError

MAX_BYTES = 10 * 2**20
MAX_CALLS = 500
#: Under which of these names a service puts its list.
LISTS = ("content", "items", "convocatorias", "results", "data")
NUMBERS = ("codigoBDNS", "numeroConvocatoria")
#: Two letters where one was meant: a text in UTF-8 that some program took for another encoding and saved again ("ConvocatÃ²ria").
TWICE = re.compile("Ã[\u0080-\u00bf\u2018-\u201e\u0192\u02c6\u02dc\u2020-\u203a\u20ac\u2122]")
#: How the columns of tables are called: our names, those of the database's own download, and in Catalan.
COLUMNS = {
    "codigoBDNS": ("codigobdns", "codigo bdns", "codi bdns", "numeroconvocatoria", "numero de convocatoria", "num conv", "numconv"),
    "descripcion": ("descripcion", "titulo", "titulo de la convocatoria", "titol", "convocatoria"),
    "descripcionLeng": ("descripcionleng", "titulo cooficial", "titulo en lengua cooficial", "titol cooficial"),
    "nivel1": ("nivel1", "organo nivel1", "administracion", "administracio"),
    "nivel2": ("nivel2", "organo nivel2", "departamento", "departament"),
    "nivel3": ("nivel3", "organo nivel3", "organo", "organ"),
    "instrumentos": ("instrumentos", "instrumento", "instrumento de ayuda", "instruments"),
    "tiposBeneficiarios": ("tiposbeneficiarios", "tipo de beneficiario", "tipos de beneficiario", "beneficiarios", "beneficiaris"),
    "sectores": ("sectores", "sector", "sectors"),
    "regiones": ("regiones", "region", "region de impacto", "regions"),
    "presupuestoTotal": ("presupuestototal", "presupuesto total", "presupuesto", "pressupost"),
    "importeMinimo": ("importeminimo", "importe minimo", "import minim"),
    "importeMaximo": ("importemaximo", "importe maximo", "import maxim"),
    "fechaInicioSolicitud": ("fechainiciosolicitud", "fecha inicio solicitud", "fecha de inicio", "data inici"),
    "fechaFinSolicitud": ("fechafinsolicitud", "fecha fin solicitud", "fecha de fin", "data fi"),
    "textInicio": ("textinicio", "inicio"),
    "textFin": ("textfin", "fin"),
    "descripcionBasesReguladoras": ("descripcionbasesreguladoras", "bases reguladoras"),
    "urlBasesReguladoras": ("urlbasesreguladoras", "url bases reguladoras"),
    "sedeElectronica": ("sedeelectronica", "sede electronica", "seu electronica"),
}
_COLUMN = {known: name for name, names in COLUMNS.items() for known in names}


@dataclass(frozen=True, slots=True)
class Record:
    """One call as it stands in the file. `line` is its line in a table, its place in a list."""

    line: int
    values: dict[str, object]
    faults: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CallsFile:
    """The records of a file and how it was read."""

    records: list[Record]
    reading: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def read(content: bytes, name: str = "") -> CallsFile:
    """The calls in `content`; raises FileError, whose message says what to do."""
    if len(content) > MAX_BYTES:
        raise FileError(_("The file is larger than %(limit)d MB. Choose fewer calls when you download it.") % {"limit": MAX_BYTES // 2**20})
    if content.startswith((b"PK", *readers.NOT_TABLES)):
        found = _from_table(content, name)
    else:
        text, encoding = readers.decode(content)
        if TWICE.search(text):
            raise FileError(
                _("Letters with accents are broken in this file (“Ã³” for “ó”): it was saved in a wrong encoding. Download it again and do not open it before.")
            )
        found = _from_json(text, encoding) if _looks_like_json(text, name) else _from_table(content, name)
    if len(found.records) > MAX_CALLS:
        raise FileError(
            _("The file holds %(count)d calls; %(limit)d at most can be looked at together. Choose fewer.") % {"count": len(found.records), "limit": MAX_CALLS}
        )
    if not found.records:
        raise FileError(_("The file holds no call."))
    return found


def _looks_like_json(text: str, name: str) -> bool:
    return text.lstrip()[:1] in ("{", "[") or name.lower().endswith((".json", ".jsonl", ".ndjson"))


# --- JSON ---------------------------------------------------------------------------------------------------------------


def _from_json(text: str, encoding: str) -> CallsFile:
    try:
        values, kind = _calls_of(_load(text)), "JSON"
    except ValueError as error:
        values, kind = list(_from_lines(text, error)), "JSONL"
    records = [
        Record(line, value)
        if isinstance(value, dict)
        else Record(line, {}, (_("this is no call but %(value)s.") % {"value": "".join(sign for sign in str(value)[:60] if sign.isprintable())},))
        for line, value in enumerate(values, start=1)
    ]
    return CallsFile(records, {"format": kind, "encoding": encoding})


def _load(text: str) -> object:
    def refuse(name: str) -> None:
        raise ValueError(_("%(name)s is no number") % {"name": name})

    try:
        return json.loads(text, parse_constant=refuse)
    except RecursionError as error:
        raise FileError(_("The file is not valid JSON: it is nested too deeply.")) from error


def _calls_of(value: object) -> list[object]:
    if isinstance(value, list):
        return value
    if isinstance(value, dict):
        for name in LISTS:
            if isinstance(value.get(name), list):
                return value[name]
        if any(name in value for name in NUMBERS):
            return [value]
    raise FileError(_("The file is JSON but holds no list of calls. Each call needs its number in the field codigoBDNS."))


def _from_lines(text: str, error: ValueError) -> Iterator[object]:
    """A call on every line; if the very first is none either, the fault of the whole."""
    lines = [line for line in text.splitlines() if line.strip()]
    for place, line in enumerate(lines):
        try:
            yield _load(line)
        except ValueError as fault:
            if place == 0 or len(lines) == 1:
                raise FileError(_("The file is not valid JSON: %(error)s. Download it again; it may have been cut off.") % {"error": error}) from error
            yield str(fault)


# --- Tables -------------------------------------------------------------------------------------------------------------


def _from_table(content: bytes, name: str) -> CallsFile:
    table = readers.read(content, name)
    if len(table.columns) == 1:
        raise FileError(
            _("The first line has one column only: “%(name)s”. Separate columns with commas, semicolons or tabs.") % {"name": table.columns[0][:60]}
        )
    known = {column: _COLUMN.get(plain(column), "") for column in table.columns}
    if "codigoBDNS" not in known.values():
        columns = ", ".join(table.columns[:8])
        raise FileError(_("No column holds the call's number. Name it codigoBDNS. The columns are: %(columns)s.") % {"columns": columns})
    unused = [column for column, meaning in known.items() if not meaning]
    notes = [*table.notes]
    if unused:
        notes.append(_("These columns are not used: %(columns)s.") % {"columns": ", ".join(unused)})
    records = [Record(row.number, dict(_named(row.cells, known)), row.faults) for row in table.rows]
    return CallsFile(records, table.reading, notes)


def plain(text: str) -> str:
    """In small letters without accents and signs, so that "Título (cooficial)" is "titulo cooficial"."""
    bare = "".join(sign for sign in unicodedata.normalize("NFKD", text.lower()) if not unicodedata.combining(sign))
    return " ".join(re.sub(r"[^a-z0-9]+", " ", bare).split())


def _named(cells: dict[str, str], known: dict[str, str]) -> Iterable[tuple[str, str]]:
    """Filled cells by our names; of two columns for one thing the first that says something."""
    seen = set()
    for column, cell in cells.items():
        meaning = known.get(column)
        if meaning and cell and meaning not in seen:
            seen.add(meaning)
            yield meaning, cell
