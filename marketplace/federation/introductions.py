"""Asking an address who it is, before anything is exchanged: the discovery document of the federation (RFC 8615)."""

import uuid
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from marketplace.core.addresses import AddressError, Reason
from marketplace.core.outgoing import Call
from marketplace.rest import parsers
from marketplace.rest.problems import Problem

from . import fetching
from .models import Partner

PATH = "/.well-known/marketplace-federation"
#: The versions of the protocol that we speak.
VERSIONS = frozenset({"1"})
#: Somebody waits before a page for it.
SECONDS = 10.0
MAX_BYTES = 2**16
OK, NOT_FOUND = 200, 404


class IntroductionError(Exception):
    """Nobody whom we understand answers at the address; `message` is for the person who typed it."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message


@dataclass(frozen=True, slots=True)
class Introduction:
    """Who answers at an address. `document` is what it said, whole; the rest is what of it was looked at."""

    node_uid: uuid.UUID
    name: str
    base_url: str
    versions: tuple[str, ...]
    languages: tuple[str, ...]
    taxonomies: dict[str, str]
    document: dict[str, Any]


def ask(address: str) -> Introduction:
    """Who answers at `address` (a site without path). Raises IntroductionError."""
    base_url = address.strip().rstrip("/")
    try:
        answer = fetching.fetch(Partner(base_url=base_url), base_url + PATH, Call(types=("application/json",), max_bytes=MAX_BYTES, seconds=SECONDS))
    except AddressError as error:
        if error.reason == Reason.WRONG_TYPE:
            raise IntroductionError("no_marketplace", _no_marketplace()) from error
        raise IntroductionError(str(error.reason), str(error)) from error
    if answer.status == NOT_FOUND:
        raise IntroductionError("no_marketplace", _no_marketplace())
    if answer.status != OK:
        raise IntroductionError("status", _("The site answers with an error (%(status)d). Try again later, or ask the partner.") % {"status": answer.status})
    return read(answer.body, base_url=base_url)


def read(body: bytes, *, base_url: str) -> Introduction:
    """The introduction in a discovery document that came from `base_url`. Raises IntroductionError."""
    try:
        # Strictly: it is kept whole, and no database takes a NUL, half a character or NaN.
        document = parsers.loads(body)
        node_uid = uuid.UUID(document["node_id"])
        own, name = document["base_url"], document["name"]
        versions, languages = (_texts(document[key]) for key in ("versions", "languages"))
        taxonomies = {str(key): str(value) for key, value in document.get("taxonomies", {}).items()}
    except (Problem, ValueError, KeyError, TypeError, AttributeError) as error:
        raise IntroductionError(
            "unreadable", _("The site answers, but not as a marketplace of this federation does. Ask the partner whether it speaks the protocol.")
        ) from error
    if not isinstance(own, str) or not isinstance(name, str) or not name.strip():
        raise IntroductionError("unreadable", _("The site does not say its name and address as a marketplace of this federation does."))
    if own.rstrip("/") != base_url:
        # It would sign its listings with the other address, and none of them could be told from a forgery.
        raise IntroductionError("elsewhere", _("The marketplace says that its address is %(address)s. Use that one.") % {"address": own[:300]})
    if VERSIONS.isdisjoint(versions):
        said = ", ".join(versions) or "–"
        raise IntroductionError(
            "version",
            _("The partner speaks version %(theirs)s of the protocol, we speak %(ours)s. One of the two has to be renewed first.")
            % {"theirs": said, "ours": ", ".join(sorted(VERSIONS))},
        )
    return Introduction(node_uid, name.strip()[:160], base_url, versions, languages, taxonomies, document)


def _texts(values: object) -> tuple[str, ...]:
    if not isinstance(values, list):
        raise TypeError
    return tuple(str(value)[:40] for value in values[:50])


def _no_marketplace() -> str:
    return _("There is a site at this address, but no marketplace of this federation: it does not say at %(path)s who it is.") % {"path": PATH}
