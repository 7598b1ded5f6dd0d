"""How many requests a minute: of a client (all its keys together), of an address without a key, of an address with keys that are wrong.

The limits are told in `RateLimit-Policy` and `RateLimit` (draft-ietf-httpapi-ratelimit-headers-10), a refusal says `Retry-After`. A minute is one of
the clock. Counted is in the default cache where that adds up in one step (Redis, Memcached, memory); Django's caches in a database or in files read,
add and write, so that of two requests at once one is not counted: beside these, a row is counted up by one statement (see models.Counter).
"""

import logging
import time
from dataclasses import dataclass
from datetime import UTC, datetime

from django.conf import settings
from django.core.cache import cache, caches
from django.core.cache.backends.base import BaseCache
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.utils.crypto import salted_hmac
from django.utils.translation import ngettext

from marketplace.core.attempts import network

from .models import ApiKey, Counter
from .problems import Problem

logger = logging.getLogger(__name__)

WINDOW = 60
_UPSERT = """INSERT INTO {table} (name, number, until) VALUES (%s, 1, %s)
ON CONFLICT (name) DO UPDATE SET number = {table}.number + 1 RETURNING number"""


@dataclass(frozen=True, slots=True)
class Spent:
    """How much of a limit is used up."""

    name: str
    limit: int
    number: int
    seconds_left: int

    @property
    def headers(self) -> dict[str, str]:
        """What every answer tells about it."""
        left = max(self.limit - self.number, 0)
        return {"RateLimit-Policy": f'"{self.name}";q={self.limit};w={WINDOW}', "RateLimit": f'"{self.name}";r={left};t={self.seconds_left}'}


def spend(request: HttpRequest, key: ApiKey | None) -> None:
    """Count this request, of the key's client or of its address; raise a Problem (429) from the one on that exceeds the limit."""
    if key is not None:
        limit = settings.API_RATE_KEY if key.client.rate is None else key.client.rate
        _spend(request, "key", str(key.client_id), limit)
    else:
        _spend(request, "address", _hidden(request), settings.API_RATE_ADDRESS)


def spend_failure(request: HttpRequest) -> None:
    """Count a key that is wrong; raise a Problem (429) instead of the 401 when an address tries too many."""
    _spend(request, "failures", _hidden(request), settings.API_RATE_FAILURES)


def add_headers(request: HttpRequest, response: HttpResponse) -> None:
    """Say in an answer how much is left."""
    spent = getattr(request, "api_spent", None)
    for name, value in spent.headers.items() if spent else ():
        response.headers.setdefault(name, value)


def _spend(request: HttpRequest, name: str, who: str, limit: int) -> None:
    if not limit:
        return
    window, elapsed = divmod(int(time.time()), WINDOW)
    number = count(f"api:{name}:{who}:{window}", until=(window + 1) * WINDOW)
    request.api_spent = Spent(name, limit, number, WINDOW - elapsed)
    if number > limit:
        raise Problem("too-many-requests", _too_many(limit), headers={"Retry-After": str(WINDOW - elapsed)})


def _too_many(limit: int) -> str:
    return ngettext(
        "Not more than %(n)d request a minute. Wait as Retry-After says.", "Not more than %(n)d requests a minute. Wait as Retry-After says.", limit
    ) % {"n": limit}


def count(name: str, *, until: int) -> int:
    """Add one to the counter `name`, which nobody asks for after `until` (seconds of the epoch); what it is now. Two at once get two numbers."""
    if type(caches["default"]).incr is BaseCache.incr:
        with connection.cursor() as cursor:
            cursor.execute(_UPSERT.format(table=Counter._meta.db_table), [name, datetime.fromtimestamp(until, tz=UTC)])  # noqa: SLF001 - the documented way
            return cursor.fetchone()[0]
    cache.add(name, 0, WINDOW * 2)
    try:
        return cache.incr(name)
    except ValueError:
        # Pushed out between the two.
        return 1


def prune() -> int:
    """Delete the counters of past minutes; how many. For the worker's daily round."""
    return Counter.objects.filter(until__lt=datetime.fromtimestamp(time.time(), tz=UTC)).delete()[0]


def _hidden(request: HttpRequest) -> str:
    """The request's address (of IPv6 the network), as nobody can read it back."""
    return salted_hmac("api.address", network(request)).hexdigest()
