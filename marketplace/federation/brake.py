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
from .models import Checkpoint, Partner, RemoteListing
from .rules import can_manage
from .writing import Removal

#: Of all that was here, so much may go without a question.
SHARE = 0.2
#: Tombstones of a feed come by and by, a table is read every hour: what went within this time counts together.
WINDOW = datetime.timedelta(hours=24)
#: So few within the window are no accident, however small the partner.
FLOOR = 10


def sweep(checkpoint: Checkpoint) -> None:
    """A snapshot has come to its end: what it did not show is to go (`let_go` takes it away), or is held.

    It is held when it is more than SHARE of what was here before, or becomes that with what went within the WINDOW: a table that loses a tenth every
    hour is as broken as one that loses all.
    """
    partner = checkpoint.partner
    before = _live(partner).filter(born__lt=checkpoint.generation).count()
    missing = _live(partner).filter(seen__lt=checkpoint.generation, leaving="")
    missing.filter(listing__valid_until__lt=timezone.localdate()).update(leaving=RemoteListing.MISSING)
    missing.update(leaving=RemoteListing.MISSING, unasked=True)
    going, went = _waiting(partner).count(), _went(partner)
    if going and (going > SHARE * before or went + going > max(FLOOR, SHARE * (before + went))):
        _hold(checkpoint, before)
    else:
        _release(checkpoint)


def removals(checkpoint: Checkpoint, leaving: Sequence[Removal]) -> int:
    """What the partner's items take away, page by page: carried out, or held when with what went within the WINDOW it is more than SHARE; returns how many went."""
    if not leaving:
        return 0
    partner, today = checkpoint.partner, timezone.localdate()
    # That something expired is the partner's word: what could still be shown counts.
    over = set(_live(partner).filter(pk__in=[row.pk for row, _reason, _version in leaving], listing__valid_until__lt=today).values_list("pk", flat=True))
    fresh = [row for row, _reason, _version in leaving if row.pk not in over and not row.leaving]
    went, waiting = _went(partner), _waiting(partner).count()
    before = _live(partner).count() + went
    for row, _reason, _version in leaving:
        row.unasked = row.pk not in over and (row.unasked or not row.leaving)
    if went + waiting + len(fresh) <= max(FLOOR, SHARE * before):
        return writing.take_away(leaving)
    held = [one for one in leaving if one[0].pk not in over]
    for row, reason, version in held:
        row.leaving, row.leaving_version = reason, version
    names = ["leaving", "leaving_version", "unasked"]
    RemoteListing.objects.bulk_create([row for row, _reason, _version in held], update_conflicts=True, unique_fields=["id"], update_fields=names)
    _hold(checkpoint, before)
    return writing.take_away([(row, Reason.EXPIRED, version) for row, _reason, version in leaving if row.pk in over])


def let_go(checkpoint: Checkpoint, *, limit: int = writing.CHUNK) -> int:
    """Carry out some of the removals that wait and are not held; returns how many. In the caller's transaction, under the partner's lease.

    A fifth of a large partner in one transaction would hold up all that follow the change log.
    """
    rows = _live(checkpoint.partner).exclude(leaving="")
    if checkpoint.held_at is not None:
        rows = rows.filter(unasked=False)
    going = [
        (row, Reason.WITHDRAWN if row.leaving == RemoteListing.MISSING else Reason(row.leaving), row.leaving_version) for row in rows.order_by("pk")[:limit]
    ]
    return writing.take_away(going)


@transaction.atomic
def release_sweep(partner: Partner, *, by: User | None) -> int:
    """Yes, these listings are gone: the worker takes them away. Returns how many. Raises ValidationError if nothing is held any more."""
    checkpoint = _held(partner, by)
    count = checkpoint.held_count
    # A person said yes to these, and to what went before: they are no reason to ask again.
    RemoteListing.objects.filter(partner=partner, unasked=True).update(unasked=False)
    _release(checkpoint)
    checkpoint.next_at = timezone.now()
    checkpoint.save()
    operations.log(partner, PartnerAction.SWEEP_RELEASED, by=by, details={"count": count})
    return count


@transaction.atomic
def discard_sweep(partner: Partner, *, by: User | None) -> int:
    """No, that was a mistake: they stay until the partner removes them again. Returns how many. Raises ValidationError as `release_sweep`."""
    checkpoint = _held(partner, by)
    count = _live(partner).exclude(leaving="").update(leaving="", leaving_version=0, unasked=False)
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
    checkpoint.held_count, checkpoint.held_of = _waiting(checkpoint.partner).count(), before


def _release(checkpoint: Checkpoint) -> None:
    checkpoint.held_at, checkpoint.held_count, checkpoint.held_of = None, 0, 0


def _live(partner: Partner) -> QuerySet:
    return RemoteListing.objects.filter(partner=partner, tombstoned_at=None)


def _waiting(partner: Partner) -> QuerySet:
    """Those that are to go by the partner's word and are still here."""
    return _live(partner).filter(unasked=True).exclude(leaving="")


def _went(partner: Partner) -> int:
    """How many went by the partner's word within the WINDOW."""
    return RemoteListing.objects.filter(partner=partner, unasked=True, tombstoned_at__gt=timezone.now() - WINDOW).count()
