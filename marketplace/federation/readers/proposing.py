"""Which column, part or path of a source holds what: a guess from its name (in Catalan, Spanish and English) and from what stands in it."""

import re
from collections.abc import Mapping, Sequence

from marketplace.imports import mapping, values
from marketplace.imports.enums import Target
from marketplace.imports.readers import Row, Table

from .fields import Field
from .reading import Record

SAMPLE = 50
MAX_COLUMNS = 200
#: Names that say more here than in a company's answers to a form: there a link is the company's site, here the listing's page.
NAMES: Mapping[str, tuple[str, ...]] = {
    Field.ID: ("guid", "uuid", "uid", "slug", "id", "identifier", "codi", "codigo"),
    Field.URL: ("url", "link", "enllac", "enlace", "permalink", "href", "fitxa", "ficha", "url fitxa", "url ficha", "adreca", "page", "uri"),
    Field.UPDATED: (
        "updated", "modified", "updated at", "modified at", "date modified", "date updated", "last modified", "last update", "actualitzat", "actualitzacio",
        "data d actualitzacio", "data actualitzacio", "data de modificacio", "actualizado", "actualizacion", "fecha de actualizacion", "fecha actualizacion",
        "fecha de modificacion", "darrera modificacio", "ultima modificacion", "modificat", "modificado",
    ),
    Field.VALID_FROM: (
        "published", "published at", "publication date", "date published", "pub date", "created", "created at", "data de publicacio", "data publicacio", "data d alta",
        "fecha de publicacion", "fecha publicacion", "fecha de alta", "publicat", "publicado", "valid from", "data d inici", "fecha de inicio",
    ),
    Field.VALID_UNTIL: ("valid through", "valid to", "end date", "data fi", "data final", "fecha fin", "vigencia", "vigent fins", "vigente hasta", "expires at", "until", "fins", "hasta", "end", "fi", "fin"),
    Field.KEYWORDS: ("tags", "tag", "labels", "keyword", "mots clau"),
    Field.CATEGORY: ("kind of thing", "tipus de recurs", "tipo de recurso", "classe", "clase"),
    Field.COMPANY: ("author", "seller", "provider", "entitat nom", "nom entitat", "publisher", "anunciant", "anunciante"),
    Field.PLACE: ("locality", "address locality", "ubicacio", "ubicacion", "location"),
    Field.DESCRIPTION: ("content", "summary", "body", "cos", "cuerpo", "contingut", "contenido", "resum", "resumen"),
}  # fmt: skip
#: Columns of the import that have no place in a listing: when it was sent counts as its publication, whom to write to is never read.
TARGETS: Mapping[str, str] = {
    Target.TIMESTAMP: Field.VALID_FROM, Target.CONTACT_NAME: "", Target.CONTACT_EMAIL: "", Target.CONTACT_PHONE: "",
}  # fmt: skip


def propose(records: Sequence[Record]) -> dict[str, str]:
    """Column → field ("" for none) for every column seen; each field that is not joined once."""
    columns = columns_of(records)
    heads = {column: readable(column) for column in columns}
    proposal = dict.fromkeys(columns, "")
    taken: set[str] = set()
    for name, words in NAMES.items():
        best = min(
            (column for column in columns if heads[column] in words and not proposal[column]), key=lambda column: words.index(heads[column]), default=None
        )
        if best is not None and _fits(name, best, records):
            proposal[best] = str(name)
            taken.add(str(name))
    left = [column for column in columns if not proposal[column]]
    rows = [Row(number, {heads[column]: record.cells.get(column, "") for column in left}) for number, record in enumerate(records[:SAMPLE], 1)]
    guessed = mapping.guess(Table(list(dict.fromkeys(heads[column] for column in left)), rows))
    for column in left:
        name = (
            str(TARGETS.get(guessed.pop(heads[column], ""), ""))
            if heads[column] in guessed and guessed[heads[column]] in TARGETS
            else guessed.pop(heads[column], "")
        )
        if name in Field.values and name not in taken:
            proposal[column] = str(name)
            taken.add(str(name))
    return proposal


def columns_of(records: Sequence[Record]) -> list[str]:
    """Every column of the first records, in the order in which they come."""
    return list(dict.fromkeys(column for record in records[:SAMPLE] for column in record.cells if column))[:MAX_COLUMNS]


def readable(column: str) -> str:
    """The folded words of a column's own name: "dades.dataPublicacio" → "data publicacio"; "nom" of "empresa.nom" needs its owner."""
    parts = [part for part in re.split(r"[.\[\]\"]+", column) if part]
    words = [" ".join(re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+|[^\W\d_a-zA-Z]+", part)) if part.isascii() else part for part in parts]
    words = [values.fold(word) for word in words if word]
    if not words:
        return values.fold(column)
    # "empresa.nom", "location.name": what it is the name of says more than that it is a name.
    if len(words) > 1 and words[-1] in ("nom", "nombre", "name", "label", "value", "text", "titol", "valor", "rendered", "ca", "codi", "codigo", "code"):
        return words[-2]
    return words[-1]


def _fits(name: str, column: str, records: Sequence[Record]) -> bool:
    """Whether what stands in the column can be what its name says."""
    sample = [text for record in records[:SAMPLE] if (text := record.cells.get(column, "").strip())]
    if not sample:
        return False
    if name == Field.URL:
        return all("/" in text for text in sample)
    if name == Field.ID:
        return len(set(sample)) == len(sample)
    return True
