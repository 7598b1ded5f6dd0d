"""Each item of the log: well formed, the node's own, without personal data, and what its digest says."""

import datetime
import json
import re
from collections.abc import Iterator
from urllib.parse import urlsplit

from marketplace.federation.client import REASONS, digest_of, parse
from marketplace.federation.items import Fault

from .discovery import LANGUAGE
from .probing import FaultError, Probe, SkipError, check, demand, document

GROUP = "Items"
#: RFC 3339, 5.6: with seconds and an offset.
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")
UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
CONTACT = frozenset({"email", "telephone", "faxnumber", "contactpoint", "founder", "employee", "schema:email", "schema:telephone"})
ADDRESS_OF_A_PERSON = re.compile(r"mailto:|tel:", re.IGNORECASE)
#: A NIF that begins so is a natural person's: personal data.
PERSONS = re.compile(r"[0-9XYZKLM]", re.IGNORECASE)


def _live(probe: Probe) -> list[dict]:
    live = [item for item in probe.items if item.get("op") == "upsert"]
    if not live:
        raise SkipError("nothing is live")
    return live


def _first(faults: Iterator[tuple[dict, str]], advice: str) -> None:
    """Raise FaultError that names the first item and counts the others."""
    found = list(faults)
    if found:
        item, what = found[0]
        more = f" ({len(found)} such items)" if len(found) > 1 else ""
        raise FaultError(f"{item.get('uri', '?')}: {what}{more}", advice)


@check(GROUP, "every item is well formed")
def shape(probe: Probe) -> str:
    """As our own harvester reads it."""
    if not probe.items:
        raise SkipError("the log is empty")
    _first(((item, fault.message) for item in probe.items if isinstance(fault := parse(item), Fault)), "Compare the item with docs/federation.md.")
    return f"{len(probe.items)} items"


@check(GROUP, "every URI is the node's own, with a UUIDv7: nothing harvested goes out")
def own(probe: Probe) -> None:
    """Otherwise listings go in circles."""
    base = urlsplit(probe.url)

    def faults() -> Iterator[tuple[dict, str]]:
        for item in probe.items:
            parts = urlsplit(str(item.get("uri")))
            if (parts.scheme, parts.netloc) != (base.scheme, base.netloc):
                yield item, "is on another host than the node"
            elif not UUID.fullmatch(parts.path.rstrip("/").rpartition("/")[2]):
                yield item, "does not end in a UUIDv7"

    _first(faults(), "Export only what originated here, under a name of this host that never changes.")


@check(GROUP, "every digest is that of its listing (RFC 8785)")
def digests(probe: Probe) -> str:
    """Recomputed here."""
    live = _live(probe)
    _first(
        ((item, f"says {item.get('digest')!r}") for item in live if isinstance(item.get("listing"), dict) and digest_of(item["listing"]) != item.get("digest")),
        "“digest” is “sha-256:” and the SHA-256 of “listing” in canonical JSON (RFC 8785).",
    )
    return f"{len(live)} listings"


@check(GROUP, "every time is RFC 3339 with an offset")
def times(probe: Probe) -> None:
    """And a date a date."""

    def faults() -> Iterator[tuple[dict, str]]:
        for item in probe.items:
            names = ("updated_at", "expires_at") if item.get("op") == "upsert" else ("updated_at",)
            for name in names:
                if not isinstance(item.get(name), str) or not MOMENT.fullmatch(item[name]):
                    yield item, f"“{name}” is {item.get(name)!r}"
            listing = item.get("listing") if isinstance(item.get("listing"), dict) else {}
            for name in ("validFrom", "validThrough"):
                if name in listing and not _is_date(listing[name]):
                    yield item, f"“{name}” is {listing[name]!r}"

    _first(faults(), "Write 2026-11-22T10:00:00Z; a date is 2026-11-22.")


def _is_date(value: object) -> bool:
    try:
        datetime.datetime.fromisoformat(str(value))
    except ValueError:
        return False
    return True


@check(GROUP, "every listing is a schema.org Offer or Demand with a name, a language and a company")
def json_ld(probe: Probe) -> None:
    """What another marketplace needs to show it."""
    _first(((item, what) for item in _live(probe) if (what := _lacks(item, item.get("listing")))), "See “Items” in docs/federation.md.")


def _lacks(item: dict, listing: object) -> str:  # noqa: PLR0911 - a list of what may be wrong
    if not isinstance(listing, dict):
        return "has no “listing”"
    context = listing.get("@context")
    if "https://schema.org" not in str(context):
        return "“@context” does not name https://schema.org"
    if listing.get("@type") not in ("Offer", "Demand"):
        return f"“@type” is {listing.get('@type')!r}"
    if listing.get("@id") != item.get("uri"):
        return "“@id” is not the item's URI"
    if not isinstance(listing.get("name"), str) or not listing["name"].strip():
        return "“name” is missing"
    if not isinstance(listing.get("inLanguage"), str) or not LANGUAGE.fullmatch(listing["inLanguage"]):
        return f"“inLanguage” is {listing.get('inLanguage')!r}, no tag of BCP 47"
    who = "offeredBy" if listing["@type"] == "Offer" else "mp:soughtBy"
    company = listing.get(who)
    if not isinstance(company, dict) or not isinstance(company.get("@id"), str) or not (company.get("name") or "identifier" not in company):
        return f"“{who}” has no “@id”, or no “name” beside its “identifier”"
    return ""


@check(GROUP, "no contact data, no NIF of a natural person")
def privacy(probe: Probe) -> None:
    """Personal data cross with an interest, with consent, and nowhere else."""

    def faults() -> Iterator[tuple[dict, str]]:
        for item in _live(probe):
            for name, value in _members(item.get("listing")):
                if name.lower() in CONTACT or (isinstance(value, str) and ADDRESS_OF_A_PERSON.match(value)):
                    yield item, f"tells “{name}”"
                if name == "identifier" and isinstance(value, dict) and value.get("propertyID") == "NIF" and PERSONS.match(str(value.get("value"))):
                    yield item, "tells the NIF of a natural person"

    _first(faults(), "Leave it out.")


def _members(value: object) -> Iterator[tuple[str, object]]:
    """Every name and value, however deep."""
    open_ = [value]
    while open_:
        one = open_.pop()
        if isinstance(one, dict):
            yield from one.items()
            open_ += one.values()
        elif isinstance(one, list):
            open_ += one


@check(GROUP, "tombstones have a reason and no content")
def tombstones(probe: Probe) -> str:
    """What is gone is gone."""
    dead = [item for item in probe.items if item.get("op") == "tombstone"]

    def faults() -> Iterator[tuple[dict, str]]:
        for item in dead:
            if item.get("reason") not in REASONS:
                yield item, f"“reason” is {item.get('reason')!r}"
            if item.keys() - {"op", "uri", "version", "updated_at", "expires_at", "reason"}:
                yield item, f"the tombstone tells {', '.join(sorted(item.keys() - {'op', 'uri', 'version', 'updated_at', 'expires_at', 'reason'}))}"

    _first(faults(), f"Give op, uri, version, updated_at and one of the reasons {', '.join(REASONS)}; nothing else.")
    return f"{len(dead)}"


@check(GROUP, "the context of its own words can be fetched")
def context(probe: Probe) -> None:
    """By everybody."""
    told = document(probe.get(probe.path("context"), key=False))
    demand(isinstance(told.get("@context"), dict), "There is no “@context”.", "Serve a JSON-LD context.")
    demand("mp" in json.dumps(told["@context"]), "The context does not define “mp”.", "Define the terms that the listings use.")
