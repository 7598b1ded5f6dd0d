"""Keeps the stored synergies in step with the listings: a reader of the change log, always behind the index.

What people decided is never overwritten: a dismissed pair stays dismissed, interest keeps its state. A suggestion on which
nobody acted lives only as long as the engine makes it from either side, or if a curator made it.
"""

import datetime
import logging
import uuid
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, replace

from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone

import search
from marketplace.core import changelog
from marketplace.core.models import Change, Reader
from marketplace.listings import documents
from marketplace.listings.enums import Kind
from marketplace.listings.models import Listing
from search import index
from search import vocabulary as known_words
from search.editing import VOCABULARY

from . import exposure, vocabulary, why
from .enums import State, Step
from .models import Synergy, SynergyEvent
from .reasons import turned

logger = logging.getLogger(__name__)
READER = "synergies"
#: Each changed listing is one question to the engine or more; a batch has to end well before its lease does.
BATCH = 50
_WRITTEN = ["score", "signals", "reasons", "engine_version", "vouched", "offer_version", "demand_version", "modified"]

Pair = tuple[uuid.UUID, uuid.UUID]
"""The uids of an offer and of a demand."""


@dataclass(frozen=True)
class Proposal:
    """What the engine says of a pair, turned so that "mine" is the demand's.

    `vouched` is known only if the demand asked: another list says nothing of how it ranks in the demand's.
    """

    score: float
    signals: list[dict]
    reasons: list[dict]
    engine_version: str
    vouched: float | None = None


def run_once() -> int:
    """Take the next batch of changes; how many. A search server that does not answer makes it 0 and the batch comes again."""
    try:
        return changelog.consume(READER, _handle, limit=BATCH, behind=index.reader_name())
    except search.SearchUnavailable as error:
        logger.warning("synergies wait for the search server: %s", error)
        return 0


def _handle(changes: list[Change]) -> None:
    known_words.check()
    if edited := {change.uid for change in changes if change.kind == VOCABULARY}:
        vocabulary.follow(edited)
    refresh({change.uid for change in changes if change.kind in {"listing", "listing:vectors", vocabulary.REMATCH}})
    if answered := {change.uid for change in changes if change.kind == "synergy"}:
        exposure.spread_around(answered)


def refresh_all(progress: Callable[[int], object] | None = None) -> int:
    """Ask the engine about every live listing anew; returns how many suggestions there are. For operators and new engines.

    `progress` is called with the number of listings of each batch.
    """
    Synergy.objects.filter(state=State.SUGGESTED, proposed_at=None).exclude(pk__in=Synergy.objects.open().values("pk")).delete()
    last = 0
    while batch := list(Listing.objects.live().filter(id__gt=last).order_by("id").values_list("id", "uid")[:BATCH]):
        refresh({uid for _, uid in batch})
        last = batch[-1][0]
        if progress:
            progress(len(batch))
    exposure.spread_gaps()
    return Synergy.objects.open().count()


def refresh(uids: Iterable[uuid.UUID]) -> None:
    """Bring the synergies of these listings up to date. Raises SearchUnavailable, and then nothing is written.

    The engine is asked outside the transaction, so that a slow answer locks nobody out.
    """
    uids = set(uids)
    changed = list(Listing.objects.for_display().filter(uid__in=uids))
    if len(changed) < len(uids):
        exposure.spread_gaps()
    if not changed:
        return
    live = [listing for listing in changed if listing.is_live]
    dismissed = _dismissed_partners(live)
    proposals: dict[Pair, Proposal] = {}
    for listing in live:
        _add(proposals, _ask(listing, exclude=dismissed.get(listing.uid, ())))
    doubtful = _doubtful(live, proposals)
    _add(proposals, _ask_partners(doubtful, asked={listing.uid for listing in live}))
    proposals |= _ask_about_proposed(live, known=proposals)
    _store(changed, proposals, doubtful)


# --- Asking -------------------------------------------------------------------------------------------------------------


def _ask(listing: Listing, *, exclude: Iterable[uuid.UUID] = ()) -> dict[Pair, Proposal]:
    found = search.suggest(documents.document(listing), exclude_uids=[str(uid) for uid in exclude])
    return {_pair(listing, uuid.UUID(suggestion.uid)): _proposal(listing, suggestion) for suggestion in found}


def _pair(listing: Listing, other: uuid.UUID) -> Pair:
    return (other, listing.uid) if listing.kind == Kind.DEMAND else (listing.uid, other)


def _proposal(asking: Listing, suggestion: search.Suggestion) -> Proposal:
    reasons = [asdict(reason) for reason in suggestion.reasons]
    if asking.kind == Kind.OFFER:
        reasons = [reason | {"data": turned(reason["data"])} for reason in reasons]
    vouched = suggestion.vouched if asking.kind == Kind.DEMAND else None
    return Proposal(suggestion.score, [asdict(signal) for signal in suggestion.signals], reasons, suggestion.engine_version, vouched)


def _add(proposals: dict[Pair, Proposal], found: dict[Pair, Proposal]) -> None:
    """The later answer counts, but how the demand's list ranks the pair is not forgotten when the offer asks too."""
    for pair, proposal in found.items():
        known = proposals[pair].vouched if pair in proposals else None
        proposals[pair] = replace(proposal, vouched=known) if proposal.vouched is None else proposal


def _dismissed_partners(listings: list[Listing]) -> dict[uuid.UUID, set[uuid.UUID]]:
    """Whom each listing must not meet again; left out of the question, so that they take nobody's place in the answer."""
    partners: dict[uuid.UUID, set[uuid.UUID]] = {}
    dismissed = Synergy.objects.filter(_touching(listings), state=State.DISMISSED).values_list("offer__uid", "demand__uid")
    for offer, demand in dismissed:
        partners.setdefault(offer, set()).add(demand)
        partners.setdefault(demand, set()).add(offer)
    return partners


def _doubtful(live: list[Listing], proposals: dict[Pair, Proposal]) -> set[Pair]:
    """Suggestions that the changed side does not make any more. The other side may: a list of the best is not symmetric.

    Beyond doubt is what the other side suggested from this very state of the index and of the two listings; without that, the
    first matching of a whole city would ask nearly everybody twice.
    """
    of_these = Synergy.objects.filter(_touching(live), state=State.SUGGESTED, proposed_at=None)
    fresh = of_these.filter(
        offer_version=F("offer__version"),
        demand_version=F("demand__version"),
        engine_version=search.ENGINE_VERSION,
        modified__gt=max(_index_moved(), vocabulary.known_since()),
    )
    stored = of_these.exclude(pk__in=fresh.values("pk")).values_list("offer__uid", "demand__uid")
    return set(stored) - proposals.keys()


def _index_moved() -> datetime.datetime:
    """When the index last took something in; now if that is not known."""
    return Reader.objects.filter(name=index.reader_name()).values_list("modified", flat=True).first() or timezone.now()


def _ask_partners(doubtful: set[Pair], *, asked: set[uuid.UUID]) -> dict[Pair, Proposal]:
    partners = {uid for pair in doubtful for uid in pair} - asked
    found: dict[Pair, Proposal] = {}
    for partner in Listing.objects.live().for_display().filter(uid__in=partners):
        _add(found, {pair: proposal for pair, proposal in _ask(partner).items() if pair in doubtful})
    return found


def _ask_about_proposed(live: list[Listing], *, known: dict[Pair, Proposal]) -> dict[Pair, Proposal]:
    """Score and reasons of the pairs that a curator put together, as the texts are now and whatever the score."""
    found: dict[Pair, Proposal] = {}
    for synergy in Synergy.objects.filter(_touching(live), proposed_at__isnull=False).exclude(state=State.DISMISSED).for_display():
        pair = (synergy.offer.uid, synergy.demand.uid)
        if pair not in known and synergy.is_open:
            told = why.find(synergy.offer, synergy.demand)
            found[pair] = Proposal(told.score, told.signals, told.reasons, told.engine_version)
    return found


def _touching(listings: list[Listing]) -> Q:
    return Q(offer__in=listings) | Q(demand__in=listings)


# --- Writing ------------------------------------------------------------------------------------------------------------


@transaction.atomic
def _store(changed: list[Listing], proposals: dict[Pair, Proposal], doubtful: set[Pair]) -> None:
    """Write what was found, seen against the rows as they are now.

    The listings are locked, always in the same order: two workers that found the same pair make one row, and none of the
    listings can be closed while its suggestion is written.
    """
    exposure.lock()
    uids = {listing.uid for listing in changed} | {uid for pair in proposals for uid in pair}
    locked = Listing.objects.select_for_update(of=("self",), no_key=True).select_related("company").order_by("pk")
    listings = {listing.uid: listing for listing in locked.filter(uid__in=uids)}
    stored = Synergy.objects.select_for_update(of=("self",), no_key=True).select_related("offer__company", "demand__company").order_by("pk")
    existing = {(synergy.offer.uid, synergy.demand.uid): synergy for synergy in stored.filter(_touching(changed))}

    new, renewed = [], []
    for pair, proposal in proposals.items():
        offer, demand = (listings.get(uid) for uid in pair)
        if not _may_meet(offer, demand):
            continue
        synergy = existing.get(pair)
        if synergy is None:
            new.append(_filled(Synergy(offer=offer, demand=demand), proposal))
        elif synergy.state != State.DISMISSED:
            renewed.append(_filled(synergy, proposal))
    gone = [
        synergy.pk
        for pair, synergy in existing.items()
        if synergy.state == State.SUGGESTED and synergy.proposed_at is None and (not synergy.is_open or (pair in doubtful and pair not in proposals))
    ]
    Synergy.objects.filter(pk__in=gone, state=State.SUGGESTED).delete()
    Synergy.objects.bulk_update(renewed, _WRITTEN, batch_size=100)
    Synergy.objects.bulk_create(new, batch_size=500)
    SynergyEvent.objects.bulk_create([SynergyEvent(synergy=synergy, step=Step.SUGGESTED) for synergy in new], batch_size=500)
    exposure.spread({listing for synergy in (*existing.values(), *new) for listing in (synergy.offer_id, synergy.demand_id)})


def _may_meet(offer: Listing | None, demand: Listing | None) -> bool:
    """Whether the rows as they are now allow what the index, which may be a moment behind, proposed."""
    if offer is None or demand is None or offer.company_id == demand.company_id:
        return False
    return offer.is_live and demand.is_live and (offer.kind, demand.kind) == (Kind.OFFER, Kind.DEMAND)


def _filled(synergy: Synergy, proposal: Proposal) -> Synergy:
    synergy.score, synergy.signals, synergy.reasons = proposal.score, proposal.signals, proposal.reasons
    synergy.engine_version = proposal.engine_version
    if proposal.vouched is not None:
        synergy.vouched = proposal.vouched
    synergy.offer_version, synergy.demand_version = synergy.offer.version, synergy.demand.version
    synergy.modified = timezone.now()
    return synergy
