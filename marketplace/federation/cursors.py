"""Where a reader of our feed is: opaque to it, and worthless when it would make it miss something.

A cursor belongs to a partner and to what this partner is given, to a node and to its database's history. When one of these is
another, or when tombstones behind it were thrown away, it has expired, and the reader begins anew with the snapshot.
"""

import base64
import binascii
import hashlib
import json
import uuid
from dataclasses import dataclass

from django.conf import settings
from django.db import ProgrammingError, connection
from django.http import HttpRequest
from django.utils.translation import gettext as _

from marketplace.rest.problems import Problem

from .models import FeedEntry, FeedLog, Node, Partner
from .models.feed import BEGINNING, Position

SNAPSHOT_PATH = "/api/federation/v1/snapshot"
LONGEST = 400
LARGEST = 2**63 - 1
_PARTS = 7
# One row. The server's id and the timeline tell of a database that was put back from a backup or taken over by a standby that lacked
# the last transactions; the table's number tells of a dump that was read in again.
_HISTORY = """SELECT (pg_control_system()).system_identifier, (pg_control_checkpoint()).timeline_id, to_regclass(%s)::oid::bigint"""


class CursorExpired(Problem):
    """410, with the address of the snapshot."""

    def __init__(self, detail: str) -> None:
        super().__init__("cursor-expired", detail, headers={"Link": f'<{settings.SITE_URL}{SNAPSHOT_PATH}>; rel="snapshot"'})

    def as_dict(self, instance: str = "") -> dict[str, object]:
        """With the pointer as a member too, as RFC 9457 allows."""
        return super().as_dict(instance) | {"snapshot": settings.SITE_URL + SNAPSHOT_PATH}


@dataclass(frozen=True, slots=True)
class Log:
    """What a request has to know of the log: whose history it is, and up to where tombstones are gone."""

    epoch: str
    pruned: Position

    @classmethod
    def now(cls) -> "Log":
        """As it is at this moment."""
        log = FeedLog.current()
        told = f"{Node.own_uid()} {log.renumbered} {_history()}"
        return cls(hashlib.sha256(told.encode()).hexdigest()[:16], log.pruned)


@dataclass(frozen=True, slots=True)
class Cursor:
    """A place in the log, as a partner has it. `began`: up to where tombstones were gone already when the reader began; those it never needed."""

    position: Position
    began: Position
    partner: int
    gives: int
    epoch: str

    @classmethod
    def at(cls, position: Position, partner: Partner, log: Log) -> "Cursor":
        """For a reader that begins here."""
        return cls(position, log.pruned, partner.pk, partner.gives_version, log.epoch)

    def moved(self, position: Position) -> "Cursor":
        """The same reader, further on."""
        return Cursor(position, self.began, self.partner, self.gives, self.epoch)

    def __str__(self) -> str:
        parts = [self.epoch, self.partner, self.gives, *self.position, *self.began]
        return base64.urlsafe_b64encode(json.dumps(parts, separators=(",", ":")).encode()).decode().rstrip("=")


def asked(request: HttpRequest) -> Cursor | None:
    """The cursor of a request, None where it has none; raises the Problem invalid-cursor. Whether it is still of use is `valid`'s to say."""
    text = request.GET.get("cursor", "")
    return parse(text) if text else None


def valid(cursor: Cursor | None, partner: Partner) -> Cursor:
    """The cursor, or that of a reader that begins. Raises the Problem cursor-expired (410) for one that is of no use any more."""
    log = Log.now()
    if cursor is None:
        return Cursor.at(BEGINNING, partner, log)
    check(cursor, partner, log)
    return cursor


def check(cursor: Cursor, partner: Partner, log: Log) -> None:
    """Raise the Problem cursor-expired (410) for a cursor that is of no use any more."""
    if (cursor.epoch, cursor.partner) != (log.epoch, partner.pk):
        raise CursorExpired(_("This cursor comes from another reader, another node, or from before our database was restored. Read the snapshot."))
    if cursor.gives != partner.gives_version:
        raise CursorExpired(_("What you are given has changed since. Read the snapshot."))
    if max(cursor.position, cursor.began) < log.pruned:
        raise CursorExpired(
            _("The cursor is older than %(days)d days: you would miss what is gone. Read the snapshot.") % {"days": settings.FEDERATION_TOMBSTONE_DAYS}
        )
    if cursor.position > max(FeedEntry.objects.last_position(), log.pruned):
        # SQLite, which tells nothing of its history.
        raise CursorExpired(_("This cursor is ahead of our log, which was restored from a backup. Read the snapshot."))


def parse(text: str) -> Cursor:
    """What a cursor says; raises the Problem invalid-cursor."""
    try:
        parts = json.loads(unpack(text))
        if not isinstance(parts, list) or len(parts) != _PARTS:
            raise _broken()
        epoch, *numbers = parts
        if not isinstance(epoch, str) or not all(type(number) is int and 0 <= number <= LARGEST for number in numbers):
            raise _broken()
    except (ValueError, RecursionError) as error:
        raise _broken() from error
    partner, gives, *places = numbers
    return Cursor((places[0], places[1]), (places[2], places[3]), partner, gives, epoch)


def unpack(text: str) -> bytes:
    """The bytes of an opaque text of ours; raises the Problem invalid-cursor."""
    if len(text) > LONGEST or not text.isascii():
        raise _broken()
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as error:
        raise _broken() from error


@dataclass(frozen=True, slots=True)
class After:
    """Where a reader is in the pages of a snapshot: behind which listing, and the cursor that goes with the whole."""

    as_of: str
    uid: uuid.UUID

    def __str__(self) -> str:
        return f"{self.as_of}.{base64.urlsafe_b64encode(self.uid.bytes).decode().rstrip('=')}"

    @classmethod
    def parse(cls, text: str) -> "After":
        """As it was given; raises the Problem invalid-cursor."""
        as_of, _point, behind = text.partition(".")
        packed = unpack(behind)
        if len(packed) != 16:  # noqa: PLR2004 - a UUID's bytes
            raise _broken()
        return cls(as_of, uuid.UUID(bytes=packed))


def _broken() -> Problem:
    return Problem("invalid-cursor")


def _history() -> str:
    """Changes when the database is another one than before; nothing on SQLite, which has no such number."""
    if connection.vendor != "postgresql":
        return ""
    try:
        with connection.cursor() as cursor:
            cursor.execute(_HISTORY, [FeedEntry._meta.db_table])  # noqa: SLF001 - the documented way
            return " ".join(map(str, cursor.fetchone()))
    except ProgrammingError:
        # A server that tells its users nothing of itself.
        return ""
