"""What curators do about pairs and about listings that find nobody; each function is one transaction: lock, check, write, log, tell.

Nobody decides in their own cause: on a listing of a company that a curator acts for, somebody else has to (PermissionDenied).
"""

from collections.abc import Iterable

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from marketplace.accounts.models import User
from marketplace.listings.enums import Kind
from marketplace.listings.models import Listing
from marketplace.listings.rules import can_curate

from . import notices, why
from .enums import State, Step, Unmet, Verdict
from .models import Advice, Announcement, Judgement, Synergy, SynergyEvent, UnmetMark

MAX_NOTE = 500
MAX_ADVICE = 1000


@transaction.atomic
def propose(offer: Listing, demand: Listing, *, by: User, note: str = "") -> Synergy:
    """Suggest a pair by hand, whatever its score; both companies get a mail. `note` is read by both.

    A pair that waits already, from the engine or from a colleague, comes back as it is; one that a company set aside is
    never suggested again. Raises SearchUnavailable if no engine can say why they fit.
    """
    # Asked before anything is locked, so that a slow answer locks nobody out.
    told = why.find(offer, demand)
    offer, demand = _locked(offer, demand, by=by)
    if (offer.kind, demand.kind) != (Kind.OFFER, Kind.DEMAND) or offer.company_id == demand.company_id:
        raise ValidationError(_("Only an offer and a demand of two companies can be suggested to each other."), code="kinds")
    if not (offer.is_live and demand.is_live):
        raise ValidationError(_("One of the two listings is no longer public."), code="not_live")
    synergy = Synergy.objects.select_for_update(of=("self",), no_key=True).filter(offer=offer, demand=demand).first()
    if synergy and synergy.state == State.DISMISSED:
        raise ValidationError(_("One of the two companies set this pair aside, so it is never suggested again."), code="dismissed")
    if synergy:
        return synergy
    synergy = Synergy.objects.create(
        offer=offer, demand=demand, score=told.score, signals=told.signals, reasons=told.reasons, engine_version=told.engine_version,
        offer_version=offer.version, demand_version=demand.version, proposed_at=timezone.now(), proposed_by=by, proposed_note=note.strip()[:MAX_NOTE],
    )  # fmt: skip
    SynergyEvent.objects.create(synergy=synergy, step=Step.PROPOSED, by=by)
    people = notices.proposed(synergy)
    # The digest need not tell them again.
    Announcement.objects.bulk_create([Announcement(user=user, offer=offer, demand=demand) for user in people], ignore_conflicts=True)
    return synergy


@transaction.atomic
def judge(offer: Listing, demand: Listing, *, by: User, verdict: str) -> Judgement:
    """Say whether a pair fits; a second word of the same curator takes the place of the first."""
    offer, demand = _locked(offer, demand, by=by)
    if verdict not in Verdict.values:
        raise ValidationError(_("Choose whether the two fit."), code="verdict")
    if (offer.kind, demand.kind) != (Kind.OFFER, Kind.DEMAND):
        raise ValidationError(_("Only an offer and a demand can be judged."), code="kinds")
    values = {"verdict": verdict, "at": timezone.now()}
    return Judgement.objects.update_or_create(offer=offer, demand=demand, by=by, defaults=values)[0]


@transaction.atomic
def advise(listing: Listing, *, by: User, text: str) -> Advice:
    """Tell the company what to add to its listing; its people get a mail and see it beside the listing until that changes.

    The same words for the same text a second time are not sent again.
    """
    (listing,) = _locked(listing, by=by)
    text = text.strip()[:MAX_ADVICE]
    if not text:
        raise ValidationError(_("Write what the company should add to its text."), code="text")
    if not listing.is_live:
        raise ValidationError(_("This listing is no longer public."), code="not_live")
    last = listing.advice.first()
    if last and (last.text, last.listing_version) == (text, listing.version):
        return last
    advice = Advice.objects.create(listing=listing, listing_version=listing.version, text=text, by=by)
    notices.advised(advice)
    return advice


@transaction.atomic
def mark_unmet(listing: Listing, *, by: User, reason: str, comment: str = "") -> UnmetMark:
    """Say that nothing is to be had for the listing as it stands; it leaves the list of what curators look after."""
    (listing,) = _locked(listing, by=by)
    if reason not in Unmet.values:
        raise ValidationError(_("Choose why nothing is to be had."), code="reason")
    if not listing.is_live:
        raise ValidationError(_("This listing is no longer public."), code="not_live")
    values = {"listing_version": listing.version, "reason": reason, "comment": comment.strip()[:MAX_NOTE], "by": by, "created": timezone.now()}
    return UnmetMark.objects.update_or_create(listing=listing, defaults=values)[0]


@transaction.atomic
def unmark(listing: Listing, *, by: User) -> None:
    """Take the mark away: somebody shall look again."""
    (listing,) = _locked(listing, by=by)
    UnmetMark.objects.filter(listing=listing).delete()


def _locked(*listings: Listing, by: User) -> Iterable[Listing]:
    """The rows as they are now, in the order given; locked in the order of their keys, as everywhere."""
    rows = Listing.objects.select_for_update(of=("self",), no_key=True).select_related("company").order_by("pk")
    now = {row.pk: row for row in rows.filter(pk__in=[listing.pk for listing in listings])}
    if len(now) < len({listing.pk for listing in listings}):
        raise ValidationError(_("This listing is not there any more."), code="gone")
    if not all(can_curate(by, row) for row in now.values()):
        raise PermissionDenied
    return [now[listing.pk] for listing in listings]
