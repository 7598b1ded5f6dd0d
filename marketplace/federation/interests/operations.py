"""What people here do with interests that cross: each function is one transaction that locks, checks, writes, logs and tells.

As in `synergies.operations`, what is already so is not done again, so that a button pressed twice sends nothing twice.
"""

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from marketplace.accounts.models import User
from marketplace.companies.models import Company
from marketplace.federation.enums import PartnerState, ReaderKind
from marketplace.federation.models import IncomingInterest, OutgoingInterest, Partner
from marketplace.federation.models.interests import mark, sealed
from marketplace.listings.models import Listing
from marketplace.synergies import disclosure
from marketplace.synergies import operations as synergies
from marketplace.synergies.abroad import is_abroad
from marketplace.synergies.enums import DismissReason, Side
from marketplace.synergies.enums import State as SynergyState
from marketplace.synergies.models import Synergy

from . import erasing, hints, locking, notices, wire
from .consent import Contact, Given
from .enums import LIVE, State


class NoWayError(ValidationError):
    """There is no way to tell the other company; the message says why."""


def partner_of(listing: Listing) -> Partner:
    """Whose listing it is; raises NoWayError if its marketplace cannot take interests from here."""
    partner = Partner.objects.filter(remote_listings__listing=listing).first()
    if partner is None or partner.state == PartnerState.ENDED:
        raise NoWayError(_("We do not exchange listings with this marketplace any more."), code="ended")
    if partner.reader != ReaderKind.PROTOCOL or not partner.sealed_key:
        raise NoWayError(_("%(partner)s takes no answers from here. Open the listing there and write to the company.") % {"partner": partner}, code="no_way")
    return partner


def open_incoming(synergy: Synergy) -> IncomingInterest | None:
    """The other company's own interest in the pair, which our yes would answer."""
    return IncomingInterest.objects.filter(synergy=synergy, state=State.RECEIVED).select_related("partner").first()


@transaction.atomic
def say_yes(synergy: Synergy, given: Given, *, by: User, message: str = "") -> Synergy:
    """Say yes to a partner's company, with the person's consent: it is sent by the worker, or answers the interest that came from there.

    Raises ValidationError, NoWayError, PermissionDenied.
    """
    given.check()
    locked = Synergy.objects.select_for_update(of=("self",)).filter(pk=synergy.pk).first()
    incoming = open_incoming(synergy) if locked else None
    if incoming:
        return _answer_joined(synergy, incoming, given, by=by)
    synergy = synergies.express_interest(synergy, by=by, has_consented=True)
    side = _own_side(synergy)
    if OutgoingInterest.objects.live().filter(synergy=synergy).exists():
        return synergy
    if synergy.state == SynergyState.MUTUAL:
        return synergy
    mine, theirs = synergy.listing(side), synergy.listing(side.other)
    partner = partner_of(theirs)
    now, language = timezone.now(), get_language() or by.language
    body = wire.body(mine, theirs.source_uri, given, message=message, language=language, at=now)
    OutgoingInterest.objects.create(
        partner=partner,
        synergy=synergy,
        company=mine.company,
        mine=mine,
        theirs=theirs,
        remote_uri=theirs.source_uri,
        by=by,
        language=language,
        sealed_body=sealed(body),
        contact_mark=mark(given.contact.email),
        consent_text=given.text,
        consent_version=given.version,
        consented_at=now,
    )
    return synergy


def _answer_joined(synergy: Synergy, incoming: IncomingInterest, given: Given, *, by: User) -> Synergy:
    incoming = locking.incoming(incoming.pk)
    if incoming is None or not incoming.is_open:
        raise ValidationError(_("The other company has just taken its interest back."), code="withdrawn")
    synergy = synergies.express_interest(synergy, by=by, has_consented=True)
    write_yes(incoming, given, by=by)
    return synergy


def _own_side(synergy: Synergy) -> Side:
    return Side.DEMAND if is_abroad(synergy.offer) else Side.OFFER


def write_yes(incoming: IncomingInterest, given: Given, *, by: User | None) -> None:
    """Our yes to a partner's interest (its row is locked), and the hint that there is one."""
    incoming.state, incoming.answered_at, incoming.answered_by = State.ACCEPTED, timezone.now(), by
    incoming.sealed_answer, incoming.answer_mark = sealed(given.contact.as_dict()), mark(given.contact.email)
    incoming.answer_consent_text, incoming.answer_consent_version = given.text, given.version
    incoming.save()
    hints.changed(incoming)


# --- Answers to an interest that no synergy here shows -------------------------------------------------------------------


@transaction.atomic
def accept(incoming: IncomingInterest, given: Given, *, by: User) -> IncomingInterest:
    """Say yes to a partner's company; both sides get the contact data. Raises ValidationError if it was taken back meanwhile."""
    incoming = _locked(incoming, by)
    if incoming.synergy_id:
        raise ValidationError(_("You find this among your synergies now. Answer it there."), code="joined")
    if incoming.state == State.ACCEPTED:
        return incoming
    given.check()
    _check_open(incoming)
    if not incoming.listing.is_live:
        raise ValidationError(_("Your listing is no longer public, so there is nothing to say yes to any more."), code="not_live")
    write_yes(incoming, given, by=by)
    notices.agreed(incoming)
    return incoming


@transaction.atomic
def decline(incoming: IncomingInterest, *, by: User, reason: str, comment: str = "") -> IncomingInterest:
    """Say no, also after a yes. Why (a DismissReason) stays here. Their contact data go at once."""
    incoming = _locked(incoming, by)
    if incoming.synergy_id:
        raise ValidationError(_("You find this among your synergies now. Answer it there."), code="joined")
    if reason not in DismissReason.values:
        raise ValidationError({"reason": _("Choose why, so that we can suggest better ones.")}, code="reason")
    if incoming.state == State.DECLINED:
        return incoming
    if incoming.state not in LIVE:
        _check_open(incoming)
    write_no(incoming, by=by, reason=reason, comment=comment)
    return incoming


def write_no(incoming: IncomingInterest, *, by: User | None, reason: str = "", comment: str = "") -> None:
    """Our no to a partner's interest (its row is locked): the contact data of both go, what people wrote later (erasing.run_daily)."""
    incoming.state, incoming.answered_at, incoming.answered_by, incoming.closed_at = State.DECLINED, timezone.now(), by, timezone.now()
    incoming.sealed_contact = incoming.contact_mark = incoming.sealed_answer = incoming.answer_mark = ""
    incoming.reason, incoming.comment = reason, comment.strip()[: synergies.MAX_COMMENT]
    incoming.save()
    hints.changed(incoming)


def _locked(incoming: IncomingInterest, by: User) -> IncomingInterest:
    locked = locking.incoming(incoming.pk)
    if locked is None or locked.listing is None or locked.listing.company_id not in set(by.memberships.active().values_list("company", flat=True)):
        raise PermissionDenied
    return locked


def _check_open(incoming: IncomingInterest) -> None:
    if not incoming.is_open:
        raise ValidationError(_("This has ended meanwhile: the other company took its interest back, or nobody answered for too long."), code="closed")


# --- What synergies ask for (settings.SYNERGIES_ABROAD) -----------------------------------------------------------------


class Across:
    """How a synergy's words cross, see synergies.abroad.Abroad. The synergy is locked by who calls."""

    def contact(self, synergy: Synergy, side: Side) -> disclosure.Contact | None:
        """What the other company gave for this pair, whoever asked first; None once it is gone."""
        found = OutgoingInterest.objects.filter(synergy=synergy, state=State.ACCEPTED).first()
        found = found or IncomingInterest.objects.filter(synergy=synergy, state=State.ACCEPTED).first()
        told = found.contact if found else {}
        if not told:
            return None
        return disclosure.Contact(synergy.listing(side.other).company.name, told.get("name", ""), told.get("email", ""), told.get("telephone", ""))

    def took_back(self, synergy: Synergy, side: Side, *, by: User) -> None:
        """A yes is taken back there too. A no that the other marketplace was told stands."""
        if IncomingInterest.objects.filter(synergy=synergy, state=State.DECLINED).exists():
            raise synergies.IllegalStepError(_("The other company has been told that you said no: this cannot be taken back."), code="told")
        for pk in OutgoingInterest.objects.live().filter(synergy=synergy).values_list("pk", flat=True):
            if interest := locking.outgoing(pk):
                erasing.close_outgoing(interest, State.WITHDRAWN)

    def said_no(self, synergy: Synergy, side: Side, *, by: User) -> None:
        """An interest of theirs is answered with no; one of ours is taken back, also after both had said yes."""
        for pk in IncomingInterest.objects.live().filter(synergy=synergy).values_list("pk", flat=True):
            if interest := locking.incoming(pk):
                write_no(interest, by=by, reason=synergy.dismissed_reason)
        for pk in OutgoingInterest.objects.live().filter(synergy=synergy).values_list("pk", flat=True):
            if interest := locking.outgoing(pk):
                erasing.close_outgoing(interest, State.WITHDRAWN)
        synergy.set_interest(side, None)


def contact_of(company: Company, by: User) -> Contact:
    """What the form proposes: the company's contact, the person's own where it has none."""
    return Contact(company.contact_name or by.name, company.contact_email or by.email, company.contact_phone)
