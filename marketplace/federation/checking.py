"""Whether an item is the partner's own and whole, and what of a bad one is kept for a person to look at."""

from urllib.parse import urlsplit

import rfc8785
from django.utils.translation import gettext as _

from . import digests
from .items import Fault, Item
from .models.harvest import URI_LENGTH
from .taking import Taking

MAX_VERSION = 2**63 - 1
#: The text of an item in quarantine.
MAX_RAW = 20_000


class UnfitError(Exception):
    """The item cannot be taken; `code` is short and stable, the message is for the person who looks after the partner."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message


def check(item: Item, taking: Taking) -> None:
    """Raise UnfitError unless the item is one of the partner's own and its digest is that of its listing."""
    check_head(item, taking)
    check_content(item, taking)


def check_head(item: Item, taking: Taking) -> None:
    """Raise UnfitError unless the item's address is one of the partner's and its version a number that we can keep."""
    check_uri(item.uri, taking)
    if not 0 <= item.version <= MAX_VERSION:
        raise UnfitError(
            "bad-version", _("The version “%(version)s” is not a whole number from 0 to 9223372036854775807.") % {"version": str(item.version)[:40]}
        )


def check_content(item: Item, taking: Taking) -> None:
    """Raise UnfitError unless the digest is that of the listing."""
    if item.listing is None:
        return
    if (said := item.listing.get("@id")) not in (None, item.uri):
        # No str() of lists in lists: it gives up before the JSON's reader did.
        other = said[:200] if isinstance(said, str) else "…"
        raise UnfitError("other-id", _("The listing says that it is %(other)s.") % {"other": other})
    try:
        digest = digests.digest_of(item.listing)
    except (rfc8785.CanonicalizationError, UnicodeError, RecursionError) as error:
        raise UnfitError(
            "not-canonical", _("The listing holds something that has no canonical form (RFC 8785): %(error)s") % {"error": str(error)[:200]}
        ) from error
    if digest != item.digest:
        raise UnfitError("wrong-digest", _("The digest is not that of the listing: it should be %(digest)s.") % {"digest": digest})


def check_uri(uri: str, taking: Taking) -> None:
    """Raise UnfitError unless `uri` is an address on one of the partner's hosts."""
    if not uri or len(uri) > URI_LENGTH or not uri.isprintable() or not uri.isascii() or " " in uri:
        raise UnfitError("bad-uri", _("“%(uri)s” is no address that can name a listing.") % {"uri": uri[:200]})
    try:
        parts = urlsplit(uri)
        host = parts.netloc.lower()
    except ValueError as error:
        raise UnfitError("bad-uri", _("“%(uri)s” is no address that can name a listing.") % {"uri": uri[:200]}) from error
    if host == taking.own_host:
        raise UnfitError("loop", _("This is a listing of our own that comes back to us. The partner gives on what it took from us."))
    if parts.scheme not in ("http", "https") or host not in taking.hosts:
        raise UnfitError(
            "foreign-origin",
            _("The listing is from %(host)s, which is not one of this partner's hosts. A partner may give only its own.") % {"host": host[:200]},
        )


def fault_of(item: Item, error: UnfitError) -> Fault:
    """For the quarantine."""
    return Fault(
        uri=item.uri[:URI_LENGTH],
        code=error.code,
        message=error.message,
        raw=raw(item.listing if item.listing is not None else {"op": item.op, "uri": item.uri, "version": item.version}),
    )


def raw(value: object) -> str:
    """As much of it as helps a person, in characters that every database takes."""
    text = value if isinstance(value, str) else _told(value)
    return text[:MAX_RAW].encode("utf-8", "replace").decode().replace("\0", "\N{REPLACEMENT CHARACTER}")


def _told(value: object) -> str:
    try:
        return rfc8785.dumps(value).decode()
    except (rfc8785.CanonicalizationError, UnicodeError, RecursionError):
        try:
            return repr(value)
        except RecursionError:
            return "…"
