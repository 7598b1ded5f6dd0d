import datetime

import pytest
import time_machine
from django.core.exceptions import ValidationError
from django.utils import translation
from wagtail.blocks.stream_block import StreamBlockValidationError

from cms.pages.models import OfficeIndexPage, OfficePage
from cms.pages.office_blocks import HoursBlock
from tests.cms.pages.factories import make_page, special, week

pytestmark = pytest.mark.django_db
#: A Tuesday, 10 in the morning in the city.
TUESDAY = datetime.datetime(2026, 11, 24, 9, 0, tzinfo=datetime.UTC)


@pytest.fixture(autouse=True)
def _in_english():
    """Messages are those of the code, whatever their translations say; pages speak the language of their address."""
    with translation.override("en"):
        yield


def faults(*blocks):
    stream = HoursBlock()
    with pytest.raises(StreamBlockValidationError) as caught:
        stream.clean(stream.to_python(list(blocks)))
    return {number: str({key: str(fault) for key, fault in error.block_errors.items()}) for number, error in caught.value.block_errors.items()}


def status_line(client, page):
    html = client.get(page.get_url(), headers={"authorization": "not from the cache"}).content.decode()
    return html.split('<p class="office-status')[1].split("</p>")[0]


def test_office_tells_whether_it_is_open_at_the_moment_of_asking(client):
    page = make_page(OfficePage, opening_hours=[week("01234"), week("1", "16:00", "19:00")])
    with time_machine.travel(TUESDAY, tick=False):
        assert "14:00" in status_line(client, page)
        assert 'class="badge good state"' in status_line(client, page)
    with time_machine.travel(TUESDAY + datetime.timedelta(hours=4), tick=False):
        assert "16:00" in status_line(client, page)
        assert "hollow" in status_line(client, page)
    with time_machine.travel(TUESDAY + datetime.timedelta(days=4), tick=False):
        assert "dilluns" in status_line(client, page)


def test_page_is_fresh_until_the_office_opens_or_closes():
    page = make_page(OfficePage, opening_hours=[week("01234")])
    closes = TUESDAY + datetime.timedelta(hours=4)
    assert page.fresh_until(TUESDAY) == closes
    assert page.fresh_until(closes) == TUESDAY + datetime.timedelta(hours=23)
    make_page(OfficePage, page.get_parent(), opening_hours=[week("1", "11:00", "12:00")])
    with time_machine.travel(TUESDAY, tick=False):
        assert OfficeIndexPage.objects.get().fresh_until(TUESDAY) == TUESDAY + datetime.timedelta(hours=1)
    assert make_page(OfficePage, opening_hours=[]).fresh_until(TUESDAY) is None


def test_exceptions_to_come_are_shown_and_past_ones_are_not(client):
    page = make_page(
        OfficePage,
        opening_hours=[week(), special("2026-12-24", "2026-12-31", ("09:00", "12:00"), note="Nadal"), special("2026-08-01", "2026-08-31", note="Agost")],
    )
    with time_machine.travel(TUESDAY, tick=False):
        html = client.get(page.get_url()).content.decode()
    assert "Nadal" in html
    assert "Agost" not in html


@pytest.mark.parametrize(
    ("blocks", "at", "words"),
    [
        ([week("0", "14:00", "09:00")], 0, "closes before it opens"),
        ([week("0", "09:00", "09:00")], 0, "closes before it opens"),
        ([week("01", "09:00", "14:00"), week("12", "13:00", "18:00")], 1, "open twice at the same time"),
        ([special("2026-12-31", "2026-12-24")], 0, "last day comes before the first"),
        ([special("2026-12-24", "2026-12-24", ("09:00", "12:00"), ("11:00", "13:00"))], 0, "hours overlap"),
        ([special("2026-12-24", "2026-12-31"), special("2026-12-31", "2027-01-01")], 1, "given for some of these days already"),
    ],
)
def test_hours_that_contradict_themselves_are_refused_where_they_stand(blocks, at, words):
    found = faults(*blocks)
    assert set(found) == {at}
    assert words in found[at]


def test_hours_that_touch_are_fine():
    stream = HoursBlock()
    stream.clean(
        stream.to_python([week("01", "09:00", "14:00"), week("1", "14:00", "18:00"), special("2026-12-24", "2026-12-24"), special("2026-12-25", "2026-12-26")])
    )


@pytest.mark.parametrize(
    ("place", "field"),
    [
        ({"latitude": "91", "longitude": "2"}, "latitude"),
        ({"latitude": "41", "longitude": "-180.1"}, "longitude"),
        ({"latitude": "41.5"}, "longitude"),
        ({"longitude": "2"}, "latitude"),
    ],
)
def test_place_off_the_map_is_refused(place, field):
    page = make_page(OfficePage)
    for name, value in place.items():
        setattr(page, name, value)
    with pytest.raises(ValidationError) as caught:
        page.full_clean()
    assert set(caught.value.message_dict) == {field}


def test_map_is_a_link_and_nothing_is_loaded_from_elsewhere(client):
    page = make_page(OfficePage, latitude="41.56278", longitude="2.00791")
    html = client.get(page.get_url()).content.decode()
    assert 'href="https://www.openstreetmap.org/?mlat=41.56278&amp;mlon=2.00791#map=18/41.56278/2.00791"' in html
    assert "query=Carrer+Major%2C+1%2C+08221+Terrassa" in make_page(OfficePage).map_url
    assert 'src="http' not in html
