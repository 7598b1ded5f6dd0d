"""How much one person and one address may write. A moderator is not counted."""

import datetime

from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _

from marketplace.accounts.models import User
from marketplace.core import attempts
from marketplace.core.attempts import TooManyError

from .enums import State
from .models import Comment, Report

#: (comments, in how long) of one person.
PERSON = ((5, datetime.timedelta(minutes=10)), (30, datetime.timedelta(days=1)))
#: So many of a person whose comments nobody has approved yet may wait at a time.
NEWCOMER = 3
REPORTS = (10, datetime.timedelta(days=1))
#: An office shares one address: more than one person's limit. Attempts count, whatever came of them.
ADDRESS = (30, datetime.timedelta(minutes=10))


def check_person(person: User) -> None:
    """Raise TooManyError if this person has written enough for now. Call it with the person's row locked."""
    now, written = timezone.now(), Comment.objects.filter(author=person)
    longest = max(period for _number, period in PERSON)
    times = list(written.filter(created__gt=now - longest).order_by("-created").values_list("created", flat=True)[: max(number for number, _ in PERSON)])
    for number, period in PERSON:
        if len(times) >= number and now - times[number - 1] < period:
            left = period - (now - times[number - 1])
            raise TooManyError(attempts.too_fast(left), retry_after=left.total_seconds())
    if len(times) >= NEWCOMER and not written.filter(state=State.APPROVED).exists() and written.waiting().count() >= NEWCOMER:
        message = _("Your first comments are waiting to be read. As soon as one is approved you can write more.")
        raise TooManyError(message, retry_after=datetime.timedelta(hours=1).total_seconds())


def check_reports(person: User) -> None:
    """Raise TooManyError if this person has reported enough for today."""
    number, period = REPORTS
    if Report.objects.filter(by=person, created__gt=timezone.now() - period).count() >= number:
        raise TooManyError(_("You have reported many comments today. Thank you; we look at them first."), retry_after=period.total_seconds())


def check_address(request: HttpRequest) -> None:
    """Count this attempt to write; raise TooManyError if there were too many from the same address."""
    attempts.count("comments", request, *ADDRESS)
