"""The worker's part: our interests go to the partners, their answers are fetched, and what is to be erased there is erased.

Every step can be repeated. An interest goes under one id and one body however often it is sent, so a crash between the partner's answer and our commit
makes no second one; an answer is asked for, so a lost message costs time only; an erasure is asked for until the partner has said that it is done,
in a row that holds no personal data any more.
"""

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.db import InterfaceError, OperationalError, connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import override

from marketplace.core import sealing
from marketplace.core.addresses import AddressError
from marketplace.federation import fetching
from marketplace.federation.enums import PartnerState
from marketplace.federation.models import OutgoingInterest
from marketplace.federation.models.interests import sealed
from marketplace.rest import parsers
from marketplace.rest.problems import Problem
from marketplace.synergies import abroad_operations

from . import erasing, locking, notices, receiving
from .enums import LIVE, TOLD, State

logger = logging.getLogger(__name__)

#: Interests a round: each costs a request, and the worker has other things to do.
BATCH = 10
LEASE = timedelta(minutes=2)
SECONDS = 20
MAX_BYTES = 2**16
JSON, PROBLEM = "application/json", "application/problem+json"
FIRST_PAUSE, LONGEST_PAUSE = timedelta(seconds=30), timedelta(hours=6)
#: An open one is asked about after a minute, then half as seldom each time; one that both said yes to, once a day (their erasure has to arrive).
FIRST_POLL, LONGEST_POLL, MUTUAL_POLL = timedelta(minutes=1), timedelta(hours=6), timedelta(days=1)
#: After so long a yes that does not get through is given up, and the person told.
GIVE_UP_AFTER = timedelta(days=5)
OK, CREATED, NO_CONTENT, NOT_FOUND, GONE, CLIENT_ERRORS = 200, 201, 204, 404, 410, 4
#: Refusals that people or time mend: a key that is being replaced, a paused partnership, a limit.
PASSING = (401, 403, 408, 409, 425, 429)


@dataclass(frozen=True)
class Told:
    """What a partner answered: its status, 0 for none; its JSON; how many seconds it wants us to wait."""

    status: int
    body: Mapping[str, Any] = field(default_factory=dict)
    problem: str = ""
    retry_after: int | None = None


def run_once() -> int:
    """Some of what is due, interests that a synergy shows from now on, those that the end of a partnership ends; how much was done."""
    return erasing.cut_off() + sum(_by_itself(pk) for pk in _claim()) + receiving.join_new()


def _claim() -> list[int]:
    """Lease what is due, so that a second worker leaves it alone; a lease that ran out is a crashed worker's."""
    now = timezone.now()
    with transaction.atomic():
        # A paused partner is asked nothing, but to erase.
        due = OutgoingInterest.objects.due().exclude(partner__state__in=(PartnerState.PAUSED, PartnerState.NEW), to_erase=False)
        rows = due.select_for_update(of=("self",), skip_locked=connection.features.has_select_for_update_skip_locked)
        claimed = list(rows.order_by("next_attempt_at", "pk").values_list("pk", flat=True)[:BATCH])
        for interest in OutgoingInterest.objects.filter(pk__in=claimed):
            interest.lease_until, interest.attempts = now + LEASE, interest.attempts + 1
            interest.save(update_fields=["lease_until", "attempts"])
    return claimed


def _by_itself(pk: int) -> bool:
    """A turn whose failure costs nobody else theirs: its lease runs out, and it is tried again."""
    try:
        return _take_turn(pk)
    except (OperationalError, InterfaceError):
        # The database is away, for all of them.
        raise
    except Exception as error:  # noqa: BLE001 - whatever a partner's answer led to
        # No more than the kind of error: its text may hold what was sent.
        logger.error("Interest row %s: its turn failed with %s", pk, type(error).__name__)  # noqa: TRY400
        return False


def _take_turn(pk: int) -> bool:
    """One request, outside of any transaction, and what follows from its answer."""
    interest = OutgoingInterest.objects.select_related("partner").get(pk=pk)
    if interest.to_erase:
        return _erase(interest)
    if interest.state == State.WAITING:
        return _send(interest)
    return _ask(interest)


# --- The three requests --------------------------------------------------------------------------------------------------


def _send(interest: OutgoingInterest) -> bool:
    body = interest.body
    if not body or interest.listing_uid is None:
        return _failed(interest, _("Your yes could not be read any more. Please say it again."))
    content = json.dumps(body, ensure_ascii=False).encode()
    headers = {"Content-Type": JSON, "Idempotency-Key": str(interest.uid), "Accept-Language": interest.language}
    told = _request(interest, "POST", f"listings/{interest.listing_uid}/interests", content, headers)
    if told.status in (OK, CREATED):
        return _heard(interest, told.body)
    with override(interest.language):
        problem = _final(interest, told)
        return _failed(interest, problem) if problem else _later(interest, told)


def _final(interest: OutgoingInterest, told: Told) -> str:
    """Why another attempt would end the same way, in words for the person; "" if it may not."""
    if told.status == GONE:
        return _("The company has just taken this listing away, so your yes could not reach it.")
    if told.status == NOT_FOUND:
        return _("The other marketplace has no such listing for us any more, so your yes could not reach the company.")
    if told.status // 100 == CLIENT_ERRORS and told.status not in PASSING:
        return _("The other marketplace did not accept it: %(reason)s") % {"reason": told.problem or told.status}
    if interest.created < timezone.now() - GIVE_UP_AFTER:
        return _("The other marketplace could not be reached for several days.")
    return ""


def _ask(interest: OutgoingInterest) -> bool:
    told = _request(interest, "GET", f"interests/{interest.uid}")
    if told.status == OK:
        return _heard(interest, told.body)
    if told.status in (NOT_FOUND, GONE):
        # It knows nothing of it any more.
        return _heard(interest, {"state": State.ERASED})
    return _later(interest, told)


def _erase(interest: OutgoingInterest) -> bool:
    reason = "erasure" if interest.state in (State.ERASED, State.EXPIRED) else "withdrawn"
    told = _request(interest, "DELETE", f"interests/{interest.uid}?reason={reason}")
    if told.status not in (OK, NO_CONTENT, NOT_FOUND, GONE):
        return _later(interest, told)
    OutgoingInterest.objects.filter(pk=interest.pk, to_erase=True).update(to_erase=False, next_attempt_at=None, lease_until=None)
    erasing.forget_key(interest.partner)
    logger.info("Interest %s is erased at partner %s", interest.uid, interest.partner_id)
    return True


def _request(interest: OutgoingInterest, method: str, path: str, content: bytes | None = None, headers: Mapping[str, str] | None = None) -> Told:
    """Ask the partner with the key that it gave us. Neither body nor answer is ever logged."""
    url = f"{interest.partner.base_url.rstrip('/')}/api/federation/v1/{path}"
    call = fetching.Call(
        method=method, headers=headers or {}, content=content, types=(JSON,), error_types=(PROBLEM, JSON), max_bytes=MAX_BYTES, seconds=SECONDS
    )
    if not interest.partner.sealed_key:
        return Told(0)
    try:
        answer = fetching.fetch(interest.partner, url, call)
    except sealing.BrokenSealError:
        logger.warning("Interest %s: there is no key to partner %s that opens", interest.uid, interest.partner_id)
        return Told(0)
    except AddressError as error:
        # An answer without a body has no type either.
        logger.info("Interest %s: partner %s does not answer: %s", interest.uid, interest.partner_id, error.reason)
        return Told(NO_CONTENT if method == "DELETE" and error.reason == "wrong_type" else 0)
    body = _json(answer.body)
    wait = answer.headers.get("Retry-After", "")
    return Told(answer.status, body, str(body.get("detail", ""))[:300], int(wait[:6]) if wait[:6].isdecimal() else None)


def _json(text: bytes) -> Mapping[str, Any]:
    """The object in an answer; {} for none, and for one with texts that no database takes."""
    try:
        value = parsers.loads(text)
    except Problem:
        return {}
    return value if isinstance(value, dict) else {}


# --- What follows -------------------------------------------------------------------------------------------------------


@transaction.atomic
def _heard(interest: OutgoingInterest, told: Mapping[str, Any]) -> bool:
    """How it stands there. Nothing follows for one that ended here meanwhile: its erasure is on the way."""
    locked = locking.outgoing(interest.pk)
    if locked is None or locked.state not in LIVE:
        return _release(interest)
    state = told.get("state")
    if state not in TOLD:
        return _later(locked, Told(0))
    changed = state != locked.state
    if state == State.RECEIVED:
        if changed:
            locked.state, locked.attempts = State.RECEIVED, 1
        pause = _grown(FIRST_POLL, locked.attempts, LONGEST_POLL)
    elif state == State.ACCEPTED:
        contact = _contact(told.get("contact"))
        if contact is None:
            return _later(locked, Told(0))
        locked.state, locked.sealed_contact, pause = State.ACCEPTED, sealed(contact), MUTUAL_POLL
        if changed and locked.synergy:
            abroad_operations.hear_yes(locked.synergy, erasing.remote_side(locked.synergy))
    else:
        return _ended(locked, State(state))
    locked.lease_until, locked.next_attempt_at = None, timezone.now() + pause
    locked.save()
    return changed


def _ended(interest: OutgoingInterest, state: State) -> bool:
    """The partner's company said no, or it ended there in another way: there is nothing left there to erase."""
    erasing.close_outgoing(interest, state)
    interest.to_erase, interest.next_attempt_at, interest.lease_until = False, None, None
    interest.save()
    if interest.synergy is None:
        return True
    if state == State.DECLINED:
        abroad_operations.hear_no(interest.synergy, erasing.remote_side(interest.synergy))
    else:
        erasing.void(interest.synergy)
    return True


@transaction.atomic
def _failed(interest: OutgoingInterest, problem: str) -> bool:
    """It did not arrive and will not: the yes is no more, and who said it learns why. What they wrote waits for another try."""
    locked = locking.outgoing(interest.pk)
    if locked is None or locked.state != State.WAITING:
        return _release(interest)
    locked.lease_until = None
    erasing.close_outgoing(locked, State.FAILED, problem=problem, keeps_body=True)
    erasing.void(locked.synergy)
    notices.failed(locked)
    return True


def _later(interest: OutgoingInterest, told: Told) -> bool:
    """No answer of use: again after a while."""
    pause = timedelta(seconds=told.retry_after) if told.retry_after else _grown(FIRST_PAUSE, interest.attempts, LONGEST_PAUSE)
    OutgoingInterest.objects.filter(pk=interest.pk, next_attempt_at__isnull=False).update(
        lease_until=None, next_attempt_at=timezone.now() + min(pause, LONGEST_PAUSE)
    )
    return False


def _release(interest: OutgoingInterest) -> bool:
    OutgoingInterest.objects.filter(pk=interest.pk).update(lease_until=None)
    return False


def _grown(first: timedelta, attempts: int, longest: timedelta) -> timedelta:
    return min(first * 2 ** min(max(attempts - 1, 0), 20), longest)


def _contact(told: object) -> dict[str, str] | None:
    """The other company's contact, as text of a sane length; None where there is none."""
    if not isinstance(told, dict):
        return None
    limits = {"name": 120, "email": 254, "telephone": 30}
    contact = {name: value[:limit] if isinstance(value := told.get(name, ""), str) else "" for name, limit in limits.items()}
    return contact if contact["email"] or contact["telephone"] else None
