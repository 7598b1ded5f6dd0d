"""Publishing at the time that an officer chose. Called by the worker at every round: two indexed questions when nothing is due."""

import logging
import time

from django.db import transaction
from django.utils import timezone
from wagtail.models import Page, Revision

logger = logging.getLogger(__name__)

#: A version that cannot be published (its slug was taken meanwhile) is tried again after so many seconds and keeps nobody waiting.
PAUSE = 600
_failed: dict[int, float] = {}


def run_once() -> int:
    """Publish what is due, take away what has ended; how many that was. Wagtail's own command stops at the first one that fails."""
    now = timezone.now()
    revisions = Revision.objects.filter(approved_go_live_at__lte=now).order_by("approved_go_live_at").values_list("pk", flat=True)
    pages = Page.objects.filter(live=True, expire_at__lte=now).order_by("expire_at").values_list("pk", flat=True)
    return sum(_publish(pk) for pk in revisions) + sum(_take_away(pk) for pk in pages)


def _publish(pk: int) -> bool:
    if time.monotonic() < _failed.get(pk, 0):
        return False
    try:
        with transaction.atomic():
            # Another worker may have done it since, or an officer put it off.
            due = Revision.objects.select_for_update().filter(pk=pk, approved_go_live_at__lte=timezone.now()).first()
            if due is not None:
                due.publish(log_action="wagtail.publish.scheduled")
    except Exception:
        logger.exception("version %s could not be published; tried again in %s s", pk, PAUSE)
        _failed[pk] = time.monotonic() + PAUSE
        return False
    _failed.pop(pk, None)
    return due is not None


def _take_away(pk: int) -> bool:
    with transaction.atomic():
        page = Page.objects.select_for_update().filter(pk=pk, live=True, expire_at__lte=timezone.now()).first()
        if page is not None:
            page.specific.unpublish(set_expired=True, log_action="wagtail.unpublish.scheduled")
    return page is not None
