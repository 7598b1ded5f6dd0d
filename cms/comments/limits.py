"""How much one person and one address may write. A moderator is not counted."""

import datetime
import ipaddress
import time

from allauth.account.adapter import get_adapter
from django.core.cache import cache
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from marketplace.accounts.models import User

from .enums import State
from .models import Comment, Report

#: (comments, in how long) of one person.
PERSON = ((5, datetime.timedelta(minutes=10)), (30, datetime.timedelta(days=1)))
#: So many of a person whose comments nobody has approved yet may wait at a time.
NEWCOMER = 3
REPORTS = (10, datetime.timedelta(days=1))
#: An office shares one address: more than one person's limit. Attempts count, whatever came of them.
ADDRESS = (30, datetime.timedelta(minutes=10))
IPV6_NETWORK = 64
#: Minutes; beyond it nobody counts them.
LONG_WAIT = 60


class TooManyError(ValidationError):
    """Come again later; `retry_after` in seconds."""

    def __init__(self, message: str, *, retry_after: float) -> None:
        super().__init__(message, code="too_many")
        self.retry_after = max(int(retry_after), 1)


def check_person(person: User) -> None:
    """Raise TooManyError if this person has written enough for now. Call it with the person's row locked."""
    now, written = timezone.now(), Comment.objects.filter(author=person)
    longest = max(period for _number, period in PERSON)
    times = list(written.filter(created__gt=now - longest).order_by("-created").values_list("created", flat=True)[: max(number for number, _ in PERSON)])
    for number, period in PERSON:
        if len(times) >= number and now - times[number - 1] < period:
            left = period - (now - times[number - 1])
            raise TooManyError(_too_fast(left), retry_after=left.total_seconds())
    if len(times) >= NEWCOMER and not written.filter(state=State.APPROVED).exists() and written.waiting().count() >= NEWCOMER:
        message = _("Your first comments are waiting to be read. As soon as one is approved you can write more.")
        raise TooManyError(message, retry_after=datetime.timedelta(hours=1).total_seconds())


def check_reports(person: User) -> None:
    """Raise TooManyError if this person has reported enough for today."""
    number, period = REPORTS
    if Report.objects.filter(by=person, created__gt=timezone.now() - period).count() >= number:
        raise TooManyError(_("You have reported many comments today. Thank you; we look at them first."), retry_after=period.total_seconds())


def check_address(request: HttpRequest) -> None:
    """Count this attempt to write; raise TooManyError if there were too many from the same address. Nothing of it is kept for longer."""
    number, period = ADDRESS
    window, elapsed = divmod(int(time.time()), int(period.total_seconds()))
    key = f"comments:{salted_hmac('comments.address', _network(request)).hexdigest()}:{window}"
    cache.add(key, 0, period.total_seconds())
    try:
        attempts = cache.incr(key)
    except ValueError:
        # Ran out or was pushed out between the two.
        return
    if attempts > number:
        left = period.total_seconds() - elapsed
        raise TooManyError(_too_fast(datetime.timedelta(seconds=left)), retry_after=left)


def _network(request: HttpRequest) -> str:
    address = get_adapter(request).get_client_ip(request)
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return address
    return str(ipaddress.ip_network(f"{ip}/{IPV6_NETWORK}", strict=False)) if isinstance(ip, ipaddress.IPv6Address) else str(ip)


def _too_fast(left: datetime.timedelta) -> str:
    minutes = int(left.total_seconds() // 60) + 1
    if minutes > LONG_WAIT:
        return _("That was a lot for one day. Your text is still here; send it again tomorrow.")
    return ngettext(
        "That was a lot in a short time. Your text is still here; send it again in %(n)d minute.",
        "That was a lot in a short time. Your text is still here; send it again in %(n)d minutes.",
        minutes,
    ) % {"n": minutes}
