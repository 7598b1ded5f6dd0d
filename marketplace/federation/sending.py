"""Sends the messages that are due. Each hook has a thread of its own for its calls, so a partner that answers slowly makes no other wait.

What is to be sent is leased: a second worker leaves it alone, and a crashed one's comes again, under the same id, when the lease
has run out. Threads only call; what came of it is written here, in a transaction for each message, as soon as it is known.

A clock that was wrong must not cost anything: a lease or a pause that ends later than any could is not believed, and nothing is given
up by its age alone.
"""

import datetime
import json
import logging
import random
import threading
import time
from dataclasses import dataclass, field
from itertools import zip_longest
from queue import Empty, SimpleQueue

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.utils import timezone

from marketplace.core.addresses import AddressError

from . import node_keys, signing
from .enums import PartnerState
from .fetching import Answer, Call, Refusal, fetch
from .hooks import PING
from .models import Delivery, DeliveryAttempt, Hook

logger = logging.getLogger(__name__)
LEASE = datetime.timedelta(minutes=2)
#: A round waits so long for answers; a call that takes longer goes on by itself, its outcome is written in a later round.
ROUND_SECONDS = 2.0
#: A hook's thread begins no new call after so many seconds, and gets so many messages at once.
TRIP_SECONDS, TRIP_MESSAGES = 5.0, 50
#: Three days, as long as a long weekend without anybody at the partner's.
PATIENCE = datetime.timedelta(days=3)
#: A hook that fails is left in peace as a whole, but not for long: new messages would wait for it too.
LONGEST_HOOK_PAUSE = datetime.timedelta(minutes=5)
#: How much longer or shorter a pause may be, so that many do not come back at one moment.
JITTER = 0.25
#: Retry-After is heeded up to here.
LONGEST_WISH = datetime.timedelta(hours=1)
#: An address that does not prove itself in so many attempts is turned off.
PING_ATTEMPTS = 20
GONE, FIRST_OK, FIRST_NOT_OK = 410, 200, 300
ERROR_LENGTH = 200
JSON = ("application/json",)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one call. `status` 0: no answer; `error` says why, or why an answer of status 2xx is none."""

    delivery: Delivery
    status: int = 0
    error: str = ""
    milliseconds: int = 0
    retry_after: datetime.timedelta | None = None

    @property
    def is_good(self) -> bool:
        """Whether the partner took the message."""
        return FIRST_OK <= self.status < FIRST_NOT_OK and not self.error


@dataclass(slots=True)
class Trip:
    """What one hook is sent in one go; `left` was not tried."""

    hook: Hook
    left: list[Delivery]
    secrets: list[str]
    outcomes: "SimpleQueue[Outcome | Trip]"
    until: float = field(default_factory=lambda: time.monotonic() + TRIP_SECONDS)

    def run(self) -> None:
        """Call until all is sent, something fails, or the time is up. No database here: it belongs to the thread that writes."""
        try:
            while self.left and time.monotonic() < self.until:
                outcome = call(self.hook, self.left[0], self.secrets)
                self.left.pop(0)
                self.outcomes.put(outcome)
                if not outcome.is_good:
                    # The next one would only wait for the same silence.
                    break
        finally:
            self.outcomes.put(self)


_under_way: dict[int, Trip] = {}
_outcomes: "SimpleQueue[Outcome | Trip]" = SimpleQueue()


def run_once(*, seconds: float = ROUND_SECONDS) -> int:
    """Send what is due and write down what came of it, for at most so many seconds; how many attempts were written down."""
    done, until = _write_outcomes(0), time.monotonic() + seconds
    trips = _claim()
    for trip in trips:
        _under_way[trip.hook.pk] = trip
        threading.Thread(target=trip.run, name=f"hook-{trip.hook.pk}", daemon=True).start()
    while _under_way and (left := until - time.monotonic()) > 0:
        done += _write_outcomes(left)
    return done


# --- Calling ------------------------------------------------------------------------------------------------------------


def call(hook: Hook, delivery: Delivery, secrets: list[str]) -> Outcome:
    """Send one message once: signed now, to this address and no other, with no more time than the settings give."""
    body, began = delivery.body.encode(), time.monotonic()
    is_ping = delivery.type == PING
    headers = {"Content-Type": "application/json"} | signing.sign(delivery.message_id, timezone.now(), body, secrets)
    wanted = Call("POST", headers, body, types=JSON if is_ping else None, max_bytes=4096, seconds=settings.WEBHOOK_SECONDS)
    status, error, retry_after = 0, "", None
    try:
        answer = fetch(hook.partner, hook.url, wanted)
    except AddressError as refused:
        error = f"{refused.reason.value}: {refused.detail}".removesuffix(": ")
    except Exception as unexpected:
        logger.exception("hook %s: the call failed in a way nobody thought of", hook.pk)
        error = type(unexpected).__name__
    else:
        status, retry_after = answer.status, _retry_after(answer)
        if is_ping and FIRST_OK <= status < FIRST_NOT_OK and not _gives_back(answer, hook.challenge):
            error = "challenge: the answer does not give it back"
    return Outcome(delivery, status, error[:ERROR_LENGTH], int((time.monotonic() - began) * 1000), retry_after)


def _gives_back(answer: Answer, challenge: str) -> bool:
    try:
        told = json.loads(answer.body)
    except (ValueError, RecursionError):
        return False
    return isinstance(told, dict) and told.get("challenge") == challenge


def _retry_after(answer: Answer) -> datetime.timedelta | None:
    text = answer.headers.get("Retry-After", "").strip()
    return min(datetime.timedelta(seconds=int(text[:9])), LONGEST_WISH) if text.isascii() and text.isdecimal() else None


# --- What is due --------------------------------------------------------------------------------------------------------


def _claim() -> list[Trip]:
    """Lease what is due, for each hook that nobody of us is calling; the oldest first."""
    now = timezone.now()
    due = _due(now)
    hooks = list(
        Hook.objects.filter(
            Exists(due.filter(hook=OuterRef("pk"))), _passed("pause_until", now, LONGEST_WISH), off_reason="", partner__state=PartnerState.ACTIVE
        )
        .exclude(pk__in=_under_way)
        .select_related("partner")
        .order_by("pk")
    )
    if not hooks:
        return []
    secrets = node_keys.signing_secrets()
    trips = []
    for hook in hooks:
        with transaction.atomic():
            mine = due.filter(hook=hook) if hook.is_active else due.filter(hook=hook, type=PING)
            mine = mine.order_by("next_attempt_at", "pk").select_for_update(skip_locked=connection.features.has_select_for_update_skip_locked)
            left = list(mine[:TRIP_MESSAGES])
            Delivery.objects.filter(pk__in=[delivery.pk for delivery in left]).update(lease_until=now + LEASE)
        for delivery in left:
            delivery.lease_until, delivery.hook = now + LEASE, hook
        if left:
            # A hint needs no key of ours to the partner's API, not even on its own host.
            hook.partner.sealed_key = ""
            trips.append(Trip(hook, left, secrets, _outcomes))
    return trips


def _due(now: datetime.datetime) -> QuerySet[Delivery]:
    free = _passed("lease_until", now, LEASE)
    # After so many attempts no pause can have been longer than this. What waits equally long is one condition: each round asks.
    longest = [max(pause * (1 + JITTER), LONGEST_WISH) for pause in (datetime.timedelta(), *_pauses())]
    firsts = [number for number, pause in enumerate(longest) if not number or pause != longest[number - 1]]
    rested = Q.create(
        [_passed("next_attempt_at", now, longest[first]) & _between(first, until) for first, until in zip_longest(firsts, firsts[1:])],
        Q.OR,
    )
    return Delivery.objects.filter(free, rested, state=Delivery.State.WAITING)


def _between(first: int, until: int | None) -> Q:
    """Messages with so many attempts, fewer than `until`."""
    return Q(attempts__gte=first) if until is None else Q(attempts__gte=first, attempts__lt=until)


def _passed(name: str, now: datetime.datetime, longest: datetime.timedelta) -> Q:
    """That a moment has passed, or is none. One further away than any could have been set was set by a clock that was wrong."""
    return Q(**{f"{name}__isnull": True}) | Q(**{f"{name}__lte": now}) | Q(**{f"{name}__gt": now + longest})


def _pauses() -> list[datetime.timedelta]:
    return [datetime.timedelta(seconds=seconds) for seconds in settings.WEBHOOK_PAUSES]


# --- Writing down -------------------------------------------------------------------------------------------------------


def _write_outcomes(seconds: float) -> int:
    """Write down what the threads have to tell; wait at most so long for the first."""
    done = 0
    while True:
        try:
            told = _outcomes.get(timeout=seconds) if seconds > 0 else _outcomes.get_nowait()
        except Empty:
            return done
        seconds = 0
        if isinstance(told, Trip):
            _under_way.pop(told.hook.pk, None)
            _release(told.left)
        else:
            done += record(told)


def _release(deliveries: list[Delivery]) -> None:
    """Give back what was not tried."""
    for delivery in deliveries:
        Delivery.objects.filter(pk=delivery.pk, lease_until=delivery.lease_until).update(lease_until=None)


@transaction.atomic
def record(outcome: Outcome) -> bool:
    """Keep the attempt, and decide what follows from it; False if the message is not ours any more (its lease ran out, it was replayed)."""
    now = timezone.now()
    mine = Delivery.objects.filter(pk=outcome.delivery.pk, lease_until=outcome.delivery.lease_until, state=Delivery.State.WAITING)
    delivery = mine.select_for_update().first()
    if delivery is None:
        return False
    error = outcome.error if outcome.error or outcome.is_good else f"HTTP {outcome.status}"
    DeliveryAttempt.objects.create(delivery=delivery, at=now, status=outcome.status, error=error, milliseconds=outcome.milliseconds)
    delivery.attempts, delivery.lease_until = delivery.attempts + 1, None
    # Only the address that was called: the partner may have registered another one meanwhile.
    hook = Hook.objects.filter(pk=delivery.hook_id, challenge=outcome.delivery.hook.challenge)
    _note_good(delivery, hook, now) if outcome.is_good else _note_bad(delivery, hook, outcome, now)
    delivery.save(update_fields=["state", "attempts", "next_attempt_at", "lease_until", "sent_at"])
    return True


def _note_good(delivery: Delivery, hook: QuerySet[Hook], now: datetime.datetime) -> None:
    delivery.state, delivery.sent_at = Delivery.State.SENT, now
    hook.exclude(failures=0).update(failures=0, failing_since=None, pause_until=None, modified=now)
    if delivery.type == PING:
        hook.update(is_active=True, checked_at=now, off_reason="", off_at=None, modified=now)


def _note_bad(delivery: Delivery, hook: QuerySet[Hook], outcome: Outcome, now: datetime.datetime) -> None:
    failures = (hook.values_list("failures", flat=True).first() or 0) + 1
    pause = _pause(delivery.attempts, outcome.retry_after)
    delivery.next_attempt_at = now + pause
    for_all = max(min(_pause(failures, None), LONGEST_HOOK_PAUSE), outcome.retry_after or datetime.timedelta())
    hook.filter(failing_since=None).update(failing_since=now)
    hook.update(failures=F("failures") + 1, pause_until=now + for_all, modified=now)
    if now - delivery.since >= PATIENCE:
        _give_up(delivery, failures, now)
    if reason := _off_reason(delivery, outcome):
        hook.update(is_active=False, off_reason=reason, off_at=now)
        logger.warning("hook %s is turned off: %s", delivery.hook_id, reason)


def _pause(number: int, wish: datetime.timedelta | None) -> datetime.timedelta:
    """After the attempt of this number; a wish of the partner's (Retry-After) is the least."""
    pauses = _pauses()
    pause = pauses[min(number, len(pauses)) - 1] * random.uniform(1 - JITTER, 1 + JITTER)  # noqa: S311 - no secret hangs on it
    return max(pause, wish or datetime.timedelta())


def _off_reason(delivery: Delivery, outcome: Outcome) -> str:
    if outcome.status == GONE:
        return Hook.OffReason.GONE
    if outcome.error.startswith((Refusal.OTHER_HOST.value, Refusal.NOT_SECURE.value)):
        return Hook.OffReason.MOVED
    if delivery.type == PING and (delivery.attempts >= PING_ATTEMPTS or delivery.state == Delivery.State.FAILED):
        return Hook.OffReason.UNPROVEN
    return ""


def _give_up(delivery: Delivery, failures: int, now: datetime.datetime) -> None:
    """After three days, but not by the clock alone: it has been tried as often as in three days, or its hook has failed all the time."""
    if delivery.attempts > len(_pauses()):
        delivery.state = Delivery.State.FAILED
    if failures >= PATIENCE / LONGEST_HOOK_PAUSE / 2:
        delivery.state = Delivery.State.FAILED
        old = Delivery.objects.filter(hook=delivery.hook_id, state=Delivery.State.WAITING, since__lt=now - PATIENCE)
        old.exclude(pk=delivery.pk).update(state=Delivery.State.FAILED)
