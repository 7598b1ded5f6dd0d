"""The state as Prometheus reads it. Every figure comes from the database or a server, so it is the same whichever process answers.

What only one process knows is left out, but for the workers' breakers, which their signs of life tell, by process.
"""

from collections.abc import Iterable, Iterator

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from search.status import Build, Engine

from .judging import judged
from .state import Outbox, State

PREFIX = "marketplace"


def exposition(state: State) -> bytes:
    """The text exposition format (prometheus_client.CONTENT_TYPE_PLAIN_0_0_4)."""
    registry = CollectorRegistry()
    registry.register(_Collected(state))
    return generate_latest(registry)


class _Collected:
    """A state, as the library asks for it."""

    def __init__(self, state: State) -> None:
        self._state = state

    def collect(self) -> Iterator[Metric]:
        """Every metric."""
        state = self._state
        yield _gauge("part_level", "How a part does: 0 well, 1 needs a look, 2 needs help now.", ["part"], (([p.key], p.level) for p in judged(state)))
        yield from _readers(state)
        yield from _engines(state.index.engines)
        yield from _index(state.index.engines)
        yield from _workers(state)
        yield from _outbox("mails", "mails", state.mails)
        yield from _outbox("partner_messages", "messages to partners", state.messages)
        yield from _partners(state)
        yield _gauge("migrations_unapplied", "Migrations of this release that the database has not had.", [], [([], len(state.unapplied))])


Samples = Iterable[tuple[list[str], float]]


def _gauge(name: str, documentation: str, labels: list[str], samples: Samples) -> Metric:
    metric = GaugeMetricFamily(f"{PREFIX}_{name}", documentation, labels=labels)
    for values, value in samples:
        metric.add_metric(values, value)
    return metric


def _counter(name: str, documentation: str, labels: list[str], samples: Samples) -> Metric:
    metric = CounterMetricFamily(f"{PREFIX}_{name}", documentation, labels=labels)
    for values, value in samples:
        metric.add_metric(values, value)
    return metric


def _readers(state: State) -> Iterator[Metric]:
    lags = state.index.readers
    yield _gauge("reader_lag_changes", "Changes that a reader of the change log has still to see.", ["reader"], (([one.reader], one.changes) for one in lags))
    yield _gauge("reader_lag_seconds", "Age of the oldest change that a reader has still to see.", ["reader"], (([one.reader], one.seconds) for one in lags))
    handled = (([one.reader], one.handled.timestamp()) for one in lags)
    yield _gauge("reader_last_batch_timestamp_seconds", "When a reader last handled a batch; an idle one has no need to.", ["reader"], handled)
    held = (([one.reader], one.is_held_back) for one in lags)
    yield _gauge("reader_held_back", "1 if a transaction that is still open keeps a reader from reading on.", ["reader"], held)


def _engines(engines: list[Engine]) -> Iterator[Metric]:
    yield _gauge("engine_up", "1 if a search engine answers and has an index.", ["engine"], (([one.engine], one.answers) for one in engines))
    yield _gauge(
        "engine_chosen", "1 if searches use this engine, 0 if it stands in for another.", ["engine"], (([one.engine], one.is_chosen) for one in engines)
    )
    counted = (([one.engine], one.documents) for one in engines if one.documents is not None)
    yield _gauge("engine_documents", "Live documents in the index of an engine.", ["engine"], counted)
    clusters = [one for one in engines if one.colour]
    colours = (([one.engine, colour], one.colour == colour) for one in clusters for colour in ("green", "yellow", "red"))
    yield _gauge("engine_cluster_status", "1 for the colour that the index's cluster has.", ["engine", "colour"], colours)
    yield _gauge("engine_nodes", "Nodes of the cluster.", ["engine"], (([one.engine], one.nodes) for one in clusters))
    unassigned = (([one.engine], one.unassigned_shards) for one in clusters)
    yield _gauge("engine_unassigned_shards", "Parts of the index that have no node.", ["engine"], unassigned)


def _index(engines: list[Engine]) -> Iterator[Metric]:
    built = [(one.engine, one.built) for one in engines if one.built]
    ended = (([name], build.finished.timestamp()) for name, build in built)
    yield _gauge("index_build_timestamp_seconds", "When the last rebuild of an index that succeeded ended.", ["engine"], ended)
    took = (([name], (build.finished - build.started).total_seconds()) for name, build in built)
    yield _gauge("index_build_duration_seconds", "How long the last rebuild that succeeded took.", ["engine"], took)
    yield _gauge(
        "index_build_running", "1 while a rebuild runs.", ["engine"], (([one.engine], bool(one.building and one.building.is_running)) for one in engines)
    )
    yield _gauge(
        "index_build_failed", "1 if the last rebuild failed or was killed.", ["engine"], (([one.engine], _has_failed(one.building, one)) for one in engines)
    )
    checked = [(one.engine, one.checked) for one in engines if one.checked]
    compared = (([name], check.finished.timestamp()) for name, check in checked)
    yield _gauge("index_check_timestamp_seconds", "When an index was last compared with the database.", ["engine"], compared)
    kinds = ("missing", "extra", "stale", "without_vectors")
    drift = (([name, kind], 0 if check.repaired else getattr(check, kind)) for name, check in checked for kind in kinds)
    yield _gauge("index_drift_documents", "Documents that the last comparison found to differ and that were not repaired with it.", ["engine", "kind"], drift)


def _has_failed(build: Build | None, engine: Engine) -> bool:
    return bool(build and not build.is_running and (engine.built is None or build.started > engine.built.started))


def _workers(state: State) -> Iterator[Metric]:
    workers = state.index.workers
    labels = ["host", "pid", "part"]

    def told(one: object) -> list[str]:
        return [one.host, str(one.pid), one.part]

    yield _gauge(
        "worker_processes", "Worker processes that gave a sign of life within the last minute.", [], [([], len({w.process for w in workers if w.is_alive}))]
    )
    yield _gauge("worker_up", "1 if a part of a worker gave a sign of life within the last minute.", labels, ((told(one), one.is_alive) for one in workers))
    yield _gauge("worker_stuck", "1 if a part of a worker hangs in a step.", labels, ((told(one), one.is_stuck) for one in workers))
    silent = ((told(one), one.silent_seconds) for one in workers)
    yield _gauge("worker_silence_seconds", "Time since the last sign of life of a part of a worker.", labels, silent)
    step = ((told(one), one.doing_seconds) for one in workers)
    yield _gauge("worker_step_seconds", "How long a part of a worker has been in its present step; 0 while it rests.", labels, step)
    yield _counter("worker_rounds", "Rounds that a part of a worker has done.", labels, ((told(one), one.rounds) for one in workers))
    yield _counter("worker_failed_rounds", "Rounds that failed.", labels, ((told(one), one.failed) for one in workers))
    opened = {(engine, one.host, str(one.pid)): state_ != "closed" for one in workers if one.is_alive for engine, state_ in one.breakers.items()}
    yield _gauge(
        "worker_breaker_open",
        "1 if a worker's breaker keeps it from asking a search server.",
        ["engine", "host", "pid"],
        ((list(k), v) for k, v in opened.items()),
    )


def _outbox(name: str, what: str, outbox: Outbox) -> Iterator[Metric]:
    yield _gauge(f"{name}_waiting", f"How many {what} wait to be sent.", [], [([], outbox.waiting)])
    yield _gauge(f"{name}_failing", f"How many {what} were tried in vain and are tried again.", [], [([], outbox.failing)])
    yield _gauge(f"{name}_oldest_seconds", f"Age of the oldest of the {what} that wait.", [], [([], outbox.oldest_seconds)])
    yield _gauge(f"{name}_overdue_seconds", f"For how long the {what} that are due have been left lying.", [], [([], outbox.overdue_seconds)])


def _partners(state: State) -> Iterator[Metric]:
    partners = state.partners
    yield _gauge("partner_well", "0 if a partner is late, fails or waits for a decision.", ["partner"], (([one.name], not one.is_bad) for one in partners))
    yield _gauge("partner_failures", "Visits to a partner that failed one after the other.", ["partner"], (([one.name], one.failures) for one in partners))
    behind = (([one.name], one.lag) for one in partners if one.lag is not None)
    yield _gauge("partner_lag_changes", "Changes of a partner that we have still to read.", ["partner"], behind)
    visited = (([one.name], one.visited.timestamp()) for one in partners if one.visited)
    yield _gauge("partner_visit_timestamp_seconds", "When a partner was last read to the end.", ["partner"], visited)
    failing = (([one.name], one.hook_failing_since is not None) for one in partners)
    yield _gauge("partner_hook_failing", "1 while our messages do not reach a partner.", ["partner"], failing)
