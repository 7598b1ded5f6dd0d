"""How the embedded engine takes documents: versions compared and all committed at once, by the index's only writer."""

import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import islice
from pathlib import Path

import tantivy
from tantivy import Order

from search.documents import Write

from .base import EngineUnavailableError
from .directions import Directions
from .embedded_clauses import indexed, one_of

_MEMORY = 32_000_000
#: Longer than a batch of the change log with its vectors takes.
_PATIENCE_SECONDS = 60.0
#: Versions asked for at a time.
_PART = 500


@contextmanager
def translated_errors() -> Iterator[None]:
    """What tantivy or the file system refuses becomes EngineUnavailableError."""
    try:
        yield
    except (ValueError, OSError) as error:
        raise EngineUnavailableError(str(error)) from error


def parts(writes: Iterable[Write]) -> Iterator[list[Write]]:
    """As `Writing.take` wants them."""
    iterator = iter(writes)
    while part := list(islice(iterator, _PART)):
        yield part


class Writing:
    """What one commit is made of; without `commit` nothing stays.

    `taken` are the uids whose document or tombstone was stored: the others were there in that version or a newer one.
    """

    def __init__(self, writer: tantivy.IndexWriter, index: tantivy.Index, home: Path, *, force: bool) -> None:
        self.taken: set[str] = set()
        self._force = force
        self._directions = Directions(home)
        self._writer = writer
        # Only now, under the writer's lock, nobody else can write: what is stored is the truth.
        index.reload()
        self._searcher = index.searcher()
        self._known: dict[str, int] = {}

    def take(self, writes: Sequence[Write]) -> None:
        """Of each uid the last write, if it is newer than what is stored, or with `force` at least as new."""
        with translated_errors():
            self._known |= _versions(self._searcher, list({write.uid for write in writes} - self._known.keys()))
            newest = _newest(writes, self._known, force=self._force)
            # Before the documents: a direction too many finds nothing, one too few would hide a listing.
            self._directions.write(newest.values())
            for write in newest.values():
                if write.uid in self._known:
                    self._writer.delete_documents_by_term("uid", write.uid)
                # A thread of tantivy's indexes it while the next one is analysed here.
                self._writer.add_document(indexed(write))
                self._known[write.uid] = write.version
            self.taken |= newest.keys()

    def commit(self) -> None:
        """Let searches find what was taken."""
        if self.taken:
            with translated_errors():
                self._writer.commit()


@contextmanager
def opened(index: tantivy.Index, home: Path, *, force: bool) -> Iterator[Writing]:
    """The index's only writer, of all processes, for as long as the block lasts."""
    with translated_errors():
        writer = open_writer(index)
    try:
        with translated_errors():
            writing = Writing(writer, index, home, force=force)
        yield writing
    except BaseException:
        with suppress(ValueError, OSError):  # A writer that failed fails once more; what came first tells why.
            writer.wait_merging_threads()
        raise
    with translated_errors():
        writer.wait_merging_threads()


def open_writer(index: tantivy.Index) -> tantivy.IndexWriter:
    """The only writer of an index; waits for another process to close its own."""
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while True:
        try:
            return index.writer(_MEMORY, 1)
        except ValueError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)


def _versions(searcher: tantivy.Searcher, uids: list[str]) -> dict[str, int]:
    # The dictionary answers at once for the new ones, which are most of a long batch; it may still have some that are gone.
    known = [uid for uid in uids if searcher.doc_freq("uid", uid)]
    if not known:
        return {}
    hits = searcher.search(one_of("uid", known), len(known), count=False, order_by_field="uid", order=Order.Asc).hits
    versions = searcher.fast_field_values("version", [address for _, address in hits])
    return {uid: version for (uid, _), version in zip(hits, versions, strict=True)}


def _newest(writes: Iterable[Write], stored: dict[str, int], *, force: bool) -> dict[str, Write]:
    newest: dict[str, Write] = {}
    for write in writes:
        known = newest[write.uid].version if write.uid in newest else stored.get(write.uid, -1)
        if write.version > known or (force and write.version == known):
            newest[write.uid] = write
    return newest
