"""Items that were no good: kept with the reason, so that a person can tell the partner; what came right later is settled by itself."""

import datetime
import hashlib
from collections.abc import Collection, Sequence

from django.db.models import QuerySet
from django.utils import timezone

from .checking import raw
from .items import Fault
from .models import Partner, QuarantinedItem
from .models.harvest import URI_LENGTH

#: A partner whose every item is bad fills no more than this; the visits' counts tell the rest.
MOST = 5000
KEEP_SETTLED, KEEP_OPEN = datetime.timedelta(days=30), datetime.timedelta(days=180)


def put(partner: Partner, faults: Sequence[Fault]) -> None:
    """Keep the faults, in three statements however many they are. Runs in the caller's transaction, under the partner's lease."""
    if not faults:
        return
    now = timezone.now()
    by_key = {(_key(fault), fault.code[:40]): fault for fault in faults}
    known = {(row.key, row.code): row for row in QuarantinedItem.objects.filter(partner=partner, key__in=[key for key, _code in by_key])}
    room = max(0, MOST - QuarantinedItem.objects.filter(partner=partner).count())
    new, again = [], []
    for (key, code), fault in by_key.items():
        row = known.get((key, code))
        if row is None:
            row = QuarantinedItem(partner=partner, key=key, code=code, uri=raw(fault.uri)[:URI_LENGTH], first_seen=now)
            new.append(row)
        else:
            row.times += 1
            again.append(row)
        row.message, row.item, row.last_seen, row.resolved_at = raw(fault.message), raw(fault.raw), now, None
    QuarantinedItem.objects.bulk_create(new[:room])
    names = ["message", "item", "last_seen", "resolved_at", "times"]
    QuarantinedItem.objects.bulk_create(again, update_conflicts=True, unique_fields=["id"], update_fields=names)


def settle(partner: Partner, uris: Collection[str]) -> None:
    """Good items came under these addresses."""
    _open(partner).filter(key__in=[_hash(uri) for uri in uris]).update(resolved_at=timezone.now())


def forget(partner: Partner, uris: Collection[str]) -> None:
    """Erase what is kept of them: their origin asked for it."""
    QuarantinedItem.objects.filter(partner=partner, key__in=[_hash(uri) for uri in uris]).delete()


def prune() -> int:
    """Throw away what was settled a month ago, and what nobody settled in half a year; how many rows."""
    now = timezone.now()
    settled = QuarantinedItem.objects.filter(resolved_at__lt=now - KEEP_SETTLED)
    return settled.delete()[0] + QuarantinedItem.objects.filter(last_seen__lt=now - KEEP_OPEN).delete()[0]


def _open(partner: Partner) -> QuerySet:
    return QuarantinedItem.objects.filter(partner=partner, resolved_at=None)


def _key(fault: Fault) -> str:
    return _hash(fault.uri or fault.raw)


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()
