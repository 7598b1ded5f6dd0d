"""Addresses of many rows, without asking the URL resolver for each (10 µs, a tenth of a list's time)."""

import uuid
from functools import lru_cache

from django.conf import settings
from django.urls import get_urlconf, reverse
from django.utils.translation import get_language

_NOBODY = uuid.UUID(int=0)


def pattern(name: str) -> str:
    """The address of the view `name`, which takes one uid, in the language of this moment: `pattern(name) % uid`."""
    return _pattern(name, settings.SITE_URL, get_urlconf(), get_language())


@lru_cache(maxsize=100)
def _pattern(name: str, site: str, urlconf: str | None, _language: str | None) -> str:
    return site + reverse(name, urlconf, args=[_NOBODY]).replace("%", "%%").replace(str(_NOBODY), "%s")


def absolute(address: str) -> str:
    """The address with the site's scheme and host, if it has none."""
    return address if "://" in address else settings.SITE_URL + address
