"""Who the marketplace says it is."""

import re
import uuid
from urllib.parse import urlsplit

from marketplace.federation import signing
from marketplace.federation.client import WELL_KNOWN

from .probing import OK, FaultError, Probe, check, demand, document, expect

GROUP = "Discovery"
VERSION = "1"
RETENTION_DAYS = 400
ENDPOINTS = ("changes", "snapshot", "context", "listing", "interests", "interest", "hook", "webhooks")
LOOPBACK = ("127.0.0.1", "localhost", "::1")
#: Simple enough for marketplaces: a language, perhaps with script or region (RFC 5646).
LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Z][a-z]{3})?(-[A-Z]{2})?")


@check(GROUP, f"{WELL_KNOWN} answers without a key")
def answers(probe: Probe) -> str:
    """A JSON object, for everybody."""
    answer = probe.get(WELL_KNOWN, key=False)
    expect(answer, OK)
    demand(answer.headers.get("Content-Type", "").startswith("application/json"), "The media type is not application/json.", "Send it as application/json.")
    return str(document(answer).get("name", ""))


@check(GROUP, "the node has an id, a name and its address")
def identity(probe: Probe) -> str:
    """What partners know it by."""
    told = probe.discovery
    try:
        node = uuid.UUID(str(told.get("node_id")))
    except ValueError as error:
        raise FaultError("“node_id” is no UUID.", "Give a UUID that never changes.") from error
    demand(isinstance(told.get("name"), str) and told["name"].strip(), "“name” is missing.", "Say the marketplace's name.")
    demand(
        isinstance(told.get("base_url"), str) and told["base_url"].rstrip("/") == probe.url,
        f"“base_url” is {told.get('base_url')!r}, asked was {probe.url}.",
        "Give the address under which the marketplace is asked; the names of its listings begin with it.",
    )
    return str(node)


@check(GROUP, "it speaks version 1, and says its taxonomies and languages")
def words(probe: Probe) -> str:
    """What its listings can be understood by."""
    told = probe.discovery
    versions, languages, taxonomies = told.get("versions"), told.get("languages"), told.get("taxonomies")
    demand(isinstance(versions, list) and VERSION in versions, f"“versions” is {versions!r}.", f"List “{VERSION}”.")
    demand(isinstance(languages, list) and languages, "“languages” is missing.", "List the languages of the listings (BCP 47).")
    wrong = [language for language in languages if not isinstance(language, str) or not LANGUAGE.fullmatch(language)]
    demand(not wrong, f"These are no language tags: {wrong!r}.", "Use BCP 47, like “ca” or “es-ES”.")
    demand(isinstance(taxonomies, dict) and taxonomies.get("sectors") and taxonomies.get("places"), "“taxonomies” lacks “sectors” or “places”.", "Name both.")
    return f"{', '.join(languages)}; {taxonomies['sectors']}; {taxonomies['places']}"


@check(GROUP, f"tombstones are kept {RETENTION_DAYS} days at least")
def retention(probe: Probe) -> str:
    """So that a reader that was away for a year still hears of what is gone."""
    days = probe.discovery.get("tombstone_retention_days")
    demand(type(days) is int and days >= RETENTION_DAYS, f"“tombstone_retention_days” is {days!r}.", f"Keep tombstones {RETENTION_DAYS} days and say so.")
    return f"{days} days"


@check(GROUP, "every endpoint is named, over https, on the node's host")
def endpoints(probe: Probe) -> None:
    """A key must not be sent elsewhere."""
    own = urlsplit(probe.url)
    missing = [name for name in ENDPOINTS if name not in probe.endpoints]
    demand(not missing, f"“endpoints” lacks {', '.join(missing)}.", "Name all of them.")
    addresses = {"feed_url": probe.discovery.get("feed_url"), **{name: probe.endpoints[name] for name in ENDPOINTS}}
    for name, address in addresses.items():
        parts = urlsplit(address if isinstance(address, str) else "")
        demand(parts.netloc == own.netloc, f"“{name}” is {address!r}, on another host.", f"Give an address on {own.netloc}.")
        demand(parts.scheme == "https" or _is_local(own.hostname or ""), f"“{name}” is not https.", "Serve everything over https.")


def _is_local(host: str) -> bool:
    """No host of the internet: nobody listens between."""
    return host in LOOPBACK or "." not in host


@check(GROUP, "it publishes the keys of its messages")
def keys(probe: Probe) -> str:
    """Standard Webhooks, asymmetric."""
    told = probe.discovery.get("webhook_public_keys")
    found = [entry.get("key") if isinstance(entry, dict) else entry for entry in told] if isinstance(told, list) else []
    demand(found, "“webhook_public_keys” is missing or empty.", "Publish at least one Ed25519 key (“whpk_<base64>”).")
    wrong = [key for key in found if not signing.is_public_key(key)]
    demand(not wrong, f"These are no keys: {wrong!r}"[:200], "Give “whpk_” and the canonical base64 of the key's 32 bytes.")
    return f"{len(found)}"
