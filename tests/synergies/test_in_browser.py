"""The synergies' pages in a real browser: accessible in every state, and quick steps without leaving the list."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings
from django.test import Client
from django.urls import reverse
from django.utils import translation
from playwright.sync_api import expect

from marketplace.accounts import daily
from marketplace.listings.enums import State as ListingState
from marketplace.listings.models import Listing
from marketplace.synergies import operations
from marketplace.synergies.enums import State
from marketplace.synergies.models import Synergy
from tests.synergies.conftest import make_pair

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.needs("chromium")]


@pytest.fixture(autouse=True)
def _in_english():
    """The texts below are those of the templates, whatever their translations say."""
    with translation.override("en"):
        yield


def sign_in(page, base: str, user) -> None:
    client = Client()
    client.force_login(user)
    page.context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": client.cookies[settings.SESSION_COOKIE_NAME].value, "url": base}])


def faults_of(page) -> list[str]:
    result = Axe().run(page, options={"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"]})
    faults = [f"{v['id']}: {node['html'][:120]}" for v in result.response["violations"] for node in v["nodes"]]
    if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
        faults.append("wider than the screen")
    return faults


@pytest.mark.parametrize(("width", "scheme"), [("wide", "light"), ("narrow", "dark")])
def test_pages_are_accessible_and_never_wider_than_the_screen(live_server, new_page, width, scheme):
    new, asked, mutual, refused, ended = several = [make_pair() for _ in range(5)]
    for pair in (asked, mutual):
        operations.express_interest(pair.synergy, by=pair.offerer)
    operations.express_interest(mutual.synergy, by=mutual.asker)
    operations.dismiss(refused.synergy, by=refused.asker, reason="known")
    Listing.objects.filter(pk=ended.offer.pk).update(state=ListingState.CLOSED)
    for pair in several:
        page = new_page(width, color_scheme=scheme, bypass_csp=True, reduced_motion="reduce")
        sign_in(page, live_server.url, pair.asker)
        addresses = [pair.synergy.get_absolute_url()]
        if pair in (new, ended):
            addresses += [reverse("synergies:inbox"), daily.stop_url(pair.asker, ["synergies"]).removeprefix("http://testserver")]
        for address in addresses:
            assert page.goto(live_server.url + address).status == 200
            assert faults_of(page) == [], address


def test_interest_and_taking_it_back_change_the_card_in_place(live_server, page):
    pair = make_pair()
    sign_in(page, live_server.url, pair.asker)
    page.goto(live_server.url + reverse("synergies:inbox"))
    page.evaluate("window.stays = true")
    page.get_by_role("button", name="I am interested").click()
    page.get_by_text("We have told Tecnoplàstics that you are interested.").wait_for()
    expect(page.locator("#messages")).to_contain_text("We have told the other company")
    assert Synergy.objects.get().state == State.INTEREST
    page.get_by_role("button", name="Take it back").click()
    page.get_by_role("button", name="I am interested").wait_for()
    assert Synergy.objects.get().state == State.SUGGESTED
    assert page.evaluate("window.stays")


def test_setting_aside_asks_why_and_can_be_undone(live_server, page):
    pair = make_pair()
    sign_in(page, live_server.url, pair.asker)
    page.goto(live_server.url + reverse("synergies:inbox"))
    page.get_by_text("Not for us").click()
    page.get_by_role("button", name="Set it aside").click()
    assert Synergy.objects.get().state == State.SUGGESTED, "the browser asks for the reason"
    page.get_by_label("Too far away").check()
    page.get_by_role("button", name="Set it aside").click()
    page.get_by_text("You set this aside: Too far away.").wait_for()
    assert Synergy.objects.get().dismissed_reason == "too_far"
    page.get_by_role("button", name="Undo").click()
    page.get_by_role("button", name="I am interested").wait_for()


def test_steps_work_without_script(live_server, new_page):
    pair = make_pair()
    page = new_page(java_script_enabled=False)
    sign_in(page, live_server.url, pair.asker)
    page.goto(live_server.url + reverse("synergies:inbox"))
    page.get_by_role("button", name="I am interested").click()
    page.get_by_role("button", name="Take it back").wait_for()
    expect(page).to_have_url(live_server.url + reverse("synergies:inbox"))
    assert Synergy.objects.get().state == State.INTEREST


def test_own_listing_shows_its_suggestions(live_server, page):
    pair = make_pair()
    sign_in(page, live_server.url, pair.asker)
    page.goto(live_server.url + reverse("listings:own", args=[pair.demand.uid]))
    page.get_by_role("heading", name="Your demand fits Tecnoplàstics").wait_for()
    page.get_by_role("button", name="I am interested").click()
    page.get_by_role("button", name="Take it back").wait_for()
