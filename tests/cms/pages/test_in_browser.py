"""Every kind of page in a real browser: accessible, never wider than the screen, usable by keyboard and without a script."""

import pytest
from allauth.account.models import EmailAddress
from axe_playwright_python.sync_playwright import Axe
from django.urls import reverse
from playwright.sync_api import expect
from wagtail.models import Page

from cms.pages.models import EventPage, FaqPage, FiguresPage, GuidePage, NewsPage, OfficePage, StandardPage
from tests.cms.pages.factories import block, chapter, make_form, make_image, make_page, question, special, text, week
from tests.cms.pages.test_blocks import every_block
from tests.factories import ListingFactory, UserFactory

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.needs("chromium")]


@pytest.fixture
def site(live_server):
    """The address of a site with a page of each kind, and the addresses of these."""
    ListingFactory(live=True)
    picture = make_image()
    pages = [
        make_page(NewsPage, body=every_block(), lead_image=picture, lead_image_alt="Una màquina"),
        make_page(EventPage, lead_image=picture, registration_url="https://example.org/", capacity="40 places", body=[text()]),
        make_page(
            OfficePage,
            latitude="41.56",
            longitude="2.01",
            opening_hours=[week(), special("2099-12-24", "2099-12-31")],
            channels=[block("phone", {"number": "93 739 70 00", "note": "Matins"}), block("desk", {"note": "Amb cita", "url": "https://example.org/"})],
            services=[block("service", {"title": "Trobar ajuts", "text": "<p>Junts.</p>", "page": None})],
        ),
        make_page(GuidePage, chapters=[chapter("Un", *every_block()), chapter("Dos")], lead_image=picture),
        make_page(
            FaqPage, groups=[block("group", {"title": name, "anchor": "", "questions": [question(), question("I després?")]}) for name in ("Ajuts", "Mercat")]
        ),
        make_page(StandardPage, body=every_block()),
        make_page(FiguresPage),
        make_form(),
    ]
    addresses = [page.get_url() for page in pages] + [page.get_parent().get_url() for page in pages[:4]]
    return live_server.url, ["/", *addresses, pages[3].get_url() + "dos/", pages[3].get_url() + "all/", pages[4].get_url() + "?q=ajuda", "/no-hi-es/"]


def faults_of(page):
    """What axe finds, and whether the page is wider than the screen."""
    result = Axe().run(page, options={"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"]})
    faults = [f"{v['id']}: {node['html'][:160]}" for v in result.response["violations"] for node in v["nodes"]]
    if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
        faults.append("wider than the screen")
    return faults


@pytest.mark.parametrize(("width", "scheme"), [("wide", "light"), ("narrow", "dark")])
def test_every_kind_is_accessible_and_never_wider_than_the_screen(site, new_page, width, scheme):
    base, addresses = site
    page = new_page(width, color_scheme=scheme, bypass_csp=True, reduced_motion="reduce")
    faults = {}
    for address in addresses:
        page.goto(base + address)
        faults[address] = faults_of(page)
    assert {address: found for address, found in faults.items() if found} == {}


def test_pages_work_without_a_script(site, new_page):
    base, _addresses = site
    faq = next(page for page in Page.objects.type(FaqPage).specific())
    page = new_page("narrow", java_script_enabled=False)
    page.goto(base + faq.get_url())
    page.locator("input[name=q]").fill("despres")
    page.keyboard.press("Enter")
    page.wait_for_url("**?q=despres")
    expect(page.locator("details.question[open]")).to_have_count(2)
    guide = next(page for page in Page.objects.type(GuidePage).specific())
    page.goto(base + guide.get_url())
    page.locator(".neighbours a[rel=next]").click()
    page.wait_for_url("**/dos/")
    expect(page.locator("h1")).to_have_text("Dos")


def test_questions_open_with_the_keyboard(site, new_page):
    base, _addresses = site
    page = new_page()
    page.goto(base + next(page for page in Page.objects.type(FaqPage)).get_url())
    page.locator("summary").first.focus()
    page.keyboard.press("Enter")
    expect(page.locator("details.question").first).to_have_attribute("open", "")


def test_paste_from_a_word_processor_is_saved_clean(live_server, new_page):
    """The clipboard's HTML goes into the editor as a browser hands it over, and is saved from there."""
    from tests.cms.pages.test_cleaning import CLEAN, SAMPLE, without_keys  # noqa: PLC0415 - the sample of that test

    editor = UserFactory(is_staff=True, is_superuser=True, password="a long pass phrase")
    EmailAddress.objects.create(user=editor, email=editor.email, verified=True, primary=True)
    story = make_page(StandardPage, body=[text("<p>x</p>")])
    page = new_page(bypass_csp=True)
    page.context.set_default_timeout(60_000)
    log_in(page, live_server.url, editor)
    page.goto(live_server.url + reverse("wagtailadmin_pages:edit", args=[story.pk]))
    field = page.locator(".Draftail-Editor [contenteditable=true]").first
    field.click()
    page.keyboard.press("Control+a")
    field.evaluate(
        """(element, html) => {
            const data = new DataTransfer();
            data.setData("text/html", html);
            data.setData("text/plain", "Convocatòria");
            element.dispatchEvent(new ClipboardEvent("paste", {clipboardData: data, bubbles: true, cancelable: true}));
        }""",
        SAMPLE,
    )
    page.get_by_text("Pressupost").first.wait_for()
    # The editor hands its text over to the form a moment later.
    page.wait_for_function("[...document.querySelectorAll('input[type=hidden]')].some(input => input.value.includes('Pressupost'))")
    with page.expect_navigation():
        page.locator("button.action-save").first.evaluate("button => button.form.requestSubmit(button)")
    saved = Page.objects.get(pk=story.pk).get_latest_revision_as_object().body
    html = without_keys("".join(str(one.value.source) for one in saved))
    assert "mso" not in html
    assert "<ul><li>NIF de l’empresa</li><li>Pressupost <b>signat</b></li></ul>" in html
    assert "<p></p>" not in html
    assert html == CLEAN


def log_in(page, base, user):
    page.goto(base + reverse("account_login"))
    page.locator("input[name=login]").fill(user.email)
    page.locator("input[name=password]").fill("a long pass phrase")
    page.locator("main form button[type=submit]").last.click()
    page.wait_for_url(lambda url: "login" not in url)
