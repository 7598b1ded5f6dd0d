"""The newest results of a search as Atom."""

import datetime

import feedparser
import pytest
from django.urls import reverse
from django.utils import timezone

from tests.factories import CompanyFactory, ListingFactory
from tests.synergies.conftest import own_index  # noqa: F401 - a fixture

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("own_index")]


@pytest.fixture
def read(client):
    """The feed as a feed reader understands it."""

    def fetch(query="", **headers):
        response = client.get(reverse("listings:feed") + query, headers=headers)
        assert response.status_code == 200, response.content
        assert response["Content-Type"] == "application/atom+xml; charset=utf-8"
        parsed = feedparser.parse(response.content)
        assert not parsed.bozo
        return parsed

    return fetch


def live(**fields):
    return ListingFactory(live=True, **fields)


def published(days_ago: int, **fields):
    return live(published_at=timezone.now() - datetime.timedelta(days=days_ago), **fields)


@pytest.fixture
def index():
    from search import index as engine  # noqa: PLC0415 - as the tests of the engine do

    return engine.rebuild


def test_feed_holds_what_the_search_finds_newest_first(read, index):
    old, new = published(9, title="Guants de nitril"), published(2, title="Guants de vinil")
    published(1, title="Transport urgent", sector_id="4941")
    index()
    parsed = read("?q=guants&sort=expiring&page=7")
    assert [entry.id for entry in parsed.entries] == [new.uid.urn, old.uid.urn]
    assert parsed.entries[0].link == f"http://testserver{new.get_absolute_url()}"
    assert parsed.feed.link == f"http://testserver{reverse('listings:search')}?q=guants"
    assert "guants" in parsed.feed.title


def test_feed_without_a_search_holds_the_newest_of_all(read, index):
    listings = [published(days) for days in range(1, 36)]
    index()
    assert [entry.id for entry in read().entries] == [listing.uid.urn for listing in listings[:30]]


def test_feed_of_what_nobody_understands_is_refused(client):
    for query in ("?kind=gift", "?near=Atlantis&km=5", "?sector=99999"):
        response = client.get(reverse("listings:feed") + query)
        assert response.status_code == 400
        assert response["Content-Type"].startswith("text/plain")


def test_feed_keeps_its_name_and_escapes_its_texts(read, index, settings):
    live(
        title="Cargols <b>M8</b> & femelles",
        description="Preu < 3 €\nper <script>alert(1)</script> peça\x0b, i més coses",
        company=CompanyFactory(name="A & B, SL"),
    )
    index()
    parsed = read()
    assert parsed.entries[0].title.endswith(": Cargols <b>M8</b> & femelles")
    assert "<script>" not in parsed.entries[0].summary
    assert parsed.entries[0].author == "A & B, SL"
    name = parsed.feed.id
    settings.SITE_NAME = "Un altre nom"
    assert read().feed.id == name
    assert read("?kind=offer").feed.id != name


def test_feed_says_when_nothing_is_new(client, index):
    live()
    index()
    first = client.get(reverse("listings:feed"))
    assert client.get(reverse("listings:feed"), headers={"If-None-Match": first["ETag"]}).status_code == 304


def test_feed_asks_the_database_as_often_for_three_as_for_one(client, index, django_assert_num_queries, django_assert_max_num_queries):
    live()
    index()
    client.get(reverse("listings:feed"))
    with django_assert_max_num_queries(4) as one:
        client.get(reverse("listings:feed"))
    live(), live()
    index()
    with django_assert_num_queries(len(one)):
        client.get(reverse("listings:feed"))


def test_search_page_links_its_feed(client, index):
    live(title="Guants de nitril")
    index()
    page = client.get(reverse("listings:search") + "?q=guants&sort=recent").content.decode()
    assert 'type="application/atom+xml" title="' in page
    assert page.count(f'href="{reverse("listings:feed")}?q=guants"') == 2
    assert reverse("listings:feed") not in client.get(reverse("listings:search") + "?kind=gift").content.decode()
