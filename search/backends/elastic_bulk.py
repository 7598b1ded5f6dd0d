"""Sends documents to Elasticsearch, the next part analysed while the server takes the one before: on two cores that takes the time of the slower one."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from elasticsearch import Elasticsearch

from search.documents import Write

from . import elastic_bodies as bodies

#: Documents of a part: few enough that the server does not wait long for the first, enough for its threads to be worth a request.
PART = 250

#: A part ends before that many bytes and one more document: the server takes no more than 100 MB at once.
PART_BYTES = 5_000_000


def send(client: Elasticsearch, index: str, writes: Sequence[Write], *, force: bool, require_alias: bool) -> Iterator[dict[str, Any]]:
    """What Elasticsearch says of each write: `_id`, `status`, and `error` where it refused. All that it took is visible at the end."""

    def ask(lines: list[bytes], *, refresh: bool) -> list[dict[str, Any]]:
        answer = client.bulk(index=index, operations=lines, require_alias=require_alias, refresh=refresh, filter_path=_TOLD)
        return [item["index"] for item in answer["items"]]

    with ThreadPoolExecutor(1) as courier:
        under_way = None
        for lines, is_last in _parts(client, writes, "external_gte" if force else "external"):
            answered = under_way.result() if under_way else ()
            under_way = courier.submit(ask, lines, refresh=is_last)
            yield from answered
        if under_way:
            yield from under_way.result()


#: The rest of the answer is longer than all of these, and nobody reads it.
_TOLD = ("items.*._id", "items.*.status", "items.*.error")


def _parts(client: Elasticsearch, writes: Sequence[Write], version_type: str) -> Iterator[tuple[list[bytes], bool]]:
    """The writes as lines of bulk requests, each with whether it is the last."""
    dumps = client.transport.serializers.get_serializer("application/json").dumps
    lines: list[bytes] = []
    size = 0
    for number, write in enumerate(writes, 1):
        head = {"index": {"_id": write.uid, "version": write.version, "version_type": version_type}}
        lines += dumps(head), dumps(bodies.indexed(write))
        size += len(lines[-1])
        is_last = number == len(writes)
        if is_last or len(lines) >= 2 * PART or size >= PART_BYTES:
            yield lines, is_last
            lines, size = [], 0
