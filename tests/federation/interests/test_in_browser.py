"""The pages of an interest that crosses, in a real browser: accessible in every state, and a yes without JavaScript."""

import pytest
from django.urls import reverse
from django.utils import translation
from playwright.sync_api import expect

from marketplace.federation.interests import operations
from marketplace.federation.interests.enums import State
from marketplace.federation.models import IncomingInterest, OutgoingInterest
from marketplace.synergies.models import Synergy
from tests.synergies.test_in_browser import faults_of, sign_in

from .conftest import ALBA, ORIOL
from .test_erasing import came

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.needs("chromium")]


@pytest.fixture(autouse=True)
def _in_english():
    with translation.override("en"):
        yield


@pytest.mark.parametrize(("width", "scheme"), [("wide", "dark"), ("narrow", "light")])
def test_pages_are_accessible_and_never_wider_than_the_screen(live_server, new_page, across, width, scheme):
    page = new_page(width, color_scheme=scheme, bypass_csp=True, reduced_motion="reduce")
    sign_in(page, live_server.url, across.person)
    own = [across.synergy.get_absolute_url(), reverse("across:say_yes", args=[across.synergy.uid]), reverse("synergies:inbox")]
    for address in own:
        assert page.goto(live_server.url + address).status == 200
        assert faults_of(page) == [], address
    interest = came(across, is_joined=False)
    detail = reverse("across:detail", args=[interest.uid])
    for address in (reverse("my_space"), reverse("across:received"), detail, reverse("across:accept", args=[interest.uid])):
        assert page.goto(live_server.url + address).status == 200
        assert faults_of(page) == [], address
    operations.accept(interest, across.answer, by=across.person)
    for state in (State.ACCEPTED, State.DECLINED, State.ERASED):
        IncomingInterest.objects.update(state=state)
        page.goto(live_server.url + detail)
        assert faults_of(page) == [], state


def test_yes_to_a_partners_company(live_server, new_page, across):
    page = new_page("narrow", java_script_enabled=False)
    sign_in(page, live_server.url, across.person)
    page.goto(f"{live_server.url}{reverse('synergies:inbox')}")
    page.get_by_role("link", name="I am interested").click()
    page.get_by_label("Your message").fill("We need 200 of them until Friday.")
    page.get_by_role("button", name="Say yes and send it").click()
    expect(page.get_by_role("alert")).to_be_visible()
    assert not OutgoingInterest.objects.exists()
    expect(page.get_by_label("Your message")).to_have_value("We need 200 of them until Friday.")
    page.get_by_label("I agree to this").check()
    page.get_by_role("button", name="Say yes and send it").click()
    expect(page.get_by_role("main")).to_contain_text("on its way")
    assert OutgoingInterest.objects.get().body["contact"] == ALBA.as_dict()
    page.get_by_role("button", name="Take it back").click()
    assert OutgoingInterest.objects.get().state == State.WITHDRAWN
    expect(page.get_by_role("link", name="I am interested")).to_be_visible()


def test_answer_to_a_partners_company(live_server, new_page, across):
    came(across)
    page = new_page("wide")
    sign_in(page, live_server.url, across.person)
    page.goto(f"{live_server.url}{across.synergy.get_absolute_url()}")
    expect(page.get_by_text("We can deliver 200 on Thursday.")).to_be_visible()
    page.get_by_role("link", name="I am interested").click()
    page.get_by_label("I agree to this").check()
    page.get_by_role("button", name="Say yes and send my contact data").click()
    expect(page.get_by_role("link", name=ORIOL.email)).to_be_visible()
    assert Synergy.objects.get().mutual_at
