import datetime

import icalendar
import pytest
import time_machine
from django.core.exceptions import ValidationError
from django.utils import timezone, translation

from cms.pages.models import EventIndexPage, EventPage
from tests.cms.pages.factories import make_page

pytestmark = pytest.mark.django_db
NOW = datetime.datetime(2026, 11, 22, 9, 0, tzinfo=datetime.UTC)
HOUR = datetime.timedelta(hours=1)


@pytest.fixture(autouse=True)
def _clock():
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture(autouse=True)
def _in_english():
    """Messages are those of the code, whatever their translations say; pages speak the language of their address."""
    with translation.override("en"):
        yield


def event(starts=NOW + 24 * HOUR, length=2 * HOUR, **fields):
    return make_page(EventPage, starts_at=starts, ends_at=starts + length, **fields)


def titles(client, query=""):
    return [page.title for page in client.get(EventIndexPage.objects.get().get_url() + query).context["page_of"].object_list]


def test_events_to_come_are_listed_soonest_first_and_past_ones_apart(client):
    event(NOW + 50 * HOUR, title="Demà passat")
    event(NOW + 20 * HOUR, title="Demà")
    event(NOW - HOUR, title="Ara mateix")
    event(NOW - 100 * HOUR, title="Fa dies")
    event(NOW - 50 * HOUR, title="Abans-d'ahir")
    assert titles(client) == ["Ara mateix", "Demà", "Demà passat"]
    assert titles(client, "?past=1") == ["Abans-d'ahir", "Fa dies"]


def test_list_has_pages(client):
    for day in range(13):
        event(NOW + (day + 1) * 24 * HOUR, title=f"Dia {day}")
    assert len(titles(client)) == 12
    assert titles(client, "?page=2") == ["Dia 12"]
    # What is no page is the nearest one.
    assert titles(client, "?page=nou") == titles(client)


def test_event_that_ends_before_it_begins_is_refused():
    page = event()
    page.ends_at = page.starts_at - HOUR
    with pytest.raises(ValidationError) as caught:
        page.full_clean()
    assert caught.value.message_dict == {"ends_at": ["The event ends before it begins. Check both dates and times."]}
    page.ends_at = page.starts_at
    with pytest.raises(ValidationError):
        page.full_clean()


def test_event_is_somewhere():
    page = event()
    page.place = ""
    with pytest.raises(ValidationError) as caught:
        page.full_clean()
    assert "place" in caught.value.message_dict
    page.online_url = "https://example.org/room"
    page.full_clean()


def test_event_goes_into_a_calendar(client):
    page = event(title="Taller; amb coma, i ñ", summary="Dues hores.", place="Vapor", address="Carrer de Colom, 114")
    response = client.get(page.get_url() + "calendar/")
    assert response["Content-Type"] == "text/calendar; charset=utf-8"
    (entry,) = icalendar.Calendar.from_ical(response.content).walk("VEVENT")
    assert str(entry["SUMMARY"]) == "Taller; amb coma, i ñ"
    assert str(entry["LOCATION"]) == "Vapor, Carrer de Colom, 114"
    assert entry.decoded("DTSTART") == page.starts_at
    assert entry.decoded("DTEND") == page.ends_at
    assert str(entry["URL"]) == f"http://testserver{page.get_url()}"


def test_entry_is_the_same_after_the_event_moved(client):
    page = event()

    def uid():
        return str(icalendar.Calendar.from_ical(client.get(page.get_url() + "calendar/").content).walk("VEVENT")[0]["UID"])

    before = uid()
    page.title, page.starts_at, page.ends_at = "Un altre nom", NOW + 90 * HOUR, NOW + 91 * HOUR
    page.save_revision().publish()
    assert uid() == before


def test_calendar_of_the_list_holds_what_is_to_come(client):
    event(title="Demà")
    event(NOW - 90 * HOUR, title="Fa dies")
    calendar = icalendar.Calendar.from_ical(client.get(EventIndexPage.objects.get().get_url() + "calendar/").content)
    assert [str(entry["SUMMARY"]) for entry in calendar.walk("VEVENT")] == ["Demà"]


def test_past_event_says_so_and_takes_no_registrations(client):
    page = event(registration_url="https://example.org/register")
    assert "https://example.org/register" in client.get(page.get_url()).content.decode()
    with time_machine.travel(page.ends_at, tick=False):
        client.cookies["sessionid"] = "not from the cache"
        html = client.get(page.get_url()).content.decode()
        assert "https://example.org/register" not in html
        assert page.is_over


def test_pages_say_until_when_they_hold():
    first, second = event(NOW + HOUR), event(NOW + 5 * HOUR)
    index = EventIndexPage.objects.get()
    assert index.fresh_until(NOW) == first.ends_at
    assert index.fresh_until(first.ends_at) == second.ends_at
    assert first.fresh_until(NOW) == first.ends_at
    assert first.fresh_until(first.ends_at) is None


def test_times_are_those_of_the_city(client):
    page = event(datetime.datetime(2026, 12, 1, 17, 30, tzinfo=datetime.UTC))
    assert "18:30" in client.get(page.get_url()).content.decode()
    assert timezone.localtime(page.starts_at).hour == 18
