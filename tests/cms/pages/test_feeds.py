import datetime

import pytest
from defusedxml import ElementTree
from django.core.cache import caches
from django.db import connection
from django.test.utils import CaptureQueriesContext

from cms.pages import feeds
from cms.pages.models import EventIndexPage, EventPage, NewsIndexPage, NewsPage, Topic
from tests.cms.pages.factories import home, make_page

pytestmark = pytest.mark.django_db
ATOM = "{http://www.w3.org/2005/Atom}"


def feed_of(client, index):
    response = client.get(f"{index.get_url()}atom/")
    assert response["Content-Type"] == "application/atom+xml; charset=utf-8"
    return ElementTree.fromstring(response.content)


def test_feed_of_news_holds_the_newest_first(client):
    older = make_page(NewsPage, title="La vella", date=datetime.date(2026, 10, 1))
    newer = make_page(NewsPage, title='La nova <1> & "més"', date=datetime.date(2026, 11, 1), summary="Què ha passat.")
    newer.topics.add(Topic.objects.create(slug="ajuts", name_ca="Ajuts"))
    newer.save_revision().publish()
    feed = feed_of(client, NewsIndexPage.objects.get())
    entries = feed.findall(f"{ATOM}entry")
    assert [entry.findtext(f"{ATOM}title") for entry in entries] == [newer.title, older.title]
    first = entries[0]
    assert first.find(f"{ATOM}link").get("href") == f"http://testserver{newer.get_url()}"
    assert first.findtext(f"{ATOM}summary") == "Què ha passat."
    assert first.findtext(f"{ATOM}published") == "2026-11-01T00:00:00+01:00"
    assert first.find(f"{ATOM}category").get("term") == "Ajuts"
    assert feed.find(f"{ATOM}link[@rel='self']").get("href").endswith("/atom/")
    assert feed.get("{http://www.w3.org/XML/1998/namespace}lang") == "ca"


def test_identity_stays_when_address_and_title_change(client, settings):
    page = make_page(NewsPage, title="Abans", slug="abans")
    index = NewsIndexPage.objects.get()
    before = [element.text for element in feed_of(client, index).iter(f"{ATOM}id")]
    page.title, page.slug = "Després", "despres"
    page.save_revision().publish()
    settings.SITE_NAME = "Un altre nom"
    assert [element.text for element in feed_of(client, index).iter(f"{ATOM}id")] == before
    assert all(one.startswith("urn:uuid:") for one in before)


def test_each_language_has_a_feed_of_its_own(client):
    news = make_page(NewsPage)
    index = NewsIndexPage.objects.get()
    spanish = index.copy_for_translation(home("es").locale)
    spanish.save_revision().publish()
    assert [entry.tag for entry in feed_of(client, spanish).findall(f"{ATOM}entry")] == []
    assert len(feed_of(client, index).findall(f"{ATOM}entry")) == 1
    assert feeds.identity(spanish) != feeds.identity(index)
    assert news.get_url() not in client.get(f"{spanish.get_url()}atom/").content.decode()


def test_feed_of_events_tells_when_they_were_announced(client):
    event = make_page(EventPage)
    entry = feed_of(client, EventIndexPage.objects.get()).find(f"{ATOM}entry")
    assert datetime.datetime.fromisoformat(entry.findtext(f"{ATOM}published")) == event.first_published_at


@pytest.mark.parametrize("kind", [NewsPage, EventPage])
def test_pages_lead_feed_readers_to_the_feed(client, kind):
    page = make_page(kind)
    index = page.get_parent()
    link = f'<link rel="alternate" type="application/atom+xml" title="{index.title}" href="{index.get_url()}atom/">'
    assert link in client.get(page.get_url()).content.decode()
    assert link in client.get(index.get_url()).content.decode()


def test_feed_costs_the_same_for_one_and_three(client):
    def cost():
        feed_of(client, index)
        caches["pages"].clear()
        with CaptureQueriesContext(connection) as queries:
            feed_of(client, index)
        return len(queries)

    make_page(NewsPage)
    index = NewsIndexPage.objects.get()
    one = cost()
    make_page(NewsPage)
    make_page(NewsPage)
    assert cost() == one


def test_feed_can_be_read_whatever_was_pasted_into_a_title(client):
    """Word's line break inside a paragraph is such a sign; one title with it would end the whole feed in an error."""
    make_page(NewsPage, title="Una línia\x0bi una altra", summary="\uffffQuè ha passat.")
    entry = feed_of(client, NewsIndexPage.objects.get()).find(f"{ATOM}entry")
    assert entry.findtext(f"{ATOM}title") == "Una líniai una altra"
    assert entry.findtext(f"{ATOM}summary") == "Què ha passat."
