"""What the hooks are told: messages are rows, written in the transaction of what they tell, and sent by the worker (see sending).

A message says that something changed and nothing else. The feed is the truth: whoever gets a message asks it, whoever misses one
comes by anyway. So ids can follow from what is told (one change of one listing is one id, however often it is told), and a burst
is told in one message.
"""

import datetime
import uuid

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from marketplace.accounts.models import User
from marketplace.core.models import new_uid

from . import operations
from .enums import PartnerAction, PartnerState
from .hooks import PING, write
from .models import Announced, Delivery, FeedEntry, FeedLog, Hook, Node, Partner, ReceivedMessage
from .rules import can_manage

CHANGED = "listing.changed"
#: Entries of the log that are read at once; of more than BURST of them the hooks get one message, not one each.
BATCH, BURST = 500, 50
#: How long messages are kept, with their attempts, for the console and for replays.
KEPT = datetime.timedelta(days=30)


# --- From the log -------------------------------------------------------------------------------------------------------


def announce() -> int:
    """Turn what is new in the feed log into messages to the hooks; how many entries of the log that were."""
    if not _is_behind():
        return 0
    with transaction.atomic():
        told, _new = Announced.objects.select_for_update().get_or_create(pk=1)
        log = FeedLog.current()
        hooks = _hooks()
        entries = []
        if hooks and told.renumbered == log.renumbered:
            entries = list(FeedEntry.objects.after(told.position).settled().in_order()[:BATCH])
            position = (entries[-1].transaction, entries[-1].id) if entries else told.position
        else:
            # Nobody to tell; or a log in a new order, of which nobody knows what was told: one message for all of it.
            position = FeedEntry.objects.settled().last_position()
            if hooks:
                write(hooks, CHANGED, {str(new_uid()): {}})
        _tell(hooks, entries)
        told.transaction, told.entry_id, told.renumbered = *position, log.renumbered
        told.save()
    return len(entries)


def _is_behind() -> bool:
    """Whether there is anything to tell. Asked twice a second by the worker, so without a lock."""
    told = Announced.objects.filter(pk=1).first() or Announced()
    return FeedEntry.objects.after(told.position).settled().exists() or told.renumbered != FeedLog.current().renumbered


def _hooks() -> list[Hook]:
    """Those that want to know. One that is being checked, is off or paused gets what it missed once it is back."""
    return list(Hook.objects.filter(partner__gives=True, partner__state__in=(PartnerState.ACTIVE, PartnerState.PAUSED)))


def _tell(hooks: list[Hook], entries: list[FeedEntry]) -> None:
    """A message for each entry, or one for all: a partner that is told 10,000 times to come reads nothing more than one told once."""
    if not hooks or not entries:
        return
    node = Node.own_uid()
    ids = [message_id(node, entry.uid, entry.version) for entry in entries]
    write(hooks, CHANGED, {one: {} for one in ids} if len(ids) <= BURST else {ids[-1]: {"changes": len(ids)}})


def message_id(node: uuid.UUID, uid: uuid.UUID, version: int) -> str:
    """The id under which a version of a listing is announced. It tells nothing of the listing to whom it is not given."""
    return str(uuid.uuid5(node, f"{uid}:{version}"))


# --- From others --------------------------------------------------------------------------------------------------------


def notify(partner: Partner, kind: str, data: dict) -> str:
    """Tell one partner something besides the log, in the caller's transaction; the message's id, "" if the partner has no hook.

    `data` is JSON without content and without personal data: a pointer to what the partner may ask for.
    """
    hook = Hook.objects.filter(partner=partner).exclude(partner__state=PartnerState.ENDED).first()
    if hook is None:
        return ""
    one = str(new_uid())
    write([hook], kind, {one: data})
    return one


# --- By hand ------------------------------------------------------------------------------------------------------------


@transaction.atomic
def replay(delivery: Delivery, *, by: User | None) -> Delivery:
    """Send a message once more, under the same id: a partner that has it already does nothing. Raises ValidationError."""
    _allow(by)
    locked = Delivery.objects.select_for_update().select_related("hook__partner").get(pk=delivery.pk)
    _check_hook(locked.hook)
    _again([locked])
    operations.log(locked.hook.partner, PartnerAction.REPLAYED, by=by, details={"message": locked.message_id})
    return locked


@transaction.atomic
def replay_since(partner: Partner, moment: datetime.datetime, *, by: User | None) -> int:
    """Send once more, under their ids, all messages to a partner that were written since `moment`; how many.

    If there is none to send again (they are kept for KEPT), the partner is told once that there may be news. Raises ValidationError.
    """
    _allow(by)
    hook = Hook.objects.select_related("partner").filter(partner=partner).first()
    if hook is None:
        raise ValidationError(_("This partner has not asked to be told."), code="no-hook")
    _check_hook(hook)
    chosen = hook.deliveries.exclude(type=PING).filter(created__gte=moment)
    number = _again(list(chosen.select_for_update().order_by("pk")))
    if not number:
        write([hook], CHANGED, {str(new_uid()): {}})
        number = 1
    operations.log(hook.partner, PartnerAction.REPLAYED, by=by, details={"since": moment.isoformat(), "messages": number})
    return number


def _again(deliveries: list[Delivery]) -> int:
    now = timezone.now()
    for delivery in deliveries:
        delivery.state, delivery.attempts, delivery.sent_at = Delivery.State.WAITING, 0, None
        delivery.next_attempt_at = delivery.since = now
        # A call that is under way may still end; what it says is about the time before.
        delivery.lease_until = None
    return Delivery.objects.bulk_update(deliveries, ["state", "attempts", "sent_at", "next_attempt_at", "since", "lease_until"], batch_size=500)


def _check_hook(hook: Hook) -> None:
    if not hook.is_active:
        raise ValidationError(
            _("The partner's address takes no messages now: it is turned off or still being checked. The partner has to register it again."), code="hook-off"
        )


def _allow(by: User | None) -> None:
    if by is not None and not can_manage(by):
        raise PermissionDenied


# --- Once a day ---------------------------------------------------------------------------------------------------------


def prune() -> int:
    """Forget old messages and their attempts, and the ids of old messages received; how many."""
    now = timezone.now()
    sent = Delivery.objects.filter(created__lt=now - KEPT).delete()[1].get("federation.Delivery", 0)
    received = ReceivedMessage.objects.filter(at__lt=now - ReceivedMessage.KEPT).delete()[0]
    return sent + received
