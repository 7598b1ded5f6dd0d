"""The whole way of an aid in a real browser: written, reviewed, found, asked about, followed, changed, and told by mail."""

import datetime
import re

import pytest
from allauth.account.models import EmailAddress
from django.conf import settings
from django.contrib.auth.models import Group
from django.test import Client
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.formats import date_format
from playwright.sync_api import expect

from cms.aid.models import AidPage
from cms.pages.rules import EDITORS, OFFICERS
from marketplace import worker
from marketplace.accounts import daily
from marketplace.core import mail
from tests.cms.aid.factories import finder, funder
from tests.factories import UserFactory

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.needs("chromium")]
#: The editor is heavy, and the machine may have other work.
SLOW = 60_000
TITLE = "Going digital for shops"
LONG = "You get the money for a web shop and for a till and for a screen and for the work of the people who put all of it in its place and keep it there."
SUMMARY = "Web shops and payment by card."
PASSWORD = "a long pass phrase"


@pytest.fixture(autouse=True)
def _in_english():
    """The texts below are those of the templates, whatever their translations say."""
    with translation.override("en"):
        yield


@pytest.fixture
def site(live_server, settings, tmp_path):
    """The address of the site, with an index of its own."""
    settings.EMBEDDED_INDEX_PATH = tmp_path / "index"
    settings.SITE_URL = live_server.url
    # Parts of the form are written anew when it was saved by itself, and what is pressed in that moment is lost.
    settings.WAGTAIL_AUTOSAVE_INTERVAL = 0
    return live_server.url


@pytest.fixture
def desk_of(site, new_page):
    """The console as a member of a group sees it; Wagtail's own scripts run there, without a content security policy."""

    def open_for(group):
        user = UserFactory(name=group, language="en")
        user.groups.add(Group.objects.get(name=group))
        client = Client()
        client.force_login(user)
        desk = new_page(bypass_csp=True, reduced_motion="reduce")
        desk.site = site
        desk.set_default_timeout(SLOW)
        desk.context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": client.cookies[settings.SESSION_COOKIE_NAME].value, "url": site}])
        return desk

    return open_for


@pytest.fixture
def visitor(site, new_page):
    """Somebody who is not signed in."""
    page = new_page()
    page.site = site
    return page


def open_tab(desk, name):
    desk.get_by_role("tab", name=name).click()


def press(desk, selector):
    """A button at the foot of the editor, in the menu if it is not the first one."""
    button = desk.locator(selector).first
    if not button.is_visible():
        desk.get_by_role("button", name="More actions").click()
    button.click()
    expect(desk.locator(".messages .success").first).to_be_visible()


def add_block(desk, panel, name):
    """A new block at the end of a text or of the rules; returns its part of the form."""
    panel.locator(".c-sf-add-button").last.click()
    desk.get_by_role("option", name=name, exact=True).click()
    return panel.locator("[data-streamfield-child]").last


def write_deadline(desk, day):
    """The last day of the first call. A calendar opens a moment after a click and would lie upon other fields; Tab would open that of the next date."""
    field, calendar = desk.locator("#id_calls-0-deadline"), desk.locator(".xdsoft_datetimepicker:visible")
    field.click()
    calendar.wait_for()
    field.fill(day.isoformat())
    field.evaluate("field => jQuery(field).datetimepicker('hide')")
    expect(calendar).to_have_count(0)


def write(desk, *, deadline):
    """A new aid with text, funder, call and two rules, as an editor fills in the form."""
    desk.goto(desk.site + reverse("wagtailadmin_pages:add", args=["aid", "aidpage", finder("en").pk]))
    desk.locator("#id_title").fill(TITLE)
    desk.locator("#id_summary").fill(LONG)
    hints = desk.locator("#id_summary ~ .plain-words")
    expect(hints).to_contain_text("Long sentence")
    add_block(desk, desk.locator("#panel-child-text-body-content, [id*=body-content]").first, "Text")
    desk.locator(".public-DraftEditor-content").first.click()
    desk.keyboard.type("Half of the cost of a terminal.")

    open_tab(desk, "Facts")
    desk.locator("#id_funder_rows-OPEN_MODAL").click()
    modal = desk.locator(".modal-body")
    modal.get_by_role("checkbox", name=re.compile("Ajuntament")).check()
    modal.get_by_role("button", name="Confirm selection").click()
    expect(desk.locator("#id_funder_rows-FORMS")).to_contain_text("Ajuntament (exemple)")
    desk.locator("#id_calls-ADD").click()
    write_deadline(desk, deadline)

    open_tab(desk, "Who can have it")
    rules = desk.locator("[id*=rules-content]").first
    size = add_block(desk, rules, "Size is one of")
    size.get_by_label("10 to 49 people").check()
    founded = add_block(desk, rules, "Founded before, after, within")
    founded.get_by_label("The company was founded").select_option(label="at least the years below ago")
    founded.get_by_label("Years").fill("2")

    open_tab(desk, "Text")
    desk.locator("#id_summary").fill(SUMMARY)
    expect(hints).to_be_empty()
    press(desk, "[name=action-submit]")


def find_and_ask(visitor):
    """From the finder over the aid's page to the answer, without signing in."""
    visitor.goto(visitor.site + finder("en").get_url())
    visitor.locator("#q").fill("terminal")
    visitor.keyboard.press("Enter")
    visitor.wait_for_url("**?q=terminal")
    visitor.get_by_role("link", name=TITLE).click()
    visitor.get_by_role("link", name="Find out").click()
    visitor.get_by_role("button", name="10 to 49 people").click()
    expect(visitor.locator("#question")).to_have_text("When was the company founded?")
    visitor.locator("#answer").fill("2010-01-01")
    visitor.get_by_role("button", name="Continue").click()
    expect(visitor.get_by_role("heading", name="Yes, you can ask for it")).to_be_visible()
    expect(visitor.locator(".conditions li.yes")).to_contain_text(["Size: 10 to 49 people", "Founded at least 2 years ago"])


def follow(visitor, reader):
    """From the answer back to the aid, and over the log-in to a mail about its changes."""
    visitor.get_by_role("link", name="How to ask for it").click()
    visitor.get_by_role("link", name="Tell me if it changes").click()
    visitor.locator("input[name=login]").fill(reader.email)
    visitor.locator("input[name=password]").fill(PASSWORD)
    visitor.locator("main form button[type=submit]").last.click()
    visitor.get_by_role("button", name="Yes, write to me").click()
    expect(visitor.get_by_role("heading", name=TITLE)).to_be_visible()


def test_an_aid_goes_from_its_editor_to_the_mail_about_its_new_deadline(desk_of, visitor, smtp):
    first, second = (timezone.localdate() + datetime.timedelta(days=days) for days in (40, 55))
    reader = UserFactory(language="en", password=PASSWORD)
    EmailAddress.objects.create(user=reader, email=reader.email, verified=True, primary=True)
    funder()
    write(desk_of(EDITORS), deadline=first)
    written = AidPage.objects.get(title=TITLE)
    assert not written.live

    officer = desk_of(OFFICERS)
    officer.goto(officer.site + reverse("wagtailadmin_home"))
    officer.get_by_role("link", name=TITLE).first.click()
    officer.wait_for_url(f"**{reverse('wagtailadmin_pages:edit', args=[written.pk])}**")
    press(officer, "[data-workflow-action-name=approve]:not([data-workflow-action-modal-url])")
    worker.run_once()

    find_and_ask(visitor)
    follow(visitor, reader)
    assert daily.send() == 0

    officer.goto(officer.site + reverse("wagtailadmin_pages:edit", args=[written.pk]))
    open_tab(officer, "Facts")
    write_deadline(officer, second)
    press(officer, "[name=action-publish]")
    worker.run_once()
    assert daily.send() == 1
    mail.send_due()
    [told] = [message for message in smtp.messages if message["X-Envelope-To"] == reader.email]
    assert f"{date_format(second, 'DATE_FORMAT')} (it was {date_format(first, 'DATE_FORMAT')})" in told.get_content()

    visitor.goto(visitor.site + written.get_url())
    expect(visitor.locator(".deadline")).to_contain_text(date_format(second, "j F"))
