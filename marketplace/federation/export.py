"""From the change log to the feed: a reader that turns changes of listings into entries.

What originated here is exported, nothing that was harvested: so no listing goes in circles between nodes. A live listing is
an upsert; one that is live no more, and was exported before, a tombstone with its reason. An unchanged digest makes no entry.
"""

import datetime
import json
import time
import uuid
from collections.abc import Collection, Mapping

from django.conf import settings
from django.db import models, transaction
from django.utils import timezone, translation

from marketplace.companies.models import Company
from marketplace.companies.privacy import ERASED
from marketplace.core import changelog, transactions
from marketplace.core.models import Change, Reader
from marketplace.listings.enums import Origin, State
from marketplace.listings.models import Listing

from . import digests, jsonld
from .enums import Reason
from .models import FeedEntry, FeedLog
from .models.feed import Op

READER = "feed"
BATCH = 500
#: Why a listing is not live, by its state. Any other state than these two was left by the company, or awaits it.
REASONS = {State.REJECTED: Reason.MODERATED, State.EXPIRED: Reason.EXPIRED, State.PUBLISHED: Reason.EXPIRED}


def run_once() -> int:
    """Follow the next batch of the change log; returns how many changes that was."""
    if _is_foreign():
        renumber()
    return changelog.consume(READER, follow, limit=BATCH)


def follow(changes: list[Change]) -> None:
    """Bring the entries of the listings among `changes` up to date. Doing it twice does no harm."""
    uids = dict.fromkeys(change.uid for change in changes if change.kind == "listing")
    if companies := {change.uid for change in changes if change.kind == "company"}:
        # Of its published listings the change log tells (listings.following); of those that have ended, nobody else has to know.
        uids |= dict.fromkeys(Listing.objects.filter(company__uid__in=companies, company__hidden=True).values_list("uid", flat=True))
    if uids:
        export(uids)


def export_all(*, is_restored: bool = False) -> int:
    """Look at every listing of the feed and of the market anew, after a release that tells more of each; returns how many entries were written.

    `is_restored`: a backup was put back. Every live listing gets a new version, since partners may have been given later states of it, and
    ignore what has a lower version than theirs; and every cursor of before expires.
    """
    if is_restored:
        renumber()
        _expire_cursors()
    count, last = 0, 0
    own = Listing.objects.exclude(origin=Origin.PARTNER).order_by("id")
    while rows := list(own.filter(id__gt=last).values_list("id", "uid")[:BATCH]):
        count += export([uid for _, uid in rows], is_restored=is_restored)
        last = rows[-1][0]
    return count


@transaction.atomic
def export(uids: Collection[uuid.UUID], *, is_restored: bool = False) -> int:
    """Bring the entries of these listings up to date; returns how many entries were written. `is_restored`: as in export_all."""
    # Two workers can be here at once when the first one's lease ran out. The second waits, then sees what is true after the
    # first: the older of two states must not be written last.
    _lock()
    # Harvested listings are as good as none: they have no entry.
    own = Listing.objects.exclude(origin=Origin.PARTNER).for_display().filter(uid__in=uids)
    listings = {listing.uid: listing for listing in own}
    before = {entry.uid: entry for entry in FeedEntry.objects.filter(uid__in=uids).defer("text")}
    erased = _companies_of_erased_people(listings.values())
    with translation.override(settings.LANGUAGE_CODE):
        entries = [entry for uid in uids if (entry := _entry(listings.get(uid), before.get(uid), erased, is_restored=is_restored))]
    FeedEntry.objects.filter(uid__in=[entry.uid for entry in entries]).delete()
    FeedEntry.objects.bulk_create(entries)
    return len(entries)


def prune() -> int:
    """Throw away tombstones that are older than what we promise; returns how many. A reader that has not come so far reads the snapshot."""
    old = timezone.now() - datetime.timedelta(days=settings.FEDERATION_TOMBSTONE_DAYS)
    with transaction.atomic():
        # The rows go in another order than in `export`: one of the two at a time.
        _lock()
        FeedLog.objects.get_or_create(pk=1)
        log = FeedLog.objects.select_for_update().get(pk=1)
        tombstones = FeedEntry.objects.filter(op=Op.TOMBSTONE, updated_at__lt=old)
        last = tombstones.last_position()
        log.pruned_transaction, log.pruned_id = max(log.pruned, last)
        log.save()
        return tombstones.up_to(last).delete()[0]


@transaction.atomic
def renumber() -> None:
    """Make the log's order anew from its ids: it came here from another PostgreSQL, whose transactions were further on.

    No reader would see an entry before this database has come so far. Cursors of before are worth nothing then: see cursors.
    """
    _lock()
    if _is_foreign():
        log, _made = FeedLog.objects.get_or_create(pk=1)
        FeedLog.objects.filter(pk=log.pk).update(renumbered=models.F("renumbered") + 1, pruned_transaction=0, pruned_id=0)
        FeedEntry.objects.exclude(transaction=0).update(transaction=0)


@transaction.atomic
def _expire_cursors() -> None:
    """Also where a copy of the server's files was put back, which looks like one and the same history."""
    _lock()
    log, _made = FeedLog.objects.get_or_create(pk=1)
    FeedLog.objects.filter(pk=log.pk).update(renumbered=models.F("renumbered") + 1)


def _is_foreign() -> bool:
    return FeedEntry.objects.filter(transaction__gte=transactions.beyond()).exists()


def _lock() -> None:
    Reader.objects.get_or_create(name=READER)
    Reader.objects.select_for_update().get(name=READER)


def _entry(listing: Listing | None, before: FeedEntry | None, erased: Collection[int], *, is_restored: bool) -> FeedEntry | None:
    """The entry that is to take the place of `before`; None if that says all there is to say."""
    if listing is not None and listing.is_live:
        return _upsert(listing, before, is_restored=is_restored)
    if before is None:
        return None
    reason = _reason(listing, erased)
    if before.op == Op.TOMBSTONE and before.reason in (reason, Reason.ERASURE):
        return None
    return _tombstone(before, reason)


def _upsert(listing: Listing, before: FeedEntry | None, *, is_restored: bool) -> FeedEntry | None:
    # Its name stays, whatever the site is called by then.
    uri = before.uri if before else jsonld.listing_uri(listing.uid)
    text = digests.canonical(jsonld.listing(listing, uri))
    digest = digests.digest(text)
    if before is not None and before.digest == digest and not is_restored:
        return None
    entry = FeedEntry(
        transaction=transactions.own(),
        uid=listing.uid,
        uri=uri,
        op=Op.UPSERT,
        version=_next_version(before),
        updated_at=max(listing.modified, listing.company.modified),
        expires_at=_end_of(listing.valid_until),
        digest=digest,
        kind=listing.kind,
        sector_path=listing.sector.path,
        place=listing.place_id,
    )
    head = {
        "op": entry.op,
        "uri": entry.uri,
        "version": entry.version,
        "updated_at": rfc3339(entry.updated_at),
        "expires_at": rfc3339(entry.expires_at),
        "digest": digest,
    }
    entry.text = f'{_json(head)[:-1]},"listing":{text.decode()}}}'
    return entry


def _tombstone(before: FeedEntry, reason: Reason) -> FeedEntry:
    """Without any content."""
    entry = FeedEntry(
        transaction=transactions.own(), uid=before.uid, uri=before.uri, op=Op.TOMBSTONE, reason=reason, version=_next_version(before), updated_at=timezone.now()
    )
    entry.text = tombstone_text(entry.uri, entry.version, entry.updated_at, reason)
    return entry


def tombstone_text(uri: str, version: int, updated_at: datetime.datetime, reason: str) -> str:
    """A tombstone as it is sent."""
    return _json({"op": Op.TOMBSTONE, "uri": uri, "version": version, "updated_at": rfc3339(updated_at), "reason": reason})


def _reason(listing: Listing | None, erased: Collection[int]) -> Reason:
    """Why a listing is live no more."""
    if listing is None or listing.company_id in erased:
        return Reason.ERASURE
    if listing.company.hidden:
        return Reason.MODERATED
    return REASONS.get(State(listing.state), Reason.WITHDRAWN)


def _companies_of_erased_people(listings: Collection[Listing]) -> set[int]:
    """Those hidden because the last person who acted for them erased the account: their data have to go from everywhere."""
    hidden = {listing.company_id for listing in listings if listing.company.hidden}
    if not hidden:
        return set()
    newest = Company.history.filter(id=models.OuterRef("id")).order_by("-history_date", "-history_id").values("history_id")[:1]
    last = Company.history.filter(id__in=hidden, history_id=models.Subquery(newest))
    return set(last.filter(history_change_reason=ERASED).values_list("id", flat=True))


def _next_version(before: FeedEntry | None) -> int:
    """Higher than every version before. The clock lifts it over those that a restored database, or a pruned tombstone, has forgotten."""
    return max(int(time.time()), before.version + 1 if before else 0)


def _end_of(day: datetime.date) -> datetime.datetime:
    return timezone.make_aware(datetime.datetime.combine(day, datetime.time(23, 59, 59)))


def rfc3339(moment: datetime.datetime) -> str:
    """In UTC: "2026-11-22T10:00:00Z"."""
    return moment.astimezone(datetime.UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _json(value: Mapping[str, object]) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
