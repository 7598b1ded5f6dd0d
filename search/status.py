"""How the index does, for those who run the service: its engines, the readers that keep it, the workers that run them.

Asking never takes long: a server that is silent is given VITALS_SECONDS, whatever it does with the connection.
"""

import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from django.db.models import Max, Q

from marketplace.core import heartbeats, lags

from .backends.base import Backend, EngineUnavailableError
from .documents import Query
from .engine import EMBEDDED, backends
from .index import READERS
from .models import IndexBuild, IndexCheck, IndexRequest

#: How long a page of figures waits for a search server.
VITALS_SECONDS = 1.5

#: How long a load balancer's question waits for it.
ANSWER_SECONDS = 1.0

#: A search that costs a server next to nothing.
_NOTHING = Query(uids=("00000000-0000-0000-0000-000000000000",), page_size=1)

Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class Build:
    """One rebuild."""

    started: datetime
    finished: datetime | None
    documents: int
    error: str
    is_running: bool


@dataclass(frozen=True, slots=True)
class Check:
    """One comparison with the database: how many documents differed in which way."""

    started: datetime
    finished: datetime
    documents: int
    missing: int
    extra: int
    stale: int
    without_vectors: int
    repaired: bool

    @property
    def differences(self) -> int:
        """How many documents differed, repaired or not."""
        return self.missing + self.extra + self.stale + self.without_vectors


@dataclass(frozen=True, slots=True)
class Request:
    """Work that was asked for and is not done."""

    work: str
    asked: datetime
    started: datetime | None
    documents: int
    of: int
    is_running: bool
    error: str


@dataclass(frozen=True, slots=True)
class Engine:
    """One engine. `error` says why it does not answer; the cluster's figures and the breaker are those of a server, as this process sees it."""

    engine: str
    is_chosen: bool
    error: str
    #: None: there is no index.
    documents: int | None
    colour: str
    nodes: int | None
    unassigned_shards: int | None
    breaker: str
    breaker_since: datetime | None
    #: The last rebuild that came to its end, and a later one that runs, failed or was killed.
    built: Build | None
    building: Build | None
    checked: Check | None
    requests: list[Request]

    @property
    def answers(self) -> bool:
        """Whether it answered, with an index."""
        return not self.error and self.documents is not None


@dataclass(frozen=True, slots=True)
class Status:
    """Engines, readers of the change log, workers."""

    engines: list[Engine]
    readers: list[lags.Lag]
    workers: list[heartbeats.Seen]


def status() -> Status:
    """All of it, in a constant number of queries."""
    return Status(engines(), lags.lags(without=unused_readers()), heartbeats.seen())


def unused_readers() -> set[str]:
    """Readers of engines that are not in use any more: they have stopped for good, and are not behind."""
    return set(READERS.values()) - {READERS[backend.name] for backend in backends()}


def breakers() -> dict[str, str]:
    """Of each engine that has one, the state of this process's breaker."""
    return {backend.name: backend.breaker.state for backend in backends() if hasattr(backend, "breaker")}


def chosen_answers() -> bool:
    """Whether the chosen engine answers searches. Waits ANSWER_SECONDS at most, and not at all while its breaker is open."""
    [chosen, *_] = backends()
    try:
        if chosen.name == EMBEDDED:
            return chosen.exists()
        within(ANSWER_SECONDS, lambda: chosen.find(_NOTHING))
    except EngineUnavailableError:
        return False
    return True


def within(seconds: float, ask: Callable[[], Answer]) -> Answer:
    """What `ask` returns or raises; EngineUnavailableError when it takes longer. A client's own timeout begins anew with every byte that trickles in.

    `ask` runs in a thread, which nobody waits for any more then; it must not use the database, whose connections belong to threads.
    """
    answers: queue.SimpleQueue[tuple[Answer | None, Exception | None]] = queue.SimpleQueue()

    def put() -> None:
        try:
            answers.put((ask(), None))
        except Exception as error:  # noqa: BLE001 - raised again by who asked
            answers.put((None, error))

    threading.Thread(target=put, daemon=True, name="asking-an-engine").start()
    try:
        answer, error = answers.get(timeout=seconds)
    except queue.Empty:
        raise EngineUnavailableError(f"No answer within {seconds} s") from None
    if error is not None:
        raise error
    return answer


def engines() -> list[Engine]:
    """The chosen engine, then its stand-in."""
    builds, checks, requests = _builds(), _checks(), IndexRequest.objects.filter(finished=None).order_by("id")
    asked: dict[str, list[Request]] = {}
    for row in requests:
        asked.setdefault(row.engine, []).append(Request(row.work, row.asked, row.started, row.documents, row.of, row.is_running, row.error))
    return [
        Engine(
            engine=backend.name,
            is_chosen=place == 0,
            **_vitals(backend),
            breaker=backend.breaker.state if hasattr(backend, "breaker") else "",
            breaker_since=backend.breaker.since if hasattr(backend, "breaker") else None,
            built=builds.get((backend.name, True)),
            building=builds.get((backend.name, False)),
            checked=checks.get(backend.name),
            requests=asked.get(backend.name, []),
        )
        for place, backend in enumerate(backends())
    ]


def _vitals(backend: Backend) -> dict[str, object]:
    found = {"error": "", "documents": None, "colour": "", "nodes": None, "unassigned_shards": None}
    try:
        if backend.name == EMBEDDED:
            return found | {"documents": backend.frequencies({}).documents if backend.exists() else None}
        vitals = within(VITALS_SECONDS, backend.vitals)
    except EngineUnavailableError as error:
        return found | {"error": str(error)[:300]}
    return found | {"documents": vitals.documents, "colour": vitals.colour, "nodes": vitals.nodes, "unassigned_shards": vitals.unassigned_shards}


def _builds() -> dict[tuple[str, bool], Build]:
    """By engine, True: the last one that came to its end, False: a later one that did not, or not yet."""
    ended = Q(finished__isnull=False, error="")
    last = IndexBuild.objects.order_by().values("engine").annotate(any=Max("id"), ended=Max("id", filter=ended)).values_list("any", "ended")
    wanted = {number for numbers in last for number in numbers if number}
    rows = IndexBuild.objects.filter(pk__in=wanted)
    return {(row.engine, bool(row.finished and not row.error)): Build(row.started, row.finished, row.documents, row.error, row.is_running) for row in rows}


def _checks() -> dict[str, Check]:
    last = IndexCheck.objects.order_by().values("engine").annotate(last=Max("id")).values("last")
    return {
        row.engine: Check(row.started, row.finished, row.documents, row.missing, row.extra, row.stale, row.without_vectors, row.repaired)
        for row in IndexCheck.objects.filter(pk__in=last)
    }
