"""How often something may be tried from one address by people whom nobody knows. Only a count is kept, and not for longer than it counts."""

import datetime
import ipaddress
import time
from functools import lru_cache

from allauth.account.adapter import get_adapter
from django.core.cache import cache
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

IPV6_NETWORK = 64
#: Minutes; beyond it nobody counts them.
LONG_WAIT = 60


class TooManyError(ValidationError):
    """Come again later; `retry_after` in seconds."""

    def __init__(self, message: str, *, retry_after: float) -> None:
        super().__init__(message, code="too_many")
        self.retry_after = max(int(retry_after), 1)


def count(what: str, request: HttpRequest, number: int, period: datetime.timedelta) -> None:
    """Count this attempt at `what`; raise TooManyError from the one on that exceeds `number` in a `period`."""
    window, elapsed = divmod(int(time.time()), int(period.total_seconds()))
    key = f"{what}:{salted_hmac(f'{what}.address', network(request)).hexdigest()}:{window}"
    place, seconds = cache.get(key, 0), period.total_seconds()
    while place < number:
        place += 1
        # Each attempt takes a place of its own: to put a key where none is, is one step in every cache. To count up is not in that of a database,
        # which reads, adds and writes, so that of two at once one would not count.
        if cache.add(f"{key}:{place}", 1, seconds):
            cache.set(key, place, seconds)
            return
    left = seconds - elapsed
    raise TooManyError(too_fast(datetime.timedelta(seconds=left)), retry_after=left)


def network(request: HttpRequest) -> str:
    """The address that a request comes from; of IPv6, where everybody has millions, the network."""
    return _network(get_adapter(request).get_client_ip(request))


@lru_cache(maxsize=1000)
def _network(address: str) -> str:
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return address
    return str(ipaddress.ip_network(f"{ip}/{IPV6_NETWORK}", strict=False)) if isinstance(ip, ipaddress.IPv6Address) else str(ip)


def too_fast(left: datetime.timedelta) -> str:
    """What is said to somebody whose text stays in the form."""
    minutes = int(left.total_seconds() // 60) + 1
    if minutes > LONG_WAIT:
        return _("That was a lot for one day. Your text is still here; send it again tomorrow.")
    return ngettext(
        "That was a lot in a short time. Your text is still here; send it again in %(n)d minute.",
        "That was a lot in a short time. Your text is still here; send it again in %(n)d minutes.",
        minutes,
    ) % {"n": minutes}
