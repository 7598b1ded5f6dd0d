"""What an engine must do. tests/search/test_backends.py holds every backend to it."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Protocol, Self

from search.documents import ListingDocument, Page, Query, Write


class EngineUnavailableError(Exception):
    """The engine did not answer, answered rubbish or has no index; nothing is known about what it holds."""


class EngineAvoidedError(EngineUnavailableError):
    """The engine failed a moment ago and was not asked again."""


@dataclass(frozen=True, slots=True)
class Stored:
    """What the index holds under `uid`: its version in the change log's order, the document's own, dead or alive, with or without vectors."""

    uid: str
    version: int
    document_version: int
    is_live: bool
    has_vectors: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidates:
    """Ask for the `size` documents of `kind` that share most with `terms` (weight by term, by field of queries.FORM_FIELDS).

    With a `direction` (see `meaning`; empty without), besides them for the `nearest` whose vectors point most that way. Of all these
    those that lie beyond the reach of `reach_of`, or it beyond theirs, are left out.
    """

    terms: dict[str, dict[str, float]]
    direction: tuple[float, ...] = ()
    nearest: int = 0
    kind: str
    valid_on: date
    exclude_company: str = ""
    exclude_uids: tuple[str, ...] = ()
    size: int = 200
    reach_of: ListingDocument | None = None


@dataclass(frozen=True, slots=True)
class Frequencies:
    """In how many of `documents` documents each (field, term) stands."""

    documents: int
    by_term: dict[tuple[str, str], int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Vitals:
    """What a server tells of itself: the live documents of our index (None: it has none of the present schema), and how its cluster does.

    `colour` is green, yellow (copies are missing) or red (documents cannot be reached).
    """

    documents: int | None
    colour: str
    nodes: int
    unassigned_shards: int


class Backend(Protocol):
    """One index of one engine. Every method raises EngineUnavailableError if the engine does not answer as it should."""

    name: str

    def exists(self) -> bool:
        """Whether there is an index of the present schema. One of an older schema is searched as far as its fields allow, and not written to."""

    def create(self) -> None:
        """Make the index, empty, unless there is one."""

    def write(self, writes: Iterable[Write], *, force: bool = False) -> int:
        """Store each document or tombstone unless the index holds that version or a newer one; how many were stored.

        With `force` an equal version is overwritten. What was stored is visible to searches on return. Writes are taken as the engine gets on, so that
        they can be made meanwhile; an error of theirs comes through, and what was stored before it may stay.
        """

    def find(self, query: Query) -> Page:
        """The page of hits that `query` asks for."""

    def candidates(self, wanted: Candidates) -> list[tuple[ListingDocument, float]]:
        """By terms, best first, with the engine's own score; then those by direction that are not among them, with 0."""

    def frequencies(self, terms: dict[str, Sequence[str]]) -> Frequencies:
        """Document frequencies of terms by field."""

    def stored(self, batch: int = 500) -> Iterator[list[Stored]]:
        """Everything the index holds, tombstones too, by uid."""

    def stage(self) -> Self:
        """A new, empty index beside this one, for a rebuild or a trial."""

    def swap(self, staged: Self) -> None:
        """Searches go to `staged` from now on, in one step. What they went to stays until `clear_up`."""

    def clear_up(self) -> None:
        """Remove every index that no search goes to: what was replaced, and what killed rebuilds left. For who holds the lease (see builds)."""

    def remove(self) -> None:
        """Delete this index and its data."""
