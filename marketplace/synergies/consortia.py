"""Keeps the stored consortia in step with the listings: a reader of the change log, behind the synergies.

A change marks the demands it may concern; then some marked demands a round are looked at anew. So a batch of changes costs little,
ten changed offers of one trade are one look at each demand, and a mark goes only in the transaction that stores what was
found: a crash loses nothing. Groups that a company set aside are kept, and neither they nor their like are proposed again.
"""

import logging
import uuid
from collections.abc import Iterable

from django.db import transaction
from django.db.models import Count, F, Q
from django.utils import timezone

import search
from marketplace.core import changelog
from marketplace.core.models import Change
from marketplace.listings import documents
from marketplace.listings.enums import Kind
from marketplace.listings.models import Listing
from search import consortia as engine

from . import refresh
from .beyond import Consortium, ConsortiumDue, ConsortiumMember
from .enums import State
from .models import Synergy
from .vocabulary import REMATCH

logger = logging.getLogger(__name__)
READER = "consortia"
#: Each changed offer is one short question to the engine.
BATCH = 100
#: Demands looked at in a round, each one long question: about a second.
AT_ONCE = 10


def run_once() -> int:
    """Take the next batch of changes, or look at some marked demands if there is none; how many. A search server that does not answer makes it 0."""
    try:
        return changelog.consume(READER, _handle, limit=BATCH, behind=refresh.READER) or _work(AT_ONCE)
    except search.SearchUnavailable as error:
        logger.warning("consortia wait for the search server: %s", error)
        return 0


def refresh_all() -> int:
    """Look at every live demand anew; how many consortia there are. For operators and new engines."""
    Consortium.objects.filter(dismissed_at=None).exclude(pk__in=Consortium.objects.current().values("pk")).delete()
    mark(Listing.objects.live().filter(kind=Kind.DEMAND).values_list("pk", flat=True))
    while _work(AT_ONCE):
        pass
    return Consortium.objects.current().count()


# --- Marking ------------------------------------------------------------------------------------------------------------


def mark(demands: Iterable[int]) -> None:
    """These demands (primary keys) have to be looked at."""
    rows = [ConsortiumDue(demand_id=demand, stamp=uuid.uuid4()) for demand in sorted(set(demands))]
    ConsortiumDue.objects.bulk_create(rows, batch_size=500, update_conflicts=True, unique_fields=["demand"], update_fields=["stamp"])


def _handle(changes: list[Change]) -> None:
    changed = list(Listing.objects.for_display().filter(uid__in={change.uid for change in changes if change.kind in {"listing", REMATCH}}))
    answered = Synergy.objects.filter(uid__in={change.uid for change in changes if change.kind == "synergy"})
    concerned = set(Consortium.objects.filter(Q(members__offer__in=changed) | Q(demand__in=changed)).values_list("demand", flat=True))
    concerned |= {listing.pk for listing in changed if listing.is_live and listing.kind == Kind.DEMAND}
    concerned |= set(answered.values_list("demand", flat=True)) | set(_broken().values_list("demand", flat=True))
    touched = {uid for listing in changed if listing.is_live and listing.kind == Kind.OFFER for uid in engine.touched(documents.document(listing))}
    concerned |= set(Listing.objects.filter(uid__in=touched).values_list("pk", flat=True))
    mark(concerned)


def _broken() -> "Consortium.objects":
    """Those of which a member has gone without a word, with its company."""
    return Consortium.objects.alias(present=Count("members")).filter(present__lt=F("size"), dismissed_at=None)


# --- Looking ------------------------------------------------------------------------------------------------------------


def _work(limit: int) -> int:
    due = list(ConsortiumDue.objects.order_by("pk")[:limit])
    for each in due:
        _look_at(each)
    return len(due)


def _look_at(due: ConsortiumDue) -> None:
    """Ask about one demand, outside the transaction so that a slow answer locks nobody out, and store what was found."""
    demand = Listing.objects.for_display().filter(pk=due.demand_id).first()
    found = []
    if demand and demand.is_live and demand.kind == Kind.DEMAND:
        found = engine.find(documents.document(demand), exclude_uids=_unwanted_offers(demand), refused=_refused(demand))
    _store(due, found)


def _unwanted_offers(demand: Listing) -> list[str]:
    """Offers that are not to be in a group for the demand: the pair was set aside, or their own company left such a group."""
    dismissed = Synergy.objects.filter(demand=demand, state=State.DISMISSED).values_list("offer__uid", flat=True)
    left = ConsortiumMember.objects.filter(consortium__demand=demand, consortium__dismissed_by=F("offer__company")).values_list("offer__uid", flat=True)
    return [str(uid) for uid in (*dismissed, *left)]


def _refused(demand: Listing) -> list[frozenset[str]]:
    """The groups that the demand's company did not want, and those on which it acts already: neither comes again with one member changed."""
    groups: dict[int, set[str]] = {}
    theirs = Q(consortium__dismissed_by=demand.company) | Q(consortium__in=_begun(demand))
    for consortium, offer in ConsortiumMember.objects.filter(theirs, consortium__demand=demand).values_list("consortium", "offer__uid"):
        groups.setdefault(consortium, set()).add(str(offer))
    return [frozenset(group) for group in groups.values()]


def _begun(demand: Listing) -> "Consortium.objects":
    """Current groups of which a member has been asked or has said yes: they stay while their links hold, though a better group be found."""
    acted = Synergy.objects.filter(demand=demand, state__in=(State.INTEREST, State.MUTUAL)).values("offer")
    return Consortium.objects.current().filter(demand=demand, pk__in=ConsortiumMember.objects.filter(offer__in=acted).values("consortium"))


@transaction.atomic
def _store(due: ConsortiumDue, found: list[engine.Consortium]) -> None:
    """Put what was found in the place of what was there, seen against the rows as they are now."""
    uids = {member.uid for each in found for member in each.members}
    locked = Listing.objects.select_for_update(of=("self",), no_key=True).select_related("company").order_by("pk")
    listings = {str(listing.uid): listing for listing in locked.filter(Q(uid__in=uids) | Q(pk=due.demand_id))}
    demand = next((listing for listing in listings.values() if listing.pk == due.demand_id), None)
    if demand is None:
        return
    kept = set(_begun(demand).values_list("pk", flat=True))
    if demand.is_live and demand.kind == Kind.DEMAND:
        kept |= {stored for each in found if (stored := _stored(each, demand, listings))}
    Consortium.objects.filter(demand=demand, dismissed_at=None).exclude(pk__in=kept).delete()
    ConsortiumDue.objects.filter(demand=demand, stamp=due.stamp).delete()


def _stored(found: engine.Consortium, demand: Listing, listings: dict[str, Listing]) -> int | None:
    """The primary key of the row; None if a listing has ended since the question or the group was set aside meanwhile."""
    offers = [listings.get(member.uid) for member in found.members]
    if not all(offer and offer.is_live and offer.kind == Kind.OFFER and offer.company_id != demand.company_id for offer in offers):
        return None
    values = {
        "size": len(offers), "covered": found.covered, "best_alone": found.best_alone, "missing": list(found.missing),
        "engine_version": found.engine_version, "modified": timezone.now(),
    }  # fmt: skip
    key = ",".join(str(pk) for pk in sorted(offer.pk for offer in offers))
    consortium, _ = Consortium.objects.get_or_create(demand=demand, key=key, defaults=values)
    if consortium.dismissed_at:
        return None
    Consortium.objects.filter(pk=consortium.pk).update(**values)
    members = [
        ConsortiumMember(consortium=consortium, offer=offer, share=member.share, pairs=member.pairs)
        for offer, member in zip(offers, found.members, strict=True)
    ]
    ConsortiumMember.objects.bulk_create(members, update_conflicts=True, unique_fields=["consortium", "offer"], update_fields=["share", "pairs"])
    return consortium.pk
