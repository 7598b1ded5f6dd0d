"""What companies can do with a group or a ring; each function is one transaction: lock, check, write, log.

Every function takes the keyword `by`, the acting person. Saying yes in a ring is saying yes to one of its links, as everywhere
(`operations.express_interest`).
"""

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from marketplace.accounts.models import User
from marketplace.companies.models import Company
from marketplace.core import changelog
from marketplace.listings.models import Listing

from . import abroad, consortia, operations, why
from .beyond import Consortium, ConsortiumMember, Ring, RingLink
from .enums import State, Step
from .models import Synergy, SynergyEvent


@transaction.atomic
def set_aside_group(consortium: Consortium, *, by: User) -> Consortium:
    """Not for us: it goes for everybody. The asking company gets no group like it again; without an offering one another group may be found."""
    locked = Consortium.objects.select_for_update(of=("self",)).select_related("demand").filter(pk=consortium.pk).first()
    if locked is None:
        raise _gone()
    companies = [locked.demand.company_id, *locked.members.values_list("offer__company", flat=True)]
    if _set_aside(locked, companies, by):
        consortia.mark([locked.demand_id])
    return locked


@transaction.atomic
def set_aside_ring(ring: Ring, *, by: User) -> Ring:
    """Not for us: it goes for everybody, for without one company it is no ring. Its links stay as suggestions of their own."""
    locked = Ring.objects.select_for_update().filter(pk=ring.pk).first()
    if locked is None:
        raise _gone()
    companies = list(RingLink.objects.filter(ring=locked).order_by("place").values_list("synergy__offer__company", flat=True))
    if _set_aside(locked, companies, by):
        changelog.append("ring", locked.uid)
    return locked


def _set_aside(proposal: Consortium | Ring, companies: list[int], by: User) -> bool:
    """Write who did not want it, unless somebody did so before; the first of the companies for which the person speaks."""
    mine = set(by.memberships.active().values_list("company", flat=True))
    own = next((company for company in companies if company in mine), None)
    if own is None:
        raise PermissionDenied
    if proposal.dismissed_at:
        return False
    proposal.dismissed_at, proposal.dismissed_by = timezone.now(), Company.objects.get(pk=own)
    proposal.save()
    return True


def ask_member(member: ConsortiumMember, *, by: User) -> Synergy:
    """The asking company says yes to one member of a group; that company hears of it as of any yes.

    A pair that was never suggested, for an offer that answers a part only may score too little by itself, becomes a synergy here.
    Raises SearchUnavailable if it has to be made and no engine can say why the two fit. For a partner marketplace's offer this is as far as it
    goes: what comes back has no yes yet.
    """
    offer, demand = member.offer, member.consortium.demand
    stored = Synergy.objects.filter(offer=offer, demand=demand).exists()
    # Asked before anything is locked, so that a slow answer locks nobody out.
    told = None if stored else why.find(offer, demand)
    return _ask(member, told, by=by)


@transaction.atomic
def _ask(member: ConsortiumMember, told: why.Findings | None, *, by: User) -> Synergy:
    offer, demand = _locked_listings(member)
    if demand.company_id not in set(by.memberships.active().values_list("company", flat=True)):
        raise PermissionDenied
    if not Consortium.objects.current().filter(pk=member.consortium_id, members=member).exists():
        raise _gone()
    synergy = Synergy.objects.select_for_update(of=("self",), no_key=True).filter(offer=offer, demand=demand).first()
    if synergy is None:
        synergy = _made(offer, demand, told)
    if synergy.demand_interest_at:
        # Who acts for both companies must not say yes for the other one with a second press.
        return synergy
    if abroad.is_abroad(offer):
        # The pair is here now; the yes itself needs the person's consent first, on its own page.
        return synergy
    return operations.express_interest(synergy, by=by)


def _locked_listings(member: ConsortiumMember) -> tuple[Listing, Listing]:
    """Offer and demand as they are now, locked in the order of their keys, as everywhere."""
    pks = [member.offer_id, member.consortium.demand_id]
    rows = Listing.objects.select_for_update(of=("self",), no_key=True).select_related("company").order_by("pk")
    now = {row.pk: row for row in rows.filter(pk__in=pks)}
    if len(now) < len(pks):
        raise _gone()
    return now[pks[0]], now[pks[1]]


def _made(offer: Listing, demand: Listing, told: why.Findings | None) -> Synergy:
    if told is None:
        # It was there a moment ago and went with a change of one of the two.
        raise _gone()
    synergy = Synergy.objects.create(
        offer=offer, demand=demand, score=told.score, signals=told.signals, reasons=told.reasons, engine_version=told.engine_version,
        offer_version=offer.version, demand_version=demand.version, state=State.SUGGESTED,
    )  # fmt: skip
    SynergyEvent.objects.create(synergy=synergy, step=Step.SUGGESTED)
    # It has a place in both lists now.
    changelog.append("synergy", synergy.uid)
    return synergy


def _gone() -> operations.IllegalStepError:
    return operations.IllegalStepError(_("This is gone: one of its listings has changed or ended, or a company did not want it."), code="gone")
