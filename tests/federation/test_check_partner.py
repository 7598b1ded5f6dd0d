"""The conformance checks, on this marketplace itself and on ones that have a single thing wrong."""

import json
from collections.abc import Callable
from io import StringIO
from urllib.parse import urlsplit

import pytest
from django.core.management import CommandError, call_command
from django.db import transaction
from django.test import Client

from marketplace.core import changelog, sealing
from marketplace.federation import conformance
from marketplace.federation.client import Response
from marketplace.federation.models import Partner
from marketplace.listings import operations
from tests.factories import CompanyFactory, ListingFactory
from tests.federation import feeding

URL = "http://testserver"
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def reading(settings):
    """A partner, some listings that live and some that are gone."""
    settings.API_RATE_FAILURES = settings.API_RATE_ADDRESS = settings.API_RATE_KEY = 100_000
    company = CompanyFactory()
    listings = [ListingFactory(live=True, company=company) for _ in range(9)]
    touch(listings)
    feeding.follow()
    operations.erase(listings[:2], by=None)
    feeding.follow()
    return feeding.partner()


def touch(listings):
    with transaction.atomic():
        changelog.append_many("listing", [listing.uid for listing in listings])


def over_client(change: Callable[[str, str, Response], Response] = lambda _method, _path, answer: answer) -> conformance.probing.Fetch:
    """Asks this marketplace without a line between; `change` spoils its answers."""
    client = Client(raise_request_exception=False)

    def fetch(method, url, headers, body):
        parts = urlsplit(url)
        assert parts.netloc == "testserver", "asked somewhere else"
        headers = {name: value for name, value in headers.items() if name != "Content-Type"}
        path = parts.path + (f"?{parts.query}" if parts.query else "")
        answer = client.generic(method, path, body or b"", content_type="application/json", headers=headers)
        return change(method, parts.path, Response(answer.status_code, answer.headers, answer.getvalue()))

    return fetch


def faults(report: conformance.Report) -> list[str]:
    return [outcome.name for outcome in report.faults]


def test_this_marketplace_keeps_to_the_protocol(reading):
    report = conformance.run(URL, reading.key, fetch=over_client())
    assert [(outcome.name, outcome.found) for outcome in report.faults] == []
    assert [outcome.name for outcome in report.outcomes if outcome.state == "skipped"] == []
    assert len(report.outcomes) > 30


def test_without_a_key_only_what_is_open_is_looked_at(reading):
    report = conformance.run(URL, fetch=over_client())
    assert faults(report) == []
    assert {outcome.state for outcome in report.outcomes} == {"ok", "skipped"}


def test_checks_change_nothing(reading):
    before = list(Partner.objects.values())
    conformance.run(URL, reading.key, fetch=over_client())
    assert list(Partner.objects.values()) == before
    assert not hasattr(Partner.objects.get(), "hook")


def spoil(path: str, edit: Callable[[dict], object]) -> conformance.probing.Fetch:
    """This marketplace with something wrong in its JSON at `path`."""

    def change(_method, asked, answer):
        if not asked.startswith(path) or answer.status != 200:
            return answer
        told = [json.loads(line) for line in answer.body.splitlines()]
        for document in told:
            edit(document)
        return Response(answer.status, answer.headers, b"\n".join(json.dumps(document).encode() for document in told))

    return over_client(change)


def each(edit: Callable[[dict], object], op: str = "upsert") -> Callable[[dict], object]:
    """Something wrong in the items of a page."""

    def edit_page(page):
        for item in page.get("items", []):
            if item["op"] == op:
                edit(item)

    return edit_page


WELL_KNOWN, CHANGES, SNAPSHOT = "/.well-known/", "/api/federation/v1/changes", "/api/federation/v1/snapshot"
GROUPS = {WELL_KNOWN: ["Discovery"], CHANGES: ["Items", "Feed"], SNAPSHOT: ["Feed"]}
WRONG = {
    "no id": (WELL_KNOWN, lambda told: told.pop("node_id", 0), "the node has an id, a name and its address"),
    "other address": (WELL_KNOWN, lambda told: told.update(base_url="https://x.example"), "the node has an id, a name and its address"),
    "short memory": (WELL_KNOWN, lambda told: told.update(tombstone_retention_days=30), "tombstones are kept 400 days at least"),
    "no keys": (WELL_KNOWN, lambda told: told.update(webhook_public_keys=["whpk_x"]), "it publishes the keys of its messages"),
    "feed elsewhere": (WELL_KNOWN, lambda told: told.update(feed_url="https://x.example/c"), "every endpoint is named, over https, on the node's host"),
    "language": (WELL_KNOWN, lambda told: told.update(languages=["catalan"]), "it speaks version 1, and says its taxonomies and languages"),
    "digest": (CHANGES, each(lambda item: item["listing"].update(name="Other")), "every digest is that of its listing (RFC 8785)"),
    "harvested": (
        CHANGES,
        each(lambda item: item.update(uri="https://x.example/id/listing/1")),
        "every URI is the node's own, with a UUIDv7: nothing harvested goes out",
    ),
    "time": (CHANGES, each(lambda item: item.update(updated_at="2026-11-22 10:00")), "every time is RFC 3339 with an offset"),
    "type": (
        CHANGES,
        each(lambda item: item["listing"].update({"@type": "Thing"})),
        "every listing is a schema.org Offer or Demand with a name, a language and a company",
    ),
    "tag": (
        CHANGES,
        each(lambda item: item["listing"].update(inLanguage="CA_es")),
        "every listing is a schema.org Offer or Demand with a name, a language and a company",
    ),
    "mail": (CHANGES, each(lambda item: item["listing"]["offeredBy"].update(email="a@b.example")), "no contact data, no NIF of a natural person"),
    "nif": (
        CHANGES,
        each(lambda item: item["listing"]["offeredBy"].update(identifier={"propertyID": "NIF", "value": "12345678Z"})),
        "no contact data, no NIF of a natural person",
    ),
    "reason": (CHANGES, each(lambda item: item.update(reason="because"), "tombstone"), "tombstones have a reason and no content"),
    "content": (CHANGES, each(lambda item: item.update(name="x"), "tombstone"), "tombstones have a reason and no content"),
    "more": (CHANGES, lambda page: page.pop("more", 0), "a page has items, a cursor, and a Link to the next"),
    "ghost": (SNAPSHOT, lambda line: line.update(uri=line["uri"] + "0") if "uri" in line else None, "log and snapshot agree"),
    "cut": (SNAPSHOT, lambda line: line.update(end=False) if "end" in line else None, "the snapshot has a head with its cursor, and an end with the count"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_is_found(reading, name):
    path, edit, expected = WRONG[name]
    report = conformance.run(URL, reading.key, groups=GROUPS[path], fetch=spoil(path, edit))
    assert expected in faults(report)
    assert all(outcome.found and outcome.advice for outcome in report.faults)


def test_open_feed_is_found(reading):
    """A node that asks nobody for a key."""
    fetch = over_client()

    def opened(method, url, headers, body):
        return fetch(method, url, dict(headers) | {"Authorization": f"Bearer {reading.key}"}, body)

    assert {"nothing is read without a key (401)", "a wrong key is refused (401)"} <= set(faults(conformance.run(URL, reading.key, fetch=opened)))


def test_node_that_takes_any_message_is_found(reading):
    def change(_method, path, answer):
        return Response(200, {"Content-Type": "application/json"}, b"{}") if path.endswith("/webhooks") else answer

    found = faults(conformance.run(URL, reading.key, fetch=over_client(change)))
    assert {"forged, unsigned and old messages are refused, all in the same words", "a message of more than 64 KB is refused"} <= set(found)


@pytest.mark.parametrize("body", [b"", b"null", b"[]", b'"x"', b"{", b"\xff", b"[" * 20000, b'{"endpoints": 7, "languages": {}}', b"<html>"])
def test_site_that_answers_nonsense_gets_a_report(body):
    report = conformance.run(URL, "key", fetch=lambda *_request: Response(200, {"Content-Type": "application/json"}, body))
    assert len(report.faults) > 20


def test_command_prints_what_to_change(settings, live_server, transactional_db):
    settings.SITE_URL = live_server.url
    settings.API_RATE_FAILURES = settings.API_RATE_ADDRESS = settings.API_RATE_KEY = 100_000
    touch([ListingFactory(live=True)])
    feeding.follow()
    reading = feeding.partner()
    out = StringIO()
    call_command("check_partner", live_server.url, key=reading.key, stdout=out, no_color=True)
    assert "✓ the key works" in out.getvalue()
    assert "0 faults" in out.getvalue()
    # Of a partner of ours the key is known; what comes as JSON can be read by a program.
    Partner.objects.update(base_url=live_server.url, sealed_key=sealing.seal("a key that is wrong"))
    out = StringIO()
    with pytest.raises(CommandError):
        call_command("check_partner", f"{live_server.url}/", json=True, stdout=out)
    told = json.loads(out.getvalue())
    assert not told["conforms"]
    assert "the key works" in [check["name"] for check in told["checks"] if check["state"] == "fault"]
