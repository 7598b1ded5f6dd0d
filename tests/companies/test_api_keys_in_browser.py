"""Keys for programs in a real browser: with a script, without one, and for everybody."""

import datetime

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.test import Client
from django.urls import reverse
from django.utils import timezone, translation
from playwright.sync_api import expect

from marketplace.rest import keys
from marketplace.rest.models import ApiKey, Usage
from tests.factories import MembershipFactory
from tests.rest.keys import company_key

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.needs("chromium")]


@pytest.fixture(autouse=True)
def _in_english():
    """The texts below are those of the templates, whatever their translations say."""
    with translation.override("en"):
        yield


@pytest.fixture
def owner():
    return MembershipFactory()


def sign_in(page, site, user):
    client = Client()
    client.force_login(user)
    page.context.add_cookies([{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": site}])


def address(name, company, *args):
    return reverse(f"companies:{name}", args=[company.uid, *args])


@pytest.mark.parametrize("has_script", [True, False])
def test_key_is_made_copied_and_revoked(live_server, owner, new_page, has_script):
    page = new_page("narrow", java_script_enabled=has_script, permissions=["clipboard-read", "clipboard-write"])
    sign_in(page, live_server.url, owner.user)
    page.goto(live_server.url + address("key_create", owner.company))
    page.get_by_label("Name").fill("Web shop")
    page.locator("input[value=write]").check()
    page.get_by_role("button", name="Make the key").click()
    secret = page.locator("#secret").inner_text()
    assert keys.prefix_of(secret) == ApiKey.objects.get().prefix
    copy = page.get_by_role("button", name="Copy")
    expect(copy).to_be_visible(visible=has_script)
    if has_script:
        copy.click()
        page.get_by_role("button", name="Copied").wait_for()
        assert page.evaluate("navigator.clipboard.readText()") == secret
    page.get_by_role("link", name="I have copied it").click()
    page.get_by_role("button", name="Revoke").click()
    if has_script:
        page.locator("dialog .sure").click()
    page.get_by_text("no longer works", exact=False).first.wait_for()
    assert not ApiKey.objects.usable().exists()


@pytest.mark.parametrize(("width", "scheme"), [("wide", "light"), ("narrow", "dark")])
def test_pages_are_accessible_and_never_wider_than_the_screen(live_server, owner, new_page, width, scheme):
    company, user = owner.company, owner.user
    made = [company_key("read", "write", "interests", company=company, user=user) for _ in range(3)]
    ApiKey.objects.update(name="A rather long name of a program that sends what is in the warehouse")
    keys.rotate(made[1].key, overlap=datetime.timedelta(days=7), by=user)
    keys.revoke(made[2].key, by=user)
    for hour in range(40):
        Usage.objects.create(key=made[0].key, hour=timezone.now() - datetime.timedelta(hours=9 * hour), requests=1000 + hour, refused=hour)
    page = new_page(width, color_scheme=scheme, bypass_csp=True, reduced_motion="reduce")
    sign_in(page, live_server.url, user)
    faults = {}
    for path in (address("keys", company), address("key_usage", company), address("key_create", company), address("key_rotate", company, made[0].key.uid)):
        page.goto(live_server.url + path)
        for details in page.locator("main details").all():
            details.evaluate("one => one.open = true")
        faults[path] = faults_of(page)
    page.get_by_role("button", name="Make the new key").click()
    page.locator("#secret").wait_for()
    faults["secret"] = faults_of(page)
    assert {path: found for path, found in faults.items() if found} == {}


def faults_of(page):
    result = Axe().run(page, options={"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"]})
    faults = [f"{v['id']}: {node['html'][:120]}" for v in result.response["violations"] for node in v["nodes"]]
    if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
        faults.append("wider than the screen")
    return faults
