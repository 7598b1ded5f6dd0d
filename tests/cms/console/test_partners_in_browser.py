"""Connecting a partner in a real browser, from its address to its first listings; all pages about partners are accessible."""

import datetime
import re
import uuid

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import expect

from marketplace.federation import harvest, mapping, operations, quarantine
from marketplace.federation.items import Fault
from marketplace.federation.models import Checkpoint, DuplicateCandidate, HarvestRun, Partner, QuarantinedItem, RemoteListing
from marketplace.listings.models import Listing
from marketplace.rest import keys
from marketplace.rest.models import ApiKey, Usage
from tests.browser import VIEWPORTS
from tests.cms.console.partnering import came, connected, document, item
from tests.cms.console.test_no_match_in_browser import faults_of, sign_in
from tests.cms.console.test_partner_items import interests, message
from tests.factories import ListingFactory
from tests.federation import origins

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.needs("chromium")]
WELL_KNOWN = "/.well-known/marketplace-federation"


@pytest.fixture
def english(curator):
    curator.language = "en"
    curator.save()
    return curator


@pytest.fixture
def origin(settings):
    with origins.origin() as origin:
        settings.OUTGOING_ALLOWED_HOSTS = [origin.site.host]
        told = document(origin.url, node=uuid.uuid4(), name="Marketplace Sabadell")
        origin.site.pages[WELL_KNOWN] = (200, {"Content-Type": "application/json"}, origins._bytes(told))
        yield origin


def test_a_marketplace_is_connected_and_its_listings_come(live_server, new_page, english, origin):
    for number in range(3):
        origin.put(number)
    page = new_page(bypass_csp=True, reduced_motion="reduce")
    sign_in(page, live_server.url, english)
    page.goto(live_server.url + reverse("console_partner_connect"))
    # A wrong address first: what was typed stays, with a word beside it.
    page.get_by_role("textbox", name="Address of its site").fill("http://127.0.0.1:1")
    page.get_by_label("Contact person").fill("Montserrat Puig")
    page.get_by_role("button", name="Go on").click()
    page.locator(".error-message").first.wait_for()
    expect(page.get_by_label("Contact person")).to_have_value("Montserrat Puig")
    page.get_by_role("textbox", name="Address of its site").fill(origin.url)
    page.get_by_role("button", name="Go on").click()
    page.get_by_role("heading", name="Marketplace Sabadell").wait_for()
    assert not Partner.objects.exists()
    assert faults_of(page) == []
    page.get_by_role("button", name="Yes, connect").click()
    page.wait_for_url(re.compile(r"/partners/[0-9a-f-]{36}/$"))
    partner = Partner.objects.get()
    # The key they gave us, and one for them, which is shown once.
    page.get_by_role("link", name="Write the key that the partner gave us").click()
    page.locator("#id_key").fill("a-key-that-they-gave-us-0123456789")
    page.get_by_role("button", name="Keep it").click()
    page.get_by_text("Their key is kept.").wait_for()
    page.get_by_label("What for").fill("production")
    page.get_by_role("button", name="Make a key and show it").click()
    secret = page.locator("#secret").inner_text()
    assert keys.is_secret_of(secret, ApiKey.objects.get())
    assert faults_of(page) == []
    page.get_by_role("link", name="I have it, hide it").click()
    page.wait_for_load_state()
    assert secret not in page.content()
    # Nothing needs more than the keyboard.
    page.get_by_role("navigation", name="Pages of this partner").get_by_role("link", name="Health").press("Enter")
    page.get_by_role("button", name="Activate").press("Enter")
    page.get_by_text("is active").first.wait_for()
    harvest.visit(Partner.objects.get())
    page.reload()
    expect(page.locator(".console-figures dd").first).to_contain_text("3")
    assert RemoteListing.objects.filter(partner=partner, listing__state="published").count() == 3


def full(by):
    """A partner with something on each of its pages."""
    partner = connected(by=by, contact_name="Montserrat Puig", contact_email="montse@sabadell.example")
    key, _secret = operations.issue_key(partner, name="production", expires_at=None, by=by)
    Usage.objects.create(key=key, hour=timezone.now(), requests=40, refused=2)
    operations.rotate_key(partner, key, overlap=datetime.timedelta(days=7), by=by)
    came(partner, *(item(partner, number) for number in range(4)))
    quarantine.put(partner, [Fault(uri=f"{partner.base_url}/id/listing/{'9' * 80}", code="bad-date", message="“31/02/2027” is no date.", raw='{"a": 1}')])
    RemoteListing.objects.filter(uri__endswith="/1").update(leaving=RemoteListing.MISSING)
    now = timezone.now()
    Checkpoint.objects.create(partner=partner, last_attempt_at=now, last_success_at=now, lag=3, held_at=now, held_count=1, held_of=4)
    for hours in range(9):
        HarvestRun.objects.create(partner=partner, started_at=now - datetime.timedelta(hours=hours), created=hours**3, error="Too slow." * (hours == 4))
    resolver = mapping.Resolver(partner)
    for label in ("Coses de plàstic", "Xxyyzz"):
        resolver.resolve("sector", label, label)
    resolver.store()
    message(partner, 1, "failed")
    interests(partner, 1)
    DuplicateCandidate.objects.create(first=ListingFactory(live=True), second=Listing.objects.filter(origin="partner").first(), similarity=0.8)
    return partner


def test_pages_are_accessible_in_light_and_dark_and_never_wider_than_a_phone(live_server, new_page, english):
    partner = full(english)
    page = new_page(bypass_csp=True, reduced_motion="reduce")
    sign_in(page, live_server.url, english)
    names = ("partner", *(f"partner_{name}" for name in ("reading", "takes", "gives", "keys", "mapping", "messages", "held", "edit", "history")))
    addresses = [reverse(f"console_{name}", args=[partner.uid]) for name in names]
    addresses += [reverse(f"console_partner{name}") for name in ("s", "_connect", "_quarantine", "_duplicates", "_interests", "_interests_in", "_node")]
    addresses += [
        reverse("console_partner_quarantined", args=[QuarantinedItem.objects.get().pk]),
        reverse("console_partner_duplicate", args=[DuplicateCandidate.objects.get().pk]),
        reverse("console_partner_listing", args=[Listing.objects.filter(origin="partner").first().uid]),
    ]
    found = {}
    for address in addresses:
        page.emulate_media(color_scheme="light")
        page.set_viewport_size(VIEWPORTS["wide"])
        assert page.goto(live_server.url + address).status == 200
        page.evaluate("document.querySelectorAll('main details').forEach((one) => { one.open = true })")
        faults = faults_of(page)
        page.emulate_media(color_scheme="dark")
        page.set_viewport_size(VIEWPORTS["narrow"])
        contrast = Axe().run(page, context="main", options={"runOnly": ["color-contrast"]}).response["violations"]
        faults += [f"dark: {node['html'][:120]}" for one in contrast for node in one["nodes"]]
        if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
            faults.append("wider than a phone")
        if faults:
            found[address] = faults
    assert found == {}
