"""Keeps the index: follows the change log, builds it anew, finds and repairs drift. No save ever waits for any of this.

Versions are ids of the change log, so a late or repeated write never overwrites a newer one. They hold as long as the log's
ids rise: after a database is restored from a backup, run `rebuild_index`.
"""

import logging
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial

from django.conf import settings
from django.utils import timezone
from django.utils.module_loading import import_string

from marketplace.core import changelog
from marketplace.core.models import Change, Reader

from . import vectors
from .backends.base import Backend, EngineUnavailableError, Stored
from .documents import ListingDocument, Write
from .engine import EMBEDDED, backends

logger = logging.getLogger(__name__)

#: Names of the readers in the change log.
READERS = {"elasticsearch": "index", EMBEDDED: "embedded"}

BATCH = 500


def reader_name() -> str:
    """The reader that keeps the index which searches use: who must come after the index waits behind it."""
    return READERS["elasticsearch" if settings.ELASTICSEARCH_URL else EMBEDDED]


# --- Following the change log -------------------------------------------------------------------------------------


def run_once() -> int:
    """Bring each engine's index one batch forward; how many changes were handled.

    An engine that does not answer keeps its place in the log and catches up in a later call.
    """
    return sum(_follow(backend) for backend in backends())


def _follow(backend: Backend) -> int:
    reader = READERS[backend.name]
    try:
        if not backend.exists():
            _begin(backend, reader)
        return changelog.consume(reader, partial(index_changes, backend=backend), limit=BATCH)
    except EngineUnavailableError as error:
        logger.warning("The index of %s waits: %s", backend.name, error)
        return 0


def _begin(backend: Backend, reader: str) -> None:
    """Make the index. One that got lost after the reader had come some way must be filled from the database."""
    if changelog.position(reader) == (0, 0):
        backend.create()
    else:
        logger.info("The index of %s is not there; building it anew.", backend.name)
        rebuild(backend)


def index_changes(changes: Iterable[Change], *, backend: Backend | None = None) -> None:
    """Write the present documents of everything that changed; ten changes of one listing are one write."""
    versions: dict[str, dict[str, int]] = {}
    for change in changes:
        of_kind = versions.setdefault(change.kind.removesuffix(vectors.KIND_SUFFIX), {})
        of_kind[str(change.uid)] = max(change.id, of_kind.get(str(change.uid), 0))
    for source in _sources():
        wanted = versions.get(source.kind)
        if wanted:
            documents = source.load(list(wanted))
            documents |= {document.uid: document for document in vectors.with_kept(filter(None, documents.values()))}
            (backend or backends()[0]).write([_write(uid, version, documents.get(uid)) for uid, version in wanted.items()])


def _write(uid: str, version: int, document: ListingDocument | None) -> Write:
    # The document may be newer than the change: then its later change finds the work done.
    return Write(uid, max(version, document.version) if document else version, document)


def _sources() -> list:
    return [import_string(name)() for name in settings.SEARCH_SOURCES]


# --- Building anew ----------------------------------------------------------------------------------------------------


def rebuild(backend: Backend | None = None, *, progress: Callable[[int], object] = lambda _: None) -> int:
    """Fill a new index beside the one in use, then let searches go there in one step; how many documents it holds.

    Searches see no gap, memory stays bounded by a batch, and what is written meanwhile is replayed from the log.
    `progress` is called with the number of documents of each batch.
    """
    backend = backend or backends()[0]
    # The reader's place is before every change that may still be open; the log's end is not.
    since = changelog.position(READERS[backend.name])
    staged = backend.stage()
    try:
        count = 0
        for source in _sources():
            for documents in source.all(BATCH):
                staged.write([Write(document.uid, document.version, document) for document in vectors.with_kept(documents)])
                count += len(documents)
                progress(len(documents))
        replayed = _replay(staged, since)
        backend.swap(staged)
    except BaseException:
        with suppress(EngineUnavailableError):
            staged.remove()
        raise
    # The reader may have written to the old index until the swap.
    _replay(staged, replayed)
    # Who asked the old index may get another answer now, as from one with another encoder's vectors.
    Reader.objects.filter(name=READERS[backend.name]).update(modified=timezone.now())
    return count


def _replay(staged: Backend, since: tuple[int, int]) -> tuple[int, int]:
    """Index what the log holds after `since`; how far that was."""
    while changes := changelog.read(since, limit=BATCH):
        index_changes(changes, backend=staged)
        since = (changes[-1].transaction, changes[-1].id)
    return since


# --- Drift --------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Drift:
    """Uids of what the index lacks, holds too much, or holds in another version than the database.

    Changes that the reader has still to see are no drift.
    """

    missing: list[str] = field(default_factory=list)
    extra: list[str] = field(default_factory=list)
    stale: list[str] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.missing or self.extra or self.stale)


def check(backend: Backend | None = None, *, repair: bool = False) -> Drift:
    """Compare ids and versions of the index with the database; with `repair`, make the index agree."""
    backend = backend or backends()[0]
    stored = {entry.uid: entry for batch in backend.stored() for entry in batch}
    pending = _pending(READERS[backend.name])
    drift = Drift()
    present: set[str] = set()
    for source in _sources():
        for documents in source.all(BATCH):
            settled = [document for document in vectors.with_kept(documents) if document.uid not in pending]
            present.update(document.uid for document in documents)
            wrong = [document for document in settled if _is_wrong(document, stored.get(document.uid), drift)]
            if repair and wrong:
                backend.write([_repaired(document, stored.get(document.uid)) for document in wrong], force=True)
    drift.extra.extend(uid for uid, entry in stored.items() if entry.is_live and uid not in present and uid not in pending)
    if repair and drift.extra:
        backend.write([Write(uid, stored[uid].version) for uid in drift.extra], force=True)
    return drift


def _pending(reader: str) -> set[str]:
    uids: set[str] = set()
    since = changelog.position(reader)
    while changes := changelog.read(since, limit=BATCH):
        uids.update(str(change.uid) for change in changes)
        since = (changes[-1].transaction, changes[-1].id)
    return uids


def _is_wrong(document: ListingDocument, entry: Stored | None, drift: Drift) -> bool:
    if entry is None or not entry.is_live:
        drift.missing.append(document.uid)
        return True
    if entry.document_version != document.version:
        drift.stale.append(document.uid)
        return True
    return False


def _repaired(document: ListingDocument, entry: Stored | None) -> Write:
    return Write(document.uid, max(document.version, entry.version if entry else 0), document)
