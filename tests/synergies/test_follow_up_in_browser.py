"""Why not, and how it went, in a real browser."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings
from django.test import Client
from django.urls import reverse
from django.utils import translation
from playwright.sync_api import expect

from marketplace.listings.models import Listing
from marketplace.synergies import operations, outcomes
from search import index
from tests.synergies.conftest import OFFER, make_pair, publish

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.needs("chromium"), pytest.mark.usefixtures("own_index")]


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
    pair = make_pair()
    near = publish(**OFFER | {"title": "Viseres de policarbonat per a cascos", "place_id": "170792", "reach_km": 5})
    index.rebuild()
    for person in (pair.asker, pair.offerer):
        operations.express_interest(pair.synergy, by=person)
    outcomes.tell(pair.synergy, by=pair.offerer, outcome="not_agreed", reason="terms")
    pair.synergy.refresh_from_db()
    type(pair.synergy).objects.update(mutual_at=pair.synergy.mutual_at.replace(year=2020))
    outcomes.ask_due()
    page = new_page(width, color_scheme=scheme, bypass_csp=True, reduced_motion="reduce")
    sign_in(page, live_server.url, pair.asker)
    why, outcome = reverse("synergies:why_not"), reverse("synergies:outcome", args=[pair.synergy.uid])
    for address in (
        f"{why}?other={near.uid}",
        f"{why}?mine={pair.demand.uid}&other=nonsense",
        why,
        f"{outcome}?outcome=not_agreed",
        reverse("synergies:inbox"),
        pair.synergy.get_absolute_url(),
    ):
        assert page.goto(live_server.url + address).status == 200
        assert faults_of(page) == [], address


def test_one_comes_from_the_public_page_and_compares(live_server, page):
    pair = make_pair()
    other = publish(**OFFER | {"title": "Viseres de policarbonat per a cascos"})
    index.rebuild()
    sign_in(page, live_server.url, pair.asker)
    page.goto(live_server.url + other.get_absolute_url())
    page.get_by_role("link", name="Why is this not suggested for my listing?").click()
    page.get_by_role("heading", name="What the score is made of").wait_for()
    expect(page.locator("meter").nth(2)).to_be_attached()
    Listing.objects.filter(pk=other.pk).update(state="closed")
    page.get_by_role("button", name="Compare").click()
    page.get_by_text("We found no public listing at this address").first.wait_for()


@pytest.mark.parametrize("script", [True, False])
def test_answer_of_the_mail_takes_one_click_more(live_server, new_page, script):
    pair = make_pair()
    for person in (pair.asker, pair.offerer):
        operations.express_interest(pair.synergy, by=person)
    page = new_page(java_script_enabled=script)
    sign_in(page, live_server.url, pair.asker)
    address = live_server.url + reverse("synergies:outcome", args=[pair.synergy.uid])
    page.goto(f"{address}?outcome=agreed")
    expect(page.get_by_text("Why did you not agree?")).not_to_be_visible()
    page.get_by_label("We did not agree").check()
    expect(page.get_by_text("Why did you not agree?")).to_be_visible()
    page.get_by_label("We agreed on something").check()
    page.get_by_role("button", name="Send").click()
    page.get_by_text("Agreed, one side says so").wait_for()
    assert [answer.outcome for answer in pair.synergy.answers.all()] == ["agreed"]
