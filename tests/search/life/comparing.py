"""What the database says against what each index holds, row by row: ids, versions and texts.

Written without `index.check`, which is one of the things that are tested here.
"""

from dataclasses import dataclass, field

from django.utils import timezone

from search import queries
from search.backends import elastic
from search.backends.base import Backend, Candidates
from search.backends.embedded import EmbeddedBackend
from tests.nodes import Node

#: In every title that the writers and factories make, so that one question brings all documents.
WORD = "Pantalles"
READERS = {"elasticsearch": "index", "embedded": "embedded"}

_ROWS = """
SELECT change.uid::text, max(change.id), coalesce(bool_or(listing.state = 'published' AND listing.valid_until >= current_date AND NOT company.hidden), false),
       coalesce(max(listing.title), '')
FROM core_change AS change LEFT JOIN listings_listing AS listing USING (uid) LEFT JOIN companies_company AS company ON company.id = listing.company_id
WHERE change.kind = 'listing' GROUP BY change.uid
"""


@dataclass
class Difference:
    """Uids of listings that the index lacks, holds in another version or text, or holds though nobody may find them."""

    lost: set[str] = field(default_factory=set)
    stale: set[str] = field(default_factory=set)
    ghost: set[str] = field(default_factory=set)

    def __bool__(self) -> bool:
        return bool(self.lost or self.stale or self.ghost)

    def __str__(self) -> str:
        return f"{len(self.lost)} lost, {len(self.stale)} stale, {len(self.ghost)} ghosts"


def backends(node: Node) -> list[Backend]:
    """The engines' indexes of a marketplace, asked from here without its settings."""
    found: list[Backend] = []
    if url := node.env["ELASTICSEARCH_URL"]:
        found.append(elastic.ElasticBackend(elastic.connect(url), node.env["SEARCH_INDEX_PREFIX"]))
    if not found or node.env["EMBEDDED_FALLBACK"] == "True":
        found.append(EmbeddedBackend(node.folder / "index"))
    return found


def difference(node: Node, backend: Backend, *, versions: bool = True) -> Difference:
    """What is wrong in an index. Without `versions` only texts are compared: a naive index has numbers of its own."""
    stored = {entry.uid: entry for batch in backend.stored() for entry in batch}
    titles = _titles(backend)
    wrong = Difference()
    rows = node.sql(_ROWS)
    for uid, version, is_live, title in rows:
        entry = stored.pop(uid, None)
        if is_live and not (entry and entry.is_live):
            wrong.lost.add(uid)
        elif not is_live and entry and (entry.is_live or uid in titles):
            wrong.ghost.add(uid)
        elif (is_live and (titles.get(uid) != title or (versions and {entry.version, entry.document_version} != {version}))) or (
            versions and not is_live and entry and entry.version != version
        ):
            wrong.stale.add(uid)
    # Of a change that was rolled back there is no row at all.
    wrong.ghost |= {uid for uid, entry in stored.items() if entry.is_live}
    return wrong


def _titles(backend: Backend) -> dict[str, str]:
    terms = {"title_word": dict.fromkeys(queries.find_words(WORD)[0].terms("title_word"), 1.0)}
    asked = (Candidates(terms=terms, kind=kind, valid_on=timezone.localdate(), size=9_000) for kind in ("offer", "demand"))
    return {document.uid: document.title for wanted in asked for document, _score in backend.candidates(wanted)}


def rows(node: Node) -> int:
    """How many listings the log tells of."""
    return len(node.sql(_ROWS))


def lag(node: Node, reader: str) -> int:
    """How many changes a reader has still to see."""
    query = "SELECT count(*) FROM core_change WHERE (transaction, id) > (SELECT transaction, change_id FROM core_reader WHERE name = %s)"
    return node.sql(query, reader)[0][0] if node.sql("SELECT 1 FROM core_reader WHERE name = %s", reader) else -1
