"""The deadlines as a page and as a feed, read back by the library that calendar programs are like."""

import datetime
from itertools import pairwise

import icalendar
import pytest
import time_machine
from django.test import Client
from django.utils import timezone, translation

from tests.cms.aid.factories import finder, make_aid, translate_aid

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _in_english(settings, tmp_path):
    """The texts below are those of the templates, whatever their translations say."""
    settings.EMBEDDED_INDEX_PATH = tmp_path / "index"
    with translation.override("en"):
        yield


def day(offset):
    return timezone.localdate() + datetime.timedelta(days=offset)


def aid(title, *calls, **fields):
    return make_aid(title, language="en", calls=[{"opens_on": opens, "deadline": deadline} for opens, deadline in calls], **fields)


def get(name, query="", language="en", **kwargs):
    response = Client().get(finder(language).address(name, **kwargs) + query)
    assert response.status_code == 200
    return response


def events(name="calendar_feed", query="", **kwargs):
    response = get(name, query, **kwargs)
    assert response["Content-Type"] == "text/calendar; charset=utf-8"
    return {str(event["summary"]): event for event in icalendar.Calendar.from_ical(response.content).walk("VEVENT")}


# --- The page -----------------------------------------------------------------------------------------------------------------


def test_months_hold_what_is_still_to_come():
    aid("Shops", (day(-40), day(-1)), (day(40), day(70)))
    months = get("calendar").context["months"]
    entries = [(entry.day, entry.opening) for month in months for _day, found in month.days for entry in found]
    assert entries == [(day(40), True), (day(70), False)]


@time_machine.travel(datetime.datetime(2026, 5, 31, 12, tzinfo=datetime.UTC))
def test_last_day_of_a_month_is_shown_in_it_until_it_is_over():
    aid("Shops", (None, datetime.date(2026, 5, 31)))
    page = get("calendar")
    assert [month.first for month in page.context["months"]] == [datetime.date(2026, 5, 1)]
    assert "May 2026" in page.content.decode()
    assert 'class="today ' in page.content.decode()
    with time_machine.travel(datetime.datetime(2026, 5, 31, 22, 30, tzinfo=datetime.UTC)):
        assert get("calendar").context["months"] == []  # It is June in Terrassa.


def test_grid_has_whole_weeks_from_monday_on():
    aid("Shops", (None, day(45)))
    for month in get("calendar").context["months"]:
        days = [cell.date for week in month.weeks for cell in week]
        assert days[0].isoweekday() == 1
        assert len(days) % 7 == 0
        assert all(after - before == datetime.timedelta(days=1) for before, after in pairwise(days))


def test_calendar_of_a_search_shows_only_what_it_finds():
    aid("A loan", (None, day(20)), kind="loan")
    aid("A grant", (None, day(20)))
    page = get("calendar", "?kind=loan")
    assert "A loan" in page.content.decode()
    assert "A grant" not in page.content.decode()
    assert page.context["addresses"]["subscribe"].startswith("webcal://testserver/")
    assert page.context["addresses"]["subscribe"].endswith("?kind=loan")


def test_calendar_without_deadlines_says_so():
    aid("Advice")
    page = get("calendar").content.decode()
    assert "No deadlines ahead" in page
    assert "Advice" in page


@pytest.mark.parametrize("query", ["?kind=gift", "?q=" + "a" * 5000, "?q=%01%EF%BF%BEshops", "?q=a%0D%0AX:b", "?page=99", "?x=1", "?company=1"])
def test_calendar_and_feeds_take_any_query(query):
    aid("Shops", (None, day(20)))
    for name in ("calendar", "calendar_feed", "feed"):
        get(name, query)


# --- The feed -----------------------------------------------------------------------------------------------------------------


def test_feed_has_whole_days_and_what_one_needs_to_know():
    page = aid("Shops", (day(-3), day(20)), amount_max=5000, summary="Aid for shops; up to 5,000 €, and more")
    event = events()["Last day: Shops"]
    assert event["dtstart"].params["VALUE"] == "DATE"
    assert event.decoded("dtstart") == day(20)
    assert event.decoded("dtend") == day(21)
    assert str(event["url"]).endswith(page.get_url())
    assert "Aid for shops; up to 5,000 €, and more" in str(event["description"])
    assert event["status"] == "CONFIRMED"
    assert event["transp"] == "TRANSPARENT"


def test_feed_says_how_it_is_called_and_how_often_to_ask():
    aid("A loan", (None, day(20)), kind="loan")
    calendar = icalendar.Calendar.from_ical(get("calendar_feed", "?kind=loan").content)
    assert str(calendar["x-wr-calname"]) == str(calendar["name"]) == "Aid deadlines: Loan"
    assert calendar["refresh-interval"].params["VALUE"] == "DURATION"
    assert str(calendar["version"]) == "2.0"
    assert "x-published-ttl" in calendar


def test_changed_deadline_keeps_its_uid_and_raises_sequence_and_time():
    """With a UID made of the date a program would show both days, with the same SEQUENCE the old one."""
    with time_machine.travel(timezone.now() - datetime.timedelta(days=2), tick=False):
        page = aid("Shops", (None, day(20)))
        before = events()["Last day: Shops"]
    call = page.calls.get()
    call.deadline = day(30)
    page.calls = [call]
    page.save_revision().publish()
    after = events()["Last day: Shops"]
    assert after.decoded("dtstart") == day(30)
    assert after["uid"] == before["uid"]
    assert after["sequence"] > before["sequence"]
    assert after.decoded("last-modified") > before.decoded("last-modified")


def test_nothing_changed_means_the_same_uid_and_sequence():
    aid("Shops", (None, day(20)))
    first = events()["Last day: Shops"]
    with time_machine.travel(timezone.now() + datetime.timedelta(days=3)):
        again = events()["Last day: Shops"]
    assert (first["uid"], first["sequence"], first["last-modified"].dt) == (again["uid"], again["sequence"], again["last-modified"].dt)


def test_versions_of_a_page_share_their_uids():
    page = make_aid("Botigues")
    translate_aid(page, "en", "Shops")
    catalan = {event["uid"] for event in events(language="ca").values()}
    assert {event["uid"] for event in events().values()} == catalan
    assert len(catalan) == 1


def test_used_up_budget_cancels_the_deadline():
    make_aid("Shops", language="en", calls=[{"deadline": day(20), "exhausted_on": day(-1)}])
    assert {summary: str(event["status"]) for summary, event in events().items()} == {"Budget used up: Shops": "CANCELLED"}


def test_what_has_just_passed_stays_in_the_feed_for_a_while():
    aid("Shops", (None, day(-3)))
    aid("Old", (None, day(-90)))
    assert set(events()) == {"Last day: Shops"}


def test_dates_of_one_aid_are_a_file_of_their_own():
    page = aid("Shops", (day(5), day(20)))
    aid("Other", (None, day(20)))
    assert set(events("calendar_of_one", number=page.pk)) == {"Opens: Shops", "Last day: Shops"}
    assert Client().get(finder("en").address("calendar_of_one", number=99999)).status_code == 404


def test_lines_of_the_feed_are_as_the_standard_wants_them():
    aid("Ajut per a " + "botigues i comerços, " * 8, (None, day(20)))
    lines = get("calendar_feed").content.split(b"\r\n")
    assert all(len(line) <= 75 for line in lines)
    assert b"\n" not in b"".join(lines)


def test_names_are_in_the_language_of_the_page():
    make_aid("Botigues", language="es")
    response = get("calendar_feed", language="es")
    assert response["Content-Type"].startswith("text/calendar")
