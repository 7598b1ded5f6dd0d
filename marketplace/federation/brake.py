"""The brake: when more than a fifth of a partner's listings would go at once, a person says whether.

A partner's fault (an empty file, a filter set wrong, a thief with its key) must not empty the market. What is held goes on being shown; nothing else waits
for it: the feed is read on, and what the origin shows again is held no more. Erasures are never held, for the right to be forgotten does not wait; neither are listings
whose last day has passed.
"""

import datetime
from collections.abc import Sequence

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from marketplace.accounts.models import User

from . import operations, writing
from .enums import PartnerAction, Reason
from .items import Item
from .models import Checkpoint, Partner, RemoteListing
from .rules import can_manage

#: Of all that was here, so much may go without a question.
SHARE = 0.2
#: Tombstones of the feed come by and by: what went within this time counts together.
WINDOW = datetime.timedelta(hours=24)
#: So few tombstones within the window are no accident, however small the partner.
FLOOR = 10


def sweep(checkpoint: Checkpoint) -> int:
    """A snapshot has come to its end: what it did not show goes, or is held when that is more than SHARE of what was here before; returns how many went."""
    partner = checkpoint.partner
    before = _live(partner).filter(born__lt=checkpoint.generation).count()
    missing = _live(partner).filter(seen__lt=checkpoint.generation)
    count = missing.count()
    if count > SHARE * before:
        missing.filter(leaving="").update(leaving=RemoteListing.MISSING)
        _hold(checkpoint, before)
        return 0
    _release(checkpoint)
    return writing.take_away([(row, Reason.WITHDRAWN, 0) for row in missing])


def tombstones(checkpoint: Checkpoint, leaving: Sequence[tuple[RemoteListing, Item]]) -> int:
    """Tombstones of the feed: carried out, or held when with those of the last WINDOW they are more than SHARE; returns how many went."""
    if not leaving:
        return 0
    partner, today = checkpoint.partner, timezone.localdate()
    over = set(_live(partner).filter(pk__in=[row.pk for row, _item in leaving], listing__valid_until__lt=today).values_list("pk", flat=True))
    since = max(filter(None, (timezone.now() - WINDOW, checkpoint.released_at)))
    went = RemoteListing.objects.filter(partner=partner, tombstoned_at__gt=since).exclude(reason=Reason.ERASURE)
    # That it expired is the partner's word: what could still be shown counts.
    went = went.exclude(reason=Reason.EXPIRED, listing__valid_until__lt=today).count()
    waiting = _live(partner).exclude(leaving="").count()
    going = sum(row.pk not in over and not row.leaving for row, _item in leaving)
    before = _live(partner).count() + went
    if went + waiting + going <= max(FLOOR, SHARE * before):
        return writing.take_away([(row, Reason(item.reason), item.version) for row, item in leaving])
    held = [(row, item) for row, item in leaving if row.pk not in over]
    for row, item in held:
        row.leaving, row.leaving_version = item.reason, item.version
    RemoteListing.objects.bulk_create([row for row, _item in held], update_conflicts=True, unique_fields=["id"], update_fields=["leaving", "leaving_version"])
    _hold(checkpoint, before)
    return writing.take_away([(row, Reason.EXPIRED, item.version) for row, item in leaving if row.pk in over])


def let_go(checkpoint: Checkpoint, *, limit: int = writing.CHUNK) -> int:
    """Carry out some of the removals that a person has released; returns how many. In the caller's transaction, under the partner's lease."""
    if checkpoint.held_at is not None:
        return 0
    rows = list(_live(checkpoint.partner).exclude(leaving="").order_by("pk")[:limit])
    count = writing.take_away([(row, Reason.WITHDRAWN if row.leaving == RemoteListing.MISSING else Reason(row.leaving), row.leaving_version) for row in rows])
    if count:
        # A person said yes to these; they are no reason to ask again.
        checkpoint.released_at = timezone.now()
    return count


@transaction.atomic
def release_sweep(partner: Partner, *, by: User | None) -> int:
    """Yes, these listings are gone: the worker takes them away. Returns how many. Raises ValidationError if nothing is held any more."""
    checkpoint = _held(partner, by)
    count = checkpoint.held_count
    _release(checkpoint)
    checkpoint.released_at = checkpoint.next_at = timezone.now()
    checkpoint.save()
    operations.log(partner, PartnerAction.SWEEP_RELEASED, by=by, details={"count": count})
    return count


@transaction.atomic
def discard_sweep(partner: Partner, *, by: User | None) -> int:
    """No, that was a mistake: they stay until the partner removes them again. Returns how many. Raises ValidationError as `release_sweep`."""
    checkpoint = _held(partner, by)
    count = _live(partner).exclude(leaving="").update(leaving="", leaving_version=0)
    _release(checkpoint)
    checkpoint.save()
    operations.log(partner, PartnerAction.SWEEP_DISCARDED, by=by, details={"count": count})
    return count


def _held(partner: Partner, by: User | None) -> Checkpoint:
    if by is not None and not can_manage(by):
        raise PermissionDenied
    checkpoint = Checkpoint.objects.select_for_update(of=("self",)).select_related("partner").get(partner=partner)
    if checkpoint.held_at is None:
        raise ValidationError(_("Nothing is held any more. Somebody may have been quicker, or the partner shows the listings again."), code="not-held")
    return checkpoint


def _hold(checkpoint: Checkpoint, before: int) -> None:
    checkpoint.held_at = checkpoint.held_at or timezone.now()
    checkpoint.held_count, checkpoint.held_of = _live(checkpoint.partner).exclude(leaving="").count(), before


def _release(checkpoint: Checkpoint) -> None:
    checkpoint.held_at, checkpoint.held_count, checkpoint.held_of = None, 0, 0


def _live(partner: Partner) -> QuerySet:
    return RemoteListing.objects.filter(partner=partner, tombstoned_at=None)
