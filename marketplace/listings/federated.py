"""Listings of partner marketplaces: written in bulk, a few statements a batch however large it is, with history, steps and changes.

They belong to their origin: nobody edits them here (see rules), a curator may hide them. The caller, the federation, decides
what is written; here it is kept in the shape that every reader of listings relies on. Everything runs in the caller's
transaction. Rows are locked in the order of their keys, so that two writers never wait for each other in a circle.
"""

import datetime
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from django.utils import timezone

from marketplace.accounts.models import User
from marketplace.core import changelog, copies

from .enums import Move, Origin, State
from .models import Listing, Transition

FIELDS = ("company", "kind", "category", "title", "description", "keywords", "language", "sector", "place", "reach_km", "remote", "valid_until")
#: What a write may change in a row that is there.
_WRITTEN = (*FIELDS, "state", "submitted_at", "published_at", "source_name", "source_url", "version", "modified")


@dataclass(slots=True)
class Arrival:
    """A listing with the values it shall have: a new one (no key), or a row that `lock` gave.

    `is_shown`: public from now on, else it waits for a curator, also if it was public before. `published_at`: when its origin published it.
    """

    listing: Listing
    is_shown: bool
    published_at: datetime.datetime


def lock(pks: Collection[int]) -> dict[int, Listing]:
    """The rows as they are now, locked until the end of the transaction, by key; without those that are gone."""
    rows = Listing.objects.select_for_update(of=("self",)).filter(pk__in=pks, origin=Origin.PARTNER).order_by("pk")
    return {row.pk: row for row in rows}


def write(arrivals: Sequence[Arrival]) -> None:
    """Create or overwrite them, and tell those who follow. What a curator rejected stays so, what waits for one waits on."""
    if not arrivals:
        return
    now, steps = timezone.now(), []
    for arrival in arrivals:
        listing, before = arrival.listing, arrival.listing.state if arrival.listing.pk else ""
        move = _place(arrival, before, now)
        listing.origin, listing.modified = Origin.PARTNER, now
        listing.version = listing.version + 1 if before else 1
        steps.append((listing, move, before))
    new = [arrival.listing for arrival in arrivals if not arrival.listing.pk]
    changed = [arrival.listing for arrival in arrivals if arrival.listing.pk]
    copies.insert(Listing, new)
    # One statement instead of a CASE of so many arms for each column: the rows are there and locked, so each conflicts with itself.
    Listing.objects.bulk_create(changed, update_conflicts=True, unique_fields=["id"], update_fields=list(_WRITTEN))
    copies.record(Listing, [listing.pk for listing in new], is_new=True, at=now)
    copies.record(Listing, [listing.pk for listing in changed], is_new=False, at=now)
    _log(((listing, move, before, "") for listing, move, before in steps), now)


def end(listings: Sequence[Listing], states: Mapping[int, State], *, reason: str = "", by: User | None = None) -> None:
    """Take these locked rows out of the public's sight: each gets its state of `states`. What is in it already stays as it is."""
    now, steps = timezone.now(), []
    ending = [listing for listing in listings if listing.state != states[listing.pk]]
    if not ending:
        return
    for listing in ending:
        before, listing.state = listing.state, states[listing.pk]
        listing.version, listing.modified = listing.version + 1, now
        steps.append((listing, _MOVES[State(listing.state)], before, reason))
    _save_states(ending, now, by)
    _log(steps, now, by)


def show(listing: Listing, *, is_shown: bool, by: User | None) -> None:
    """Bring back a locked row that a curator had hidden; public at once, or waiting for a curator."""
    now, before = timezone.now(), listing.state
    listing.state = State.PUBLISHED if is_shown else State.SUBMITTED
    listing.submitted_at, listing.published_at = listing.submitted_at or now, listing.published_at or (now if is_shown else None)
    listing.version, listing.modified = listing.version + 1, now
    _save_states([listing], now, by)
    _log([(listing, Move.PUBLISH if is_shown else Move.SUBMIT, before, "")], now, by)


def erase(pks: Collection[int]) -> set[int]:
    """Forget these listings: rows, history, steps. The change log tells the index. Returns the keys of their companies."""
    rows = lock(pks)
    changelog.append_many("listing", [row.uid for row in rows.values()], "delete")
    Listing.objects.filter(pk__in=rows).delete()
    # After the rows: their deletion writes a line into the history, with all that was in them.
    Listing.history.filter(id__in=rows).delete()
    return {row.company_id for row in rows.values()}


def blank(pks: Collection[int]) -> None:
    """Forget the texts of listings that have ended, but for their titles: somebody has a contact under way because of them."""
    rows = lock(pks)
    for row in rows.values():
        row.description, row.keywords = row.title, ""
    Listing.objects.bulk_create(rows.values(), update_conflicts=True, unique_fields=["id"], update_fields=["description", "keywords"])
    Listing.history.filter(id__in=rows).delete()
    changelog.append_many("listing", [row.uid for row in rows.values()])


_MOVES = {State.WITHDRAWN: Move.WITHDRAW, State.EXPIRED: Move.EXPIRE, State.REJECTED: Move.REJECT, State.SUBMITTED: Move.SUBMIT}


def _place(arrival: Arrival, before: str, now: datetime.datetime) -> Move:
    """Give the listing its state; returns the step that this is."""
    listing = arrival.listing
    if before == State.REJECTED or (before == State.PUBLISHED and arrival.is_shown) or (before == State.SUBMITTED and not arrival.is_shown):
        return Move.EDIT
    listing.submitted_at = now
    if arrival.is_shown:
        listing.state, listing.published_at = State.PUBLISHED, min(arrival.published_at, now)
        return Move.PUBLISH
    listing.state = State.SUBMITTED
    return Move.SUBMIT


def _save_states(listings: Sequence[Listing], now: datetime.datetime, by: User | None) -> None:
    names = ["state", "submitted_at", "published_at", "version", "modified"]
    Listing.objects.bulk_create(listings, update_conflicts=True, unique_fields=["id"], update_fields=names)
    copies.record(Listing, [listing.pk for listing in listings], is_new=False, at=now, by=by)


def _log(steps: Iterable[tuple[Listing, Move, str, str]], now: datetime.datetime, by: User | None = None) -> None:
    """Write down the steps, those of one kind in one statement, and tell those who follow."""
    alike, uids = defaultdict(list), []
    for listing, move, before, reason in steps:
        alike[move, before, listing.state, reason].append(listing.pk)
        uids.append(listing.uid)
    values = [now, by.pk if by else None]
    for step, pks in alike.items():
        copies.copy(Listing, pks, into=Transition, columns={"listing_id": "id"}, values=dict(zip(_STEP, [*step, *values], strict=True)))
    changelog.append_bulk("listing", uids)


_STEP = ("move", "from_state", "to_state", "reason", "at", "by_id")
