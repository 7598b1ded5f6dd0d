"""Saved searches in a real browser: from the search page through the log-in to the list, accessible in every state."""

import re

import pytest
from allauth.account.models import EmailAddress
from django.urls import reverse
from django.utils import translation
from playwright.sync_api import expect

from marketplace import worker
from marketplace.accounts import daily
from marketplace.alerts import news, operations
from marketplace.alerts.models import Finding, SavedSearch
from search import index
from tests.factories import ListingFactory
from tests.synergies.test_in_browser import faults_of, sign_in

from .conftest import GEL, VISORS, own_index, publish, save  # noqa: F401 - own_index is a fixture

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.needs("chromium")]


@pytest.fixture(autouse=True)
def _in_english():
    """The texts below are those of the templates, whatever their translations say."""
    with translation.override("en"):
        yield


@pytest.fixture
def site(live_server, own_index):  # noqa: F811 - the fixture
    ListingFactory(live=True, **GEL)
    ListingFactory(live=True, **VISORS)
    index.rebuild()
    return live_server.url


def test_a_search_is_kept_on_the_way_through_the_log_in_and_tells_its_news(site, page, seeker):
    EmailAddress.objects.create(user=seeker, email=seeker.email, verified=True, primary=True)
    worker.drain()
    page.goto(site + reverse("listings:search"))
    page.locator("#q").press_sequentially("gel", delay=30)
    page.wait_for_url("**?q=gel")
    page.locator("#kind-offer").check()
    page.wait_for_url("**?q=gel&kind=offer")
    page.get_by_role("link", name="Save this search").click()

    page.locator("input[name=login]").fill(seeker.email)
    page.locator("input[name=password]").fill("a long pass phrase")
    page.locator("main form button[type=submit]").last.click()
    page.wait_for_url("**?q=gel&kind=offer")
    expect(page.locator("input[name=name]")).to_have_value("“gel” · Offer")
    page.locator("input[name=name]").fill("Gel for the shop")
    page.get_by_role("button", name="Save this search").click()
    page.get_by_role("heading", name="Gel for the shop").wait_for()
    page.get_by_text("Nothing new since you last looked").wait_for()

    worker.drain()
    publish(**GEL | {"title": "Gel de mans perfumat"})
    worker.drain()
    page.reload()
    page.get_by_role("link", name="1 new result").click()
    expect(page.locator("#results h2")).to_have_text(["Gel de mans perfumat"])
    page.get_by_role("button", name="I have seen them").click()
    page.get_by_text("Nothing new since you last looked").wait_for()
    page.get_by_role("link", name="Gel for the shop", exact=True).click()
    page.wait_for_url("**?q=gel&kind=offer")
    expect(page.locator("#results h2")).to_have_count(2)


def test_pausing_and_deleting_asks_first(site, page, seeker):
    saved = save("q=gel", by=seeker, name="Gel for the shop")
    sign_in(page, site, seeker)
    page.goto(site + reverse("alerts:list"))
    page.get_by_role("button", name="Pause mails").click()
    page.get_by_text("No mails").wait_for()
    saved.refresh_from_db()
    assert not saved.is_mailed
    page.get_by_role("button", name="Delete").click()
    page.get_by_role("button", name="No, go back").click()
    assert SavedSearch.objects.exists()
    page.get_by_role("button", name="Delete").click()
    page.get_by_role("button", name="Yes, go on").click()
    page.get_by_text("No saved searches yet").wait_for()
    assert not SavedSearch.objects.exists()


@pytest.mark.parametrize(("width", "scheme"), [("wide", "light"), ("narrow", "dark")])
def test_pages_are_accessible_and_never_wider_than_the_screen(site, new_page, seeker, width, scheme):
    long = save("q=pantalles+facials&kind=offer&near=Terrassa&km=25&sector=C", by=seeker, name="W" * 100)
    paused, gone = save("q=gel", by=seeker, alert=False), save("sector=2229", by=seeker)
    SavedSearch.objects.filter(pk=gone.pk).update(parameters="sector=9999")
    Finding.objects.bulk_create([Finding(search=long, listing=listing, is_news=True) for listing in ListingFactory.create_batch(22, live=True)])
    page = new_page(width, color_scheme=scheme, bypass_csp=True, reduced_motion="reduce")
    search = reverse("listings:search")
    public = [
        f"{search}?q=gel&kind=offer",
        f"{search}?q=telescopi",
        news.stop_url(long),
        news.stop_url(paused),
        daily.stop_url(seeker, ["synergies", "alerts"]),
    ]
    own = [
        reverse("alerts:list"), f"{reverse('alerts:create')}?q=gel&kind=offer&near=Terrassa&km=25", f"{reverse('alerts:create')}?sector=ZZ", long.get_absolute_url(),
        paused.get_absolute_url(), gone.get_absolute_url(), reverse("alerts:edit", args=[long.uid]), reverse("accounts:erase"),
    ]  # fmt: skip
    for address in public:
        assert page.goto(site + address.removeprefix("http://testserver")).status == 200
        assert faults_of(page) == [], address
    sign_in(page, site, seeker)
    for address in own:
        assert page.goto(site + address).status == 200
        assert faults_of(page) == [], address
    for saved in (long, paused, gone):
        operations.delete(saved, by=seeker)
    page.goto(site + reverse("alerts:list"))
    assert faults_of(page) == []


def test_everything_works_without_javascript(site, new_page, seeker):
    page = new_page(java_script_enabled=False)
    sign_in(page, site, seeker)
    page.goto(f"{site}{reverse('listings:search')}?q=gel")
    page.get_by_role("link", name="Save this search").click()
    page.get_by_role("button", name="Save this search").click()
    page.get_by_role("button", name=re.compile("Pause mails")).click()
    page.get_by_role("button", name=re.compile("Mail me new results")).click()
    page.get_by_role("link", name=re.compile("Rename")).click()
    page.locator("input[name=name]").fill("Another name")
    page.get_by_role("button", name="Save").click()
    page.get_by_role("heading", name="Another name").wait_for()
    page.get_by_role("button", name=re.compile("Delete")).click()
    page.get_by_text("No saved searches yet").wait_for()
