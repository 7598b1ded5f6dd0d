"""Finder, comparison, calendar and an aid's page in a real browser: accessible in every state, by keyboard alone, without JavaScript."""

import datetime
import re

import pytest
from django.utils import timezone, translation
from playwright.sync_api import expect

from search import index
from tests.cms.aid.factories import finder, funder, make_aid
from tests.listings.test_public_in_browser import faults_of

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.needs("chromium")]


@pytest.fixture(autouse=True)
def _in_english():
    """The texts below are those of the templates, whatever their translations say."""
    with translation.override("en"):
        yield


def day(offset):
    return timezone.localdate() + datetime.timedelta(days=offset)


@pytest.fixture
def site(live_server, settings, tmp_path):
    """The address of the English finder, with five aids in the index."""
    settings.EMBEDDED_INDEX_PATH = tmp_path / "index"
    make_aid(
        "Going digital for shops", slug="digital", language="en", summary="Web shops and payment by card.", amount_max=10_000, share_max=50, sizes=["micro"], sectors=["G"],
        procedure_url="https://seu.example/1", legal_base="Order 1", contact_email="office@city.example", reviewed_on=day(-3),
        calls=[{"opens_on": day(-5), "deadline": day(12), "number": "712345"}, {"opens_on": day(-400), "deadline": day(-300)}],
    )  # fmt: skip
    make_aid("Solar panels for factories", language="en", sectors=["C"], funders=[funder("Fons europeu (exemple)", level="european")])
    make_aid("Loan for investments", language="en", kind="loan", amount_max=50_000)
    make_aid("First employee", language="en", calls=[{"opens_on": day(9), "deadline": day(90)}])
    make_aid("Repairs after the flood", slug="flood", language="en", calls=[{"deadline": day(-1)}])
    index.rebuild()
    return live_server.url + finder("en").get_url()


def titles(page):
    return page.locator("#results h2.title").all_inner_texts()


@pytest.mark.parametrize(("width", "scheme"), [("wide", "light"), ("narrow", "dark")])
def test_pages_are_accessible_and_never_wider_than_the_screen(site, new_page, width, scheme):
    page = new_page(width, color_scheme=scheme, bypass_csp=True, reduced_motion="reduce")
    page.goto(site)
    numbers = page.locator("input[name=a]").evaluate_all("boxes => boxes.map(box => box.value)")
    compared = "&".join(f"a={number}" for number in numbers)
    for address in ("", "?q=telescope&kind=loan", f"?ended=1&{compared}&x=1", "digital/", "flood/", "calendar/", f"compare/?{compared}", "compare/"):
        assert page.goto(site + address).status == 200
        assert faults_of(page) == [], address


def test_find_filter_compare_and_print(site, page):
    page.goto(site)
    page.locator("#q").press_sequentially("digital", delay=30)
    page.wait_for_url("**?q=digital")
    assert titles(page) == ["Going digital for shops"]
    page.locator(".pick input").check()
    page.wait_for_url(re.compile(r"q=digital&a=\d+$"))
    page.locator("#q").fill("")
    page.wait_for_url(re.compile(r"\?a=\d+$"))
    page.locator("#kind-loan").check()
    page.wait_for_url(re.compile(r"\?kind=loan&a=\d+$"))
    page.locator(".pick input").check()
    page.wait_for_url(re.compile(r"\?kind=loan&a=\d+&a=\d+$"))
    page.get_by_role("link", name="Compare them").click()
    expect(page.get_by_role("columnheader")).to_have_count(2)
    expect(page.get_by_role("row", name="What you get")).to_contain_text("Loan")
    page.emulate_media(media="print")
    expect(page.get_by_role("link", name="Choose others")).to_be_hidden()
    expect(page.get_by_role("link", name="Take away").first).to_be_hidden()
    expect(page.get_by_role("table")).to_be_visible()
    page.emulate_media(media="screen")
    page.get_by_role("link", name="Choose others").click()
    page.wait_for_url(re.compile(r"\?kind=loan&a=\d+&a=\d+$"))


def test_filters_and_comparison_work_by_keyboard_and_keep_the_place(site, page):
    page.goto(site)
    page.evaluate("window.stays = true")
    page.locator("#kind-grant").focus()
    page.keyboard.press("Space")
    page.wait_for_url("**?kind=grant")
    expect(page.locator("#result-count")).to_have_text(re.compile(r"^\s*3 "))
    expect(page.locator("#kind-grant")).to_be_focused()
    box = page.locator(".pick input").first
    box.focus()
    page.keyboard.press("Space")
    page.wait_for_url(re.compile(r"\?kind=grant&a=\d+$"))
    expect(page.locator(".pick input").first).to_be_focused()
    expect(page.locator(".pick input").first).to_be_checked()
    assert page.evaluate("window.stays")
    page.locator(".tray .chips a").focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**?kind=grant")
    expect(page.locator("#result-count")).to_be_focused()


def test_closed_aid_is_one_tick_away(site, page):
    page.goto(site)
    assert "Repairs after the flood" not in titles(page)
    page.locator("#ended").check()
    page.wait_for_url("**?ended=1")
    assert "Repairs after the flood" in titles(page)


def test_all_works_without_javascript(site, new_page):
    page = new_page(java_script_enabled=False)
    page.goto(site)
    page.locator("#q").fill("panels")
    page.keyboard.press("Enter")
    page.wait_for_url("**?q=panels")
    assert titles(page) == ["Solar panels for factories"]
    page.goto(site)
    page.locator("#kind-grant").check()
    page.locator(".apply button").click()
    page.wait_for_url("**?kind=grant")
    for number in (0, 1):
        page.locator(".pick input").nth(number).check()
    page.get_by_role("button", name="Compare the ticked ones").click()
    page.wait_for_url(re.compile(r"compare/\?.*a=\d+&a=\d+"))
    expect(page.get_by_role("columnheader")).to_have_count(2)
    page.get_by_role("link", name="Choose others").click()
    expect(page.locator("#kind-grant")).to_be_checked()
    expect(page.locator(".pick input:checked")).to_have_count(2)


def test_a_day_of_the_grid_leads_to_its_line(site, page):
    page.goto(site + "calendar/")
    page.locator(".month-grid a").first.focus()
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"#d-\d{4}-\d\d-\d\d$"))
    expect(page.locator(".month-days > li:target")).to_have_count(1)
