"""The snapshot: what it holds, in pages and in one stream, and that a large one costs no more memory than a small one."""

import gc
import gzip
import json
import tracemalloc
import uuid

import pytest
from django.db import transaction
from django.test import RequestFactory
from django.utils import timezone

from marketplace.core import changelog
from marketplace.federation.feed_views import Changes
from marketplace.federation.models import FeedEntry
from marketplace.listings import operations
from marketplace.listings.enums import State
from tests.factories import CompanyFactory, ListingFactory
from tests.federation import feeding

pytestmark = pytest.mark.django_db

SNAPSHOT = feeding.URLS["snapshot"]


@pytest.fixture
def reader():
    return feeding.partner()


@pytest.fixture
def listings():
    made = ListingFactory.create_batch(5, company=CompanyFactory(), live=True)
    touch(*made)
    feeding.follow()
    return sorted(made, key=lambda listing: listing.uid)


def touch(*listings):
    with transaction.atomic():
        changelog.append_many("listing", [listing.uid for listing in listings])


def uri(listing) -> str:
    return f"http://testserver/id/listing/{listing.uid}"


def fill(number: int) -> None:
    """Entries of the usual size, with no listing behind them."""
    FeedEntry.objects.bulk_create(
        (
            FeedEntry(
                uid=(uid := uuid.uuid4()),
                uri=f"x:{uid}",
                op="upsert",
                version=1,
                updated_at=timezone.now(),
                text=json.dumps({"uri": f"x:{uid}", "x": "y" * 2000}),
            )
            for _ in range(number)
        ),
        batch_size=1000,
    )


def test_snapshot_holds_all_that_is_live_between_its_two_lines(reader, listings):
    listings[0].state = State.WITHDRAWN
    listings[0].save()
    touch(listings[0])
    feeding.follow()
    first, *items, last = reader.snapshot()
    assert [item["uri"] for item in items] == [uri(listing) for listing in listings[1:]]
    assert items == [reader.one(listing).json() for listing in listings[1:]]
    assert first.keys() == {"as_of", "total"}
    assert (first["total"], last) == (4, {"end": True, "count": 4})


def test_changes_go_on_where_the_snapshot_was_made(reader, listings):
    reader.cursor = reader.snapshot()[0]["as_of"]
    assert reader.read() == []
    operations.erase([listings[2]], by=None)
    feeding.follow()
    assert [item["uri"] for item in reader.read()] == [uri(listings[2])]


def test_change_amid_the_pages_is_told_by_the_cursor_of_the_first(reader, listings):
    """Whichever side of the reader's place the change is on: nothing is missed, and the mark and sweep is right."""
    page = reader.get(SNAPSHOT, limit=2)
    as_of, marked = feeding.lines(page)[0]["as_of"], {item["uri"] for item in feeding.lines(page)[1:-1]}
    operations.erase([listings[0], listings[4]], by=None)
    new = ListingFactory(live=True)
    touch(new)
    feeding.follow()
    while "Link" in page:
        page = reader.get(page["Link"].partition(">")[0][1:])
        assert feeding.lines(page)[0]["as_of"] == as_of
        marked |= {item["uri"] for item in feeding.lines(page)[1:-1]}
    assert {uri(listings[0]), *map(uri, listings[1:4])} <= marked
    reader.state, reader.cursor = dict.fromkeys(marked, ""), as_of
    reader.read()
    assert reader.state.keys() == {uri(listing) for listing in [*listings[1:4], new]}


def test_pages_hold_together_what_the_stream_holds(reader, listings):
    streamed = reader.snapshot()
    paged, page = [], reader.get(SNAPSHOT, limit=2)
    while True:
        first, *items, last = feeding.lines(page)
        assert (first, last) == (streamed[0], {"end": True, "count": len(items)})
        paged += items
        if "Link" not in page:
            break
        page = reader.get(page["Link"].partition(">")[0][1:])
    assert paged == streamed[1:-1]


def test_empty_snapshot_has_its_two_lines(reader):
    assert [list(line) for line in reader.snapshot()] == [["as_of", "total"], ["end", "count"]]


def test_snapshot_of_a_choice_that_changed_meanwhile_begins_anew(reader, listings):
    page = reader.get(SNAPSHOT, limit=2)
    feeding.give(reader.partner, give_kinds=["offer"])
    assert reader.get(page["Link"].partition(">")[0][1:]).status_code == 410


@pytest.mark.parametrize("parameters", [{}, {"limit": 500}])
def test_snapshot_takes_gzip(reader, listings, parameters):
    packed = reader.get(SNAPSHOT, headers={"Accept-Encoding": "gzip"}, **parameters)
    assert packed["Content-Encoding"] == "gzip"
    assert gzip.decompress(packed.getvalue()) == reader.get(SNAPSHOT, **parameters).getvalue()


def peak(work) -> int:
    """The most bytes that were held at once."""
    work()
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("encoding", ["identity", "gzip"])
def test_snapshot_of_five_times_as_much_takes_no_more_memory(reader, encoding):
    def read():
        response = reader.get(SNAPSHOT, headers={"Accept-Encoding": encoding})
        assert sum(1 for _part in response.streaming_content) > 2

    def naive():
        return "\n".join(FeedEntry.objects.values_list("text", flat=True))

    fill(1500)
    small, naive_small = peak(read), peak(naive)
    fill(6000)
    large, naive_large = peak(read), peak(naive)
    assert large < 1.25 * small
    assert naive_large > 4 * naive_small, "what it would take in one piece"


def test_snapshot_asks_once_for_each_chunk(reader, listings, django_assert_num_queries, monkeypatch):
    reader.snapshot()
    monkeypatch.setattr("marketplace.federation.feed_views.CHUNK", 2)
    # What keys are used for is written now and then.
    monkeypatch.setattr("marketplace.rest.usage.FLUSH_SECONDS", 10**6)
    # Key, node, log, choice (2), place, total, three chunks.
    with django_assert_num_queries(10):
        reader.snapshot()


def test_reading_five_times_as_many_pages_takes_no_more_memory(reader):
    """DRF's view and request know each other: what they hold would wait for the garbage collector."""

    def read():
        cursor, has_more = {}, True
        while has_more:
            request = RequestFactory().get(feeding.URLS["changes"], {"limit": 500} | cursor, headers={"Authorization": f"Bearer {reader.key}"})
            response = Changes.as_view()(request)
            end = json.loads(b"{" + response.content[response.content.rindex(b'"cursor"') :])
            cursor, has_more = {"cursor": end["cursor"]}, end["more"]

    fill(1500)
    gc.disable()
    try:
        small = peak(read)
        fill(6000)
        assert peak(read) < 1.5 * small
    finally:
        gc.enable()
