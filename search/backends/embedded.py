"""The embedded engine: tantivy in a directory, no server. For the demo, small towns, and while Elasticsearch is down.

Tantivy has one writer and no versions of its own: the stored version is compared inside the writer, whose lock no other
process can hold. Readers in other processes see a commit by the changed time of the index's meta file.

EMBEDDED_INDEX_PATH holds a directory per index and a file `current` with the name of the one in use, replaced in one step.
"""

import re
import shutil
import time
import uuid
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice
from pathlib import Path
from typing import Self

import tantivy
from tantivy import Occur
from tantivy import Query as Clause

from search import matching
from search.documents import ListingDocument, Page, Query, Write

from . import embedded_writing
from .base import Candidates, EngineUnavailableError, Frequencies, Stored
from .directions import Directions
from .embedded_clauses import (
    SCHEMA,
    any_of,
    at_least,
    boosted,
    one_of,
    schema,
    silent,
    term,
)
from .embedded_finding import NAME, Finder, Snapshot
from .embedded_writing import translated_errors

_POINTER = "current"
#: An index of any schema.
_NAME = re.compile(r"v\d+.*-[0-9a-f]{12}")
#: So many uids are looked at at a time.
_PART = 20_000
_HEXADECIMAL = "-0123456789abcdef"
#: Opening an index while another process changes it.
_ATTEMPTS, _PAUSE_SECONDS = 5, 0.01

#: So many times the wanted number is looked at: some of the nearest are out of date or of the same company.
_SPARE = 2


class EmbeddedBackend:
    """The index that the pointer in `path` names, or the one in the given directory below it. The methods are those of base.Backend."""

    name = NAME

    def __init__(self, path: Path, directory: str | None = None) -> None:
        self.path = Path(path)
        self._directory = directory
        self._snapshot: Snapshot | None = None
        self._kept_directions: Directions | None = None

    # --- The index as a whole -------------------------------------------------------------------------------------

    def exists(self) -> bool:
        home = self._home()
        return home is not None and _schema_of(home) == schema()

    def create(self) -> None:
        with translated_errors():
            if not self.exists():
                self.swap(self.stage())

    def stage(self) -> Self:
        name = f"{schema()}-{uuid.uuid4().hex[:12]}"
        with translated_errors():
            (self.path / name).mkdir(parents=True)
            tantivy.Index(SCHEMA, path=str(self.path / name))
        return type(self)(self.path, name)

    def swap(self, staged: Self) -> None:
        with translated_errors():
            if staged._home() is None:
                message = f"{staged._directory} is gone"
                raise EngineUnavailableError(message)
            self._point_to(staged._directory)

    def clear_up(self) -> None:
        used = self._home()
        for path in self.path.iterdir() if self.path.is_dir() else ():
            if path != used and _NAME.fullmatch(path.name):
                shutil.rmtree(path, ignore_errors=True)  # Who still reads it keeps its open files.

    def remove(self) -> None:
        home = self._home()
        if home:
            shutil.rmtree(home, ignore_errors=True)
        if self._directory is None:
            (self.path / _POINTER).unlink(missing_ok=True)

    def _point_to(self, name: str) -> None:
        written = self.path / f"{_POINTER}.{uuid.uuid4().hex[:8]}"
        written.write_text(name)
        written.replace(self.path / _POINTER)

    def _home(self) -> Path | None:
        """The directory in use, of whatever schema."""
        try:
            name = self._directory or (self.path / _POINTER).read_text()
        except OSError:
            return None
        home = self.path / name
        return home if (home / "meta.json").is_file() else None

    def _read(self) -> Snapshot:
        for _attempt in range(_ATTEMPTS - 1):
            try:
                return self._opened()
            except (ValueError, OSError):
                # A writer has just put other files in the place of these, or a rebuild another index: the next look finds them.
                time.sleep(_PAUSE_SECONDS)
        with translated_errors():
            return self._opened()

    def _opened(self) -> Snapshot:
        home = self._home()
        if home is None:
            message = f"no embedded index in {self.path}: run manage.py rebuild_index"
            raise EngineUnavailableError(message)
        meta = (home / "meta.json").stat()
        stamp = (home.name, meta.st_mtime_ns, meta.st_ino)
        if self._snapshot is None or self._snapshot.stamp != stamp:
            index = tantivy.Index.open(str(home))
            # Of an older version, or with another encoder's vectors, it serves until the new one is there, if its fields are these.
            if index.schema != SCHEMA:
                message = f"the embedded index in {home} is of another schema: run manage.py rebuild_index"
                raise EngineUnavailableError(message)
            searcher = index.searcher()
            positions = {key: tuple(map(float, key.split(","))) for key, _ in searcher.terms_with_prefix("position", "") if key}
            self._snapshot = Snapshot(stamp, home, index, searcher, positions)
        return self._snapshot

    # --- Writing --------------------------------------------------------------------------------------------------

    def write(self, writes: Iterable[Write], *, force: bool = False) -> int:
        parts = embedded_writing.parts(writes)
        first = next(parts, None)
        if first is None:
            return 0
        snapshot = self._read()
        with embedded_writing.opened(snapshot.index, snapshot.home, force=force) as writing:
            for part in chain([first], parts):
                writing.take(part)
            writing.commit()
        return len(writing.taken)

    # --- Reading --------------------------------------------------------------------------------------------------

    def find(self, query: Query) -> Page:
        snapshot = self._read()
        with translated_errors():
            return Finder(snapshot, query).page()

    def candidates(self, wanted: Candidates) -> list[tuple[ListingDocument, float]]:
        snapshot = self._read()
        searcher = snapshot.searcher
        words = any_of(boosted(term(name, word), weight) for name, words in wanted.terms.items() for word, weight in words.items())
        filters = [
            (Occur.Must, silent(term("kind", wanted.kind))),
            (Occur.Must, silent(at_least("valid_until", wanted.valid_on.toordinal()))),
            *((Occur.MustNot, term("uid", uid)) for uid in wanted.exclude_uids),
        ]
        if wanted.exclude_company:
            filters.append((Occur.MustNot, term("company_uid", wanted.exclude_company)))
        with translated_errors():
            hits = searcher.search(Clause.boolean_query([(Occur.Must, words), *filters]), wanted.size, count=False).hits
            found = {document.uid: (document, score) for document, score in ((snapshot.document(address), score) for score, address in hits)}
            for document in self._nearest(snapshot, wanted, filters):
                found.setdefault(document.uid, (document, 0.0))
            return [each for each in found.values() if wanted.reach_of is None or matching.is_reachable(wanted.reach_of, each[0])]

    def _nearest(self, snapshot: Snapshot, wanted: Candidates, filters: list[tuple[Occur, Clause]]) -> list[ListingDocument]:
        """The documents that point most in the wanted direction, the nearest first; the filters are asked afterwards, of the nearest."""
        uids = self._directions(snapshot).nearest(wanted.kind, wanted.direction, _SPARE * wanted.nearest) if wanted.direction else []
        if not uids:
            return []
        hits = snapshot.searcher.search(Clause.boolean_query([(Occur.Must, one_of("uid", uids)), *filters]), len(uids), count=False).hits
        documents = {document.uid: document for document in (snapshot.document(address) for _, address in hits)}
        return [documents[uid] for uid in uids if uid in documents][: wanted.nearest]

    def _directions(self, snapshot: Snapshot) -> Directions:
        if self._kept_directions is None or self._kept_directions.home != snapshot.home:
            self._kept_directions = Directions(snapshot.home)
        return self._kept_directions

    def frequencies(self, terms: dict[str, Sequence[str]]) -> Frequencies:
        snapshot = self._read()
        with translated_errors():
            return Frequencies(snapshot.live_documents, {(name, word): snapshot.frequency(name, word) for name, words in terms.items() for word in words})

    def stored(self, batch: int = 500) -> Iterator[list[Stored]]:
        snapshot = self._read()
        # Tantivy sorts all documents anew for each page, so they come by parts of the dictionary instead.
        uids = (uid for part in _parts(snapshot.searcher) for uid in part)
        while wanted := list(islice(uids, batch)):
            if entries := self._entries(snapshot, wanted):
                yield entries

    def _entries(self, snapshot: Snapshot, uids: list[str]) -> list[Stored]:
        searcher = snapshot.searcher
        found = {uid: hits[0][1] for uid in uids if (hits := searcher.search(Clause.term_query(SCHEMA, "uid", uid, "basic"), 1, count=False).hits)}
        columns = [searcher.fast_field_values(name, list(found.values())) for name in ("version", "document_version", "live")]
        with_vectors = self._directions(snapshot).known(found)
        return [Stored(uid, *values, uid in with_vectors) for uid, *values in zip(found, *columns, strict=True)]


def _parts(searcher: tantivy.Searcher, prefix: str = "") -> Iterator[list[str]]:
    """The uids in their order, with some that are not used any more."""
    everything = Clause.regex_query(SCHEMA, "uid", f"{prefix}.*") if prefix else Clause.all_query()
    if searcher.search(everything, 1, count=True).count > _PART:
        for digit in _HEXADECIMAL:
            yield from _parts(searcher, prefix + digit)
    else:
        yield sorted(uid for uid, _ in searcher.terms_with_prefix("uid", prefix))


def _schema_of(home: Path) -> str:
    return home.name.rpartition("-")[0]
