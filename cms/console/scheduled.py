"""Publishing at the time that an officer chose. Called by the worker at every round: two indexed questions when nothing is due."""

import logging
import time
from collections.abc import Callable

from django.db import transaction
from django.utils import timezone
from wagtail.models import Page, Revision

logger = logging.getLogger(__name__)

#: What fails (a version whose slug was taken meanwhile) is tried again after so many seconds and keeps nobody waiting.
PAUSE = 600
_failed: dict[tuple[str, int], float] = {}


def run_once() -> int:
    """Publish what is due, take away what has ended; how many that was. Wagtail's own command stops at the first one that fails."""
    now = timezone.now()
    revisions = Revision.objects.filter(approved_go_live_at__lte=now).order_by("approved_go_live_at").values_list("pk", flat=True)
    pages = Page.objects.filter(live=True, expire_at__lte=now).order_by("expire_at").values_list("pk", flat=True)
    return sum(_tried(publish, pk) for pk in revisions) + sum(_tried(take_away, pk) for pk in pages)


def _tried(step: Callable[[int], bool], pk: int) -> bool:
    """Whether a step was done, in a transaction of its own. One that fails rests for a while."""
    key = (step.__name__, pk)
    if time.monotonic() < _failed.get(key, 0):
        return False
    try:
        with transaction.atomic():
            done = step(pk)
    except Exception:
        logger.exception("%s %s failed; tried again in %s s", *key, PAUSE)
        _failed[key] = time.monotonic() + PAUSE
        return False
    _failed.pop(key, None)
    return done


def publish(pk: int) -> bool:
    """A version, if its time has come: another worker may have done it since, or an officer put it off."""
    due = Revision.objects.select_for_update().filter(pk=pk, approved_go_live_at__lte=timezone.now()).first()
    if due is not None:
        due.publish(log_action="wagtail.publish.scheduled")
    return due is not None


def take_away(pk: int) -> bool:
    """A page whose time is over."""
    page = Page.objects.select_for_update().filter(pk=pk, live=True, expire_at__lte=timezone.now()).first()
    if page is not None:
        page.specific.unpublish(set_expired=True, log_action="wagtail.unpublish.scheduled")
    return page is not None
