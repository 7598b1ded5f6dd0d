"""Keys between us and a partner, and the one that signs our messages: shown once, replaced, revoked, never told again."""

import datetime

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from marketplace.core import sealing
from marketplace.federation import operations
from marketplace.federation.models import NodeKey, PartnerEvent
from marketplace.rest import keys
from marketplace.rest.models import ApiKey, Usage
from tests.cms.console.partnering import THEIR_KEY, connected


@pytest.fixture
def partner(curator):
    return connected(by=curator)


@pytest.fixture
def address(partner):
    return reverse("console_partner_keys", args=[partner.uid])


def everywhere(console, partner):
    """All that the console shows of the partner, and all that is kept of what was done."""
    names = ("console_partner", "console_partner_keys", "console_partner_history", "console_partner_edit")
    pages = [console.get(reverse(name, args=[partner.uid])).content.decode() for name in names]
    return "".join(
        [*pages, console.get(reverse("console_partners")).content.decode(), str(list(PartnerEvent.objects.values())), str(list(ApiKey.objects.values()))]
    )


def test_a_new_key_is_shown_once_and_never_again(console, partner, address):
    answer = console.post(address, {"act": "issue", "name": "production", "life": "365"})
    secret, key = answer.context["secret"], ApiKey.objects.get()
    assert secret in answer.content.decode()
    assert "no-store" in answer["Cache-Control"]
    assert keys.is_secret_of(secret, key)
    assert datetime.timedelta(days=364) < key.expires_at - timezone.now() <= datetime.timedelta(days=365)
    assert secret not in everywhere(console, partner)
    assert key.prefix in everywhere(console, partner)


def test_a_key_is_replaced_with_overlap(console, partner, address):
    console.post(address, {"act": "issue", "name": "production", "life": ""})
    old = ApiKey.objects.get()
    answer = console.post(address, {"act": "rotate", "key": str(old.uid), f"{old.uid}-overlap": "7"})
    old.refresh_from_db()
    assert keys.is_secret_of(answer.context["secret"], old.replaced_by)
    assert old.is_usable
    assert datetime.timedelta(days=6) < old.expires_at - timezone.now() <= datetime.timedelta(days=7)
    assert answer.context["secret"] not in everywhere(console, partner)


def test_a_replaced_key_can_stop_at_once(console, partner, address):
    console.post(address, {"act": "issue", "name": "production", "life": ""})
    old = ApiKey.objects.get()
    console.post(address, {"act": "rotate", "key": str(old.uid), f"{old.uid}-overlap": "0"})
    old.refresh_from_db()
    assert not old.is_usable


def test_a_key_is_revoked_at_once(console, address):
    console.post(address, {"act": "issue", "name": "production", "life": ""})
    key = ApiKey.objects.get()
    console.post(address, {"act": "revoke", "key": str(key.uid)})
    key.refresh_from_db()
    assert not key.is_usable
    page = console.get(address)
    assert (page.context["rows"], [row["key"] for row in page.context["ended"]]) == ([], [key])


def test_a_key_of_somebody_else_is_not_found(console, curator, address):
    other, _secret = operations.issue_key(connected("Third", by=curator), name="x", expires_at=None, by=curator)
    for uid in (str(other.uid), "", "nonsense", "\0"):
        assert console.post(address, {"act": "revoke", "key": uid}).status_code == 404
    other.refresh_from_db()
    assert other.is_usable


def test_a_key_without_a_name_is_not_made(console, address):
    answer = console.post(address, {"act": "issue", "name": " ", "life": "365"})
    assert (answer.status_code, ApiKey.objects.count()) == (422, 0)


def test_their_key_goes_in_and_never_comes_out(console, partner, address):
    new = "another-key-that-they-gave-us-0987"
    assert console.post(address, {"act": "set", "key": new}).status_code == 302
    partner.refresh_from_db()
    assert sealing.unseal(partner.sealed_key) == new
    text = everywhere(console, partner)
    assert new not in text
    assert THEIR_KEY not in text
    assert partner.sealed_key not in text


def test_a_refused_key_of_theirs_is_not_sent_back_to_the_page(console, partner, address):
    answer = console.post(address, {"act": "set", "key": "their secret with spaces in it"}, follow=True)
    assert "their secret with spaces in it" not in answer.content.decode()
    partner.refresh_from_db()
    assert sealing.unseal(partner.sealed_key) == THEIR_KEY


def test_their_key_is_deleted(console, partner, address):
    console.post(address, {"act": "remove"})
    partner.refresh_from_db()
    assert partner.sealed_key == ""


def test_page_tells_use_at_a_constant_number_of_queries(console, curator, partner, address):
    key, _secret = operations.issue_key(partner, name="production", expires_at=None, by=curator)
    Usage.objects.create(key=key, hour=timezone.now(), requests=40, refused=2)
    Usage.objects.create(key=key, hour=timezone.now() - datetime.timedelta(days=31), requests=1000)
    console.get(address)
    with CaptureQueriesContext(connection) as one:
        page = console.get(address)
    assert page.context["rows"][0]["used"] == (40, 2)
    for name in ("second", "third"):
        operations.issue_key(partner, name=name, expires_at=None, by=curator)
    with CaptureQueriesContext(connection) as three:
        console.get(address)
    assert len(three) == len(one)


def test_our_signing_key_is_replaced_and_its_secret_shown_nowhere(console, db):
    address = reverse("console_partner_node")
    for _ in range(2):
        assert console.post(address, {"act": "rotate"}).status_code == 302
    page = console.get(address).content.decode()
    assert NodeKey.objects.count() == 2
    for key in NodeKey.objects.all():
        assert key.public in page
        assert key.sealed not in page
        assert sealing.unseal(key.sealed) not in page
