"""Keeping aid true: who has to look at which page again and when, and what the clock changes by itself.

Every aid has an officer and a number of days after which it is looked at again. "Checked today" concerns the aid, so it holds
in all its languages. It is written into what is public and into every draft alike, in place: publishing a version for it would
publish a colleague's half-written text with it, or end the review that the draft is in.
"""

import datetime
import logging
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from django.conf import settings
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from wagtail.log_actions import log
from wagtail.models import Revision, TaskState

from cms.pages.cache.purge import log as log_page
from cms.pages.rules import is_editor, is_officer
from marketplace.accounts.models import User
from marketplace.core import mail

from . import changes, states
from .freshness_models import Review, Upkeep
from .models import AidPage

logger = logging.getLogger(__name__)
#: Between two reminders of the same page.
AGAIN_AFTER = datetime.timedelta(days=7)
#: Wagtail's history of the page calls a review this.
LOG_ACTION = "aid.review"


class NotPublicError(ValidationError):
    """Nobody can vouch for a page that is not public."""


@dataclass(frozen=True, slots=True)
class Due:
    """An aid to look at: its page in the first language, since when, and how many days late on `today` (negative: still to come)."""

    page: AidPage
    due_on: datetime.date
    late: int
    languages: tuple[str, ...]


def due(today: datetime.date | None = None, *, within: int = 0) -> list[Due]:
    """Public aid that has to be looked at until `within` days from today, the latest first; one entry for all languages of an aid."""
    today = today or timezone.localdate()
    found = []
    for versions in _by_aid(AidPage.objects.live().select_related("officer", "reviewed_by", "locale")).values():
        page = versions[0]
        day = page.review_due_on or _never_looked_at(page, today)
        if day <= today + datetime.timedelta(days=within):
            found.append(Due(page, day, (today - day).days, tuple(version.locale.language_code for version in versions)))
    return sorted(found, key=lambda one: (one.due_on, one.page.title))


def _never_looked_at(page: AidPage, today: datetime.date) -> datetime.date:
    """A page that nobody ever looked at is due since it is public."""
    return timezone.localdate(page.first_published_at) if page.first_published_at else today


def _by_aid(pages: Iterable[AidPage]) -> dict[object, list[AidPage]]:
    """The versions of each aid, the site's first language first."""
    order = [code for code, _name in settings.LANGUAGES]
    found = defaultdict(list)
    for page in pages:
        found[page.translation_key].append(page)
    for versions in found.values():
        versions.sort(key=lambda page: order.index(page.locale.language_code) if page.locale.language_code in order else len(order))
    return found


def may_confirm(user: User, page: AidPage) -> bool:
    """The officers of the office, and whoever keeps this aid."""
    return is_officer(user) or (is_editor(user) and page.officer_id == user.pk)


@transaction.atomic
def confirm(page: AidPage, *, by: User, note: str = "") -> Review:
    """Somebody looked today, and the aid is as its page says: in every language, in what is public and in every draft of it."""
    if not may_confirm(by, page):
        raise PermissionDenied
    versions = list(AidPage.objects.select_for_update(of=("self",)).filter(translation_key=page.translation_key).order_by("pk"))
    if not any(version.live for version in versions):
        raise NotPublicError(_("This page is not public (any more). Publish it first."))
    today = timezone.localdate()
    for version in versions:
        version.reviewed_on, version.reviewed_by = today, by
        # Not checked as a whole: a fact that is wrong by now is the next editor's business and must not stand in the way here.
        version.save(clean=False, update_fields=["reviewed_on", "reviewed_by"])
        _write_into_drafts(version)
        log(instance=version, action=LOG_ACTION, user=by, data={"note": note})
    return Review.objects.create(page=page, by=by, note=note.strip())


def _write_into_drafts(page: AidPage) -> None:
    """Into the versions that may be published yet: the live one, the newest, those with a date, the one that colleagues review."""
    reviewed = TaskState.objects.filter(workflow_state__in=page.workflow_states.active()).values("revision")
    named = Q(pk__in=[pk for pk in (page.live_revision_id, page.latest_revision_id) if pk])
    waiting = named | Q(approved_go_live_at__isnull=False) | Q(pk__in=reviewed)
    for revision in Revision.objects.for_instance(page).filter(waiting).select_for_update():
        content = revision.content | {"reviewed_on": page.reviewed_on.isoformat(), "reviewed_by": page.reviewed_by_id}
        Revision.objects.filter(pk=revision.pk).update(content=content)


# --- Reminders ----------------------------------------------------------------------------------------------------------


@transaction.atomic
def remind(today: datetime.date | None = None) -> int:
    """Mail those who keep pages that are due: when it begins, then once a week; one mail a person with all their pages. How many mails."""
    today = today or timezone.localdate()
    found = due(today)
    known = _locked_upkeep([one.page.translation_key for one in found])
    news = {one.page.pk for one in found if _is_news(known[one.page.translation_key], one, today)}
    sent, told = 0, set()
    for user, theirs in _recipients(found).items():
        if any(one.page.pk in news for one in theirs):
            sent += _write(user, theirs, today)
            told.update(one.page.translation_key for one in theirs)
    for one in found:
        if one.page.translation_key in told:
            Upkeep.objects.filter(translation_key=one.page.translation_key).update(reminded_on=today, reminded_of=one.due_on)
    return sent


def _is_news(row: Upkeep, one: Due, today: datetime.date) -> bool:
    return row.reminded_of != one.due_on or row.reminded_on is None or row.reminded_on + AGAIN_AFTER <= today


def _locked_upkeep(keys: Iterable[object]) -> dict[object, Upkeep]:
    keys = list(keys)
    Upkeep.objects.bulk_create([Upkeep(translation_key=key) for key in keys], ignore_conflicts=True)
    return {row.translation_key: row for row in Upkeep.objects.select_for_update().filter(translation_key__in=keys).order_by("pk")}


def _recipients(found: list[Due]) -> dict[User, list[Due]]:
    """Who hears of which pages: whoever keeps it; all officers, if nobody does or that person left."""
    officers = list(_officers())
    theirs: dict[User, list[Due]] = defaultdict(list)
    for one in found:
        keeper = one.page.officer
        for user in [keeper] if keeper and is_editor(keeper) else officers:
            theirs[user].append(one)
    if found and not theirs:
        logger.warning("%d aid pages are due for a review and nobody keeps them: the group of the officers is empty.", len(found))
    return theirs


def _officers() -> Iterable[User]:
    """The members of the groups that review pages."""
    reviewing = Q(groups__permissions__codename="review_pages", groups__permissions__content_type__app_label="wagtailcore")
    return User.objects.filter(reviewing, is_active=True).distinct().order_by("pk")


def _write(user: User, theirs: list[Due], today: datetime.date) -> int:
    with translation.override(user.language):
        pages = [{"due": one, "edit": reverse("wagtailadmin_pages:edit", args=[one.page.pk])} for one in theirs]
    queued = mail.queue(
        "aid/mail/review_due", user.email, {"user": user, "pages": pages, "count": len(pages)}, key=f"aid-review:{user.uid}:{today}", language=user.language
    )
    return int(queued is not None)


# --- What the clock changes ---------------------------------------------------------------------------------------------


@transaction.atomic
def announce(today: datetime.date | None = None) -> int:
    """Tell the change log of every aid whose state is another one than when it was last told: opened, closing soon, closed. How many aids.

    The state is worked out from dates (see `states`), so nothing is written when a deadline passes; but the index, the kept
    pages and the alerts follow the change log, and would not hear of it.
    """
    today = today or timezone.localdate()
    aids = _by_aid(AidPage.objects.live().select_related("locale").prefetch_related("calls"))
    known = _locked_upkeep(aids)
    told = 0
    for key, versions in aids.items():
        state = states.standing(versions[0].calls.all(), today).state
        if known[key].state == state:
            continue
        # An aid of which nothing is known was published since, which was told.
        if known[key].state:
            changes.append(*versions)
            log_page("page", key)
            told += 1
        Upkeep.objects.filter(pk=known[key].pk).update(state=state)
    return told
