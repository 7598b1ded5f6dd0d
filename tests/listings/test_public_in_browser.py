"""The public pages in a real browser: accessible in every state, and usable with the keyboard alone."""

import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.urls import reverse
from django.utils import translation
from playwright.sync_api import expect

from marketplace.listings.enums import State
from search import index
from tests.factories import RUBI, CompanyFactory, ListingFactory

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.needs("chromium")]


@pytest.fixture(autouse=True)
def _in_english():
    """The texts below are those of the templates, whatever their translations say."""
    with translation.override("en"):
        yield


@pytest.fixture
def site(live_server, settings, tmp_path):
    """The address of a marketplace with three listings in the index."""
    settings.EMBEDDED_INDEX_PATH = tmp_path / "index"
    ListingFactory(live=True, title="Pantalles facials de PET", reach_km=25, keywords="PET, viseres")
    ListingFactory(live=True, title="Gel hidroalcohòlic en garrafes", sector_id="2042", place_id=RUBI, company=CompanyFactory(verified=True))
    ListingFactory(live=True, demand=True, title="Mampares per a taulells", language="es", description="Necesitamos mamparas y gel para catorce tiendas.")
    index.rebuild()
    return live_server.url


def faults_of(page):
    """What axe finds, and whether the page is wider than the screen."""
    result = Axe().run(page, options={"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"]})
    faults = [f"{v['id']}: {node['html'][:120]}" for v in result.response["violations"] for node in v["nodes"]]
    if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
        faults.append("wider than the screen")
    return faults


def public_addresses():
    live, gone = ListingFactory(live=True, title="Cadires plegables per a actes"), ListingFactory(live=True, state=State.EXPIRED)
    search = reverse("listings:search")
    return [
        ("/", 200), ("/en/privacy/", 200), (search, 200), (f"{search}?q=gel&kind=offer&near=Terrassa&km=25&sector=20", 200),
        (f"{search}?q=telescopi&sector=ZZ&kind=offer", 200), (live.get_absolute_url(), 200), (gone.get_absolute_url(), 410),
    ]  # fmt: skip


@pytest.mark.parametrize(("width", "scheme"), [("wide", "light"), ("narrow", "dark")])
def test_public_pages_are_accessible_and_never_wider_than_the_screen(site, new_page, width, scheme):
    page = new_page(width, color_scheme=scheme, bypass_csp=True, reduced_motion="reduce")
    for address, status in public_addresses():
        assert page.goto(site + address).status == status
        assert faults_of(page) == [], address


def test_drawer_of_filters_is_accessible_and_opens_by_keyboard(site, new_page):
    page = new_page("narrow", bypass_csp=True, reduced_motion="reduce")
    page.goto(site + reverse("listings:search"))
    page.get_by_role("button", name="Filters").focus()
    page.keyboard.press("Enter")
    page.wait_for_selector("#facets:popover-open")
    assert faults_of(page) == []
    page.locator("#kind-demand").focus()
    with page.expect_response(re.compile("kind=demand")):
        page.keyboard.press("Space")
    page.wait_for_url("**?kind=demand")
    expect(page.locator("#facets:popover-open")).to_have_count(1)
    page.keyboard.press("Escape")
    page.wait_for_selector("#facets:popover-open", state="hidden")
    expect(page.locator("#results h2")).to_have_text(["Mampares per a taulells"])


def test_filters_work_by_keyboard_and_keep_the_place(site, page):
    page.goto(site + reverse("listings:search"))
    page.evaluate("window.stays = true")
    page.locator("#kind-offer").focus()
    page.keyboard.press("Space")
    page.wait_for_url("**?kind=offer")
    expect(page.locator("#result-count")).to_have_text(re.compile(r"^\s*2 "))
    expect(page.locator("#kind-offer")).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.locator("#kind-demand")).to_be_focused()

    page.locator("#sector-C").focus()
    page.keyboard.press("Space")
    page.wait_for_selector("#sector-20")
    expect(page.locator("#sector-C")).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    page.wait_for_url(re.compile(r"kind=offer&sector=\d\d$"))
    # The page was never loaded anew, and each step is one in the browser's history.
    assert page.evaluate("window.stays")
    page.go_back()
    page.wait_for_url("**?kind=offer&sector=C")
    page.wait_for_selector("#sector-C:checked")


def test_a_chip_takes_its_filter_away_and_hands_the_focus_on(site, page):
    page.goto(site + reverse("listings:search") + "?kind=offer&language=ca")
    page.locator(".chips a").first.focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**?language=ca")
    expect(page.locator("#result-count")).to_be_focused()
    expect(page.locator("#kind-offer")).not_to_be_checked()


def test_typing_searches_without_losing_a_letter_and_the_count_is_read_out(site, page):
    page.goto(site + reverse("listings:search"))
    page.locator("#q").press_sequentially("hidroalco", delay=30)
    page.wait_for_url("**?q=hidroalco")
    expect(page.locator("#result-count")).to_have_text(re.compile(r"^\s*1 "))
    expect(page.locator("#q")).to_have_value("hidroalco")
    expect(page.locator("#q")).to_be_focused()
    expect(page.locator("#result-count")).to_have_attribute("role", "status")
    expect(page.locator("#results h2")).to_have_text(["Gel hidroalcohòlic en garrafes"])


def test_order_stays_as_it_was_chosen(site, page):
    page.goto(site + reverse("listings:search"))
    page.locator("#sort").select_option("recent")
    page.wait_for_url("**?sort=recent")
    page.locator("#kind-offer").check()
    page.wait_for_url("**?kind=offer&sort=recent")
    expect(page.locator("#sort")).to_have_value("recent")


def test_municipalities_are_offered_and_a_distance_limits(site, page):
    page.goto(site + reverse("listings:search"))
    page.locator("#near").focus()
    expect(page.locator("#municipalities option").nth(900)).to_be_attached()
    page.locator("#near").fill("rubi")
    page.keyboard.press("Tab")
    page.wait_for_url("**?near=Rub%C3%AD")
    page.locator("#km").select_option("5")
    page.wait_for_url("**?near=Rub%C3%AD&km=5")
    expect(page.locator("#result-count")).to_have_text(re.compile(r"^\s*1 "))


def test_search_works_without_javascript(site, new_page):
    page = new_page(java_script_enabled=False)
    page.goto(site + "/en/")
    page.locator("#q").fill("gel")
    page.keyboard.press("Enter")
    page.wait_for_url(site + reverse("listings:search") + "?q=gel")
    page.locator("#kind-offer").check()
    page.locator(".apply button").click()
    page.wait_for_url("**?q=gel&kind=offer")
    expect(page.locator("#results h2")).to_have_text(["Gel hidroalcohòlic en garrafes"])
    page.locator(".chips a").first.click()
    page.wait_for_url("**?q=gel")
