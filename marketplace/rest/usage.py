"""How much each key is used: added up in the process, written every few seconds in a handful of statements, so that no request waits for it.

A process that is killed loses what it has not written, some seconds of counts. Nothing is decided by these figures: limits are counted in `throttling`.
"""

import atexit
import logging
import os
import threading
import time
from collections import Counter
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from datetime import time as clock

from django.db import DatabaseError, connection, transaction
from django.db.models import F, Q, QuerySet, Sum
from django.db.models.functions import TruncDate
from django.utils import timezone

from .models import ApiKey, Usage

logger = logging.getLogger(__name__)

FLUSH_SECONDS = 10
LAST_USE_EVERY = timedelta(minutes=1)
KEPT = timedelta(days=396)  # thirteen months


@dataclass(frozen=True, slots=True)
class Day:
    """A day's requests, those that were refused or failed among them."""

    date: date
    requests: int
    refused: int


def by_day(keys: QuerySet[ApiKey], *, days: int) -> list[Day]:
    """The last `days` days of these keys together, today last, quiet days included."""
    today = timezone.localdate()
    first = today - timedelta(days=days - 1)
    since = timezone.make_aware(datetime.combine(first, clock()))
    used = Usage.objects.filter(key__in=keys, hour__gte=since).annotate(day=TruncDate("hour")).order_by()
    sums = {row[0]: row[1:] for row in used.values("day").annotate(n=Sum("requests"), m=Sum("refused")).values_list("day", "n", "m")}
    return [Day(day, *sums.get(day, (0, 0))) for day in (first + timedelta(days=n) for n in range(days))]


def by_key(keys: QuerySet[ApiKey], *, days: int) -> dict[int, tuple[int, int]]:
    """Of each key (by its id) the requests of the last `days` days, and the refused among them."""
    since = timezone.make_aware(datetime.combine(timezone.localdate() - timedelta(days=days - 1), clock()))
    used = Usage.objects.filter(key__in=keys, hour__gte=since).order_by().values("key").annotate(n=Sum("requests"), m=Sum("refused"))
    return {key: (requests, refused) for key, requests, refused in used.values_list("key", "n", "m")}


class _Pending:
    """What this process has counted and not written."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.reset()

    def reset(self) -> None:
        self.pid = os.getpid()
        self.since = time.monotonic()
        self.requests: Counter[tuple[int, datetime]] = Counter()
        self.refused: Counter[tuple[int, datetime]] = Counter()
        self.last: dict[int, datetime] = {}


_pending = _Pending()
_in_background = False


def count(key_id: int, *, is_refused: bool) -> None:
    """Count a request of a key. Writes when the last time is long ago and no thread does it."""
    now = timezone.now()
    hour = now.replace(minute=0, second=0, microsecond=0)
    with _pending.lock:
        if _pending.pid != os.getpid():
            # A forked child: what it inherited is the parent's to write.
            _pending.reset()
            if _in_background:
                _start_thread()
        _pending.requests[key_id, hour] += 1
        _pending.refused[key_id, hour] += is_refused
        _pending.last[key_id] = now
        is_due = not _in_background and time.monotonic() - _pending.since > FLUSH_SECONDS
    if is_due:
        flush()


def flush() -> int:
    """Write what was counted; how many rows. What the database refuses is kept for the next time."""
    with _pending.lock:
        requests, refused, last = _pending.requests, _pending.refused, _pending.last
        _pending.reset()
    if not requests:
        return 0
    try:
        return _write(requests, refused, last)
    except DatabaseError:
        logger.exception("the use of API keys could not be written; it is tried again")
        with _pending.lock:
            _pending.requests.update(requests)
            _pending.refused.update(refused)
            _pending.last = last | _pending.last
        return 0


def flush_in_background() -> None:
    """Let a thread write every few seconds; for processes that serve, where nobody may wait and the last counts have to be written too."""
    global _in_background  # noqa: PLW0603 - a process serves or it does not
    _in_background = True
    atexit.register(flush)
    _start_thread()


def prune() -> int:
    """Delete what is older than thirteen months; how many hours. For the worker's daily round."""
    return Usage.objects.filter(hour__lt=timezone.now() - KEPT).delete()[0]


def _start_thread() -> None:
    threading.Thread(target=_flush_for_ever, name="api-usage", daemon=True).start()


def _flush_for_ever() -> None:
    while True:
        time.sleep(FLUSH_SECONDS)
        try:
            flush()
        finally:
            connection.close()


@transaction.atomic
def _write(requests: Counter, refused: Counter, last: dict[int, datetime]) -> int:
    # In the order of the keys, so that two processes never wait for each other in a ring. A key may be gone meanwhile.
    known = set(ApiKey.objects.filter(pk__in=last).values_list("pk", flat=True))
    places = sorted(place for place in requests if place[0] in known)
    Usage.objects.bulk_create([Usage(key_id=key, hour=hour) for key, hour in places], ignore_conflicts=True)
    for key, hour in places:
        Usage.objects.filter(key=key, hour=hour).update(requests=F("requests") + requests[key, hour], refused=F("refused") + refused[key, hour])
    for key in sorted(known):
        due = Q(last_used_at=None) | Q(last_used_at__lt=last[key] - LAST_USE_EVERY)
        ApiKey.objects.filter(due, pk=key).update(last_used_at=last[key])
    return len(places)
