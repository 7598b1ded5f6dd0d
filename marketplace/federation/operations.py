"""What people do with partners: each checks who asks, locks the partner, checks, writes, and leaves a line in its history.

`by` is the person; None is the machine itself (a command, a demo), which may do everything.
"""

import uuid
from collections.abc import Iterable, Mapping
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from marketplace.accounts.models import User
from marketplace.core import sealing
from marketplace.rest.models import ApiClient

from .enums import MOVES, PartnerAction, PartnerState, ReaderKind
from .models import Node, Partner, PartnerEvent
from .rules import can_manage

WHO = ("name", "base_url", "more_hosts", "contact_name", "contact_email")
READING = ("reader", "reader_options", "harvest_minutes", "publishes", "default_sector", "default_place", "default_language")
TAKES = ("take_kinds", "take_sectors", "take_places")
GIVES = ("gives", "give_kinds", "give_sectors", "give_places")
#: What `create` and `change` write; values of the sets are objects or codes.
FACTS = (*WHO, *READING, *TAKES, *GIVES)
SETS = frozenset({"take_sectors", "take_places", "give_sectors", "give_places"})
#: Their values stay out of the history: a person's data, or options among which a partner's secret may be.
UNTOLD = frozenset({"contact_name", "contact_email", "reader_options"})
#: Short enough to type wrong, too short to be a key.
SHORTEST_KEY, LONGEST_KEY = 16, 500


class StaleError(ValidationError):
    """Somebody else changed the partner meanwhile."""


# --- Making and changing ------------------------------------------------------------------------------------------------


@transaction.atomic
def create(facts: Mapping[str, Any], *, node_uid: uuid.UUID | None = None, discovery: Mapping[str, Any] | None = None, by: User | None) -> Partner:
    """A new partner, not yet active. `node_uid` and `discovery` as it presented itself. Raises ValidationError by field."""
    _allow(by)
    partner = Partner(node_uid=node_uid, discovery=dict(discovery or {}), **_columns(facts))
    _check_node(partner)
    partner.full_clean(exclude=["client"])
    partner.client = ApiClient.objects.create(name=partner.name)
    partner.save()
    _write_sets(partner, facts)
    log(partner, PartnerAction.CREATED, by=by, details={"address": partner.base_url})
    return partner


@transaction.atomic
def change(partner: Partner, facts: Mapping[str, Any], *, seen: int, by: User | None) -> Partner:
    """Write those of FACTS that are given to a partner that was seen at version `seen`. Raises StaleError, or ValidationError by field.

    A change of what we give raises `gives_version`: cursors of before are worth nothing then, and the partner reads all anew.
    """
    _allow(by)
    locked = lock(partner, seen=seen)
    before = _facts(locked, facts)
    for name, value in _columns(facts).items():
        setattr(locked, name, value)
    locked.full_clean(exclude=["client"])
    _write_sets(locked, facts)
    after = _facts(locked, facts)
    changed = [name for name in FACTS if name in before and before[name] != after[name]]
    if not changed:
        return locked
    if not set(changed).isdisjoint(GIVES):
        locked.gives_version += 1
    locked.version += 1
    locked.save()
    if "name" in changed:
        ApiClient.objects.filter(pk=locked.client_id).update(name=locked.name)
    log(locked, PartnerAction.CHANGED, by=by, details={"changes": {name: None if name in UNTOLD else [before[name], after[name]] for name in changed}})
    return locked


@transaction.atomic
def introduce(partner: Partner, *, node_uid: uuid.UUID, discovery: Mapping[str, Any], by: User | None) -> Partner:
    """Keep what the partner's address says of itself now. Raises ValidationError if another node answers there than before."""
    _allow(by)
    locked = lock(partner)
    if locked.node_uid and locked.node_uid != node_uid:
        message = _(
            "Another marketplace answers at this address than before: it says that it is %(new)s, it was %(old)s. Ask the partner what happened; if it began anew, end this partnership and connect it again."
        )
        raise ValidationError(message, code="other-node", params={"new": node_uid, "old": locked.node_uid})
    locked.node_uid = node_uid
    _check_node(locked)
    if locked.discovery != discovery:
        locked.discovery = dict(discovery)
        locked.version += 1
        log(locked, PartnerAction.INTRODUCED, by=by)
    locked.save()
    return locked


# --- Its state ----------------------------------------------------------------------------------------------------------


def activate(partner: Partner, *, by: User | None) -> Partner:
    """Begin to exchange. Raises ValidationError that says what is missing."""
    return _move(partner, PartnerAction.ACTIVATED, by=by)


def pause(partner: Partner, *, reason: str = "", by: User | None) -> Partner:
    """No visits, no messages, no answers to its keys until it is resumed; what came from it stays."""
    return _move(partner, PartnerAction.PAUSED, reason=reason, by=by)


def resume(partner: Partner, *, by: User | None) -> Partner:
    """Go on where it was."""
    return _move(partner, PartnerAction.RESUMED, by=by)


@transaction.atomic
def end(partner: Partner, *, reason: str = "", by: User | None) -> Partner:
    """Stop for good: its keys to us are revoked, the one it gave us is deleted, its listings go. It can be taken up again, with new keys."""
    ended = _move(partner, PartnerAction.ENDED, reason=reason, by=by)
    ended.sealed_key = ""
    ended.save(update_fields=["sealed_key", "modified"])
    return ended


def reopen(partner: Partner, *, by: User | None) -> Partner:
    """Set an ended partnership up again; new keys have to be exchanged before it is active."""
    return _move(partner, PartnerAction.REOPENED, by=by)


@transaction.atomic
def _move(partner: Partner, action: PartnerAction, *, reason: str = "", by: User | None) -> Partner:
    _allow(by)
    locked = lock(partner)
    if locked.state not in MOVES[action]:
        message = _("This is not possible while the partner is “%(state)s”. Somebody may have been quicker: look at its page again.")
        raise ValidationError(message % {"state": locked.get_state_display()}, code="state")
    if action == PartnerAction.ACTIVATED and (wanting := missing(locked)):
        raise ValidationError(wanting)
    locked.state = MOVES[action][PartnerState(locked.state)]
    locked.version += 1
    locked.save()
    log(locked, action, by=by, details={"reason": reason} if reason else None)
    return locked


def missing(partner: Partner) -> list[str]:
    """What has to be done before the partner can be active, in words; empty when nothing."""
    wanting = []
    takes = partner.reader != ReaderKind.NONE
    if not takes and not partner.gives:
        wanting.append(_("Nothing would be exchanged: choose what we take, what we give, or both."))
    if partner.reader == ReaderKind.PROTOCOL and partner.node_uid is None:
        wanting.append(_("Its address has not been asked yet who it is."))
    if partner.reader == ReaderKind.PROTOCOL and not partner.sealed_key:
        wanting.append(_("The key that the partner gave us is missing: without it we may not read its listings."))
    if partner.gives and not partner.client.keys.usable().exists():
        wanting.append(_("The partner has no key of ours: without one it cannot read our listings."))
    return wanting


# --- The key they gave us -----------------------------------------------------------------------------------------------


@transaction.atomic
def set_key(partner: Partner, key: str, *, by: User | None) -> Partner:
    """Keep the key that the partner gave us, sealed; it is never shown again. An earlier one is forgotten."""
    _allow(by)
    key = key.strip()
    if not SHORTEST_KEY <= len(key) <= LONGEST_KEY or not key.isascii() or not key.isprintable() or " " in key:
        raise ValidationError({"key": _("This does not look like a key: it is one long word of letters and digits. Copy it once more, whole.")})
    locked = lock(partner)
    locked.sealed_key = sealing.seal(key)
    locked.version += 1
    locked.save()
    log(locked, PartnerAction.KEY_SET, by=by)
    return locked


@transaction.atomic
def remove_key(partner: Partner, *, by: User | None) -> Partner:
    """Forget the key that the partner gave us."""
    _allow(by)
    locked = lock(partner)
    if locked.sealed_key:
        locked.sealed_key = ""
        locked.version += 1
        locked.save()
        log(locked, PartnerAction.KEY_REMOVED, by=by)
    return locked


# --- What the others share ----------------------------------------------------------------------------------------------


def lock(partner: Partner, *, seen: int | None = None) -> Partner:
    """The partner as it is now, locked until the transaction ends. Raises StaleError if it is not at version `seen` any more."""
    locked = Partner.objects.select_for_update().get(pk=partner.pk)
    if seen is not None and locked.version != seen:
        raise StaleError(_("Somebody else changed this partner while you did. Nothing of yours was saved yet: compare, then save again."), code="stale")
    return locked


def log(partner: Partner, action: PartnerAction, *, by: User | None, details: Mapping[str, Any] | None = None) -> PartnerEvent:
    """A line in the partner's history."""
    return PartnerEvent.objects.create(partner=partner, action=action, by=by, details=dict(details or {}))


def _allow(by: User | None) -> None:
    if by is not None and not can_manage(by):
        raise PermissionDenied


def _check_node(partner: Partner) -> None:
    if partner.node_uid is None:
        return
    if partner.node_uid == Node.own_uid():
        raise ValidationError({"base_url": _("This is the address of our own marketplace. Write that of the partner.")})
    other = Partner.objects.filter(node_uid=partner.node_uid).exclude(pk=partner.pk).first()
    if other:
        raise ValidationError({"base_url": _("This marketplace is a partner already: “%(name)s”.") % {"name": other.name}})


def _columns(facts: Mapping[str, Any]) -> dict[str, Any]:
    if unknown := facts.keys() - set(FACTS):
        message = f"no facts of a partner: {', '.join(sorted(unknown))}"
        raise TypeError(message)
    columns = {name: value for name, value in facts.items() if name not in SETS}
    if "base_url" in columns:
        columns["base_url"] = str(columns["base_url"]).strip().rstrip("/")
    for name in ("take_kinds", "give_kinds"):
        if name in columns:
            columns[name] = sorted(columns[name])
    return columns


def _write_sets(partner: Partner, facts: Mapping[str, Any]) -> None:
    for name in SETS & facts.keys():
        getattr(partner, name).set(facts[name])


def _facts(partner: Partner, names: Iterable[str]) -> dict[str, Any]:
    """The named facts as JSON keeps them."""
    return {name: _told(partner, name) for name in names}


def _told(partner: Partner, name: str) -> Any:  # noqa: ANN401 - as many types as fields
    if name in SETS:
        return sorted(getattr(partner, name).values_list("pk", flat=True))
    if name in ("default_sector", "default_place"):
        return getattr(partner, f"{name}_id")
    return getattr(partner, name)
