"""Sends documents to Elasticsearch, the next part made while the server takes the one before: on two cores that takes the time of the slower one."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from search.documents import Write

from . import elastic_bodies as bodies

#: Documents of a part: few enough that the server does not wait long for the first, enough for its threads to be worth a request.
PART = 500

#: A part ends before that many bytes and one more document: the server takes no more than 100 MB at once.
PART_BYTES = 5_000_000

Lines = list[bytes]
"""A bulk request's: of each write the action, then the body."""

Answers = list[dict[str, Any]]
"""What Elasticsearch says of each write of a part: `_id`, `status`, and `error` where it refused."""


def send(writes: Iterable[Write], ask: Callable[[Lines, bool], Answers], *, dumps: Callable[[Any], bytes], force: bool) -> Iterator[Answers]:
    """The answers, part by part. `ask` sends one, from a thread of its own, and is told which is the last: with that all shall become visible.

    One is under way while the next is made. A second thread that makes bodies too is slower: then both wait for each other whenever one of them has
    heard from a server.
    """
    with ThreadPoolExecutor(1) as courier:
        under_way = None
        for lines, is_last in _parts(writes, dumps, "external_gte" if force else "external"):
            answered = under_way.result() if under_way else []
            under_way = courier.submit(ask, lines, is_last)
            yield answered
        if under_way:
            yield under_way.result()


def _parts(writes: Iterable[Write], dumps: Callable[[Any], bytes], version_type: str) -> Iterator[tuple[Lines, bool]]:
    """The writes as lines, each part with whether it is the last."""
    lines: Lines = []
    size = 0
    for write in writes:
        if len(lines) >= 2 * PART or size >= PART_BYTES:
            yield lines, False
            lines, size = [], 0
        head = {"index": {"_id": write.uid, "version": write.version, "version_type": version_type}}
        lines += dumps(head), dumps(bodies.indexed(write))
        size += len(lines[-1])
    if lines:
        yield lines, True
