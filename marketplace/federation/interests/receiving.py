"""What a partner's program does with its company's interests in listings here. It sees its own only; said twice is done once."""

import datetime
import uuid
from collections.abc import Mapping, Sequence

from django.db import transaction
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone
from django.utils.translation import gettext as _

from marketplace.federation.models import IncomingInterest, OutgoingInterest, Partner, RemoteListing
from marketplace.federation.models.interests import mark, sealed
from marketplace.listings.models import Listing
from marketplace.rest.problems import Problem
from marketplace.synergies import abroad_operations
from marketplace.synergies.enums import State as SynergyState
from marketplace.synergies.models import Synergy

from . import erasing, locking, notices, operations, wire
from .consent import Contact, Given
from .enums import LIVE, State

#: How many interests are looked at in one round, whether their pair has become a synergy meanwhile.
BATCH = 50
ERASURE = "erasure"
#: So many interests may be taken back before they have arrived, which is rare: each leaves a row for as long as a late request has to be refused.
MOST_UNKNOWN, UNKNOWN_PERIOD = 200, datetime.timedelta(days=1)


@transaction.atomic
def receive(partner: Partner, listing: Listing, remote_uid: uuid.UUID, data: Mapping, *, fingerprints: Sequence[str]) -> tuple[IncomingInterest, bool]:
    """An interest of a partner's company in `listing`, which is ours, live and given to the partner; and whether it is new.

    `data` is what wire.InterestIn has checked, `fingerprints` are wire.fingerprints of the request. Raises Problem: 422 for the same id with another body, 410 for one that was taken back.
    """
    # One request of a partner at a time: the row that would be locked is not there yet. A visit may write rows that point to it (operations.lock).
    Partner.objects.select_for_update(no_key=True).get(pk=partner.pk)
    if found := IncomingInterest.objects.filter(partner=partner, remote_uid=remote_uid).first():
        return _again(found, fingerprints), False
    own, company = data["own"], data["company"]
    synergy = _synergy(partner, listing, own["@id"])
    if synergy:
        Synergy.objects.select_for_update(of=("self",)).get(pk=synergy.pk)
    _supersede(partner, listing, own["@id"])
    interest = IncomingInterest.objects.create(
        partner=partner,
        remote_uid=remote_uid,
        fingerprint=fingerprints[0],
        listing=listing,
        company_name=company["name"],
        company_web=company.get("url", ""),
        company_identity=wire.identity(company.get("identifier")),
        their_uri=own["@id"],
        their_url=own.get("url", ""),
        their_title=own["name"],
        their_kind=wire.KINDS[own["@type"]],
        language=data["language"],
        sealed_message=sealed({"text": data["message"]}) if data["message"] else "",
        sealed_contact=sealed(dict(data["contact"])),
        contact_mark=mark(data["contact"]["email"]),
        consent_text=data["consent"]["text"],
        consent_version=data["consent"]["version"],
        consented_at=data["consent"]["givenAt"],
    )
    if synergy:
        _join(interest, synergy)
    if interest.is_open:
        notices.arrived(interest)
    return interest, True


def _again(found: IncomingInterest, fingerprints: Sequence[str]) -> IncomingInterest:
    if found.state in (State.WITHDRAWN, State.ERASED, State.EXPIRED):
        raise Problem("gone", _("This interest has ended and its data are deleted. Send a new one with a new Idempotency-Key."))
    if found.fingerprint not in fingerprints:
        raise Problem("idempotency-key-reused")
    return found


def _supersede(partner: Partner, listing: Listing, their_uri: str) -> None:
    """A new interest of the same two takes the place of an earlier one: their marketplace holds it for ended, and its erasure is still on the way."""
    for pk in IncomingInterest.objects.live().filter(partner=partner, listing=listing, their_uri=their_uri).values_list("pk", flat=True):
        _end(locking.incoming(pk), State.WITHDRAWN)


@transaction.atomic
def forget(partner: Partner, remote_uid: uuid.UUID, *, is_erasure: bool) -> None:
    """The company took its interest back, or a person of it was erased: nothing of it stays. Also for one that has not arrived yet."""
    Partner.objects.select_for_update(no_key=True).get(pk=partner.pk)
    state = State.ERASED if is_erasure else State.WITHDRAWN
    pk = IncomingInterest.objects.filter(partner=partner, remote_uid=remote_uid).values_list("pk", flat=True).first()
    if pk is None:
        _check_unknown(partner)
        IncomingInterest.objects.create(partner=partner, remote_uid=remote_uid, state=state)
    else:
        _end(locking.incoming(pk), state)


def _check_unknown(partner: Partner) -> None:
    """Of a partner that takes back what it never sent, not every made-up id is remembered. Raises Problem 429: whoever means it asks again later."""
    since = timezone.now() - UNKNOWN_PERIOD
    if IncomingInterest.objects.filter(partner=partner, their_uri="", fingerprint="", created__gt=since).count() >= MOST_UNKNOWN:
        detail = _("Too many interests were taken back that have not arrived here. Ask again later.")
        raise Problem("too-many-requests", detail, headers={"Retry-After": str(int(UNKNOWN_PERIOD.total_seconds()) // 24)})


def _end(interest: IncomingInterest, state: State) -> None:
    was = State(interest.state)
    erasing.close_incoming(interest, state if was in LIVE else was)
    synergy = interest.synergy
    if synergy is None or was not in LIVE:
        return
    if state == State.ERASED:
        erasing.void(synergy)
    elif was == State.ACCEPTED:
        abroad_operations.hear_no(synergy, erasing.remote_side(synergy))
    else:
        abroad_operations.hear_taken_back(synergy, erasing.remote_side(synergy))


# --- One thing, one place ------------------------------------------------------------------------------------------------


def join_new() -> int:
    """Interests whose two listings have become a synergy here since they came: from now on people find them there. How many."""
    of_the_pair = (
        Q(offer=OuterRef("listing"), demand__of_partner__uri=OuterRef("their_uri"), demand__of_partner__partner=OuterRef("partner")),
        Q(demand=OuterRef("listing"), offer__of_partner__uri=OuterRef("their_uri"), offer__of_partner__partner=OuterRef("partner")),
    )
    waiting = IncomingInterest.objects.filter(synergy=None, listing__isnull=False, state__in=(*LIVE, State.DECLINED)).exclude(their_uri="")
    waiting = waiting.filter(Exists(Synergy.objects.filter(of_the_pair[0])) | Exists(Synergy.objects.filter(of_the_pair[1])))
    return sum(_join_one(pk) for pk in waiting.order_by("-pk").values_list("pk", flat=True)[:BATCH])


@transaction.atomic
def _join_one(pk: int) -> bool:
    interest = IncomingInterest.objects.select_related("listing", "partner").filter(pk=pk).first()
    # It may have been deleted since it was listed.
    synergy = interest and interest.listing and _synergy(interest.partner, interest.listing, interest.their_uri)
    if synergy is None:
        return False
    held = Synergy.objects.select_for_update(of=("self",)).filter(pk=synergy.pk).first()
    interest = locking.incoming(pk)
    if held is None or interest is None or interest.synergy_id or interest.state not in (*LIVE, State.DECLINED):
        return False
    _join(interest, synergy)
    return interest.synergy_id is not None


def _synergy(partner: Partner, listing: Listing, their_uri: str) -> Synergy | None:
    """The pair of `listing` and the partner's own. Two partners may share a host, but neither speaks for the other's listings."""
    theirs = RemoteListing.objects.filter(partner=partner, uri=their_uri).values("listing")
    pair = Synergy.objects.with_listing(listing).filter(Q(offer__in=theirs) | Q(demand__in=theirs))
    return pair.select_related("offer__company", "demand__company").first()


def _join(interest: IncomingInterest, synergy: Synergy) -> None:
    """Let the synergy (locked, as is the interest) show the interest, and each take over what the other knows."""
    side = erasing.remote_side(synergy)
    synergy.refresh_from_db(fields=["state", "offer_interest_at", "demand_interest_at"])
    interest.synergy = synergy
    interest.save(update_fields=["synergy", "modified"])
    if interest.state == State.ACCEPTED:
        abroad_operations.adopt_yes(synergy)
    elif interest.state == State.DECLINED:
        abroad_operations.adopt_no(synergy, side.other, reason=interest.reason, comment=interest.comment)
    elif synergy.state == SynergyState.DISMISSED:
        operations.write_no(interest, by=None, reason=synergy.dismissed_reason)
    else:
        # Two who ask each other at the same time have both said yes, each with consent to just this.
        ours = OutgoingInterest.objects.live().filter(synergy=synergy).first()
        given = ours.body.get("contact") if ours else None
        if given:
            contact = Contact(given["name"], given["email"], given["telephone"])
            operations.write_yes(interest, Given(contact, ours.consent_text, ours.consent_version), by=ours.by)
        abroad_operations.hear_yes(synergy, side)
