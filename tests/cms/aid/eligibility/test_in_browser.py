"""The questionnaire in a browser: accessible in every state, answered in place or without JavaScript."""

import re

import pytest
from django.utils import translation
from playwright.sync_api import expect

from cms.aid.eligibility import clauses as c
from tests.cms.aid.eligibility.rules import question
from tests.cms.aid.eligibility.test_views import at
from tests.listings.test_public_in_browser import faults_of

pytestmark = [pytest.mark.needs("chromium"), pytest.mark.django_db(transaction=True)]
SHOP = question(1)


@pytest.fixture(autouse=True)
def _in_english():
    with translation.override("en"):
        yield


@pytest.fixture
def aid(make_aid):
    return make_aid(c.SizeIn(("micro", "small")), c.PlaceIn(("082798",)), c.Founded(c.When.OLDER, years=2), SHOP)


@pytest.fixture
def states(aid, make_aid):
    """The addresses of everything the page can look like."""
    many = make_aid(c.SectorIn(tuple(f"{number}" for number in range(10, 23))), title="Machines")
    answered = f"people=small&place=Terrassa&{SHOP.fact}=yes"
    return [
        at(aid),
        at(aid, "?people=small"),
        at(aid, "?people=small&place=Atlantis"),
        at(aid, f"?{answered}"),
        at(aid, f"?{answered}&founded=2010"),
        at(aid, f"?{answered}&founded=unknown"),
        at(aid, "?people=large"),
        at(many),
    ]


@pytest.mark.parametrize(("width", "scheme"), [("wide", "light"), ("narrow", "dark")])
def test_every_state_is_accessible(live_server, new_page, states, width, scheme):
    page = new_page(width, color_scheme=scheme, bypass_csp=True, reduced_motion="reduce")
    for state in states:
        page.goto(live_server.url + state)
        assert faults_of(page) == [], state


def test_answers_come_in_place_with_the_focus_on_the_question_and_the_way_back_works(live_server, page, aid):
    page.goto(live_server.url + at(aid))
    page.evaluate("window.same = true")
    page.get_by_role("button", name="10 to 49 people").click()
    expect(page.locator("#question")).to_be_focused()
    expect(page).to_have_url(re.compile(r"\?people=small$"))
    page.locator("#answer").fill("Terrasa")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("Did you mean Terrassa")
    expect(page.locator("#answer")).to_have_value("Terrasa")
    page.locator("#answer").fill("Terrassa")
    page.keyboard.press("Enter")
    expect(page.get_by_text("When was the company founded?")).to_be_focused()
    page.locator("#answer").fill("2010-01-01")
    page.get_by_role("button", name="Continue").click()
    page.get_by_role("button", name="Yes").click()
    expect(page.get_by_role("heading", name="Yes, you can ask for it")).to_be_visible()
    assert page.evaluate("window.same")
    page.go_back()
    expect(page.locator("#question")).to_have_text("Question 1?")


def test_without_javascript_it_is_the_same(live_server, new_page, aid):
    page = new_page("narrow", java_script_enabled=False)
    page.goto(live_server.url + at(aid))
    page.get_by_role("button", name="250 people or more").click()
    expect(page.get_by_role("heading", name="No, not as things are")).to_be_visible()
    page.get_by_role("link", name=re.compile("^Change")).click()
    page.get_by_role("button", name="Up to 9 people").click()
    expect(page).to_have_url(re.compile(r"\?people=micro$"))
    page.get_by_role("link", name="Back", exact=True).click()
    expect(page.locator("#question")).to_have_text("How many people work in the company?")
