"""Whose a key is. This app knows companies and partners only by name: each app that gives keys out says when they work (settings.API_KEY_HOLDERS).

A key that no holder vouches for opens nothing.
"""

from functools import cache
from typing import Protocol

from django.conf import settings
from django.db.models import Q
from django.utils.module_loading import import_string


class Holder(Protocol):
    """What an app says of its clients' keys."""

    #: The client's accessor: "company" for `client.company`.
    name: str
    #: Whether who made a key is the user of its requests. Where not, nobody is, and no person's rights are lent to a program.
    acts_for_maker: bool

    def acting(self) -> Q:
        """The keys (ApiKey) of its clients that work, as far as this app knows."""


@cache
def holders() -> tuple[Holder, ...]:
    """Every holder there is."""
    return tuple(import_string(name)() for name in settings.API_KEY_HOLDERS)


def acting() -> Q:
    """The keys for which somebody vouches."""
    return Q.create([holder.acting() for holder in holders()], Q.OR)


def of(key) -> Holder | None:
    """Whose key this is (its client's relations are loaded)."""
    return next((holder for holder in holders() if hasattr(key.client, holder.name)), None)
