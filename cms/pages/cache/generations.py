"""What makes kept pages stale: each kind of thing that pages show has a token, and a change of the kind gives it a new one.

A kept page notes the tokens of its kinds as they were before it was rendered. It holds as long as they are the same: a
request that began before a publish and ends after it leaves nothing that anybody would serve.

Tokens are random, not numbers that rise: one that the cache threw out for want of room comes back as another, which purges
more than needed, and never as an old one, which would bring old pages back.
"""

import hashlib
import uuid
from collections.abc import Collection

from django.conf import settings
from django.core.cache import BaseCache, caches

#: Kinds in the change log that some public page shows as the database has them. "image": its description, crop or sizes.
SHOWN = frozenset({"page", "image", "listing", "company", "funder", "comment"})
#: Kinds that pages find by the engine: nothing new is found before the index has read the change.
FOUND = frozenset({"aid", "vocabulary"})
KINDS = SHOWN | FOUND

Tokens = dict[str, str]


def store() -> BaseCache:
    """Where pages and tokens are kept; all processes have to share it."""
    return caches["pages"]


def database() -> str:
    """Keeps apart what different databases of one machine show."""
    values = settings.DATABASES["default"]
    return hashlib.sha256(repr([values.get(name) for name in ("HOST", "PORT", "NAME")]).encode()).hexdigest()[:12]


def read(kinds: Collection[str] = KINDS) -> Tokens | None:
    """The tokens of this moment; None if the cache keeps nothing."""
    names = {_name(kind): kind for kind in sorted(kinds)}
    found = store().get_many(names)
    missing = names.keys() - found.keys()
    for name in missing:
        store().add(name, _new(), timeout=None)
    if missing:
        found = store().get_many(names)
    return {names[name]: token for name, token in found.items()} if len(found) == len(names) else None


def hold(tokens: Tokens) -> bool:
    """Whether nothing of these kinds has changed since the tokens were read."""
    names = {_name(kind): token for kind, token in tokens.items()}
    return store().get_many(names) == names


def renew(kinds: Collection[str]) -> None:
    """Make every kept page stale that shows one of the kinds. Call it after the commit: before, somebody would keep the old page anew."""
    if known := KINDS.intersection(kinds):
        store().set_many({_name(kind): _new() for kind in known}, timeout=None)


def _name(kind: str) -> str:
    return f"generation:{database()}:{kind}"


def _new() -> str:
    return uuid.uuid4().hex
