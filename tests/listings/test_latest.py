"""The newest public listings by a kept statement: the very rows that the queryset gives, at any moment."""

import datetime

import pytest
import time_machine
from django.utils import timezone

from marketplace.listings import latest, rows
from marketplace.listings.enums import State
from marketplace.listings.models import Listing
from marketplace.rest.paging import behind
from tests.factories import CompanyFactory, ListingFactory
from tests.rest.programs import Program

pytestmark = pytest.mark.django_db

FORWARD, BACKWARD = ("-published_at", "-id"), ("published_at", "id")
MOMENT = datetime.datetime(2026, 11, 3, 10, 0, 0, 123456, tzinfo=datetime.UTC)


@pytest.fixture
def listings():
    """Live ones, three of them published in one moment, the whole second; and four that nobody may see."""
    shown = [ListingFactory(live=True) for _ in range(7)]
    for number, listing in enumerate(shown):
        at = MOMENT.replace(microsecond=0) if 2 <= number <= 4 else MOMENT + datetime.timedelta(minutes=number)
        Listing.objects.filter(pk=listing.pk).update(published_at=at)
    ListingFactory()
    ListingFactory(live=True, company=CompanyFactory(hidden=True))
    Listing.objects.filter(pk=ListingFactory(live=True).pk).update(state=State.WITHDRAWN)
    Listing.objects.filter(pk=ListingFactory(live=True).pk).update(valid_until=timezone.localdate() - datetime.timedelta(days=1))
    return shown


def by_the_queryset(steps, place, most):
    listings = rows.public(Listing.objects.live().exclude(published_at=None)).order_by(*steps)
    return list((listings.filter(behind(steps, place)) if place else listings)[:most])


@pytest.mark.parametrize("steps", [FORWARD, BACKWARD])
def test_every_page_is_that_of_the_queryset(listings, steps):
    everything = by_the_queryset(steps, [], 100)
    assert len(everything) == 7
    assert list(rows.written(latest.fetched(steps, [], 100))) == list(rows.written(everything))
    for row in everything:
        place = [row[rows.POSITIONS["published_at"]], row[rows.POSITIONS["id"]]]
        for most in (1, 3, 100):
            found = latest.fetched(steps, place, most)
            assert list(rows.written(found)) == list(rows.written(by_the_queryset(steps, place, most)))
            assert [row[:3] for row in map(tuple, found)] == [row[:3] for row in by_the_queryset(steps, place, most)]


def test_what_ends_at_midnight_is_gone_a_second_later(listings):
    today = timezone.localdate()
    Listing.objects.filter(pk=listings[0].pk).update(valid_until=today)
    midnight = timezone.make_aware(datetime.datetime.combine(today + datetime.timedelta(days=1), datetime.time()))
    with time_machine.travel(midnight - datetime.timedelta(seconds=1), tick=False):
        assert len(latest.fetched(FORWARD, [], 100)) == 7
        # A statement that is kept for good goes on to say what was valid then.
        kept = latest._statement(FORWARD, False, 100, "", 0)
    with time_machine.travel(midnight, tick=False):
        assert len(latest.fetched(FORWARD, [], 100)) == 6
        assert latest._statement(FORWARD, False, 100, "", 0) == kept != latest._statement(FORWARD, False, 100, "", 1)


def test_what_is_hidden_or_taken_back_is_gone_at_once(listings):
    assert len(latest.fetched(FORWARD, [], 100)) == 7
    listings[0].company.hidden = True
    listings[0].company.save()
    Listing.objects.filter(pk=listings[1].pk).update(state=State.WITHDRAWN)
    assert len(latest.fetched(FORWARD, [], 100)) == 5


def test_walk_over_pages_of_every_size_is_exact(listings):
    expected = [str(uid) for uid in Listing.objects.live().order_by("-published_at", "-id").values_list("uid", flat=True)]
    for limit in (1, 2, 5, 100):
        found, address = [], f"/api/v1/listings/?limit={limit}"
        while address:
            page = Program().get(address.removeprefix("http://testserver")).json()
            found += [row["uid"] for row in page["results"]]
            address = page["next"]
        assert found == expected
