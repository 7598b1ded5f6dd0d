"""What a partner means by its own words: recognised, as a person said, or unknown and kept with a proposal.

Codes and labels of NACE and names and codes of municipalities are recognised as they are. For all else a person decides once: until
then the partner's defaults hold, and what has none waits in quarantine.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import Count, F
from django.db.models.functions import Greatest
from django.utils import timezone
from django.utils.translation import gettext as _

from marketplace.accounts.models import User
from marketplace.companies import places, sectors
from marketplace.companies.models import Place, Sector
from marketplace.imports import values
from marketplace.listings.enums import Category

from . import proposing
from .enums import MappingState, Scheme
from .models import Checkpoint, Mapping, Partner, RemoteListing
from .models.mapping import CHOICES, MAX_LABEL, MAX_VALUE
from .rules import can_manage

#: A partner that puts a number into every category fills no more than this; what is over is unknown without a row.
MOST = 2000

Key = tuple[str, str]


class StaleError(ValidationError):
    """Somebody else decided meanwhile."""


@dataclass(slots=True)
class Resolver:
    """Reads one partner's words. Made once a batch or a visit: one query when it is made, a few when it stores what was unknown.

    Answers are objects of companies.sectors and companies.places or codes, never tied to the database. Call `store` in the
    transaction of the batch: it counts the unknown words and keeps the new ones with a proposal.
    """

    partner: Partner
    _rows: dict[Key, Mapping] = field(init=False)
    _unknown: dict[Key, list] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        self._rows = {(row.scheme, row.value): row for row in Mapping.objects.filter(partner=self.partner)}

    def resolve(self, scheme: str, value: str, label: str = "") -> Sector | Place | str | None:
        """What the word means: a Sector, a Place, or the code of a category, kind or language; None where nobody knows or it is to be ignored.

        What a person decided goes before what we recognise: a partner's own "22" need not be that of NACE.
        """
        key = (str(scheme), key_of(value or label))
        if not key[1]:
            return None
        row = self._rows.get(key)
        if row is not None and not row.is_open:
            return meant_by(row)
        found = recognise(scheme, value, label)
        if found is None:
            self._unknown.setdefault(key, [0, label or value])[0] += 1
        return found

    def store(self) -> int:
        """Write the words that nobody knew, with how often they came; returns how many are new."""
        now, new = timezone.now(), []
        room = max(0, MOST - len(self._rows))
        again = []
        for (scheme, value), (times, label) in self._unknown.items():
            row = self._rows.get((scheme, value))
            if row is not None and row.pk:
                row.times, row.last_seen = row.times + times, now
                again.append(row)
            elif len(new) < room:
                row = proposing.proposed(Mapping(partner=self.partner, scheme=scheme, value=value, label=proposing.clean(label)[:MAX_LABEL], times=times))
                new.append(row)
        Mapping.objects.bulk_create(new, ignore_conflicts=True)
        Mapping.objects.bulk_update(again, ["times", "last_seen"], batch_size=500)
        if new:
            self.__post_init__()
        self._unknown.clear()
        return len(new)


def resolve(partner: Partner, scheme: str, value: str, label: str = "") -> Sector | Place | str | None:
    """As Resolver.resolve for one word alone, stored at once."""
    resolver = Resolver(partner)
    found = resolver.resolve(scheme, value, label)
    resolver.store()
    return found


def kind(partner: Partner, said: str) -> str | None:
    """Offer or demand, by the partner's own word for it."""
    return resolve(partner, Scheme.KIND, said)


def key_of(value: str) -> str:
    """The one spelling by which a word is known: "Plàstics  (PVC)" and "plastics pvc" are one."""
    return values.fold(proposing.clean(value))[:MAX_VALUE]


def meant_by(row: Mapping) -> Sector | Place | str | None:
    """What a decided word means; None for one that is ignored."""
    if row.state != MappingState.CONFIRMED:
        return None
    if row.scheme == Scheme.SECTOR:
        return sectors.tree().get(row.sector_id)
    if row.scheme == Scheme.PLACE:
        return places.known().get(row.place_id)
    return row.choice or None


def recognise(scheme: str, value: str, label: str = "") -> Sector | Place | str | None:
    """What needs no person: codes and labels of NACE, municipalities by INE code or name, words for our categories, kinds and languages."""
    for text in dict.fromkeys(filter(None, (proposing.clean(value), proposing.clean(label)))):
        found = _RECOGNISE[Scheme(scheme)](text)
        if found is not None:
            return found
    return None


def _kind(text: str) -> str | None:
    meant = values.kinds(text)
    return str(meant.pop()) if len(meant) == 1 else None


def _category(text: str) -> str | None:
    return text if text in Category.values else str(found) if (found := values.category(text)) else None


_RECOGNISE = {Scheme.SECTOR: values.sector, Scheme.PLACE: values.place, Scheme.CATEGORY: _category, Scheme.KIND: _kind, Scheme.LANGUAGE: values.language}


# --- What a person decides ----------------------------------------------------------------------------------------------


@transaction.atomic
def confirm(mapping: Mapping, code: str = "", *, seen: int | None = None, by: User | None) -> Mapping:
    """The word means `code` (of a sector, a municipality, a choice), or what is proposed. What waited for it is read again.

    `seen` is the version that the person saw. Raises ValidationError, StaleError.
    """
    locked = _lock(mapping, seen, by)
    code = (code or locked.code).strip()
    before, was = locked.code, locked.state
    _set(locked, code)
    if (was, before) == (MappingState.CONFIRMED, locked.code):
        return locked
    _decide(locked, MappingState.CONFIRMED, by)
    _take_again(locked, before if was == MappingState.CONFIRMED else "")
    return locked


@transaction.atomic
def ignore(mapping: Mapping, *, seen: int | None = None, by: User | None) -> Mapping:
    """The word says nothing: the partner's default holds wherever it stands. Raises ValidationError, StaleError."""
    locked = _lock(mapping, seen, by)
    if locked.state == MappingState.IGNORED:
        return locked
    before = locked.code if locked.state == MappingState.CONFIRMED else ""
    _decide(locked, MappingState.IGNORED, by)
    _take_again(locked, before)
    return locked


@transaction.atomic
def reopen(mapping: Mapping, *, seen: int | None = None, by: User | None) -> Mapping:
    """Forget what was decided; the word waits for a person again, with a new proposal."""
    locked = _lock(mapping, seen, by)
    if locked.state == MappingState.PROPOSED:
        return locked
    before = locked.code if locked.state == MappingState.CONFIRMED else ""
    locked.sector = locked.place = None
    locked.choice, locked.score = "", 0.0
    proposing.proposed(locked)
    _decide(locked, MappingState.PROPOSED, None)
    _take_again(locked, before)
    return locked


@transaction.atomic
def add(partner: Partner, scheme: str, label: str, code: str, *, by: User | None) -> Mapping:
    """Say what a word means before it was ever seen, or that a word that we recognise means something else here. Raises ValidationError."""
    if by is not None and not can_manage(by):
        raise PermissionDenied
    value = key_of(label)
    if scheme not in Scheme.values or not value:
        raise ValidationError({"label": _("Write the word as the partner writes it.")})
    row, _made = Mapping.objects.get_or_create(partner=partner, scheme=scheme, value=value, defaults={"label": proposing.clean(label)[:MAX_LABEL]})
    return confirm(row, code, by=by)


def _lock(mapping: Mapping, seen: int | None, by: User | None) -> Mapping:
    if by is not None and not can_manage(by):
        raise PermissionDenied
    # The partner first, as everywhere: two people, or a person and a visit, never wait for each other in a circle.
    Partner.objects.select_for_update(no_key=True).get(pk=mapping.partner_id)
    locked = Mapping.objects.select_for_update().get(pk=mapping.pk)
    if seen is not None and locked.version != seen:
        raise StaleError(_("Somebody else decided about “%(label)s” meanwhile. Look at it again.") % {"label": locked.label}, code="stale")
    return locked


def _set(locked: Mapping, code: str) -> None:
    locked.sector_id = locked.place_id = None
    locked.choice = ""
    scheme, said = Scheme(locked.scheme), {"code": code[:60]}
    if scheme == Scheme.SECTOR:
        if code not in sectors.tree():
            raise ValidationError({"code": _("“%(code)s” is no code of a sector. Write one like C, 22 or 2229.") % said})
        locked.sector_id = code
    elif scheme == Scheme.PLACE:
        if code not in places.known():
            raise ValidationError({"code": _("“%(code)s” is no code of a municipality. Write six digits like 082798.") % said})
        locked.place_id = code
    elif code in dict(CHOICES[scheme]):
        locked.choice = code
    else:
        raise ValidationError({"code": _("Choose what the word means.")})


def _decide(locked: Mapping, state: MappingState, by: User | None) -> None:
    locked.state, locked.decided_by, locked.decided_at = state, by, timezone.now() if state != MappingState.PROPOSED else None
    locked.version += 1
    locked.save()


def _take_again(mapping: Mapping, before: str) -> None:
    """Let the next visit read everything, and write those listings anew that were filed under the default or under what the word meant before."""
    partner = mapping.partner
    filed = {
        Scheme.SECTOR: {"listing__sector_id__in": [*filter(None, (partner.default_sector_id, before))]},
        Scheme.PLACE: {"listing__place_id__in": [*filter(None, (partner.default_place_id, before))]},
        Scheme.CATEGORY: {"listing__category__in": [*filter(None, (Category.SOLUTION, before))]},
        Scheme.LANGUAGE: {"listing__language__in": [*filter(None, (partner.default_language, before))]},
        Scheme.KIND: {"listing__kind__in": [*filter(None, (before,))]},
    }[Scheme(mapping.scheme)]
    rows = RemoteListing.objects.filter(partner=partner, tombstoned_at=None, **filed)
    # Without a digest the same item says something new; one version less, so that it is no other text of the same version. An older one stays older.
    rows.update(digest="", version=Greatest(F("version") - 1, 0))
    ask_again(partner)


def ask_again(partner: Partner) -> None:
    """Read the partner from the beginning at the worker's next round: what was held comes again.

    A visit that runs loses its lease, since its next page would write a checkpoint over this one.
    """
    Checkpoint.objects.filter(partner=partner).update(state={}, in_snapshot=False, next_at=timezone.now(), lease_until=None, leased_by="")


def open_counts(partners: Iterable[Partner]) -> dict[int, int]:
    """How many words of each partner (by primary key) wait for a person, in one query."""
    rows = Mapping.objects.filter(partner__in=partners, state=MappingState.PROPOSED).values("partner").annotate(count=Count("pk"))
    return {row["partner"]: row["count"] for row in rows}
