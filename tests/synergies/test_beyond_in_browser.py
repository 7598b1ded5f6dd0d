"""Groups and rings in a real browser: accessible, and never wider than the screen."""

import pytest
from django.urls import reverse
from django.utils import translation

from marketplace.synergies import beyond_operations, ring_refresh
from marketplace.synergies.models import Ring, Synergy
from tests.synergies.test_in_browser import faults_of, sign_in
from tests.synergies.together import look, make_circle, make_fair, person_of

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.needs("chromium"), pytest.mark.usefixtures("own_index")]


@pytest.fixture(autouse=True)
def _in_english():
    with translation.override("en"):
        yield


@pytest.mark.parametrize(("width", "scheme"), [("wide", "light"), ("narrow", "dark")])
def test_pages_are_accessible_and_never_wider_than_the_screen(live_server, new_page, width, scheme):
    fair = make_fair()
    look(fair.demand)
    beyond_operations.ask_member(fair.consortium.members.get(offer=fair.offers[0]), by=fair.asker)
    circles = [make_circle(size)[0] for size in (2, 3, 4)]
    ring_refresh.refresh_all()
    visits = [(person, [fair.consortium.get_absolute_url(), reverse("synergies:together")]) for person in (fair.asker, fair.offerers[0])]
    visits += [(person_of(circle[0]), [Ring.objects.of(person_of(circle[0])).get().get_absolute_url(), reverse("synergies:together")]) for circle in circles]
    visits.append((fair.asker, [f"{reverse('synergies:together')}?show=rings"]))
    for person, addresses in visits:
        page = new_page(width, color_scheme=scheme, bypass_csp=True, reduced_motion="reduce")
        sign_in(page, live_server.url, person)
        for address in addresses:
            assert page.goto(live_server.url + address).status == 200
            assert faults_of(page) == [], address


def test_one_asks_a_member_and_sets_a_ring_aside(live_server, new_page):
    """With the pages' own policy in force: buttons work without any script but the site's."""
    fair = make_fair()
    look(fair.demand)
    companies, _ = make_circle(3)
    ring_refresh.refresh_all()
    page = new_page("wide")
    sign_in(page, live_server.url, fair.asker)
    page.goto(live_server.url + fair.consortium.get_absolute_url())
    page.get_by_role("button", name="Ask Fogons").click()
    page.get_by_text("You said yes").first.wait_for()
    assert Synergy.objects.get(offer=fair.offers[1], demand=fair.demand).demand_interest_at

    page = new_page("wide")
    sign_in(page, live_server.url, person_of(companies[0]))
    page.goto(live_server.url + Ring.objects.get().get_absolute_url())
    page.get_by_role("button", name="Set it aside").click()
    page.locator("dialog button[value=yes]").click()
    page.get_by_text("We will not suggest this ring again").wait_for()
    assert not Ring.objects.current().exists()
