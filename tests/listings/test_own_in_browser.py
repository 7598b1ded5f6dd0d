"""The company's own pages in a real browser: accessible at both widths, and the form that helps while one writes."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.test import Client
from django.urls import reverse
from django.utils import translation
from playwright.sync_api import expect

from marketplace.companies import operations as companies
from marketplace.listings.enums import Move, State
from marketplace.listings.models import Listing
from search import engine, index
from tests.factories import ListingFactory, MembershipFactory, UserFactory

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.needs("chromium")]


@pytest.fixture(autouse=True)
def _in_english():
    """The texts below are those of the templates, whatever their translations say."""
    with translation.override("en"):
        yield


@pytest.fixture
def owner():
    return MembershipFactory(user__name="Anna", company__name="Tecnoplàstics, SL")


@pytest.fixture
def site(live_server, settings, tmp_path, owner):
    """The address of a marketplace with one listing of another company in the index."""
    settings.EMBEDDED_INDEX_PATH, settings.ELASTICSEARCH_URL = tmp_path / "index", ""
    engine.backends()[0].create()
    ListingFactory(live=True, title="Pantalles facials reutilitzables de PET", sector_id="3250")
    index.rebuild()
    return live_server.url


def sign_in(page, site, user):
    client = Client()
    client.force_login(user)
    page.context.add_cookies([{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": site}])


def faults_of(page):
    result = Axe().run(page, options={"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"]})
    faults = [f"{v['id']}: {node['html'][:120]}" for v in result.response["violations"] for node in v["nodes"]]
    if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
        faults.append("wider than the screen")
    return faults


def own_addresses(owner):
    company = owner.company
    listings = {state: ListingFactory(company=company, state=state) for state in State.values}
    step = {"move": Move.REQUEST_CHANGES, "from_state": State.SUBMITTED, "to_state": State.CHANGES_REQUESTED, "reason": "Digueu quantes en feu a la setmana"}
    listings[State.CHANGES_REQUESTED].transitions.create(**step)
    companies.request_to_join(company, by=UserFactory(), message="Soc el comptable")
    return [
        reverse("my_space"),
        reverse("listings:create"),
        *(reverse("listings:own", args=[listing.uid]) for listing in listings.values()),
        reverse("listings:edit", args=[listings[State.DRAFT].uid]),
        reverse("listings:step", args=[listings[State.PUBLISHED].uid, "close"]),
        reverse("companies:list"),
        reverse("companies:detail", args=[company.uid]),
        reverse("companies:edit", args=[company.uid]),
        reverse("companies:people", args=[company.uid]),
        reverse("companies:create"),
        reverse("companies:join", args=[MembershipFactory().company.uid]),
        reverse("accounts:profile"),
        reverse("accounts:erase"),
    ]


@pytest.mark.parametrize(("width", "scheme"), [("wide", "light"), ("narrow", "dark")])
def test_own_pages_are_accessible_and_never_wider_than_the_screen(site, owner, new_page, width, scheme):
    page = new_page(width, color_scheme=scheme, bypass_csp=True, reduced_motion="reduce")
    sign_in(page, site, owner.user)
    for address in own_addresses(owner):
        assert page.goto(site + address).status == 200
        page.wait_for_load_state("networkidle")
        assert faults_of(page) == [], address


def test_the_form_proposes_while_one_writes(site, owner, page):
    sign_in(page, site, owner.user)
    page.goto(site + reverse("listings:create"))
    page.get_by_label("Offer", exact=False).first.check()
    page.get_by_label("Product", exact=False).first.check()
    page.fill("#id_title", "Pantalles facials de PET reutilitzables")
    page.fill("#id_description", "Fabriquem pantalles facials reutilitzables amb visera de PET.")
    page.locator("#similar a", has_text="Pantalles facials reutilitzables de PET").wait_for()
    page.locator("#id_sector_options input[value='3250']").check()
    # Writing on keeps what was chosen.
    with page.expect_response(lambda response: response.url.endswith("/assist/")):
        page.fill("#id_description", "Fabriquem pantalles facials reutilitzables amb visera de PET i goma. Lliurament en 72 hores.")
    page.wait_for_load_state("networkidle")
    expect(page.locator("#id_sector_options input[value='3250']")).to_be_checked()
    page.get_by_role("button", name="Save and look at it").click()
    page.get_by_role("heading", name="What now").wait_for()
    listing = Listing.objects.get(company=owner.company)
    assert (listing.sector_id, listing.language, listing.state) == ("3250", "ca", State.DRAFT)
    page.get_by_role("button", name="Send for review").click()
    page.get_by_text("In review", exact=False).first.wait_for()
    listing.refresh_from_db()
    assert listing.state == State.SUBMITTED


def test_a_sector_is_searched_and_enter_does_not_send_the_form(site, owner, page):
    sign_in(page, site, owner.user)
    page.goto(site + reverse("companies:create"))
    page.locator("#id_sector_words").press_sequentially("dentista")
    page.locator("#id_sector_options input[value='8623']").wait_for()
    page.keyboard.press("Enter")
    page.locator("#id_sector_options input[value='8623']").check()
    assert page.url.endswith(reverse("companies:create"))
    expect(page.locator(".errors")).to_have_count(0)


def test_the_names_of_municipalities_come_when_one_goes_to_the_field(site, owner, page):
    sign_in(page, site, owner.user)
    page.goto(site + reverse("companies:create"))
    expect(page.locator("#id_place_list option")).to_have_count(0)
    page.locator("#id_place").focus()
    page.locator("#id_place_list option").nth(946).wait_for(state="attached")


def test_everything_works_without_javascript(site, owner, new_page):
    page = new_page(java_script_enabled=False)
    sign_in(page, site, owner.user)
    page.goto(site + reverse("listings:create"))
    page.locator("input[name=kind][value=offer]").check()
    page.locator("input[name=category][value=product]").check()
    page.fill("#id_title", "Pantalles facials de PET reutilitzables")
    page.fill("#id_description", "Fabriquem pantalles facials reutilitzables amb visera de PET.")
    page.get_by_role("button", name="Propose sectors and show similar ones").click()
    expect(page.locator("#similar a", has_text="Pantalles facials reutilitzables de PET")).to_have_count(1)
    page.locator("#id_sector_options input[value='3250']").check()
    page.get_by_role("button", name="Save and look at it").click()
    expect(page.get_by_role("heading", name="What now")).to_have_count(1)
    page.get_by_role("link", name="Withdraw").click()
    page.get_by_role("button", name="Withdraw").click()
    assert Listing.objects.get(company=owner.company).state == State.WITHDRAWN
