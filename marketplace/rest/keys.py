"""Keys: made, replaced, revoked. A secret is shown once; of it only the digest is kept.

A secret is `mpk_` + 11 characters (with them the `prefix`, by which the row is found) + `_` + 43 characters + 6 of checksum, all base62. The
43 hold 256 random bits, so a fast hash (SHA-256) is as good as a slow one: there is nothing to guess. Fixed beginning and checksum let secret
scanners recognise a key in a repository, and let us refuse most rubbish without asking the database.
"""

import hashlib
import logging
import re
import secrets
import string
import zlib
from collections.abc import Sequence
from datetime import datetime, timedelta

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from marketplace.accounts.models import User

from .models import ApiClient, ApiKey, Scope

logger = logging.getLogger(__name__)

BEGINNING = "mpk_"
HANDLE, RANDOM, CHECKSUM = 11, 43, 6
LENGTH = len(BEGINNING) + HANDLE + 1 + RANDOM + CHECKSUM
ALPHABET = string.digits + string.ascii_uppercase + string.ascii_lowercase
_SHAPE = re.compile(rf"({BEGINNING}[0-9A-Za-z]{{{HANDLE}}})_[0-9A-Za-z]{{{RANDOM + CHECKSUM}}}")
#: Usable keys of one client: who needs more has forgotten to revoke.
MOST_KEYS = 20
LONGEST_OVERLAP = timedelta(days=90)


@transaction.atomic
def issue(client: ApiClient, *, name: str, scopes: Sequence[str], expires_at: datetime | None, by: User | None) -> tuple[ApiKey, str]:
    """Make a key; returns it and its secret, which nobody can find out later. Raises ValidationError by field."""
    client = ApiClient.objects.select_for_update().get(pk=client.pk)
    if client.keys.usable().count() >= MOST_KEYS:
        raise ValidationError(_("There are %(n)d keys in use already. Revoke one that nobody needs any more.") % {"n": MOST_KEYS}, code="too_many")
    return _made(client, name=name, scopes=scopes, expires_at=expires_at, by=by)


def _made(client: ApiClient, *, name: str, scopes: Sequence[str], expires_at: datetime | None, by: User | None) -> tuple[ApiKey, str]:
    secret = _new_secret()
    key = ApiKey(
        client=client,
        name=" ".join(name.split()),
        prefix=prefix_of(secret),
        digest=digest(secret),
        scopes=sorted(set(scopes)),
        made_by=by,
        expires_at=expires_at,
    )
    _check(key)
    key.save()
    logger.info("API key %s of client %s was issued", key.prefix, client.uid)
    return key, secret


@transaction.atomic
def rotate(key: ApiKey, *, overlap: timedelta, by: User | None) -> tuple[ApiKey, str]:
    """Make the key that takes this one's place: same name, scopes and length of life. This one still works for `overlap`, not beyond its own end."""
    ApiClient.objects.select_for_update().get(pk=key.client_id)
    key = ApiKey.objects.select_for_update().select_related("client").get(pk=key.pk)
    if not key.is_usable:
        raise ValidationError(_("This key has expired or was revoked. Make a new one."), code="unusable")
    if key.replaced_by_id:
        raise ValidationError(_("This key has been replaced already."), code="replaced")
    if not timedelta(0) <= overlap <= LONGEST_OVERLAP:
        raise ValidationError(_("The old key can go on working for %(n)d days at most.") % {"n": LONGEST_OVERLAP.days}, code="overlap")
    now = timezone.now()
    key.expires_at, lifetime = _earlier(key.expires_at, now + overlap), key.expires_at and key.expires_at - key.created
    key.save(update_fields=["expires_at", "modified"])
    # Past the limit of keys: who has reached it must be able to replace one all the same.
    successor, secret = _made(key.client, name=key.name, scopes=key.scopes, expires_at=lifetime and now + lifetime, by=by)
    key.replaced_by = successor
    key.save(update_fields=["replaced_by", "modified"])
    return successor, secret


@transaction.atomic
def revoke(key: ApiKey, *, by: User | None) -> ApiKey:
    """End a key at once, in every process: each request looks it up. Twice is once."""
    key = ApiKey.objects.select_for_update().get(pk=key.pk)
    if key.revoked_at is None:
        key.revoked_at = timezone.now()
        key.save(update_fields=["revoked_at", "modified"])
        logger.info("API key %s was revoked", key.prefix)
    return key


def revoke_all(keys) -> int:
    """End all of a queryset's keys that are not ended yet; how many."""
    return keys.filter(revoked_at=None).update(revoked_at=timezone.now(), modified=timezone.now())


def prefix_of(secret: str) -> str | None:
    """The part that is no secret; None where the text is no key of ours (its shape or its checksum is wrong)."""
    found = _SHAPE.fullmatch(secret)
    return found[1] if found and secret[-CHECKSUM:] == _checksum(secret[:-CHECKSUM]) else None


def digest(secret: str) -> str:
    """What is kept of a secret."""
    return hashlib.sha256(secret.encode()).hexdigest()


def is_secret_of(secret: str, key: ApiKey) -> bool:
    """Whether `secret` is this key's, in a time that tells nothing about how much of it is right."""
    return secrets.compare_digest(digest(secret), key.digest)


def _new_secret() -> str:
    body = f"{BEGINNING}{_base62(secrets.randbits(65), HANDLE)}_{_base62(secrets.randbits(256), RANDOM)}"
    return body + _checksum(body)


def _checksum(body: str) -> str:
    return _base62(zlib.crc32(body.encode()), CHECKSUM)


def _base62(number: int, length: int) -> str:
    letters = []
    for _place in range(length):
        number, letter = divmod(number, len(ALPHABET))
        letters.append(ALPHABET[letter])
    return "".join(reversed(letters))


def _check(key: ApiKey) -> None:
    if not key.scopes:
        raise ValidationError({"scopes": ValidationError(_("Choose at least one thing that the key may do."), code="required")})
    if unknown := set(key.scopes) - set(Scope.values):
        message = _("“%(scope)s” is not a scope. There are: %(scopes)s.") % {"scope": min(unknown), "scopes": ", ".join(Scope.values)}
        raise ValidationError({"scopes": ValidationError(message, code="invalid")})
    if key.expires_at is not None and key.expires_at <= timezone.now():
        raise ValidationError({"expires_at": ValidationError(_("Choose a day in the future."), code="past")})
    if not key.name.isprintable():
        raise ValidationError({"name": ValidationError(_("Use letters, digits and signs only."), code="invalid")})
    key.full_clean(exclude=["client", "made_by"])


def _earlier(one: datetime | None, other: datetime) -> datetime:
    return min(one, other) if one else other
