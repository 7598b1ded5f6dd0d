"""Signatures of messages between marketplaces: Standard Webhooks 1.0, asymmetric (v1a, Ed25519). Pure functions, no Django.

Signed is "<id>.<timestamp>.<raw body>": the bytes that came over the line, never JSON that was read and written again. A message
may carry several signatures, separated by spaces, so that the sender can change its key while the receiver still knows the old one.

Strict where a laxer reader would take two spellings for one: an id without dots (they part the three), a timestamp of plain
digits, base64 in its one canonical form.
"""

import base64
import binascii
import datetime
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

ID, TIMESTAMP, SIGNATURE = "webhook-id", "webhook-timestamp", "webhook-signature"
SECRET_PREFIX, PUBLIC_PREFIX, VERSION = "whsk_", "whpk_", "v1a,"
#: How far the sender's clock and ours may be apart, to either side.
TOLERANCE = datetime.timedelta(minutes=5)
KEY_BYTES, SIGNATURE_BYTES = 32, 64
#: More keys or signatures than this are not looked at: each pair costs a computation.
MOST_KEYS = MOST_SIGNATURES = 8
MESSAGE_ID = re.compile(r"[A-Za-z0-9_:~-]{1,100}", re.ASCII)
SECONDS = re.compile(r"[1-9][0-9]{0,10}", re.ASCII)


class SignatureError(Exception):
    """The message is not from whom it says, or not of now. `code`: headers, clock, signature."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class Verified:
    """A message that is what it says. `has_unknown`: some of its signatures is of none of the keys, so the sender may have a new one."""

    id: str
    sent_at: datetime.datetime
    has_unknown: bool


def new_secret() -> str:
    """A private key: "whsk_" and the base64 of its 32 bytes."""
    return SECRET_PREFIX + base64.b64encode(Ed25519PrivateKey.generate().private_bytes_raw()).decode()


def public_key(secret: str) -> str:
    """What others verify with: "whpk_" and the base64 of 32 bytes. Raises ValueError if `secret` is none."""
    return PUBLIC_PREFIX + base64.b64encode(_private(secret).public_key().public_bytes_raw()).decode()


def is_public_key(text: object) -> bool:
    """Whether others can verify with it."""
    return isinstance(text, str) and _bytes(text, PUBLIC_PREFIX, KEY_BYTES) is not None


def sign(message_id: str, moment: datetime.datetime, body: bytes, secrets: Iterable[str]) -> dict[str, str]:
    """The three headers of a message sent at `moment`, with one signature for each of `secrets`. Raises ValueError for an id that cannot be signed."""
    if not MESSAGE_ID.fullmatch(message_id):
        raise ValueError(message_id)
    seconds = str(int(moment.timestamp()))
    content = _content(message_id, seconds, body)
    signatures = [VERSION + base64.b64encode(_private(secret).sign(content)).decode() for secret in secrets]
    return {ID: message_id, TIMESTAMP: seconds, SIGNATURE: " ".join(signatures)}


def verify(headers: Mapping[str, str], body: bytes, public_keys: Iterable[str], now: datetime.datetime) -> Verified:
    """The message, if one of its signatures is of one of the keys and it was sent within TOLERANCE of `now`; raises SignatureError.

    `headers` may have their names in any case. The clock is looked at after the signature: what it says is believed only then.
    """
    named = {name.lower(): value for name, value in headers.items()}
    message_id, seconds, signatures = (named.get(name, "") for name in (ID, TIMESTAMP, SIGNATURE))
    if not MESSAGE_ID.fullmatch(message_id) or not SECONDS.fullmatch(seconds) or not signatures:
        raise SignatureError("headers", f"{ID}, {TIMESTAMP} or {SIGNATURE} is missing or malformed.")
    given = [signature for text in signatures.split(" ")[:MOST_SIGNATURES] if (signature := _bytes(text, VERSION, SIGNATURE_BYTES))]
    keys = [Ed25519PublicKey.from_public_bytes(key) for text in list(public_keys)[:MOST_KEYS] if (key := _bytes(text, PUBLIC_PREFIX, KEY_BYTES))]
    content = _content(message_id, seconds, body)
    known = sum(any(_is_of(key, signature, content) for key in keys) for signature in given)
    if not known:
        raise SignatureError("signature", "None of the signatures is of a key of the sender.")
    if abs(now.timestamp() - int(seconds)) > TOLERANCE.total_seconds():
        raise SignatureError("clock", "The message is too old, or from a clock that is wrong.")
    return Verified(message_id, datetime.datetime.fromtimestamp(int(seconds), datetime.UTC), known < len(given))


def _content(message_id: str, seconds: str, body: bytes) -> bytes:
    return f"{message_id}.{seconds}.".encode() + body


def _is_of(key: Ed25519PublicKey, signature: bytes, content: bytes) -> bool:
    try:
        key.verify(signature, content)
    except InvalidSignature:
        return False
    return True


def _private(secret: str) -> Ed25519PrivateKey:
    seed = _bytes(secret, SECRET_PREFIX, KEY_BYTES)
    if seed is None:
        message = "no private key of Standard Webhooks"
        raise ValueError(message)
    return Ed25519PrivateKey.from_private_bytes(seed)


def _bytes(text: str, prefix: str, length: int) -> bytes | None:
    """What stands behind the prefix in canonical base64; None for anything else. The last letter has bits that say nothing: they have to be 0."""
    encoded = text.removeprefix(prefix)
    if len(text) != len(prefix) + len(encoded) or not text.startswith(prefix):
        return None
    try:
        value = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        return None
    return value if len(value) == length and base64.b64encode(value).decode() == encoded else None
