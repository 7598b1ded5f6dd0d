"""Links that lead out of our pages: found wherever they stand, asked politely, reported when they are really broken."""

import datetime
import json
import time

import pytest
import time_machine
from django.contrib.auth.models import Group
from django.core.exceptions import PermissionDenied
from django.utils import timezone
from wagtail.models import Page

from cms.aid import links, outlinks
from cms.aid.freshness_models import LinkCheck, LinkState, LinkUse
from cms.aid.links import BROKEN_AFTER, Finding
from cms.aid.models import AidPage, Call, Funder
from cms.pages.models import StandardPage
from cms.pages.rules import EDITORS
from marketplace.core.addresses import Reason
from tests.cms.aid.factories import funder, make_aid
from tests.concurrency import at_once
from tests.factories import UserFactory
from tests.websites import redirect, serve

pytestmark = pytest.mark.django_db
START = datetime.datetime(2026, 3, 2, 9, tzinfo=datetime.UTC)
DAY = datetime.timedelta(days=1)


@pytest.fixture
def site(settings):
    with serve() as site:
        settings.OUTGOING_ALLOWED_HOSTS = [site.host]
        settings.LINK_CHECKS = True
        yield site


@pytest.fixture
def editor(db):
    user = UserFactory(email="editor@city.example")
    user.groups.add(Group.objects.get(name=EDITORS))
    return user


def body(*blocks):
    return json.dumps([{"type": kind, "value": value} for kind, value in blocks])


def link(url, **facts):
    """An address that some page leads to."""
    row = LinkCheck.objects.create(url=outlinks.spelt(url), host=links._host(url), **facts)
    LinkUse.objects.create(link=row, page=Page.objects.filter(depth=2).first(), field="body")
    return row


def rounds():
    """What a worker does until no visit is under way."""
    done = links.run_once()
    while found := links.finish() + links.run_once():
        done += found
    return done


# --- Finding them -------------------------------------------------------------------------------------------------------


def test_links_are_found_wherever_they_stand():
    make_aid(
        calls=[{"number": "900001", "url": "https://five.example/call"}],
        funders=[funder("Fons", url="https://fund.example/")],
        procedure_url="https://seu.example/tramit",
        legal_base_url="https://dogc.example/bases#article-3",
        body=body(
            (
                "text",
                '<p>See <a href="https://one.example/a">the <b>rules</b></a>, <a href="mailto:x@y.example">us</a>, <a linktype="page" id="3">here</a></p>',
            ),
            ("callout", {"kind": "info", "title": "", "text": '<p><a href="http://two.example/?q=ñ">two</a></p>'}),
            ("questions", {"title": "", "questions": [{"question": "Q", "answer": '<p><a href="https://three.example">three</a></p>'}]}),
            ("video", {"title": "How to fill it in", "url": "https://video.example/1"}),
        ),
        how_to_apply=body(("button", {"text": "Apply", "page": None, "url": "https://four.example/", "quiet": False})),
    )
    links.collect()
    assert {(use.link.url, use.field, use.text) for use in LinkUse.objects.select_related("link")} == {
        ("https://seu.example/tramit", "procedure_url", str(AidPage._meta.get_field("procedure_url").verbose_name)),
        ("https://dogc.example/bases", "legal_base_url", str(AidPage._meta.get_field("legal_base_url").verbose_name)),
        ("https://one.example/a", "body", "the rules"),
        ("http://two.example/?q=%C3%B1", "body", "two"),
        ("https://three.example/", "body", "three"),
        ("https://video.example/1", "body", "How to fill it in"),
        ("https://four.example/", "how_to_apply", "Apply"),
        ("https://five.example/call", "url", str(Call._meta.get_field("url").verbose_name)),
        ("https://fund.example/", "url", str(Funder._meta.get_field("url").verbose_name)),
    }


def test_links_of_other_page_kinds_are_found_and_own_ones_are_not(settings):
    settings.SITE_URL = "https://marketplace.example"
    home = Page.objects.filter(depth=2).first()
    text = '<p><a href="https://out.example/">out</a> <a href="https://marketplace.example/x">home</a> <a href="/y">here</a></p>'
    home.add_child(instance=StandardPage(title="Text", slug="text", body=body(("text", text)), locale=home.locale))
    links.collect()
    assert [use.link.url for use in LinkUse.objects.all()] == ["https://out.example/"]


def test_same_address_in_two_spellings_is_one():
    make_aid(procedure_url="HTTPS://Seu.Example:443/a#b", legal_base_url="https://seu.example/a")
    links.collect()
    assert [link.url for link in LinkCheck.objects.all()] == ["https://seu.example/a"]
    assert LinkUse.objects.count() == 2


def test_draft_leads_nowhere_and_what_is_gone_is_forgotten(editor):
    page = make_aid(procedure_url="https://one.example/")
    draft = make_aid(procedure_url="https://two.example/", live=False)
    links.collect()
    assert {link.url for link in LinkCheck.objects.all()} == {"https://one.example/"}
    page.procedure_url = "https://three.example/"
    page.save()
    links.collect()
    assert {link.url for link in LinkCheck.objects.all()} == {"https://three.example/"}
    page.unpublish()
    draft.delete()
    links.collect()
    assert not LinkCheck.objects.exists()


def test_what_was_decided_about_a_link_survives_its_page(editor):
    page = make_aid(procedure_url="https://one.example/")
    links.collect()
    links.ignore(LinkCheck.objects.get(), because="Open only in spring", by=editor)
    page.unpublish()
    links.collect()
    assert LinkCheck.objects.get().ignored_because == "Open only in spring"


def test_collecting_twice_writes_nothing(django_assert_max_num_queries):
    make_aid(procedure_url="https://one.example/")
    assert links.collect() == 1
    before = list(LinkUse.objects.values_list("pk", flat=True))
    assert links.collect() == 0
    assert list(LinkUse.objects.values_list("pk", flat=True)) == before


@pytest.mark.django_db(transaction=True)
def test_worker_hears_of_a_published_page(site):
    rounds()
    make_aid(procedure_url=f"{site.url}/new")
    site.pages["/new"] = 200
    rounds()
    assert LinkCheck.objects.get().state == LinkState.FINE


# --- Asking -------------------------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_fine_link_is_asked_once_a_week(site):
    site.pages["/"] = 200
    row = link(site.url)
    with time_machine.travel(START, tick=False):
        LinkCheck.objects.update(next_check_at=START)
        assert rounds() == 1
        assert rounds() == 0
        row.refresh_from_db()
        assert (row.state, row.status, row.checked_at, row.why) == (LinkState.FINE, 200, START, "")
        assert START + 6 * DAY <= row.next_check_at <= START + 8 * DAY
    assert site.asked == [("HEAD", "/")]
    with time_machine.travel(START + 9 * DAY, tick=False):
        assert rounds() == 1


def test_head_that_is_refused_is_followed_by_get(site, monkeypatch):
    monkeypatch.setattr(time, "sleep", lambda _seconds: None)
    site.pages["/"] = lambda request: 405 if request.command == "HEAD" else 200
    assert links.visit(site.url) == Finding(200)
    assert site.asked == [("HEAD", "/"), ("GET", "/")]


def test_missing_page_is_found_missing(site, monkeypatch):
    monkeypatch.setattr(time, "sleep", lambda _seconds: None)
    assert links.visit(f"{site.url}/gone") == Finding(404)


def test_move_for_good_is_told_and_one_for_now_is_not(site):
    site.pages |= {"/old": redirect("/new", 301), "/busy": redirect("/new", 302), "/lost": redirect("/nothing", 301), "/new": 200}
    assert links.visit(f"{site.url}/old").moved_to == f"{site.url}/new"
    assert links.visit(f"{site.url}/busy").moved_to == ""
    assert links.visit(f"{site.url}/lost").moved_to == ""


@pytest.mark.parametrize("url", ["https://127.0.0.1/", "http://user:word@example.org/", "http://localhost/admin", "http://example.org:22/", "http://"])
def test_what_is_no_address_for_everybody_is_broken_at_once_and_never_asked(url):
    row = link(url)
    links.judge(row.pk, links.visit(row.url))
    row.refresh_from_db()
    assert row.state == LinkState.BROKEN
    assert row.why


@pytest.mark.django_db(transaction=True)
def test_link_is_broken_after_three_failures_over_two_days(site):
    site.pages["/"] = 500
    row = link(site.url)
    story, now = [], START
    LinkCheck.objects.update(next_check_at=START)
    while len(story) < 5:
        with time_machine.travel(now, tick=False):
            rounds()
        row.refresh_from_db()
        story.append((row.state, row.fails, row.next_check_at - now))
        assert row.first_failed_at == START
        now = row.next_check_at
    hours = datetime.timedelta(hours=1)
    assert story == [
        (LinkState.FAILING, 1, 6 * hours),
        (LinkState.FAILING, 2, 18 * hours),
        (LinkState.FAILING, 3, 36 * hours),
        (LinkState.BROKEN, 4, 48 * hours),
        (LinkState.BROKEN, 5, 96 * hours),
    ]
    assert "500" in row.why
    site.pages["/"] = 200
    with time_machine.travel(now, tick=False):
        rounds()
    row.refresh_from_db()
    assert (row.state, row.fails, row.first_failed_at) == (LinkState.FINE, 0, None)


def test_one_bad_night_breaks_nothing():
    """A checker that goes by the number alone would report this one at dawn."""
    row = link("https://one.example/")
    for hour in range(6):
        with time_machine.travel(START + datetime.timedelta(hours=hour), tick=False):
            links.judge(row.pk, Finding(reason=Reason.NO_ANSWER))
    row.refresh_from_db()
    assert (row.state, row.fails) == (LinkState.FAILING, 6)
    with time_machine.travel(START + BROKEN_AFTER, tick=False):
        links.judge(row.pk, Finding(reason=Reason.NO_ANSWER))
    row.refresh_from_db()
    assert row.state == LinkState.BROKEN


@pytest.mark.parametrize("status", [401, 403, 451])
def test_closed_door_is_not_broken(status):
    row = link("https://one.example/")
    links.judge(row.pk, Finding(status))
    row.refresh_from_db()
    assert row.state == LinkState.UNSURE
    assert str(status) in row.why


@pytest.mark.parametrize(
    ("status", "wish", "wait"),
    [
        (429, "7200", datetime.timedelta(hours=2)),
        (503, "10", datetime.timedelta(hours=1)),
        (429, "99999999", datetime.timedelta(days=7)),
        (429, "Mon, 02 Mar 2026 21:00:00 GMT", datetime.timedelta(hours=12)),
        (429, "", DAY),
        (429, "soon", DAY),
        (429, "9" * 400, DAY),
        (503, "", None),
    ],
)
def test_host_that_asks_for_patience_gets_it(site, status, wish, wait, monkeypatch):
    monkeypatch.setattr(time, "sleep", lambda _seconds: None)
    site.pages["/"] = (status, {"Retry-After": wish} if wish else {}, b"")
    with time_machine.travel(START, tick=False):
        assert links.visit(site.url).wait == wait


def test_patience_holds_for_the_whole_host_and_is_no_failure():
    asked, beside, other = link("https://one.example/a"), link("https://one.example/b"), link("https://two.example/")
    with time_machine.travel(START, tick=False):
        LinkCheck.objects.update(next_check_at=START)
        links.judge(asked.pk, Finding(429, wait=DAY))
    rows = {row.url: row for row in LinkCheck.objects.all()}
    assert [rows[one.url].next_check_at for one in (asked, beside, other)] == [START + DAY, START + DAY, START]
    assert (rows[asked.url].state, rows[asked.url].fails) == (LinkState.NEW, 0)


@pytest.mark.django_db(transaction=True)
def test_host_is_asked_one_question_at_a_time_with_a_pause(site, settings):
    with serve({"/": 200}) as other:
        site.pages |= {f"/{number}": 200 for number in range(3)}
        settings.OUTGOING_ALLOWED_HOSTS = [site.host, other.host]
        for number in range(3):
            row = link(f"{site.url}/{number}")
            LinkCheck.objects.filter(pk=row.pk).update(host="one.example")
        link(other.url)
        LinkCheck.objects.filter(url__startswith=other.url).update(host="two.example")
        now = timezone.now() + DAY
        asked = []
        for _ in range(4):
            with time_machine.travel(now, tick=False):
                rounds()
            asked.append(len(site.asked))
            now += links.HOST_PAUSE + datetime.timedelta(seconds=1)
        assert (asked, len(other.asked)) == ([1, 2, 3, 3], 1)


@pytest.mark.django_db(transaction=True)
def test_two_workers_never_ask_the_same(site):
    for number in range(6):
        row = link(f"{site.url}/{number}")
        LinkCheck.objects.filter(pk=row.pk).update(host=f"{number}.example")
    links.run_once()
    links.finish()
    LinkCheck.objects.update(lease_until=None, checked_at=None, next_check_at=timezone.now())
    claims = at_once(lambda: links._claim(4), lambda: links._claim(4))
    taken = [pk for claim in claims for pk, _url in claim]
    assert len(taken) == len(set(taken)) == 6


@pytest.mark.django_db(transaction=True)
def test_lease_of_a_dead_worker_runs_out(site):
    site.pages["/"] = 200
    row = link(site.url)
    links.run_once()
    links.finish()
    LinkCheck.objects.update(lease_until=timezone.now() + links.LEASE, next_check_at=timezone.now(), checked_at=None)
    assert rounds() == 0
    with time_machine.travel(timezone.now() + links.LEASE + datetime.timedelta(seconds=1), tick=False):
        assert rounds() == 1
    row.refresh_from_db()
    assert row.state == LinkState.FINE


@pytest.mark.django_db(transaction=True)
def test_slow_site_holds_no_round_of_the_worker(site):
    def slow(_request):
        time.sleep(1)
        return 200

    site.pages["/"] = slow
    link(site.url)
    began = time.monotonic()
    links.run_once()
    assert time.monotonic() - began < 0.5
    assert links.finish() == 1


def test_idle_round_costs_few_queries(site, django_assert_max_num_queries):
    links.run_once()
    with django_assert_max_num_queries(9):
        links.run_once()


def test_nobody_is_asked_where_checks_are_off(site, settings):
    settings.LINK_CHECKS = False
    link(site.url)
    links.run_once()
    assert links.finish() == 0
    assert site.asked == []


def test_link_that_is_gone_meanwhile_is_no_error():
    assert links.judge(0, Finding(200)) is None


# --- Deciding -----------------------------------------------------------------------------------------------------------


def test_ignored_link_is_neither_asked_nor_reported(site, editor):
    row = link(site.url, state=LinkState.BROKEN)
    links.ignore(row, because="Only in the campaign", by=editor)
    assert not LinkCheck.objects.broken().exists()
    assert not LinkCheck.objects.due(timezone.now()).exists()
    links.watch_again(row, by=editor)
    assert list(LinkCheck.objects.broken()) == [row]
    assert LinkCheck.objects.due(timezone.now()).exists()


def test_recheck_makes_it_due(editor):
    row = link("https://one.example/", next_check_at=timezone.now() + DAY)
    links.check_again(row, by=editor)
    assert list(LinkCheck.objects.due(timezone.now())) == [row]


def test_only_editors_decide():
    row = link("https://one.example/")
    for decide in (links.check_again, links.watch_again, lambda row, by: links.ignore(row, because="x", by=by)):
        with pytest.raises(PermissionDenied):
            decide(row, by=UserFactory())
