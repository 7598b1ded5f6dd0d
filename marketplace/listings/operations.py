"""What can happen to a listing. Form, API, console, import and commands call these; each is one transaction: lock, check, write, log.

Every function takes the listing and the keyword `by`, the acting user (None: the system). It returns the listing as it is now.
"""

import datetime
import uuid
from collections.abc import Iterable, Mapping, Sequence

from django.conf import settings
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from simple_history.utils import bulk_create_with_history

from marketplace.accounts.models import User
from marketplace.accounts.rules import is_curator
from marketplace.companies.models import Company, Membership
from marketplace.companies.rules import is_member
from marketplace.core import changelog

from . import notices
from .enums import PARTNER_MOVES, TRANSITIONS, Move, Origin, State
from .models import Listing, Transition
from .rules import can_curate, can_edit

EDITABLE = ("kind", "category", "title", "description", "keywords", "language", "sector", "place", "reach_km", "remote", "valid_until")


class IllegalMoveError(ValidationError):
    """The listing's state does not allow this, most often because somebody else was faster."""


class StaleEditError(ValidationError):
    """The listing was changed since the form was opened."""


@transaction.atomic
def create(
    company: Company, fields: Mapping[str, object], *, by: User | None, origin: Origin = Origin.FORM, submission_key: uuid.UUID | None = None
) -> Listing:
    """A new draft of `company`. With the `submission_key` of an earlier call, that call's listing comes back and nothing is made."""
    Company.objects.select_for_update().get(pk=company.pk)
    if company.is_of_partner or (by is not None and not (is_member(by, company) or by.has_perm("listings.curate_listing"))):
        raise PermissionDenied
    if submission_key and (earlier := Listing.objects.filter(submission_key=submission_key, company=company).first()):
        return earlier
    listing = Listing(company=company, author=by, origin=origin, submission_key=submission_key, **{name: fields[name] for name in EDITABLE if name in fields})
    listing.full_clean()
    listing.save()
    Transition.objects.create(listing=listing, move=Move.EDIT, to_state=State.DRAFT, by=by)
    return listing


@transaction.atomic
def create_many(listings: Sequence[Listing], *, by: User | None, publish: bool = False) -> list[Listing]:
    """New listings of an import, sent for review or published at once, in a handful of statements however many they are.

    Each passes the steps of the others, so that its life can be read later. Its fields are checked; that company, sector and
    place exist is the caller's business. A curator's own company's listings wait for somebody else.
    """
    if by is not None and not is_curator(by):
        raise PermissionDenied
    now, own = timezone.now(), set(by.memberships.active().values_list("company_id", flat=True)) if by else set()
    steps: dict[uuid.UUID, list[tuple[Move, State | str, State]]] = {}
    for listing in listings:
        path = [(Move.EDIT, "", State.DRAFT), (Move.SUBMIT, State.DRAFT, State.SUBMITTED)]
        listing.submitted_at = now
        if publish and listing.company_id not in own:
            path.append((Move.PUBLISH, State.SUBMITTED, State.PUBLISHED))
            listing.published_at = now
        listing.author, listing.origin, listing.state, listing.version = by, Origin.IMPORT, path[-1][2], len(path)
        listing.clean_fields(exclude=("company", "sector", "place", "author"))
        steps[listing.uid] = path
    made = bulk_create_with_history(list(listings), Listing, default_user=by)
    Transition.objects.bulk_create(
        Transition(listing=listing, move=move, from_state=source, to_state=target, by=by)
        for listing in made for move, source, target in steps[listing.uid]
    )  # fmt: skip
    changelog.append_many("listing", [listing.uid for listing in made])
    if publish:
        with_people = set(Membership.objects.active().filter(company__in=[listing.company_id for listing in made]).values_list("company_id", flat=True))
        for listing in made:
            if listing.state == State.PUBLISHED and listing.company_id in with_people:
                notices.published(listing)
    return made


@transaction.atomic
def revise(listing: Listing, fields: Mapping[str, object], *, by: User | None) -> Listing:
    """A curator's import brings a newer text of a listing that an import made."""
    listing = _locked(listing)
    _check_curator(listing, by)
    for name in EDITABLE:
        if name in fields:
            setattr(listing, name, fields[name])
    listing.full_clean()
    return _move(listing, Move.EDIT, by=by)


@transaction.atomic
def erase(listings: Iterable[Listing], *, by: User | None) -> int:
    """Delete listings that should never have been here (an import that is undone), and their history; the change log keeps a tombstone of each."""
    if by is not None and not is_curator(by):
        raise PermissionDenied
    listings = list(Listing.objects.select_for_update().filter(pk__in=[listing.pk for listing in listings]).order_by("pk"))
    pks = [listing.pk for listing in listings]
    changelog.append_many("listing", [listing.uid for listing in listings], "delete")
    Listing.objects.filter(pk__in=pks).delete()
    # Their deletion wrote all that was in them into the history once more.
    Listing.history.filter(id__in=pks).delete()
    return len(listings)


@transaction.atomic
def edit(listing: Listing, fields: Mapping[str, object], *, by: User, version: int | None = None) -> Listing:
    """Change the text and facts. With `version` (the one the form showed), a listing changed since raises StaleEditError."""
    listing = _locked(listing)
    if not can_edit(by, listing):
        raise PermissionDenied
    if version is not None and version != listing.version:
        raise StaleEditError(
            _("Somebody changed this listing while you were writing. Your text is below; compare it with the present one and send it again."), code="stale"
        )
    for name in EDITABLE:
        if name in fields:
            setattr(listing, name, fields[name])
    listing.full_clean()
    return _move(listing, Move.EDIT, by=by)


@transaction.atomic
def submit(listing: Listing, *, by: User) -> Listing:
    """Hand a draft to the curators."""
    listing = _locked(listing)
    if not can_edit(by, listing):
        raise PermissionDenied
    if listing.valid_until < timezone.localdate():
        raise ValidationError({"valid_until": _("This date has passed. Choose one from today on.")})
    listing.submitted_at = timezone.now()
    return _move(listing, Move.SUBMIT, by=by)


@transaction.atomic
def publish(listing: Listing, *, by: User | None) -> Listing:
    """Make it public; the company gets a mail. A listing whose last day passed while it waited gets a whole period from today."""
    listing = _locked(listing)
    _check_curator(listing, by)
    if listing.valid_until < timezone.localdate():
        if listing.is_of_partner:
            raise IllegalMoveError(_("Its last day has passed. It comes back when the marketplace that it came from renews it."), code="illegal_move")
        listing.valid_until = _full_period()
    listing.published_at = timezone.now()
    listing = _move(listing, Move.PUBLISH, by=by)
    notices.published(listing)
    return listing


@transaction.atomic
def request_changes(listing: Listing, *, by: User, reason: str) -> Listing:
    """Send it back to the company with what to change; the company gets the reason by mail."""
    listing = _locked(listing)
    _check_curator(listing, by)
    listing = _move(listing, Move.REQUEST_CHANGES, by=by, reason=_required(reason))
    notices.changes_requested(listing, reason)
    return listing


@transaction.atomic
def reject(listing: Listing, *, by: User, reason: str) -> Listing:
    """Refuse it for good; the company gets the reason by mail."""
    listing = _locked(listing)
    _check_curator(listing, by)
    listing = _move(listing, Move.REJECT, by=by, reason=_required(reason))
    notices.rejected(listing, reason)
    return listing


@transaction.atomic
def renew(listing: Listing, *, by: User) -> Listing:
    """A whole period from today, for a published or an expired listing."""
    listing = _locked(listing)
    if not can_edit(by, listing):
        raise PermissionDenied
    listing.valid_until = _full_period()
    return _move(listing, Move.RENEW, by=by)


@transaction.atomic
def close(listing: Listing, *, by: User, reason: str = "") -> Listing:
    """The company found what it wanted, or sold it."""
    listing = _locked(listing)
    if not can_edit(by, listing):
        raise PermissionDenied
    return _move(listing, Move.CLOSE, by=by, reason=reason)


@transaction.atomic
def withdraw(listing: Listing, *, by: User, reason: str = "") -> Listing:
    """The company takes it back."""
    listing = _locked(listing)
    if not can_edit(by, listing):
        raise PermissionDenied
    return _move(listing, Move.WITHDRAW, by=by, reason=reason)


@transaction.atomic
def reopen(listing: Listing, *, by: User) -> Listing:
    """A closed or withdrawn listing becomes a draft again."""
    listing = _locked(listing)
    if not can_edit(by, listing):
        raise PermissionDenied
    if listing.valid_until < timezone.localdate():
        listing.valid_until = _full_period()
    return _move(listing, Move.REOPEN, by=by)


def expire_overdue() -> int:
    """End every published listing whose last day has passed, each in its own transaction; return how many."""
    count = 0
    for pk in list(Listing.objects.overdue().values_list("pk", flat=True)):
        with transaction.atomic():
            listing = Listing.objects.select_for_update().filter(pk=pk).first()
            # Another worker may have been here, or an import was undone.
            if listing and listing.state == State.PUBLISHED and listing.valid_until < timezone.localdate():
                listing = _move(listing, Move.EXPIRE, by=None)
                notices.expired(listing)
                count += 1
    return count


def warn_expiring() -> int:
    """Mail each company whose listing is about to end, once a listing and date; return how many mails were queued."""
    count = 0
    for listing in Listing.objects.expiring().for_display().iterator():
        with transaction.atomic():
            count += notices.expiring(listing)
    return count


@transaction.atomic
def touch(listings: Iterable[Listing]) -> None:
    """Tell the followers that these listings' documents changed though their own rows did not (their company did).

    The rows are locked as for any change of them. Otherwise an edit under way, whose change has a lower id than ours, could be
    indexed after it: the index would take the older text for the newer version and keep it.
    """
    uids = Listing.objects.select_for_update(no_key=True).filter(pk__in=[listing.pk for listing in listings]).order_by("pk").values_list("uid", flat=True)
    changelog.append_many("listing", list(uids))


def _locked(listing: Listing) -> Listing:
    """The row as it is now, locked until the end of the transaction."""
    return Listing.objects.select_for_update(of=("self",)).select_related("company", "sector", "place").get(pk=listing.pk)


def _move(listing: Listing, move: Move, *, by: User | None, reason: str = "") -> Listing:
    """Take the step, write it down, and log the change for those who follow."""
    if listing.is_of_partner and move not in PARTNER_MOVES:
        raise IllegalMoveError(
            _("This listing belongs to %(marketplace)s, so it is changed there. Here it can only be hidden."),
            code="partner",
            params={"marketplace": listing.source_name},
        )
    target = TRANSITIONS[move].get(listing.state)
    if target is None:
        raise IllegalMoveError(
            _("This listing is “%(state)s” now, so this step is not possible any more. Reload the page to see what happened."),
            code="illegal_move",
            params={"state": listing.get_state_display()},
        )
    previous, listing.state = listing.state, target
    listing.version += 1
    listing.save()
    Transition.objects.create(listing=listing, move=move, from_state=previous, to_state=target, by=by, reason=reason)
    changelog.append("listing", listing.uid)
    return listing


def _check_curator(listing: Listing, by: User | None) -> None:
    if by is not None and not can_curate(by, listing):
        raise PermissionDenied


def _required(reason: str) -> str:
    if not reason.strip():
        raise ValidationError({"reason": _("Write the reason: the company gets it by mail and learns what to change.")})
    return reason.strip()


def _full_period() -> datetime.date:
    return timezone.localdate() + datetime.timedelta(days=settings.LISTING_VALIDITY_DAYS)
