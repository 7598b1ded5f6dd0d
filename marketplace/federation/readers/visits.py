"""One visit to a source: what it may cost, and what went wrong in words that say what to do."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urljoin

from django.utils.translation import gettext as _

from marketplace.core.addresses import AddressError, Reason
from marketplace.core.outgoing import Answer, Call
from marketplace.federation.items import Fetch, HarvestError

NOT_MODIFIED, NOT_FOUND, TOO_MANY, FIRST_SUCCESS, FIRST_ERROR, FIRST_SERVER_ERROR = 304, 404, 429, 200, 400, 500
MEGABYTE = 2**20
#: Servers that do not know a file's kind say one of these.
UNKNOWN_TYPES = ("", "application/octet-stream", "binary/octet-stream")


@dataclass(frozen=True, slots=True)
class Limits:
    """What a source may cost us in one run: answers, listings, bytes of one answer, seconds for one answer and for all."""

    pages: int = 1000
    items: int = 50_000
    max_bytes: int = 10 * MEGABYTE
    seconds: float = 30.0
    all_seconds: float = 900.0


class Visit:
    """Asks within the limits. Every fault is a HarvestError whose message tells the person who looks after the partner what to do."""

    def __init__(self, fetch: Fetch, limits: Limits, counted: int = 0) -> None:
        """`counted` is what earlier calls of the same run have counted, so that pages without end do end."""
        self._fetch, self.limits, self.counted = fetch, limits, counted
        self._pages, self._until = 0, time.monotonic() + limits.all_seconds

    def get(self, url: str, types: Sequence[str], *, expected: str, validators: Mapping[str, str] | None = None, statuses: Sequence[int] = ()) -> Answer:
        """The answer, of status 2xx, 304 or one of `statuses`. `expected` names what should lie there; `validators` are those of the last time."""
        self._pages += 1
        if self._pages > self.limits.pages:
            raise HarvestError(
                "too-many-pages", _("The source has more than %(limit)d pages. Ask the partner for fewer, larger ones.") % {"limit": self.limits.pages}
            )
        left = self._until - time.monotonic()
        if left <= 0:
            raise HarvestError("too-slow", _("Reading the source takes more than %(minutes)d minutes.") % {"minutes": self.limits.all_seconds // 60})
        call = Call(headers=_conditions(validators or {}), types=types, max_bytes=self.limits.max_bytes, seconds=min(left, self.limits.seconds))
        try:
            answer = self._fetch(url, call)
        except AddressError as error:
            raise HarvestError(str(error.reason), _explained(error, url, expected, self.limits)) from error
        if answer.status in (NOT_MODIFIED, *statuses) or FIRST_SUCCESS <= answer.status < FIRST_SUCCESS + 100:
            return answer
        raise _refused(answer, url)

    def count(self, items: int) -> None:
        """Add to the entries that were read; raises HarvestError above the limit. A page without any counts as one."""
        self.counted += max(items, 1)
        if self.counted > self.limits.items:
            raise HarvestError("too-many-items", _("The source has more than %(limit)d entries.") % {"limit": self.limits.items})


def validators_of(answer: Answer) -> dict[str, str]:
    """What to ask with the next time, so that an unchanged source is not sent again (RFC 9110, 13)."""
    return {name: value for name in ("ETag", "Last-Modified") if (value := answer.headers.get(name, ""))}


def _conditions(validators: Mapping[str, str]) -> dict[str, str]:
    names = {"ETag": "If-None-Match", "Last-Modified": "If-Modified-Since"}
    return {names[name]: value for name, value in validators.items() if name in names}


def absolute(base: str, url: str, expected: str) -> str:
    """`url` as seen from `base`; raises HarvestError for what is no address at all."""
    try:
        return urljoin(base, url.strip())
    except ValueError as error:
        raise HarvestError("address", _("“%(url)s” is no web address. It should lead to %(expected)s.") % {"url": url[:200], "expected": expected}) from error


def _explained(error: AddressError, url: str, expected: str, limits: Limits) -> str:
    said = {"url": url, "expected": expected, "detail": error.detail[:200]}
    if error.reason == Reason.WRONG_TYPE:
        return _("%(url)s answers with “%(detail)s”, but it should be %(expected)s. Look at the address in a browser.") % said
    if error.reason == Reason.TOO_LARGE:
        return _("%(url)s is larger than %(megabytes)d MB. Ask the partner for a smaller file, or for one in pages.") % (
            said | {"megabytes": limits.max_bytes // MEGABYTE}
        )
    if error.reason == Reason.TOO_SLOW:
        return _("%(url)s did not answer completely within %(seconds)d seconds.") % (said | {"seconds": limits.seconds})
    return f"{url}: {error}"


def _refused(answer: Answer, url: str) -> HarvestError:
    said = {"url": url, "status": answer.status}
    if answer.status == NOT_FOUND:
        return HarvestError("http-404", _("Nothing is at %(url)s (404). Ask the partner whether the address has changed.") % said)
    if answer.status in (401, 403):
        return HarvestError(f"http-{answer.status}", _("%(url)s is not open to us (%(status)d). Ask the partner for access.") % said)
    if answer.status == TOO_MANY or answer.status >= FIRST_SERVER_ERROR:
        after = answer.headers.get("Retry-After", "").strip()
        seconds = float(after) if after.isascii() and after.isdigit() and len(after) < 7 else None  # noqa: PLR2004 - under twelve days
        return HarvestError(f"http-{answer.status}", _("%(url)s cannot answer at the moment (%(status)d).") % said, retry_after=seconds)
    return HarvestError(f"http-{answer.status}", _("%(url)s answers with status %(status)d.") % said)
