"""Keeps the index: follows the change log, builds it anew, finds and repairs drift. No save ever waits for any of this.

Versions are ids of the change log, so a late or repeated write never overwrites a newer one. They hold as long as the log's
ids rise: after a database is restored from a backup, run `rebuild_index`.
"""

import heapq
import logging
import uuid
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial
from itertools import chain, islice
from typing import NamedTuple, TypeVar

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.module_loading import import_string

from marketplace.core import changelog, transactions
from marketplace.core.models import Change

from . import builds, encoding, kept, vectors
from .backends.base import Backend, EngineAvoidedError, EngineUnavailableError, Stored
from .documents import ListingDocument, Write
from .engine import EMBEDDED, backends
from .models import IndexCheck

logger = logging.getLogger(__name__)

#: Names of the readers in the change log.
READERS = {"elasticsearch": "index", EMBEDDED: "embedded"}

#: Changes a batch, and documents of a rebuild's. A commit, a refresh and a checkpoint are shared by so many; with 2,000 the embedded engine takes
#: three quarters more.
BATCH = 10_000

#: Rows loaded at a time: the documents of some are made while the engine still takes those before.
PART = 500

#: Uids of a batch where index and database are compared.
COMPARED = 2_000

#: Entries asked for at a time where only ids and versions are compared.
SCAN = 5_000

#: Of each kind of drift so many are told by name.
MOST_NAMED = 10_000

T = TypeVar("T")


def reader_name() -> str:
    """The reader that keeps the index which searches use: who must come after the index waits behind it."""
    return READERS["elasticsearch" if settings.ELASTICSEARCH_URL else EMBEDDED]


# --- Following the change log -------------------------------------------------------------------------------------


def run_once() -> int:
    """Bring each engine's index one batch forward; how many changes were handled.

    An engine that does not answer keeps its place in the log and catches up in a later call.
    """
    # The stand-in first: it is asked for what is new just when the other one keeps us waiting.
    return sum(_follow(backend) for backend in reversed(backends()))


def _follow(backend: Backend) -> int:
    reader = READERS[backend.name]
    try:
        if not backend.exists():
            _begin(backend, reader)
        elif builds.was_killed(backend.name):
            _clear_up(backend)
        return changelog.consume(reader, partial(_index_if_there, backend=backend), limit=BATCH)
    except EngineAvoidedError as error:
        logger.debug("The index of %s waits: %s", backend.name, error)
    except EngineUnavailableError as error:
        logger.warning("The index of %s waits: %s", backend.name, error)
    except builds.AlreadyRunningError as error:
        logger.info("The index of %s waits: %s", backend.name, error)
    return 0


def _begin(backend: Backend, reader: str) -> None:
    """Make the index. One that got lost, or is of an older schema, must be filled from the database; until then searches go to the older one."""
    with builds.building(backend.name) as build:
        if backend.exists():
            build.is_recorded = False  # Another worker was quicker.
        elif changelog.position(reader) == (0, 0):
            build.is_recorded = False
            backend.create()
        else:
            logger.info("The index of %s is not there or of an older schema; building it anew.", backend.name)
            _build(backend, build)


def _clear_up(backend: Backend) -> None:
    with builds.building(backend.name) as build:
        build.is_recorded = False
        _remove_unused(backend, build)


def _index_if_there(changes: list[Change], *, backend: Backend) -> None:
    # Asked once more under the reader's lease: meanwhile another release may have put an index of its own schema there.
    if not backend.exists():
        message = "its index was replaced by one of another schema"
        raise EngineUnavailableError(message)
    index_changes(changes, backend=backend)


def index_changes(changes: Iterable[Change], *, backend: Backend | None = None) -> None:
    """Write the present documents of everything that changed; ten changes of one listing are one write."""
    versions: dict[str, dict[uuid.UUID, int]] = {}
    for change in changes:
        of_kind = versions.setdefault(change.kind.removesuffix(vectors.KIND_SUFFIX), {})
        of_kind[change.uid] = max(change.id, of_kind.get(change.uid, 0))
    wanted = [(source.load, versions[source.kind]) for source in _sources() if source.kind in versions]
    if wanted:
        (backend or backends()[0]).write(chain.from_iterable(_present(*each) for each in wanted))


def _present(load: Callable[[list[uuid.UUID]], dict[str, ListingDocument | None]], versions: dict[uuid.UUID, int]) -> Iterator[Write]:
    for uids in _batches(versions, PART):
        documents = load(uids)
        documents |= {document.uid: document for document in vectors.with_kept(filter(None, documents.values()))}
        yield from [_write(str(uid), versions[uid], documents) for uid in uids]


def _write(uid: str, version: int, documents: dict[str, ListingDocument | None]) -> Write:
    document = documents.get(uid)
    # The document may be newer than the change: then its later change finds the work done.
    return Write(uid, max(version, document.version) if document else version, document)


def _sources() -> list:
    return [import_string(name)() for name in settings.SEARCH_SOURCES]


# --- Building anew ----------------------------------------------------------------------------------------------------


def rebuild(backend: Backend | None = None, *, progress: Callable[[int], object] = lambda _: None) -> int:
    """Fill a new index beside the one in use, then let searches go there in one step; how many documents it holds.

    Searches see no gap, memory stays bounded by a batch, and what is written meanwhile is replayed from the log. Killed at any
    point, it leaves either index whole, and what it did not need to the next one. `progress` is called with the number of
    documents of each batch. Raises builds.AlreadyRunningError while another process rebuilds the same engine's index.
    """
    backend = backend or backends()[0]
    with builds.building(backend.name) as build:
        _build(backend, build, progress)
        return build.documents


def _build(backend: Backend, build: builds.Build, progress: Callable[[int], object] = lambda _: None) -> None:
    try:
        backend.clear_up()
        place = changelog.end()
        staged = backend.stage()
        _fill(staged, build, progress)
        place = _nearly_caught_up(staged, place)
        _take_over(backend, staged, place, build)
    finally:
        # Who has lost the lease leaves alone what no search goes to: another rebuild is making it.
        if build.holds_lease():
            _remove_unused(backend, build)


def _fill(staged: Backend, build: builds.Build, progress: Callable[[int], object]) -> None:
    writes = _everything(build, progress)
    for first in writes:
        staged.write(chain([first], islice(writes, BATCH - 1)))


def _everything(build: builds.Build, progress: Callable[[int], object]) -> Iterator[Write]:
    for source in _sources():
        for documents in source.all(PART):
            build.verify()
            yield from [Write(document.uid, document.version, document) for document in vectors.with_kept(documents)]
            build.documents += len(documents)
            progress(len(documents))


def _nearly_caught_up(staged: Backend, place: tuple[int, int]) -> tuple[int, int]:
    """Index what was logged after `place`, until less than a batch is left: under steady writes something always is. How far that was."""
    while len(changes := changelog.read(place, limit=BATCH)) == BATCH:
        index_changes(changes, backend=staged)
        place = (changes[-1].transaction, changes[-1].id)
    return place


def _take_over(backend: Backend, staged: Backend, place: tuple[int, int], build: builds.Build) -> None:
    """Put `staged` in the place of the index in use, while the reader rests.

    If it went on, it could have read a change before the last look at the log and write it, after the swap, to the index that
    nobody asks any more. Held, its checkpoint is true of both indices: killed here, nothing needs to be made up for.
    """
    with changelog.held(READERS[backend.name], patience=changelog.LONGEST_BATCH) as move:
        end = changelog.end()
        while changes := changelog.read(place, limit=BATCH, until=end):
            index_changes(changes, backend=staged)
            place = (changes[-1].transaction, changes[-1].id)
        build.verify()
        backend.swap(staged)
        # Also tells that who asked the old index may get another answer now, as from one with another encoder's vectors.
        move(end)


def _remove_unused(backend: Backend, build: builds.Build) -> None:
    try:
        backend.clear_up()
    except EngineUnavailableError as error:
        logger.warning("What a rebuild of %s left is still there: %s", backend.name, error)
        build.has_left_something = True


# --- Drift --------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Drift:
    """Uids of what the index lacks, holds too much, holds in another version than the database, or without the vectors it should have by now.

    Of each kind at most MOST_NAMED; `counts` has all of them. Changes that the readers have still to see are no drift.
    """

    missing: list[str] = field(default_factory=list)
    extra: list[str] = field(default_factory=list)
    stale: list[str] = field(default_factory=list)
    without_vectors: list[str] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter, compare=False)

    def __bool__(self) -> bool:
        return bool(self.missing or self.extra or self.stale or self.without_vectors)

    def add(self, kind: str, uid: str) -> None:
        """Count it, and name it if not too many are named."""
        self.counts[kind] += 1
        if self.counts[kind] <= MOST_NAMED:
            getattr(self, kind).append(uid)


class _Difference(NamedTuple):
    """What the index holds under a uid, if anything, in place of what the database has."""

    kind: str
    uid: str
    entry: Stored | None


def check(backend: Backend | None = None, *, repair: bool = False, progress: Callable[[int], object] = lambda _: None) -> Drift:
    """Compare ids and versions of the index with the database, uid by uid in bounded memory; with `repair`, make the index agree.

    Leaves a record (models.IndexCheck). `progress` is called with the number of documents of each batch.
    """
    backend = backend or backends()[0]
    if not backend.exists():
        message = "no index of the present schema is there; run manage.py rebuild_index"
        raise EngineUnavailableError(message)
    started, drift, documents = timezone.now(), Drift(), 0
    # Read before index and database: of what did not change since, both have to tell the same, whenever they are asked.
    places = _places(backend)
    for compared in _batches(_compared(backend), COMPARED):
        documents += sum(is_wanted for _, is_wanted in compared)
        wrong = _settled([difference for difference, _ in compared if difference], places)
        for difference in wrong:
            drift.add(difference.kind, difference.uid)
        if repair and wrong:
            _repair(backend, wrong)
        progress(len(compared))
    counts = {kind: drift.counts[kind] for kind in ("missing", "extra", "stale", "without_vectors")}
    IndexCheck.objects.create(engine=backend.name, started=started, documents=documents, repaired=repair, **counts)
    return drift


def _places(backend: Backend) -> dict[str, tuple[int, int]]:
    indexed = changelog.position(READERS[backend.name])
    encoded = min(indexed, changelog.position(kept.reader_name()))
    return {"missing": indexed, "extra": indexed, "stale": indexed, "without_vectors": encoded}


def _compared(backend: Backend) -> Iterator[tuple[_Difference | None, bool]]:
    """Of every uid that index or database know, the difference, and whether the database wants it found."""
    stored = chain.from_iterable(backend.stored(SCAN))
    wanted = heapq.merge(*(chain.from_iterable(source.versions(SCAN)) for source in _sources()))
    entry, row = next(stored, None), next(wanted, None)
    while entry or row:
        uid = min(each for each in (entry and entry.uid, row and row[0]) if each)
        here, version = (entry if entry and entry.uid == uid else None), (row[1] if row and row[0] == uid else None)
        kind = _difference(here, version)
        yield _Difference(kind, uid, here) if kind else None, version is not None
        entry = next(stored, None) if here else entry
        row = row if version is None else next(wanted, None)


def _difference(entry: Stored | None, version: int | None) -> str:
    if version is None:
        return "extra" if entry.is_live else ""
    if entry is None or not entry.is_live:
        return "missing"
    if entry.document_version != version:
        return "stale"
    return "without_vectors" if encoding.name() and not entry.has_vectors else ""


def _settled(differences: list[_Difference], places: dict[str, tuple[int, int]]) -> list[_Difference]:
    """Without those that a reader has still to see, or saw while they were compared."""
    changed = {
        place: set(map(str, Change.objects.filter(transactions.later_than(place), uid__in=[d.uid for d in differences]).values_list("uid", flat=True)))
        for place in set(places.values())
        if differences
    }
    return [difference for difference in differences if difference.uid not in changed[places[difference.kind]]]


def _repair(backend: Backend, differences: list[_Difference]) -> None:
    present = {}
    for source in _sources():
        found = {uid: document for uid, document in source.load([d.uid for d in differences]).items() if document}
        present |= {document.uid: document for document in vectors.with_kept(found.values())}
        unencoded = [d.uid for d in differences if d.kind == "without_vectors" and d.uid in found and not present[d.uid].vectors]
        with transaction.atomic():  # For the reader that encodes; behind it the index takes them once more.
            changelog.append_bulk(source.kind, [uuid.UUID(uid) for uid in unencoded])
    backend.write([_repaired(difference, present.get(difference.uid)) for difference in differences], force=True)


def _repaired(difference: _Difference, document: ListingDocument | None) -> Write:
    known = difference.entry.version if difference.entry else 0
    return Write(difference.uid, max(document.version, known) if document else known, document)


def _batches(items: Iterable[T], size: int) -> Iterator[list[T]]:
    iterator = iter(items)
    while batch := list(islice(iterator, size)):
        yield batch
