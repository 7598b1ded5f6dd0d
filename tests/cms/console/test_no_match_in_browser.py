"""The curators' pages about matches in a real browser: accessible, and the nearest candidates come by themselves."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings
from django.test import Client
from django.urls import reverse
from playwright.sync_api import expect

from marketplace.synergies import curating, operations, refresh
from search import index
from tests.synergies.conftest import OFFER, make_pair, own_index, publish  # noqa: F401 - own_index is a fixture

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.needs("chromium"), pytest.mark.usefixtures("own_index")]


@pytest.fixture
def lonely(curator):
    offer = publish(**OFFER)
    demands = [
        publish(kind="demand", title=f"Busquem {count} pianos de cua", description="Ens calen pianos de cua afinats, amb lliurament a l'auditori de la ciutat.")
        for count in (20, 30)
    ]
    while index.run_once() or refresh.run_once():
        pass
    curating.advise(demands[0], by=curator, text="Digueu la mida")
    return offer, demands


def sign_in(page, base: str, user) -> None:
    client = Client()
    client.force_login(user)
    page.context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": client.cookies[settings.SESSION_COOKIE_NAME].value, "url": base}])


def faults_of(page) -> list[str]:
    """Of our part; the frame is Wagtail's."""
    result = Axe().run(page, context="main", options={"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]})
    faults = [f"{v['id']}: {node['html'][:120]}" for v in result.response["violations"] for node in v["nodes"]]
    if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
        faults.append("wider than the screen")
    return faults


@pytest.mark.parametrize("width", ["wide", "narrow"])
def test_pages_are_accessible_and_never_wider_than_the_screen(live_server, new_page, curator, lonely, width):
    offer, demands = lonely
    pair = make_pair()
    for person in (pair.asker, pair.offerer):
        operations.express_interest(pair.synergy, by=person)
    page = new_page(width, bypass_csp=True, reduced_motion="reduce")
    sign_in(page, live_server.url, curator)
    for address in (
        reverse("console_no_match"),
        reverse("console_unseen"),
        reverse("console_matches", args=[demands[0].uid]),
        reverse("console_pair", args=[offer.uid, demands[0].uid]),
        reverse("console_pair", args=[pair.offer.uid, pair.demand.uid]),
        reverse("console_outcomes"),
        reverse("wagtailadmin_home"),
    ):
        assert page.goto(live_server.url + address).status == 200
        assert faults_of(page) == [], address


def test_nearest_candidates_fill_their_cells_one_after_another(live_server, page, curator, lonely):
    offer, demands = lonely
    sign_in(page, live_server.url, curator)
    page.goto(live_server.url + reverse("console_no_match"))
    for demand in demands:
        page.locator(f'a[href="{reverse("console_pair", args=[offer.uid, demand.uid])}"]').wait_for()
    expect(page.locator("[data-nearest]")).to_have_count(0)
