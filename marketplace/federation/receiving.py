"""Messages from partners. None is believed: a genuine one only makes us look sooner at what we would look at anyway.

Who is not a partner learns nothing: an unknown node and a wrong signature are refused in the same words, after the same work.
"""

import datetime
import functools
import json
import uuid
from collections.abc import Callable, Mapping

from django.db import transaction
from django.utils import timezone

from . import node_keys, signing
from .deliveries import CHANGED
from .enums import PartnerState, ReaderKind
from .hooks import PING
from .interests import hints
from .models import Checkpoint, OutgoingInterest, Partner, ReceivedMessage, Subscription

MAX_BYTES = 64 * 2**10
LONGEST_TYPE, LONGEST_CHALLENGE = 40, 200


class RefusedError(Exception):
    """The message is not from a partner of ours, or not of now."""


class GoneError(Exception):
    """The message is genuine, but the partnership has ended: no more of them, please (410)."""


def receive(headers: Mapping[str, str], body: bytes, *, now: datetime.datetime | None = None) -> dict:
    """Check a message and take its hint; the answer's content. Raises RefusedError, GoneError.

    `body` is the raw one, of at most MAX_BYTES. The same message again is answered the same and does nothing.
    """
    told = _read(body)
    partner = Partner.objects.filter(node_uid=told["node"]).first() if told["node"] else None
    keys = node_keys.keys_of(partner.discovery) if partner else []
    try:
        # An unknown node costs us as much as a known one.
        message = signing.verify(headers, body, keys or [_nobody()], now or timezone.now())
    except signing.SignatureError as error:
        if error.code == "signature":
            _want_keys(partner)
        raise RefusedError(error.code) from error
    if partner is None or not keys:
        raise RefusedError("unknown")
    if partner.state == PartnerState.ENDED:
        raise GoneError
    if message.has_unknown:
        _want_keys(partner)
    _take(partner, message.id, told)
    if told["type"] == PING:
        return {"challenge": told["challenge"]}
    return {"status": "accepted"}


@functools.cache
def _nobody() -> str:
    """A public key whose private part is known to nobody."""
    return signing.public_key(signing.new_secret())


def _read(body: bytes) -> dict:
    """What of the body is looked at, each of the right type or None."""
    try:
        told = json.loads(body)
    except (ValueError, RecursionError):
        told = None
    told = told if isinstance(told, dict) else {}
    data = told.get("data") if isinstance(told.get("data"), dict) else {}
    return {
        "type": _text(told.get("type"), LONGEST_TYPE),
        "node": _uid(data.get("node")),
        "interest": _uid(data.get("interest")),
        "challenge": _text(data.get("challenge"), LONGEST_CHALLENGE),
    }


def _text(value: object, longest: int) -> str:
    return value if isinstance(value, str) and len(value) <= longest and value.isascii() and value.isprintable() else ""


def _uid(value: object) -> uuid.UUID | None:
    try:
        return uuid.UUID(value) if isinstance(value, str) else None
    except ValueError:
        return None


def _want_keys(partner: Partner | None) -> None:
    """Let the worker look whether the partner has a new key. Never here: who sends us nonsense must not make us call anybody."""
    Subscription.objects.filter(partner=partner, keys_wanted_at=None).update(keys_wanted_at=timezone.now())


@transaction.atomic
def _take(partner: Partner, message_id: str, told: dict) -> None:
    """Keep the id and take the hint, both or none; nothing if the id is kept already."""
    now = timezone.now()
    made = ReceivedMessage.objects.get_or_create(partner=partner, message_id=message_id, defaults={"type": told["type"], "at": now})[1]
    if not made:
        return
    Subscription.objects.filter(partner=partner).update(last_message_at=now)
    if effect := EFFECTS.get(told["type"]):
        effect(partner, told, now)


# --- What a hint does ---------------------------------------------------------------------------------------------------


def _look_at_feed(partner: Partner, _told: dict, now: datetime.datetime) -> None:
    if partner.state == PartnerState.ACTIVE and partner.reader == ReaderKind.PROTOCOL:
        Checkpoint.objects.filter(partner=partner, next_at__gt=now).update(next_at=now)


def _look_at_interest(partner: Partner, told: dict, now: datetime.datetime) -> None:
    OutgoingInterest.objects.filter(partner=partner, uid=told["interest"], next_attempt_at__gt=now).update(next_attempt_at=now)


def _confirm(partner: Partner, _told: dict, now: datetime.datetime) -> None:
    Subscription.objects.filter(partner=partner).update(confirmed_at=now, error="")


EFFECTS: dict[str, Callable[[Partner, dict, datetime.datetime], None]] = {CHANGED: _look_at_feed, hints.TYPE: _look_at_interest, PING: _confirm}
