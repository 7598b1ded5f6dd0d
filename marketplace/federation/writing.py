"""One batch of a partner's items into our database, in the caller's transaction and in a number of statements that does not grow with the batch.

The same batch a second time changes nothing. What is no good goes into quarantine, the rest is written.
"""

import datetime
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext as _

from marketplace.companies import federated as companies
from marketplace.companies.models import Company
from marketplace.core import copies
from marketplace.listings import federated
from marketplace.listings.enums import State
from marketplace.listings.federated import Arrival
from marketplace.listings.models import Listing

from . import applying, checking, duplicates, overlays, quarantine
from .applying import CompanyDraft, Draft
from .checking import UnfitError
from .enums import Reason
from .items import TOMBSTONE, Batch, Fault, Item
from .models import Overlay, Partner, RemoteCompany, RemoteListing
from .models.harvest import URI_LENGTH
from .taking import Taking

#: Where a listing goes when its origin takes it away. A state of ours that stays (rejected) would keep it from coming back.
STATES = {Reason.WITHDRAWN: State.WITHDRAWN, Reason.EXPIRED: State.EXPIRED, Reason.MODERATED: State.WITHDRAWN}
#: So many rows are taken away in one go.
CHUNK = 500
_KEPT = [
    "listing",
    "version",
    "digest",
    "fingerprint",
    "updated_at",
    "harvested_at",
    "seen",
    "tombstoned_at",
    "reason",
    "leaving",
    "leaving_version",
    "held_back",
    "unasked",
]
#: A row that is to go, why, and the version from which on it may come back; 0: as it is.
Removal = tuple[RemoteListing, Reason, int]


@dataclass(slots=True)
class Outcome:
    """What became of a batch: numbers by the names of HarvestRun's columns; `leaving` is what the items take away, not yet carried out."""

    counts: Counter = field(default_factory=Counter)
    leaving: list[Removal] = field(default_factory=list)


def write(batch: Batch, taking: Taking, generation: int) -> Outcome:
    """Write what the batch shows; removals but erasures are handed back for `brake` to decide on."""
    work = _Work(taking, generation, batch.is_snapshot)
    work.faults += batch.faults
    fresh = work.sort(batch.items)
    work.arrive(work.drafts(fresh))
    # A bad version of a listing is a sign that its origin still has it.
    work.mark_seen([fault.uri for fault in work.faults])
    taking.words.store()
    quarantine.settle(taking.partner, work.good)
    quarantine.put(taking.partner, work.faults)
    work.outcome.counts["quarantined"] += len(work.faults)
    return work.outcome


def take_away(rows: Sequence[Removal]) -> int:
    """End the listings of these rows, each for its reason and at its version, in chunks; returns how many."""
    for begin in range(0, len(rows), CHUNK):
        _end(rows[begin : begin + CHUNK])
    return len(rows)


def erase(partner: Partner, rows: Sequence[tuple[RemoteListing, int]], uris: Collection[str]) -> int:
    """Forget the listings of these rows for ever, and what the quarantine has of `uris`; returns how many rows still held something."""
    held = [row for row, _version in rows if row.listing_id]
    idle = federated.erase([row.listing_id for row in held])
    companies.erase_idle(idle)
    now = timezone.now()
    for row, version in rows:
        row.listing, row.digest, row.fingerprint, row.leaving, row.unasked = None, "", "", "", False
        row.version, row.reason, row.tombstoned_at, row.harvested_at = max(row.version, version), Reason.ERASURE, now, now
    _save([row for row, _version in rows])
    quarantine.forget(partner, uris)
    return len(held)


def _end(rows: Sequence[Removal]) -> None:
    now = timezone.now()
    listings = federated.lock([row.listing_id for row, _reason, _version in rows if row.listing_id])
    # What a curator rejected stays so: it would come back in another light.
    ending = {row.listing_id: STATES[reason] for row, reason, _version in rows if row.listing_id in listings}
    federated.end([listing for pk, listing in listings.items() if listing.state != State.REJECTED], ending)
    for row, reason, version in rows:
        if version > row.version:
            # A listing that comes back has to be of a later version still. With its version as it was, it was only left out for a time.
            row.version, row.digest = version, ""
        row.tombstoned_at, row.harvested_at, row.reason, row.leaving, row.leaving_version = now, now, reason, "", 0
    _save([row for row, _reason, _version in rows])


def _save(rows: Sequence[RemoteListing]) -> None:
    RemoteListing.objects.bulk_create(rows, update_conflicts=True, unique_fields=["id"], update_fields=_KEPT)


class _Work:
    """One batch on its way."""

    def __init__(self, taking: Taking, generation: int, is_snapshot: bool) -> None:  # noqa: FBT001 - a fact of the batch
        self.taking, self.partner = taking, taking.partner
        self.generation, self.is_snapshot = generation, is_snapshot
        self.outcome = Outcome()
        self.faults: list[Fault] = []
        self.good: list[str] = []
        self.known: dict[str, RemoteListing] = {}
        self.now: datetime.datetime = timezone.now()

    # --- Which of the items say something new?

    def sort(self, items: Sequence[Item]) -> list[Item]:
        """The upserts that are new or newer; all others are dealt with."""
        own = self._newest(self._whole(items, checking.check_head))
        self.known = {row.uri: row for row in RemoteListing.objects.filter(uri__in=[item.uri for item in own])}
        fresh, unchanged, erasures = [], [], []
        for item in own:
            row = self.known.get(item.uri)
            if row is not None and row.partner_id != self.partner.pk:
                self._fault(item, UnfitError("forged-owner", _("This listing belongs to another partner, who gave it to us first.")))
            elif item.op == TOMBSTONE:
                self._tombstone(item, row, erasures)
            elif row is None or self._is_newer(item, row):
                fresh.append(item)
            else:
                unchanged.append(item.uri)
        self._erase(erasures)
        self.outcome.counts["unchanged"] += len(unchanged)
        self.mark_seen(unchanged)
        # Of what says nothing new the content is not used, so its digest need not be computed.
        return self._whole(fresh, checking.check_content)

    def _whole(self, items: Sequence[Item], check: Callable[[Item, Taking], None]) -> list[Item]:
        """Those that pass; the others are faults."""
        whole = []
        for item in items:
            try:
                check(item, self.taking)
            except UnfitError as error:
                self._fault(item, error)
            else:
                whole.append(item)
        return whole

    def _newest(self, items: Sequence[Item]) -> list[Item]:
        """One item an address: that of the highest version, of the same the last one."""
        newest: dict[str, Item] = {}
        for item in items:
            other = newest.get(item.uri)
            if other is not None and item.version == other.version > 0 and item.op == other.op and item.digest != other.digest:
                self._fault(item, _same_version(item))
            elif other is None or item.version >= other.version:
                newest[item.uri] = item
        return list(newest.values())

    def _tombstone(self, item: Item, row: RemoteListing | None, erasures: list[Item]) -> None:
        is_erasure = item.reason == Reason.ERASURE
        if is_erasure:
            erasures.append(item)
        elif row is None or row.tombstoned_at is not None or (item.version and item.version < row.version):
            # Nothing of it is here, or it speaks of a version before.
            self.outcome.counts["unchanged"] += 1
        else:
            self.outcome.leaving.append((row, Reason(item.reason), item.version))

    def _erase(self, items: Sequence[Item]) -> None:
        """At once, whatever the version: what somebody asked to forget is not kept for a number's sake."""
        if items:
            rows = [(self.known[item.uri], item.version) for item in items if item.uri in self.known]
            self.outcome.counts["erased"] += erase(self.partner, rows, [item.uri for item in items])

    def _is_newer(self, item: Item, row: RemoteListing) -> bool:
        """Whether it says something that we do not have. The same version with another text is a fault, a lower one is ignored."""
        if row.tombstoned_at is not None:
            # Back again: with a later version, or as it was when it was only left out. What was erased needs a later version in any case.
            return item.version > row.version or (
                row.reason != Reason.ERASURE and item.version == row.version and (not item.version or item.digest == row.digest)
            )
        if item.version < row.version or (row.leaving and 0 < item.version <= row.leaving_version):
            return False
        if item.version > row.version:
            return True
        if item.version and item.digest != row.digest:
            self._fault(item, _same_version(item))
            return False
        return item.digest != row.digest

    # --- What shall be here?

    def drafts(self, items: Sequence[Item]) -> list[Draft]:
        """What is to be written of the items; those that are not wanted or over are taken away, the unreadable go into quarantine."""
        drafts, gone = [], []
        for item in items:
            try:
                draft = applying.read(item, self.taking)
            except UnfitError as error:
                self._fault(item, error)
                continue
            self.good.append(item.uri)
            is_over = applying.has_ended(draft)
            if not is_over and self.taking.wants(draft.values):
                drafts.append(draft)
                continue
            self.outcome.counts["left_out"] += 1
            row = self.known.get(item.uri)
            if row is not None and row.tombstoned_at is None:
                # With its version as it was: it may be wanted again as it is.
                gone.append((row, Reason.EXPIRED if is_over else Reason.WITHDRAWN, 0))
        self._leave_out(gone)
        return self._within_limit(drafts)

    def _leave_out(self, gone: Sequence[Removal]) -> None:
        """What has ended or is wanted no more goes now if that is so of what we show. If only the partner's new word makes it so, it is a removal like others."""
        if not gone:
            return
        today, names = timezone.localdate(), ("kind", "sector_id", "place_id", "valid_until")
        shown = {values["pk"]: values for values in Listing.objects.filter(pk__in=[row.listing_id for row, _reason, _version in gone]).values("pk", *names)}
        ours = []
        for one in gone:
            values = shown.get(one[0].listing_id)
            if values is not None and values["valid_until"] >= today and self.taking.wants(values):
                self.outcome.leaving.append(one)
            else:
                one[0].unasked = False
                ours.append(one)
        self.outcome.counts["ended"] += take_away(ours)

    def _within_limit(self, drafts: list[Draft]) -> list[Draft]:
        """Without new ones for which there is no room: they wait in quarantine, while changes and removals go on."""
        new = [draft for draft in drafts if (row := self.known.get(draft.item.uri)) is None or row.tombstoned_at is not None]
        limit = settings.FEDERATION_MOST_LISTINGS
        room = max(0, limit - RemoteListing.objects.filter(partner=self.partner, tombstoned_at=None).count()) if new else 0
        if len(new) <= room:
            return drafts
        message = _("The partner has more than %(limit)d listings, which is all that we take. Choose what we take, or ask for more room.") % {"limit": limit}
        over = {draft.item.uri for draft in new[room:]}
        for draft in new[room:]:
            self._fault(draft.item, UnfitError("too-many", message))
        return [draft for draft in drafts if draft.item.uri not in over]

    def arrive(self, drafts: Sequence[Draft]) -> None:
        """Write companies, listings and what we know of them."""
        if not drafts:
            return
        owners = self._companies([draft.company for draft in drafts])
        suspicions = duplicates.suspect([draft for draft in drafts if self._listing_id(draft) is None], self.partner)
        held_back = {one.uri for one in suspicions if one.is_copy}
        rows = federated.lock([pk for draft in drafts if (pk := self._listing_id(draft))])
        covers = {overlay.listing_id: overlay for overlay in Overlay.objects.filter(listing__in=rows)} if rows else {}
        listings: dict[str, Listing] = {}
        arrivals, remote = [], []
        for draft in drafts:
            row = self._row(draft, is_held_back=draft.item.uri in held_back)
            listing = rows.get(row.listing_id) if row.listing_id else None
            listing = self._fill(listing or Listing(source_uri=draft.item.uri), draft, owners[draft.company.uri])
            is_shown = not row.held_back and (self.partner.publishes or listing.state == State.PUBLISHED)
            arrivals.append(Arrival(overlays.lay(covers.get(listing.pk), listing), is_shown, draft.published_at))
            listings[draft.item.uri] = listing
            remote.append(row)
        overlays.keep_originals(covers.values())
        self.outcome.counts["created"] += sum(not arrival.listing.pk for arrival in arrivals)
        self.outcome.counts["changed"] += sum(bool(arrival.listing.pk) for arrival in arrivals)
        federated.write(arrivals)
        for row in remote:
            row.listing = listings[row.uri]
        new, known = [row for row in remote if not row.pk], [row for row in remote if row.pk]
        copies.insert(RemoteListing, new)
        _save(known)
        duplicates.note(suspicions, listings)

    def _listing_id(self, draft: Draft) -> int | None:
        row = self.known.get(draft.item.uri)
        return row.listing_id if row else None

    def _row(self, draft: Draft, *, is_held_back: bool) -> RemoteListing:
        item = draft.item
        row = self.known.get(item.uri) or RemoteListing(partner=self.partner, uri=item.uri, born=self.generation)
        if row.listing_id is None:
            row.held_back = is_held_back
        row.version, row.digest, row.fingerprint, row.updated_at, row.harvested_at = item.version, item.digest, draft.fingerprint, item.updated_at, self.now
        row.seen, row.tombstoned_at, row.reason, row.leaving, row.leaving_version = self.generation, None, "", "", 0
        row.unasked = False
        return row

    def _fill(self, listing: Listing, draft: Draft, company: Company) -> Listing:
        for name, value in draft.values.items():
            setattr(listing, name, value)
        listing.company, listing.source_name, listing.source_url = company, self.partner.name, draft.page
        return listing

    def _companies(self, drafts: Sequence[CompanyDraft]) -> Mapping[str, Company]:
        """The rows of the drafts' companies by their address, made or brought up to date."""
        by_uri = {draft.uri: draft for draft in drafts}
        known = {row.uri: row for row in RemoteCompany.objects.filter(uri__in=by_uri)}
        self._disown(by_uri, known, drafts)
        stale = [row for uri, row in known.items() if row.digest != by_uri[uri].digest]
        rows = Company.objects.in_bulk([row.company_id for row in known.values()]) | companies.lock([row.company_id for row in stale])
        owners = {uri: rows[row.company_id] for uri, row in known.items()}
        new = {uri: draft for uri, draft in by_uri.items() if uri not in known}
        for uri, draft in new.items():
            owners[uri] = Company(tax_id=None, source_uri=uri, **(draft.guesses | draft.values))
        for row in stale:
            for name, value in by_uri[row.uri].values.items():
                setattr(owners[row.uri], name, value)
        companies.write([owners[uri] for uri in new], [owners[row.uri] for row in stale])
        made = [RemoteCompany(partner=self.partner, company=owners[uri], uri=uri) for uri in new]
        for row in (*stale, *made):
            draft = by_uri[row.uri]
            row.digest, (row.scheme, row.identifier) = draft.digest, draft.identity
        copies.insert(RemoteCompany, made)
        RemoteCompany.objects.bulk_create(stale, update_conflicts=True, unique_fields=["id"], update_fields=["digest", "scheme", "identifier"])
        return owners

    def _disown(self, by_uri: dict[str, CompanyDraft], known: dict[str, RemoteCompany], drafts: Sequence[CompanyDraft]) -> None:
        """A company that another partner brought (two share a host) is not ours to change: this partner's gets a name of its own."""
        for uri in [uri for uri, row in known.items() if row.partner_id != self.partner.pk]:
            del known[uri]
            own = f"{applying.SYNTHETIC}{self.partner.uid}:{uri}"[:URI_LENGTH]
            for draft in drafts:
                if draft.uri == uri:
                    draft.uri = own
            by_uri[own] = by_uri.pop(uri)
            known.update({row.uri: row for row in RemoteCompany.objects.filter(uri=own, partner=self.partner)})

    # --- Marks and faults

    def mark_seen(self, uris: Sequence[str]) -> None:
        """The origin still has these. A removal that waited for a person is off; what a snapshot does not show is counted from here."""
        # No other can be here, and some of the signs in faulty ones no database takes.
        uris = [uri for uri in uris if uri.isascii() and uri.isprintable()]
        if self.is_snapshot and uris:
            RemoteListing.objects.filter(partner=self.partner, uri__in=uris, tombstoned_at=None).update(
                seen=self.generation, leaving="", leaving_version=0, unasked=False
            )

    def _fault(self, item: Item, error: UnfitError) -> None:
        self.faults.append(checking.fault_of(item, error))


def _same_version(item: Item) -> UnfitError:
    return UnfitError("same-version", _("Version %(version)d came before with another text. A change needs a higher version.") % {"version": item.version})
