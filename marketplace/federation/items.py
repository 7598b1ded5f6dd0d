"""What a reader gives the harvester, whatever the partner has: items, those that are no good, and where to go on from.

No Django here: the client that partners can use builds on it.
"""

import datetime
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:
    from marketplace.core.outgoing import Answer, Call

    from .models import Partner

UPSERT: Literal["upsert"] = "upsert"
TOMBSTONE: Literal["tombstone"] = "tombstone"


class HarvestError(Exception):
    """The partner cannot be read now: the whole visit ends, its checkpoint stays, it is tried again later.

    `code` is short and stable, `message` for the person who looks after the partner; `retry_after` is in seconds, where the partner
    said it.
    """

    def __init__(self, code: str, message: str, *, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.code, self.message, self.retry_after = code, message, retry_after


class CursorExpired(HarvestError):  # noqa: N818 - it is a turn of the way rather than an error: the snapshot follows
    """The partner does not know our cursor any more (410): read everything anew."""

    def __init__(self, message: str = "The cursor has expired; everything is read anew.") -> None:
        super().__init__("cursor-expired", message)


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One listing as it is now at its origin (`upsert`), or that it is gone (`tombstone`).

    `version` 0: the source has none, then the digest says whether it changed. `digest` is "sha-256:<hex>" of the listing's
    canonical JSON (RFC 8785), as the origin tells it or as the reader computed it; "" for a tombstone. `listing` is the
    JSON-LD of the federation; what the source does not know is absent. `reason` is that of a tombstone.
    """

    op: Literal["upsert", "tombstone"]
    uri: str
    version: int = 0
    updated_at: datetime.datetime | None = None
    expires_at: datetime.datetime | None = None
    digest: str = ""
    listing: dict | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """An item that is no good, to be quarantined; the rest goes on. `raw` is its text, as much of it as helps a person."""

    uri: str
    code: str
    message: str
    raw: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Some items, written in one transaction with the checkpoint behind them.

    `checkpoint` is JSON: handed to the reader again, it goes on AFTER this batch. `is_snapshot`: part of everything that is
    live, so what is not seen by the last batch (`is_last`) of the same snapshot is gone. `total`: how many items the whole run
    has; `lag`: how many changes are still to come. None where the partner does not say.
    """

    items: list[Item] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    checkpoint: dict = field(default_factory=dict)
    is_snapshot: bool = False
    is_last: bool = False
    total: int | None = None
    lag: int | None = None


Fetch = Callable[[str, "Call"], "Answer"]


class Reader(Protocol):
    """Reads one kind of source. Readers have no state: what they must remember stands in the checkpoint."""

    def batches(self, partner: "Partner", checkpoint: dict, *, fetch: Fetch) -> Iterator[Batch]:
        """Batch after batch from behind `checkpoint` ({} the first time) to what is the end now; at least one, which `is_last`.

        `fetch` raises core.addresses.AddressError. Raises HarvestError when the source cannot be read, CursorExpired when
        it has to begin anew (the harvester calls again with {}). Nothing is read ahead: the request for the next batch is made when it is asked for.
        """
