"""Our side of the messages: asking partners to tell us, and keeping the keys with which we know that it is them.

Without it nothing is lost, it only comes later: the harvester comes by anyway.
"""

import datetime
import json
import logging

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db.models import F, Q, QuerySet
from django.urls import reverse
from django.utils import timezone

from marketplace.core.addresses import AddressError
from marketplace.core.sealing import BrokenSealError

from . import introductions, operations
from .enums import PartnerState, ReaderKind
from .fetching import Answer, Call, fetch
from .models import Partner, Subscription

logger = logging.getLogger(__name__)
#: A confirmed subscription is asked for again once a day: the partner may have lost it, or turned it off while we were away.
AGAIN = datetime.timedelta(days=1)
FIRST_PAUSE = datetime.timedelta(minutes=1)
#: The keys of a partner are looked at again at most so often, however many strange signatures come.
KEYS_PAUSE = datetime.timedelta(minutes=3)
#: In one round of the worker, which has more to do.
AT_ONCE, SECONDS = 3, 10.0
MAX_BYTES = 2**16
FIRST_OK, FIRST_NOT_OK = 200, 300
JSON, PROBLEM = "application/json", "application/problem+json"
ERROR_LENGTH = 300


def own_url() -> str:
    """Where partners send their messages."""
    return settings.SITE_URL + reverse("federation_webhooks")


def register_at(partner: Partner) -> Subscription:
    """Have the partner tell us; the worker asks it in its next round, and again until it has confirmed."""
    subscription, _made = Subscription.objects.get_or_create(partner=partner, defaults={"url": own_url()})
    Subscription.objects.filter(pk=subscription.pk).update(next_attempt_at=timezone.now(), attempts=0)
    subscription.refresh_from_db()
    return subscription


def run_once() -> int:
    """Ask the partners that are due to tell us, and look at the keys that seem to have changed; how many were asked."""
    for partner in _active().filter(subscription=None):
        register_at(partner)
    return _ask_due() + _look_at_keys()


def _active() -> QuerySet[Partner]:
    """Those that can tell us something: marketplaces like this one, of which we have a key."""
    return Partner.objects.filter(state=PartnerState.ACTIVE, reader=ReaderKind.PROTOCOL, node_uid__isnull=False).exclude(sealed_key="")


# --- Asking to be told --------------------------------------------------------------------------------------------------


def _ask_due() -> int:
    now = timezone.now()
    moved = Q(next_attempt_at__lte=now) | ~Q(url=own_url())
    due = Subscription.objects.filter(moved, partner__in=_active()).select_related("partner").order_by("next_attempt_at")[:AT_ONCE]
    return sum(_ask(subscription, now) for subscription in due)


def _ask(subscription: Subscription, now: datetime.datetime) -> bool:
    """Ask once; the partner then sends a challenge, which `receiving` answers. False if another worker does."""
    pause = min(FIRST_PAUSE * 2 ** min(subscription.attempts, 11), AGAIN)
    mine = Subscription.objects.filter(pk=subscription.pk, attempts=subscription.attempts, url=subscription.url)
    if not mine.update(url=own_url(), attempts=F("attempts") + 1, asked_at=now, next_attempt_at=now + pause):
        return False
    state, error = _put(subscription.partner)
    facts: dict[str, object] = {"error": error[:ERROR_LENGTH]}
    if state == "active":
        facts |= {"confirmed_at": subscription.confirmed_at or now, "attempts": 0, "next_attempt_at": now + AGAIN}
    elif error:
        logger.info("partner %s does not tell us yet: %s", subscription.partner, error)
    Subscription.objects.filter(pk=subscription.pk).update(**facts)
    return True


def _put(partner: Partner) -> tuple[str, str]:
    """What state the partner says our hook is in, and what is wrong; one of the two is empty."""
    address = _address(partner)
    if not address:
        return "", "discovery: the partner does not say where hooks are registered"
    content = json.dumps({"url": own_url()}).encode()
    call = Call("PUT", {"Content-Type": JSON, "Accept": JSON}, content, types=(JSON, PROBLEM), max_bytes=MAX_BYTES, seconds=SECONDS)
    try:
        answer = fetch(partner, address, call)
    except AddressError as error:
        return "", f"{error.reason.value}: {error.detail}".removesuffix(": ")
    except BrokenSealError:
        # The server's secret was changed; the others are asked all the same.
        return "", "broken-seal: the key that the partner gave us cannot be read any more"
    if not FIRST_OK <= answer.status < FIRST_NOT_OK:
        return "", f"HTTP {answer.status}"
    return _state(answer), ""


def _address(partner: Partner) -> str:
    endpoints = partner.discovery.get("endpoints") if isinstance(partner.discovery, dict) else None
    address = endpoints.get("hook") if isinstance(endpoints, dict) else None
    return address if isinstance(address, str) else ""


def _state(answer: Answer) -> str:
    try:
        told = json.loads(answer.body)
    except (ValueError, RecursionError):
        return ""
    return told["state"] if isinstance(told, dict) and told.get("state") in ("active", "checking") else ""


# --- Their keys ---------------------------------------------------------------------------------------------------------


def _look_at_keys() -> int:
    now = timezone.now()
    rested = Q(keys_asked_at=None) | Q(keys_asked_at__lt=now - KEYS_PAUSE) | Q(keys_asked_at__gt=now)
    due = Subscription.objects.filter(rested, keys_wanted_at__isnull=False, partner__in=_active()).select_related("partner")[:AT_ONCE]
    return sum(_look(subscription, now) for subscription in due)


def _look(subscription: Subscription, now: datetime.datetime) -> bool:
    """Read the partner's discovery anew; False if another worker does. Another node at its address changes nothing: its people have to look."""
    mine = Subscription.objects.filter(pk=subscription.pk, keys_asked_at=subscription.keys_asked_at)
    if not mine.update(keys_asked_at=now, keys_wanted_at=None):
        return False
    partner = subscription.partner
    try:
        found = introductions.ask(partner.base_url)
        operations.introduce(partner, found, by=None)
    except introductions.IntroductionError as error:
        logger.warning("partner %s: its keys could not be read: %s", partner, error.code)
    except ValidationError as error:
        logger.warning("partner %s: %s", partner, " ".join(error.messages))
    return True
