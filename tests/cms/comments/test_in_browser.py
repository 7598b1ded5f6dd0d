"""A conversation in a real browser, with and without scripts: written, read by an officer, seen by everybody, reported."""

import re
from types import SimpleNamespace

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.test import Client
from django.urls import reverse
from django.utils import translation
from playwright.sync_api import expect

from cms.comments import limits, operations
from cms.comments.enums import Moderation, State
from cms.comments.models import Comment
from cms.pages.models import HomePage, NewsIndexPage, NewsPage
from tests.factories import MembershipFactory, UserFactory

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.needs("chromium")]


@pytest.fixture(autouse=True)
def _in_english():
    """The texts below are those of the templates, whatever their translations say."""
    with translation.override("en"):
        yield


@pytest.fixture
def news(live_server, settings):
    """A piece of news in English: its page, its address, the site's."""
    settings.SITE_URL = live_server.url
    home = HomePage.objects.get(locale__language_code="en")
    index = home.add_child(instance=NewsIndexPage(title="News", slug="news-here", locale=home.locale))
    page = index.add_child(instance=NewsPage(title="New aid", slug="new-aid", summary="For shops", locale=home.locale))
    return SimpleNamespace(page=page, site=live_server.url, url=live_server.url + page.get_url())


@pytest.fixture
def page(news):
    """As the other tests call it."""
    return news.page


def sign_in(tab, news, user):
    client = Client()
    client.force_login(user)
    tab.context.add_cookies([{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": news.site}])


def faults_of(tab):
    result = Axe().run(tab, options={"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"]})
    faults = [f"{v['id']}: {node['html'][:120]}" for v in result.response["violations"] for node in v["nodes"]]
    if tab.evaluate("document.documentElement.scrollWidth > innerWidth"):
        faults.append("wider than the screen")
    return faults


def open_comments(tab, news):
    tab.goto(news.url)
    tab.locator("#comments").scroll_into_view_if_needed()
    tab.wait_for_selector("#comments-body:not([hx-get])")


def test_comment_waits_is_approved_and_is_seen(new_page, news, author, moderator):
    writing, office, visitor = new_page(), new_page(), new_page("narrow")
    sign_in(writing, news, author)
    open_comments(writing, news)
    writing.get_by_label("Your comment").fill("Does it pay for shelves too?\n<script>alert(1)</script> https://shelves.example/x")
    writing.get_by_role("button", name="Send the comment").click()
    writing.wait_for_selector("article.comment.waiting")
    # Told twice: the notice on the comment, which has the focus, and the words for those who do not see it.
    expect(writing.locator("#comments-said")).to_contain_text("waits until somebody has read it")
    expect(writing.locator(f"[id='{Comment.objects.get().anchor}']")).to_be_focused()
    expect(writing.get_by_label("Your comment")).to_have_value("")
    open_comments(visitor, news)
    expect(visitor.locator("article.comment")).to_have_count(0)

    sign_in(office, news, moderator)
    office.goto(news.site + reverse("console_comments"))
    office.locator("a", has_text="Does it pay for shelves").click()
    office.locator("button[name=decision][value=approve]").click()
    office.wait_for_url("**/console/comments/")
    assert Comment.objects.get().state == State.APPROVED

    open_comments(visitor, news)
    expect(visitor.locator("article.comment")).to_contain_text("<script>alert(1)</script>")
    link = visitor.locator(".comment-text a")
    assert (link.get_attribute("href"), link.get_attribute("rel")) == ("https://shelves.example/x", "nofollow ugc noopener")


def test_reply_change_report_and_delete_in_place_by_keyboard(new_page, news, author, moderator):
    operations.set_policy("pages.newspage", Moderation.AFTER, by=moderator)
    first = operations.approve(operations.post(news.page, by=author, text="Does it pay for shelves too?"), by=moderator)
    other = UserFactory(name="Berta", language="en")
    operations.approve(operations.post(news.page, by=other, text="Good to know"), by=moderator)
    tab = new_page()
    sign_in(tab, news, other)
    open_comments(tab, news)
    card = tab.locator(f"#{first.anchor}")
    card.get_by_role("link", name="Reply to Anna").focus()
    tab.keyboard.press("Enter")
    tab.wait_for_selector(".comment-act textarea")
    expect(tab.locator("textarea:focus")).to_have_count(1)
    tab.keyboard.type("Yes, half of them.")
    tab.get_by_role("button", name="Send the reply").press("Enter")
    tab.wait_for_selector(".replies article.comment")
    expect(tab.locator(".replies .comment-text")).to_have_text("Yes, half of them.")
    assert "#" not in tab.url
    reply = tab.locator(".replies article.comment")
    # Sent faster than anybody types: it waits, though the page shows comments at once.
    assert Comment.objects.get(text="Yes, half of them.").held_for == ["fast"]
    reply.get_by_role("link", name="Change").click()
    tab.locator(".comment-act textarea").fill("Yes, a third of them.")
    tab.get_by_role("button", name="Save").click()
    tab.locator(".replies .comment-text", has_text="third").wait_for()
    tab.locator(f"#{first.anchor}").get_by_role("link", name="Report").click()
    tab.get_by_label("Has nothing to do with this page").check()
    tab.get_by_role("button", name="Send the report").click()
    tab.get_by_text("You reported this").wait_for()
    tab.locator(".replies").get_by_role("link", name="Delete").click()
    tab.get_by_role("button", name="Delete the comment").click()
    tab.wait_for_selector(".replies", state="detached")
    expect(tab.locator("#comments-said")).to_contain_text("deleted")


def test_cancel_closes_the_form_and_gives_the_focus_back(new_page, news, author, moderator):
    operations.approve(operations.post(news.page, by=author, text="Does it pay for shelves too?"), by=moderator)
    tab = new_page()
    sign_in(tab, news, UserFactory(name="Berta"))
    open_comments(tab, news)
    tab.get_by_role("link", name="Report").click()
    tab.get_by_role("link", name="Cancel").click()
    expect(tab.locator(".comment-act")).to_have_count(0)
    expect(tab.locator("a:focus")).to_contain_text("Report")


def test_what_was_typed_survives_a_flood(new_page, news, author, monkeypatch):
    monkeypatch.setattr(limits, "ADDRESS", (0, limits.ADDRESS[1]))
    tab = new_page()
    sign_in(tab, news, author)
    open_comments(tab, news)
    tab.get_by_label("Your comment").fill("I have more to say")
    tab.get_by_role("button", name="Send the comment").click()
    tab.wait_for_selector("#comments .errors")
    expect(tab.locator("#comments .errors")).to_contain_text("That was a lot")
    expect(tab.get_by_label("Your comment")).to_have_value("I have more to say")


def test_all_of_it_works_without_scripts(new_page, news, author):
    tab = new_page("narrow", java_script_enabled=False)
    sign_in(tab, news, author)
    tab.goto(news.url)
    expect(tab.get_by_label("Address of this page")).to_have_value(news.url)
    tab.get_by_role("link", name="Be the first to comment").click()
    tab.get_by_label("Your comment").fill("Does it pay for shelves too?")
    tab.get_by_role("button", name="Send the comment").click()
    assert re.search(r"#comment-[0-9a-f-]{36}$", tab.url)
    tab.get_by_role("link", name="Change").click()
    tab.get_by_label("Your comment").fill("Does it pay for chairs too?")
    tab.get_by_role("button", name="Save").click()
    expect(tab.locator(".comment-text")).to_have_text("Does it pay for chairs too?")
    tab.get_by_role("link", name="Delete").click()
    tab.get_by_role("button", name="Delete the comment").click()
    expect(tab.get_by_text("Nobody has commented yet.")).to_be_visible()


def test_link_is_copied(new_page, news):
    tab = new_page(permissions=["clipboard-read", "clipboard-write"])
    tab.goto(news.url)
    tab.get_by_role("button", name="Copy the link").click()
    tab.get_by_text("Link copied").wait_for()
    assert tab.evaluate("navigator.clipboard.readText()") == news.url


@pytest.mark.parametrize(("width", "scheme"), [("wide", "light"), ("narrow", "dark")])
def test_conversation_is_accessible_and_never_wider_than_the_screen(new_page, news, author, moderator, *, width, scheme):
    MembershipFactory(user=author, company__name="Tecnoplàstics Vallparadís, SL")
    first = operations.approve(operations.post(news.page, by=author, text="Averylongword" * 30 + " https://shelves.example/" + "x" * 200), by=moderator)
    operations.post(news.page, by=moderator, text="Yes.", reply_to=first)
    waiting = operations.post(news.page, by=author, text="And chairs?")
    tab = new_page(width, color_scheme=scheme, bypass_csp=True, reduced_motion="reduce")
    open_comments(tab, news)
    assert faults_of(tab) == []
    sign_in(tab, news, author)
    open_comments(tab, news)
    tab.locator(f"#{first.anchor}").get_by_role("link", name="Delete").click()
    tab.wait_for_selector(".comment-act")
    assert faults_of(tab) == []
    for name in ("edit", "delete", "reply"):
        about = first if name == "reply" else waiting
        tab.goto(news.site + reverse(f"comments:{name}", args=[about.uid]))
        assert faults_of(tab) == []
    sign_in(tab, news, UserFactory(name="Berta"))
    tab.goto(news.site + reverse("comments:report", args=[first.uid]))
    tab.get_by_role("button", name="Send the report").click()
    tab.wait_for_selector(".errors")
    assert faults_of(tab) == []
