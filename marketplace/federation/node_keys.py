"""The keys with which this node signs its messages: made when the first is needed, replaced with overlap.

A replaced key goes on signing beside the new one, and stays published, for OVERLAP: a partner that has not looked at our
discovery since still verifies what comes, and has looked by then.
"""

import datetime
import logging
import uuid
from functools import lru_cache

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils import timezone

from marketplace.accounts.models import User
from marketplace.core import sealing

from . import signing
from .models import Node, NodeKey
from .rules import can_manage

logger = logging.getLogger(__name__)
OVERLAP = datetime.timedelta(days=7)


def public_keys() -> list[dict]:
    """What the discovery document publishes, the current key first: {"key": "whpk_…", "algorithm": "ed25519", "expires_at": RFC 3339 or None}."""
    return [
        {"key": key.public, "algorithm": "ed25519", "expires_at": key.ends_at and key.ends_at.astimezone(datetime.UTC).isoformat().replace("+00:00", "Z")}
        for key in _usable()
    ]


def signing_secrets() -> list[str]:
    """With what a message is signed now: one signature for each."""
    return [secret for key in _usable() if (secret := _opened(key.sealed))]


@transaction.atomic
def rotate(*, by: User | None) -> NodeKey:
    """A new key; the one of before signs beside it for OVERLAP. `by` None is the machine itself."""
    if by is not None and not can_manage(by):
        raise PermissionDenied
    _lock()
    NodeKey.objects.filter(ends_at=None).update(ends_at=timezone.now() + OVERLAP)
    key = _make()
    logger.info("signing key replaced by %s: %s", by.pk if by else "the machine", key.public)
    return key


def keys_of(discovery: dict) -> list[str]:
    """The public keys in a partner's discovery document, as texts or as objects like ours; what has another form is left out."""
    keys = discovery.get("webhook_public_keys") if isinstance(discovery, dict) else None
    texts = [entry.get("key") if isinstance(entry, dict) else entry for entry in keys] if isinstance(keys, list) else []
    return [text for text in texts if signing.is_public_key(text)]


def _usable() -> list[NodeKey]:
    """Those that sign now, at least one that opens: a key that was sealed with another SECRET_KEY is as good as none."""
    keys = list(NodeKey.objects.published())
    if any(key.ends_at is None and _opened(key.sealed) for key in keys):
        return keys
    with transaction.atomic():
        _lock()
        # Somebody else may have made it while we waited.
        keys = list(NodeKey.objects.published())
        if not any(key.ends_at is None and _opened(key.sealed) for key in keys):
            NodeKey.objects.filter(ends_at=None).update(ends_at=timezone.now() + OVERLAP)
            _make()
            keys = list(NodeKey.objects.published())
    return keys


def _make() -> NodeKey:
    secret = signing.new_secret()
    return NodeKey.objects.create(public=signing.public_key(secret), sealed=sealing.seal(secret))


def _lock() -> uuid.UUID:
    """One at a time: two processes that need the first key at once must not make two."""
    Node.own_uid()
    return Node.objects.select_for_update().get(pk=1).uid


def _opened(sealed: str) -> str:
    return _unsealed(sealed, settings.SECRET_KEY, tuple(settings.SECRET_KEY_FALLBACKS))


@lru_cache(maxsize=16)
def _unsealed(sealed: str, _secret_key: str, _fallbacks: tuple[str, ...]) -> str:
    """The private key, "" if it does not open. Kept: a round of messages needs it hundreds of times."""
    try:
        return sealing.unseal(sealed)
    except sealing.BrokenSealError:
        logger.error("A signing key does not open with this SECRET_KEY; a new one takes its place.")  # noqa: TRY400 - the trace says nothing more
        return ""
