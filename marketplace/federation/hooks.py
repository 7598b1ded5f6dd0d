"""Where partners want to be told: an address of their own, which is believed once it has answered a signed challenge."""

import datetime
import json
import secrets
from collections.abc import Iterable, Mapping

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from marketplace.core.addresses import AddressError, parse
from marketplace.core.models import new_uid

from .fetching import Refusal, hosts_of
from .models import Delivery, Hook, Node, Partner

PING = "hook.ping"
MAX_LENGTH = 500


def check_url(partner: Partner, url: str) -> None:
    """Raise ValidationError unless messages may go there: https (or a host that our settings allow), on a host of the partner's."""
    if len(url) > MAX_LENGTH or "#" in url:
        raise ValidationError({"url": _("The address is too long, or has a part behind “#”. Leave that away.")}, code="address")
    try:
        target = parse(url)
    except AddressError as error:
        raise ValidationError({"url": str(error)}, code="address") from error
    if target.scheme != "https" and not target.is_allowed:
        raise ValidationError({"url": Refusal.NOT_SECURE.label}, code="address")
    if target.netloc not in hosts_of(partner, target.scheme):
        raise ValidationError({"url": Refusal.OTHER_HOST.label}, code="address")


@transaction.atomic
def register(partner: Partner, url: str) -> Hook:
    """Tell this partner at `url` from when it has given our challenge back. The same active address again changes nothing.

    What is still to be sent waits for the new address. Raises ValidationError.
    """
    check_url(partner, url)
    # The partner's row is there to be locked, the hook perhaps not yet.
    Partner.objects.select_for_update(no_key=True).get(pk=partner.pk)
    hook = Hook.objects.filter(partner=partner).first() or Hook(partner=partner)
    if hook.is_active and hook.url == url:
        return hook
    hook.url, hook.challenge = url, secrets.token_urlsafe(32)
    hook.is_active, hook.checked_at, hook.off_reason, hook.off_at = False, None, "", None
    hook.failures, hook.failing_since, hook.pause_until = 0, None, None
    hook.save()
    hook.deliveries.filter(type=PING).delete()
    write([hook], PING, {str(new_uid()): {"challenge": hook.challenge}})
    return hook


@transaction.atomic
def remove(partner: Partner) -> bool:
    """Tell this partner nothing any more; what was still to be sent goes too. Whether there was anything."""
    return bool(Hook.objects.filter(partner=partner).delete()[0])


def write(hooks: Iterable[Hook], kind: str, messages: Mapping[str, dict]) -> None:
    """Messages (their ids and what they say) to each of the hooks, in the caller's transaction, to be sent by the worker. One that is there already stays as it is."""
    head = {"node": str(Node.own_uid())}
    now = timezone.now().astimezone(datetime.UTC).isoformat().replace("+00:00", "Z")
    # Thin: whoever gets it has to ask us for what is true.
    bodies = {one: json.dumps({"type": kind, "timestamp": now, "data": head | data}, separators=(",", ":")) for one, data in messages.items()}
    Delivery.objects.bulk_create(
        (Delivery(hook=hook, message_id=one, type=kind, body=text) for hook in hooks for one, text in bodies.items()), ignore_conflicts=True, batch_size=500
    )
