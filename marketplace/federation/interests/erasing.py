"""Making personal data go: at once where a person is erased or takes a yes back, in time where nothing came of an interest.

What is left of a row holds no personal data: its id, the two marketplaces, the state and the times, so that it can be told twice and counted.
"""

import logging
from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from marketplace.core.models import Mail
from marketplace.federation.enums import PartnerState
from marketplace.federation.models import IncomingInterest, OutgoingInterest, Partner
from marketplace.synergies import abroad_operations
from marketplace.synergies.abroad import is_abroad
from marketplace.synergies.enums import Side
from marketplace.synergies.models import Synergy

from . import hints, locking
from .enums import LIVE, OPEN, State

logger = logging.getLogger(__name__)
BATCH = 200
#: Who asked hears of an interest's end from who was asked; if that one stays silent, this much later it ends here too.
GRACE = timedelta(days=7)


def mail_key(interest: OutgoingInterest | IncomingInterest, occasion: str) -> str:
    """The beginning of the keys of the mails about an interest and an occasion; with "" of all about it."""
    return f"interest:{interest.uid}:{occasion}"


def close_outgoing(interest: OutgoingInterest, state: State, *, problem: str = "", keeps_body: bool = False) -> None:
    """End one of ours (its row is locked): forget what was sent and what came back, and have the partner forget it, if it may have it."""
    may_be_there = interest.attempts > 0 or interest.state not in (State.WAITING, State.FAILED)
    interest.state, interest.problem, interest.closed_at = state, problem[:500], timezone.now()
    interest.next_attempt_at = None
    interest.sealed_contact = ""
    if not keeps_body:
        interest.sealed_body = interest.contact_mark = ""
    _forget_mails(interest)
    if may_be_there:
        # Its lease stays: a request of it that is under way comes to its end before this one goes after it.
        interest.to_erase, interest.attempts, interest.next_attempt_at = True, 0, timezone.now()
    interest.save()


def close_incoming(interest: IncomingInterest, state: State) -> None:
    """End one of a partner's (its row is locked) and forget all that it told of people and of the company, and what we answered."""
    interest.state, interest.closed_at = state, timezone.now()
    interest.sealed_message = interest.sealed_contact = interest.contact_mark = interest.sealed_answer = interest.answer_mark = ""
    # A one-person company's name, web and listing are personal too.
    interest.company_name = interest.company_web = interest.company_identity = ""
    interest.their_title = interest.their_url = interest.comment = interest.consent_text = ""
    _forget_mails(interest)
    interest.save()


def _forget_mails(interest: OutgoingInterest | IncomingInterest) -> None:
    """Those about it, sent or not. They hold no contact data, but name the company."""
    Mail.objects.filter(key__startswith=mail_key(interest, "")).delete()


def void(synergy: Synergy | None) -> None:
    """What was between the two companies is over without a no: they may begin anew."""
    if synergy is not None:
        abroad_operations.hear_taken_back(synergy, remote_side(synergy), is_all=True)


def remote_side(synergy: Synergy) -> Side:
    """Which of the two is the partner's."""
    return Side.OFFER if is_abroad(synergy.offer) else Side.DEMAND


# --- A person goes ------------------------------------------------------------------------------------------------------


@transaction.atomic
def erase_person(user: object, addresses: set[str]) -> None:
    """All that this person sent to partners, or that a partner's company was told of them, goes here now, and there as soon as they hear of it."""
    # Of the others nothing is left, here or there.
    ours = OutgoingInterest.objects.of_person(user, addresses).filter(state__in=(*LIVE, State.DECLINED, State.FAILED))
    for pk in ours.order_by("pk").values_list("pk", flat=True):
        if interest := locking.outgoing(pk):
            was_live = interest.state in LIVE
            close_outgoing(interest, State.ERASED if was_live else State(interest.state), problem=interest.problem)
            if was_live:
                void(interest.synergy)
    for pk in IncomingInterest.objects.answered_by_person(user, addresses).order_by("pk").values_list("pk", flat=True):
        if interest := locking.incoming(pk):
            was_live = interest.state in LIVE
            close_incoming(interest, State.ERASED if was_live else State(interest.state))
            if was_live:
                void(interest.synergy)
                hints.changed(interest)


# --- Time passes --------------------------------------------------------------------------------------------------------


def run_daily() -> int:
    """End what nobody answered or whose company here is gone, forget what is left of a no, and delete rows that say nothing any more; returns how many."""
    now = timezone.now()
    waited, kept, told = (now - timedelta(days=days) for days in (settings.INTEREST_WAIT_DAYS, settings.INTEREST_KEEP_DAYS, settings.FEDERATION_TOMBSTONE_DAYS))
    incoming = IncomingInterest.objects.filter(Q(state__in=OPEN, created__lt=waited) | Q(state__in=LIVE, listing=None))
    outgoing = OutgoingInterest.objects.filter(Q(state__in=OPEN, created__lt=waited - GRACE) | Q(state__in=LIVE, company=None))
    refused = IncomingInterest.objects.filter(state=State.DECLINED, closed_at__lt=kept).exclude(company_name="", sealed_message="", consent_text="")
    failed = OutgoingInterest.objects.filter(closed_at__lt=kept).exclude(state__in=LIVE).exclude(sealed_body="")
    done = sum(_expire_incoming(pk) for pk in _first(incoming)) + sum(_expire_outgoing(pk) for pk in _first(outgoing))
    done += sum(_forget_refused(pk) for pk in _first(refused)) + failed.update(sealed_body="", contact_mark="")
    # So long a late request finds a closed door, and a consent can be shown.
    done += IncomingInterest.objects.exclude(state__in=LIVE).filter(modified__lt=told).delete()[0]
    return done + OutgoingInterest.objects.exclude(state__in=LIVE).filter(modified__lt=told, to_erase=False).delete()[0]


def cut_off() -> int:
    """End the interests of partnerships that have ended: no erasure would arrive any more. What the partner has is erased first; how many."""
    ended = {"partner__state": PartnerState.ENDED, "state__in": LIVE}
    done = sum(_expire_incoming(pk) for pk in _first(IncomingInterest.objects.filter(**ended)))
    return done + sum(_expire_outgoing(pk) for pk in _first(OutgoingInterest.objects.filter(**ended)))


def forget_key(partner: Partner) -> None:
    """Of an ended partnership: the partner's key goes with the last erasure for which it was needed."""
    if not partner.outgoing_interests.crossing().exists():
        Partner.objects.filter(pk=partner.pk, state=PartnerState.ENDED).update(sealed_key="")


def _first(interests) -> list[int]:
    return list(interests.order_by("pk").values_list("pk", flat=True)[:BATCH])


@transaction.atomic
def _expire_incoming(pk: int) -> bool:
    interest = locking.incoming(pk)
    if interest is None or interest.state not in LIVE:
        return False
    close_incoming(interest, State.EXPIRED)
    void(interest.synergy)
    hints.changed(interest)
    return True


@transaction.atomic
def _expire_outgoing(pk: int) -> bool:
    interest = locking.outgoing(pk)
    if interest is None or interest.state not in LIVE:
        return False
    close_outgoing(interest, State.EXPIRED)
    void(interest.synergy)
    return True


@transaction.atomic
def _forget_refused(pk: int) -> bool:
    interest = locking.incoming(pk)
    if interest is None or interest.state != State.DECLINED:
        return False
    closed_at = interest.closed_at
    close_incoming(interest, State.DECLINED)
    IncomingInterest.objects.filter(pk=pk).update(closed_at=closed_at)
    return True
