"""How many requests a minute: of a client (all its keys together), of an address without a key, of an address with keys that are wrong.

The limits are told in `RateLimit-Policy` and `RateLimit` (draft-ietf-httpapi-ratelimit-headers-10), a refusal says `Retry-After`. A minute is one of
the clock. Counted is in the default cache where that adds up in one step (Redis, Memcached, memory); Django's caches in a database or in files read,
add and write, so that of two requests at once one is not counted: beside these, a row is counted up by one statement (see models.Counter).

To ask the counter for each request would take a commit for each page that is read. So a process takes numbers in blocks, and gives them out one by one:
no number is given twice, whichever process has it, so a limit never lets more through. What other processes still hold when the numbers run out is lost;
a block is a fortieth of the limit at most, and only who asks much gets one.
"""

import logging
import os
import time
from collections import deque
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache

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
BLOCK_SHARE, LARGEST_BLOCK = 40, 32
#: Of so many clients a process remembers its blocks; beyond that all are thrown away, which makes the limits a little stricter.
MOST_HELD = 10_000
_UPSERT = """INSERT INTO {table} (name, number, until) VALUES (%s, %s, %s)
ON CONFLICT (name) DO UPDATE SET number = {table}.number + excluded.number RETURNING number"""


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
    number = count(f"api:{name}:{who}:{window}", until=(window + 1) * WINDOW, block=min(limit // BLOCK_SHARE, LARGEST_BLOCK))
    request.api_spent = Spent(name, limit, number, WINDOW - elapsed)
    if number > limit:
        raise Problem("too-many-requests", _too_many(limit), headers={"Retry-After": str(WINDOW - elapsed)})


def _too_many(limit: int) -> str:
    return ngettext(
        "Not more than %(n)d request a minute. Wait as Retry-After says.", "Not more than %(n)d requests a minute. Wait as Retry-After says.", limit
    ) % {"n": limit}


@dataclass(slots=True)
class _Block:
    """Numbers that this process took and has not given out."""

    size: int = 0
    numbers: deque[int] = field(default_factory=deque)


class _Held:
    """The blocks of this process, by the counter's name, in one minute."""

    def __init__(self) -> None:
        self.of: tuple[int, int] = (0, 0)
        self.blocks: dict[str, _Block] = {}

    def block(self, name: str, until: int) -> _Block:
        """The block of a counter; an empty one in a new minute, and in a forked child, whose parent gives the others out."""
        now = (os.getpid(), until)
        if now != self.of or len(self.blocks) > MOST_HELD:
            self.of, self.blocks = now, {}
        return self.blocks.setdefault(name, _Block())


_held = _Held()


def count(name: str, *, until: int, block: int = 1) -> int:
    """The next number of the counter `name`, which nobody asks for after `until` (seconds of the epoch). Two at once get two numbers.

    Takes twice as many as the last time from the counter, at most `block`, and keeps the rest for the next.
    """
    held = _held.block(name, until)
    try:
        return held.numbers.popleft()
    except IndexError:
        held.size = max(1, min(block, held.size * 2))
        size = held.size
    last = _add(name, size, until)
    held.numbers.extend(range(last - size + 2, last + 1))
    return last - size + 1


def _add(name: str, number: int, until: int) -> int:
    """Add to the counter; what it is now."""
    if type(caches["default"]).incr is BaseCache.incr:
        with connection.cursor() as cursor:
            cursor.execute(_UPSERT.format(table=Counter._meta.db_table), [name, number, datetime.fromtimestamp(until, tz=UTC)])  # noqa: SLF001 - the documented way
            return cursor.fetchone()[0]
    cache.add(name, 0, WINDOW * 2)
    try:
        return cache.incr(name, number)
    except ValueError:
        # Pushed out between the two.
        return number


def prune() -> int:
    """Delete the counters of past minutes; how many. For the worker's daily round."""
    return Counter.objects.filter(until__lt=datetime.fromtimestamp(time.time(), tz=UTC)).delete()[0]


def _hidden(request: HttpRequest) -> str:
    """The request's address (of IPv6 the network), as nobody can read it back."""
    return _digest(network(request))


@lru_cache(maxsize=1000)
def _digest(address: str) -> str:
    return salted_hmac("api.address", address).hexdigest()
