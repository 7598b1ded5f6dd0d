"""Secrets that the server itself needs again: its signing keys, the keys that partners gave us. Sealed in the database, so that a copy of it is not enough.

The seal is made from SECRET_KEY; those of SECRET_KEY_FALLBACKS still open, so that the secret can be changed.
Passwords and keys that others show us are hashed instead: nobody has to read them again.
"""

import base64
import hashlib

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings


class BrokenSealError(ValueError):
    """The text was sealed with a SECRET_KEY that is not among ours, or is damaged."""


def seal(secret: str) -> str:
    """The secret, unreadable without SECRET_KEY."""
    return _box().encrypt(secret.encode()).decode()


def unseal(sealed: str) -> str:
    """What was sealed; raises BrokenSealError."""
    try:
        return _box().decrypt(sealed.encode()).decode()
    except InvalidToken as error:
        raise BrokenSealError from error


def _box() -> MultiFernet:
    keys = (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)
    return MultiFernet([Fernet(base64.urlsafe_b64encode(hashlib.sha256(b"marketplace.core.sealing" + key.encode()).digest())) for key in keys])
