"""What people do with partners: each checks who asks, locks the partner, checks, writes, and leaves a line in its history.

`by` is the person; None is the machine itself (a command, a demo), which may do everything.
"""

import datetime
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import F
from django.db.models.functions import Greatest
from django.utils import timezone
from django.utils.translation import gettext as _

from marketplace.accounts.models import User
from marketplace.core import sealing
from marketplace.core.addresses import AddressError, parse
from marketplace.rest import keys
from marketplace.rest.models import ApiClient, ApiKey, Scope

from . import fetching, mapping
from .enums import MOVES, PartnerAction, PartnerState, ReaderKind
from .introductions import Introduction
from .models import Checkpoint, Node, Partner, PartnerEvent, QuarantinedItem, RemoteListing
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
#: What a partner's key may be used for.
KEY_SCOPES = (Scope.FEDERATION, Scope.INTERESTS)
#: Short enough to type wrong, too short to be a key.
SHORTEST_KEY, LONGEST_KEY = 16, 500


class StaleError(ValidationError):
    """Somebody else changed the partner meanwhile."""


# --- Making and changing ------------------------------------------------------------------------------------------------


@transaction.atomic
def create(facts: Mapping[str, Any], *, presented: Introduction | None = None, by: User | None) -> Partner:
    """A new partner, not yet active; `presented` is what its address said of it. Raises ValidationError by field."""
    _allow(by)
    partner = Partner(**_columns(facts))
    _check_address(partner)
    if partner.reader == ReaderKind.PROTOCOL:
        _move_in(partner, presented)
    partner.full_clean(exclude=["client"])
    partner.client = ApiClient.objects.create(name=partner.name)
    partner.save()
    _write_sets(partner, facts)
    log(partner, PartnerAction.CREATED, by=by, details={"address": partner.base_url})
    return partner


@transaction.atomic
def change(partner: Partner, facts: Mapping[str, Any], *, seen: int, presented: Introduction | None = None, by: User | None) -> Partner:
    """Write those of FACTS that are given to a partner that was seen at version `seen`. Raises StaleError, or ValidationError by field.

    A change of what is taken, or how, lets the next visit read everything. A marketplace that moves has to be asked at its new address first: `presented` is what it said there.
    A change of what we give raises `gives_version`: cursors of before are worth nothing then, and the partner reads all anew.
    """
    _allow(by)
    locked = lock(partner, seen=seen)
    before = _facts(locked, facts)
    for name, value in _columns(facts).items():
        setattr(locked, name, value)
    _check_address(locked)
    if locked.reader == ReaderKind.PROTOCOL and (locked.base_url != before.get("base_url", locked.base_url) or locked.node_uid is None):
        _move_in(locked, presented)
    locked.full_clean(exclude=["client"])
    _write_sets(locked, facts)
    after = _facts(locked, facts)
    changed = [name for name in FACTS if name in before and before[name] != after[name]]
    if not changed:
        return locked
    if not set(changed).isdisjoint(GIVES):
        locked.gives_version += 1
    if not set(changed).isdisjoint({*TAKES, *READING, "base_url"} - {"harvest_minutes"}):
        _take_again(locked)
    locked.version += 1
    locked.save()
    if "name" in changed:
        ApiClient.objects.filter(pk=locked.client_id).update(name=locked.name)
    log(locked, PartnerAction.CHANGED, by=by, details={"changes": {name: None if name in UNTOLD else [before[name], after[name]] for name in changed}})
    return locked


@transaction.atomic
def introduce(partner: Partner, presented: Introduction, *, by: User | None) -> Partner:
    """Keep what the partner's address says of itself now. Raises ValidationError if another node answers there than before."""
    _allow(by)
    locked = lock(partner)
    before = locked.discovery
    _move_in(locked, presented)
    if before != locked.discovery:
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
    """Stop for good: its keys to us are revoked, the one it gave us is deleted, its listings go. It can be taken up again, with new keys.

    If people's data are at the partner's, the worker has them erased there first; it needs the key for that, and deletes it afterwards.
    """
    ended = _move(partner, PartnerAction.ENDED, reason=reason, by=by)
    if not ended.outgoing_interests.crossing().exists():
        ended.sealed_key = ""
        ended.save(update_fields=["sealed_key", "modified"])
    if ended.client_id:
        keys.revoke_all(ended.client.keys.all())
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
    if partner.gives and not (partner.client_id and partner.client.keys.usable().exists()):
        wanting.append(_("The partner has no key of ours: without one it cannot read our listings."))
    return wanting


# --- Keys we make for them ---------------------------------------------------------------------------------------------


@transaction.atomic
def issue_key(partner: Partner, *, name: str, expires_at: datetime.datetime | None, by: User | None) -> tuple[ApiKey, str]:
    """A key for the partner's programs, and its secret, which nobody can find out later. Raises ValidationError."""
    _allow(by)
    locked = lock(partner)
    if locked.state == PartnerState.ENDED:
        raise ValidationError(_("The partnership has ended. Take it up again before you make a key."), code="state")
    if locked.client_id is None:
        locked.client = ApiClient.objects.create(name=locked.name)
        locked.save()
    key, secret = keys.issue(locked.client, name=name, scopes=KEY_SCOPES, expires_at=expires_at, by=by)
    log(locked, PartnerAction.KEY_ISSUED, by=by, details={"key": key.prefix})
    return key, secret


@transaction.atomic
def rotate_key(partner: Partner, key: ApiKey, *, overlap: datetime.timedelta, by: User | None) -> tuple[ApiKey, str]:
    """The key that takes this one's place, and its secret; both work for `overlap`. Raises ValidationError."""
    _allow(by)
    locked = lock(partner)
    successor, secret = keys.rotate(_own_key(locked, key), overlap=overlap, by=by)
    log(locked, PartnerAction.KEY_ROTATED, by=by, details={"key": key.prefix, "new": successor.prefix})
    return successor, secret


@transaction.atomic
def revoke_key(partner: Partner, key: ApiKey, *, by: User | None) -> ApiKey:
    """The key is refused from now on. Twice is once."""
    _allow(by)
    locked = lock(partner)
    own = _own_key(locked, key)
    was_revoked = own.revoked_at is not None
    revoked = keys.revoke(own, by=by)
    if not was_revoked:
        log(locked, PartnerAction.KEY_REVOKED, by=by, details={"key": key.prefix})
    return revoked


def _own_key(partner: Partner, key: ApiKey) -> ApiKey:
    return ApiKey.objects.get(pk=key.pk, client__partner=partner)


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


# --- Visits -------------------------------------------------------------------------------------------------------------


@transaction.atomic
def visit_now(partner: Partner, *, by: User | None) -> Partner:
    """Let the worker visit the partner at its next round. Raises ValidationError if it is not visited at all."""
    _allow(by)
    locked = _visited(partner)
    Checkpoint.objects.update_or_create(partner=locked, defaults={"next_at": timezone.now()})
    log(locked, PartnerAction.VISIT_ASKED, by=by)
    return locked


@transaction.atomic
def read_anew(partner: Partner, *, by: User | None) -> Partner:
    """Let the worker read all that the partner has, not only what changed. Raises ValidationError as `visit_now`."""
    _allow(by)
    locked = _visited(partner)
    mapping.ask_again(locked)
    log(locked, PartnerAction.SNAPSHOT_ASKED, by=by)
    return locked


@transaction.atomic
def retry(items: Collection[QuarantinedItem], *, by: User | None) -> int:
    """Look at these items again: their partners are read anew; what is still no good comes back into quarantine. Returns how many were open."""
    number = settle(items, by=by)
    for partner in Partner.objects.filter(pk__in={item.partner_id for item in items}).order_by("pk"):
        mapping.ask_again(lock(partner))
    return number


@transaction.atomic
def settle(items: Collection[QuarantinedItem], *, by: User | None) -> int:
    """A person has seen to these items; each comes back if the partner sends it again as it is. Returns how many were open."""
    _allow(by)
    return QuarantinedItem.objects.filter(pk__in=[item.pk for item in items], resolved_at=None).update(resolved_at=timezone.now())


def _take_again(partner: Partner) -> None:
    """What is here may fit no longer, and what did not fit may: the next visit looks at everything, also at what says that it did not change."""
    live = RemoteListing.objects.filter(partner=partner, tombstoned_at=None)
    live.update(digest="", version=Greatest(F("version") - 1, 0))
    mapping.ask_again(partner)


def _visited(partner: Partner) -> Partner:
    locked = lock(partner)
    if locked.state != PartnerState.ACTIVE or locked.reader == ReaderKind.NONE:
        raise ValidationError(_("Only an active partner that has something to read is visited."), code="state")
    return locked


# --- What the others share ----------------------------------------------------------------------------------------------


def lock(partner: Partner, *, seen: int | None = None) -> Partner:
    """The partner as it is now, locked until the transaction ends. Raises StaleError if it is not at version `seen` any more.

    Rows that point to it can be written meanwhile: a visit holds its checkpoint while it writes them, and we may want that checkpoint.
    """
    locked = Partner.objects.select_for_update(no_key=True).get(pk=partner.pk)
    if seen is not None and locked.version != seen:
        raise StaleError(_("Somebody else changed this partner while you did. Nothing of yours was saved yet: compare, then save again."), code="stale")
    return locked


def log(partner: Partner, action: PartnerAction, *, by: User | None, details: Mapping[str, Any] | None = None) -> PartnerEvent:
    """A line in the partner's history."""
    return PartnerEvent.objects.create(partner=partner, action=action, by=by, details=dict(details or {}))


def _allow(by: User | None) -> None:
    if by is not None and not can_manage(by):
        raise PermissionDenied


def _check_address(partner: Partner) -> None:
    """An address that is none, or over which anybody could listen, is refused before anything is asked there."""
    try:
        target = parse(partner.base_url)
    except AddressError as error:
        raise ValidationError({"base_url": str(error)}) from error
    if target.scheme != "https" and not target.is_allowed:
        raise ValidationError({"base_url": str(fetching.Refusal.NOT_SECURE.label)})


def _move_in(partner: Partner, presented: Introduction | None) -> None:
    """The partner is at its (new) address, unsaved. Raises ValidationError if it is another one there."""
    if presented is None or presented.base_url != partner.base_url:
        raise ValidationError({"base_url": _("Nobody has asked this address yet who it is.")})
    if partner.node_uid and partner.node_uid != presented.node_uid:
        message = _(
            "Another marketplace answers at this address than before: it says that it is %(new)s, it was %(old)s. Ask the partner what happened; if it began anew, end this partnership and connect it again."
        )
        raise ValidationError({"base_url": ValidationError(message, code="other-node", params={"new": presented.node_uid, "old": partner.node_uid})})
    partner.node_uid, partner.discovery = presented.node_uid, dict(presented.document)
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
