"""What people do with their saved searches. Views and the demo call these."""

import datetime

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from marketplace.accounts.models import User
from marketplace.core import changelog
from marketplace.listings.filters import ListingFilter
from search import index

from . import searches
from .enums import Alert
from .models import NAME_LENGTH, SavedSearch

#: More nobody reads; each costs a question to the engine at every change.
MOST_SEARCHES = 30


@transaction.atomic
def save(wanted: ListingFilter, *, name: str = "", alert: bool = True, by: User) -> tuple[SavedSearch, bool]:
    """Keep a search, and whether it is new: one that the person has already stays as it is. What it finds now is no news.

    Refuses what was not understood as a whole, and more than MOST_SEARCHES.
    """
    # One person's savings one after the other: neither the limit nor the pair can be passed by a second window.
    by = User.objects.select_for_update(no_key=True).get(pk=by.pk)
    if wanted.ignored:
        raise ValidationError(_("We did not understand everything in this search, so we cannot keep it. Search again and save what you see."), code="ignored")
    known = SavedSearch.objects.of(by).filter(fingerprint=searches.fingerprint(wanted)).first()
    if known:
        return known, False
    if SavedSearch.objects.of(by).count() >= MOST_SEARCHES:
        raise ValidationError(
            _("You have %(n)d saved searches, and that is the most there can be. Delete one you no longer need, then save this one."),
            code="limit",
            params={"n": MOST_SEARCHES},
        )
    place = changelog.position(index.reader_name())
    saved = SavedSearch.objects.create(
        owner=by,
        name=_name(name) or searches.proposed_name(wanted, length=NAME_LENGTH),
        parameters=searches.canonical(wanted),
        fingerprint=searches.fingerprint(wanted),
        alert=Alert.ON if alert else Alert.PAUSED,
        index_transaction=place[0],
        index_change=place[1],
    )
    return saved, True


@transaction.atomic
def rename(saved: SavedSearch, name: str, *, by: User) -> SavedSearch:
    """Another name; an empty one changes nothing."""
    saved = _locked(saved, by)
    saved.name = _name(name) or saved.name
    saved.save(update_fields=["name", "modified"])
    return saved


@transaction.atomic
def pause(saved: SavedSearch, *, by: User) -> SavedSearch:
    """No mail about it; its page goes on showing what is new."""
    saved = _locked(saved, by)
    saved.alert = Alert.PAUSED
    saved.save(update_fields=["alert", "modified"])
    return saved


@transaction.atomic
def resume(saved: SavedSearch, *, by: User) -> SavedSearch:
    """Mail again, of what is found from now on: what came during a pause is on the search's page."""
    saved = _locked(saved, by)
    if not saved.is_mailed:
        saved.alert, saved.alert_since = Alert.ON, timezone.now()
        saved.save(update_fields=["alert", "alert_since", "modified"])
    return saved


@transaction.atomic
def mark_seen(saved: SavedSearch, *, until: datetime.datetime, by: User) -> SavedSearch:
    """The owner has seen what was found up to `until`, when their page was made; never later than now, never back."""
    saved = _locked(saved, by)
    saved.looked_at = max(saved.looked_at, min(until, timezone.now()))
    saved.save(update_fields=["looked_at", "modified"])
    return saved


@transaction.atomic
def delete(saved: SavedSearch, *, by: User) -> None:
    """It and what it found are gone; what its owner was told of is not told again by another search."""
    _locked(saved, by).delete()


def _locked(saved: SavedSearch, by: User) -> SavedSearch:
    return SavedSearch.objects.of(by).select_for_update(no_key=True).get(pk=saved.pk)


def _name(text: str) -> str:
    return " ".join(text.split())[:NAME_LENGTH].rstrip()


# --- From a mail ------------------------------------------------------------------------------------------------------------


def stop(owned: "SavedSearch.objects") -> None:
    """No more mail about these, until `resume_stopped` or their owner says otherwise. Those that are paused stay so."""
    owned.filter(alert=Alert.ON).update(alert=Alert.STOPPED, modified=timezone.now())


def resume_stopped(owned: "SavedSearch.objects") -> None:
    """As if `stop` had not been: what was found meanwhile is told too."""
    owned.filter(alert=Alert.STOPPED).update(alert=Alert.ON, modified=timezone.now())
