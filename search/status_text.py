"""What `status` tells as lines of text, for terminals and logs; in English, as logs are."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from django.utils import timezone

from marketplace.core.heartbeats import Seen
from marketplace.core.lags import Lag

from .status import Build, Check, Engine, Request, Status


def lines(status: Status) -> Iterator[str]:
    """One line a fact, what belongs to an engine indented below it."""
    for engine in status.engines:
        yield from _engine(engine)
    for reader in status.readers:
        yield _reader(reader)
    if not status.workers:
        yield "workers: none has given a sign of life within the last day"
    for worker in status.workers:
        yield _worker(worker)


def _engine(engine: Engine) -> Iterator[str]:
    role = "searches use it" if engine.is_chosen else "stands in for it"
    if engine.error:
        yield f"{engine.engine} ({role}): does not answer: {engine.error}"
    elif engine.documents is None:
        yield f"{engine.engine} ({role}): has no index"
    else:
        yield f"{engine.engine} ({role}): {engine.documents} documents"
    if engine.colour:
        yield f"  cluster: {engine.colour}, {engine.nodes} nodes, {engine.unassigned_shards} shards unassigned"
    if engine.breaker:
        yield f"  breaker of this process: {engine.breaker} since {when(engine.breaker_since)}"
    yield f"  last rebuild: {_build(engine.built)}"
    if engine.building and (engine.built is None or engine.building.started > engine.built.started):
        yield f"  later rebuild: {_build(engine.building)}"
    yield f"  last compared: {check(engine.checked)}"
    for request in engine.requests:
        yield f"  asked for: {_request(request)}"


def _build(build: Build | None) -> str:
    if build is None:
        return "none is known"
    began = f"began {when(build.started)}"
    if build.is_running:
        return f"{began}, {build.documents} documents so far"
    if build.finished is None:
        return f"{began}, was killed after {build.documents} documents"
    if build.error:
        return f"{began}, failed: {build.error}"
    return f"{when(build.finished)}, {build.documents} documents in {duration(build.finished - build.started)}"


def check(found: Check | None) -> str:
    """What a comparison found."""
    if found is None:
        return "never"
    counts = ((found.missing, "missing"), (found.extra, "too much"), (found.stale, "stale"), (found.without_vectors, "without vectors"))
    differences = ", ".join(f"{count} {word}" for count, word in counts if count)
    told = differences + (", repaired" if found.repaired else "") if differences else "no difference"
    return f"{when(found.finished)}, {found.documents} documents, {told}"


def _request(request: Request) -> str:
    asked = f"{request.work}, {when(request.asked)}"
    if request.is_running:
        return f"{asked}: {request.documents} documents so far" + (f" of about {request.of}" if request.of else "")
    return f"{asked}: waits" + (f" after an error: {request.error}" if request.error else " for a worker")


def _reader(lag: Lag) -> str:
    told = f"reader {lag.reader}: {lag.changes} changes behind"
    if lag.changes:
        told += f", the oldest waits {duration(timedelta(seconds=lag.seconds))}"
    if lag.is_held_back:
        told += ", held back by a transaction that is still open"
    if lag.held_by:
        told += f", lease of {lag.held_by} until {when(lag.held_until)}"
    return f"{told}; last batch {when(lag.handled)}"


def _worker(worker: Seen) -> str:
    told = f"worker {worker.host}:{worker.pid} {worker.part}: {worker.condition}"
    if worker.doing:
        told += f", in {worker.doing} for {duration(timedelta(seconds=worker.doing_seconds))}"
    elif worker.is_alive:
        told += ", idle" + (f" after {worker.did}" if worker.did else "")
    if not worker.is_alive:
        told += f", last sign of life {when(worker.beat)}"
    told += f"; {worker.rounds} rounds, {worker.failed} failed" + (f", last: {worker.error}" if worker.error else "")
    return told + "".join(f"; breaker of {engine} {state}" for engine, state in worker.breakers.items())


def when(moment: datetime | None) -> str:
    """A moment in local time; "never" for none."""
    return f"{timezone.localtime(moment):%Y-%m-%d %H:%M:%S}" if moment else "never"


def duration(span: timedelta) -> str:
    """As 3 s, 2 min 5 s, 1 h 12 min or 3 d 4 h."""
    seconds = round(span.total_seconds())
    minutes, hours, days = seconds // 60, seconds // 3600, seconds // 86_400
    if days:
        return f"{days} d {hours % 24} h"
    if hours:
        return f"{hours} h {minutes % 60} min"
    return f"{minutes} min {seconds % 60} s" if minutes else f"{seconds} s"
