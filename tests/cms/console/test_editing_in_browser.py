"""Editor and officer in a real browser: written, sent to review, looked at, approved, public; and two at one page."""

import pytest
from django.conf import settings
from django.contrib.auth.models import Group
from django.test import Client
from django.urls import reverse
from playwright.sync_api import expect

from cms.pages.models import HomePage, StandardPage
from cms.pages.rules import EDITORS, OFFICERS
from tests.factories import UserFactory

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.needs("chromium")]
SLOW = 60_000


def person(group, name):
    user = UserFactory(name=name, language="en")
    user.groups.add(Group.objects.get(name=group))
    return user


@pytest.fixture
def console_of(live_server, new_page):
    """The console as a person sees it; Wagtail's own scripts run there, without a content security policy."""

    def open_for(user):
        page = new_page(bypass_csp=True, reduced_motion="reduce")
        page.set_default_timeout(SLOW)
        client = Client()
        client.force_login(user)
        page.context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": client.cookies[settings.SESSION_COOKIE_NAME].value, "url": live_server.url}])
        return page

    return open_for


def write(page, text):
    """A first block of text, typed."""
    page.locator(".c-sf-add-button").first.click()
    page.get_by_role("option", name="Text", exact=True).click()
    page.locator(".public-DraftEditor-content").first.click()
    page.keyboard.type(text)


def press(page, selector):
    """A button at the foot of the editor, in the menu if it is not the first one."""
    button = page.locator(selector).first
    if not button.is_visible():
        page.get_by_role("button", name="More actions").click()
        button.wait_for()
    # The menu moves while it opens, and the form is written anew after it was saved by itself: a press in between is lost.
    page.wait_for_timeout(2000)
    button.click()
    page.locator(".messages .success").first.wait_for()


def test_a_page_goes_from_its_editor_over_an_officer_to_the_public(live_server, console_of, new_page):
    editor, officer = person(EDITORS, "Eva"), person(OFFICERS, "Oriol")
    home = HomePage.objects.get(locale__language_code="ca")
    desk = console_of(editor)
    desk.goto(live_server.url + reverse("wagtailadmin_pages:add", args=["pages", "standardpage", home.pk]))
    desk.fill("#id_title", "Ajuts de maig")
    desk.fill("#id_lead", "El que cal saber")
    write(desk, "Tot el que pots demanar")
    expect(desk.locator("[name=action-publish]")).to_have_count(0)
    press(desk, "[name=action-submit]")
    written = StandardPage.objects.get(title="Ajuts de maig")
    assert written.current_workflow_state is not None

    desk = console_of(officer)
    desk.goto(live_server.url + reverse("wagtailadmin_home"))
    expect(desk.get_by_text("Ajuts de maig").first).to_be_visible()
    preview = console_of(officer)
    preview.goto(live_server.url + reverse("wagtailadmin_pages:workflow_preview", args=[written.pk, written.current_workflow_task.pk]))
    expect(preview.locator("main")).to_contain_text("Tot el que pots demanar")
    desk.goto(live_server.url + reverse("wagtailadmin_pages:edit", args=[written.pk]))
    press(desk, "[data-workflow-action-name=approve]:not([data-workflow-action-modal-url])")

    visitor = new_page()
    answer = visitor.goto(live_server.url + StandardPage.objects.get(pk=written.pk).get_url())
    assert answer.status == 200
    expect(visitor.locator("main")).to_contain_text("Tot el que pots demanar")


def test_the_second_editor_is_told_and_finds_what_was_typed(live_server, console_of):
    editor, officer = person(EDITORS, "Eva"), person(OFFICERS, "Oriol")
    page = StandardPage.objects.filter(locale__language_code="ca").first()
    page.save_revision()
    address = live_server.url + reverse("wagtailadmin_pages:edit", args=[page.pk])
    first = console_of(editor)
    first.goto(address)
    first.fill("#id_lead", "El de l'Eva")
    # Saved by somebody else before any script of hers could ask.
    theirs = StandardPage.objects.get(pk=page.pk)
    theirs.lead = "El de l'Oriol"
    theirs.save_revision(user=officer)
    with first.expect_navigation():
        first.evaluate("document.getElementById('page-edit-form').submit()")
    first.wait_for_load_state()
    expect(first.get_by_text("Oriol saved another version").first).to_be_visible()
    expect(first.locator("#id_lead")).to_have_value("El de l'Eva")
    first.wait_for_timeout(3000)
    assert StandardPage.objects.get(pk=page.pk).get_latest_revision_as_object().lead == "El de l'Oriol"
