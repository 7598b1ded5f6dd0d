"""Reads a marketplace that speaks the federation's own protocol: the changes behind our cursor, or the snapshot where we have none.

The checkpoint is {} (from the beginning), {"after": place in the snapshot, "as_of": cursor, "seen": count} or {"cursor": cursor}.
"""

from collections.abc import Iterator, Mapping

from django.utils import translation
from django.utils.translation import gettext as _

from marketplace.core.outgoing import Call
from marketplace.federation.client import MAX_BYTES, USUAL_LIMIT, Client, Response
from marketplace.federation.items import Batch, Fetch, HarvestError
from marketplace.federation.models import Partner

TYPES = ("application/json", "application/x-ndjson", "application/ld+json")
ERROR_TYPES = ("application/problem+json", "application/json")
#: For one page. Longer than other requests: pages are large, and the other side may be a small machine.
SECONDS = 30.0


def client_of(partner: Partner, fetch: Fetch) -> Client:
    """The client that asks through `fetch`, which adds the key."""

    def ask(method: str, url: str, headers: Mapping[str, str], body: bytes | None) -> Response:
        call = Call(method=method, headers=headers, content=body, types=TYPES, error_types=ERROR_TYPES, max_bytes=MAX_BYTES, seconds=SECONDS)
        answer = fetch(url, call)
        return Response(answer.status, answer.headers, answer.body)

    return Client(partner.base_url, language=translation.get_language() or "en", fetch=ask)


class ProtocolReader:
    """See items.Reader."""

    def batches(self, partner: Partner, checkpoint: dict, *, fetch: Fetch) -> Iterator[Batch]:
        """The rest of a snapshot that was begun, a snapshot, or the changes."""
        client, limit = client_of(partner, fetch), _limit(partner)
        if cursor := checkpoint.get("cursor"):
            yield from self._changes(client, cursor, limit)
        else:
            yield from self._snapshot(client, checkpoint, limit)

    def _changes(self, client: Client, cursor: str, limit: int) -> Iterator[Batch]:
        while True:
            page = client.changes(cursor, limit)
            cursor = page.cursor
            yield Batch(items=page.items, faults=page.faults, checkpoint={"cursor": cursor}, is_last=not page.more, lag=None if page.more else 0)
            if not page.more:
                return

    def _snapshot(self, client: Client, checkpoint: dict, limit: int) -> Iterator[Batch]:
        after, as_of, seen = checkpoint.get("after", ""), checkpoint.get("as_of", ""), checkpoint.get("seen", 0)
        while True:
            page = client.snapshot(after, limit)
            # Of the first page: what changed since then stands in the log behind it.
            as_of, after, seen = as_of or page.as_of, page.after, seen + len(page.items) + len(page.faults)
            if page.total is not None and seen > 2 * page.total + MOST_SURPLUS:
                raise HarvestError("endless", _("The snapshot goes on without end: it has more items than it says."))
            is_last = not after
            lag = None if page.total is None else max(0, page.total - seen)
            following = {"cursor": as_of} if is_last else {"after": after, "as_of": as_of, "seen": seen}
            yield Batch(items=page.items, faults=page.faults, checkpoint=following, is_snapshot=True, is_last=is_last, total=page.total, lag=lag)
            if is_last:
                return


#: New listings while the snapshot is read.
MOST_SURPLUS = 10_000


def _limit(partner: Partner) -> int:
    limit = partner.reader_options.get("limit")
    return limit if type(limit) is int and 1 <= limit <= 1000 else USUAL_LIMIT  # noqa: PLR2004 - the protocol's most
