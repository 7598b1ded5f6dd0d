"""Pages that only some may read: nobody else sees as much as their titles in a list."""

import pytest
from wagtail.models import PageViewRestriction

from cms.pages.models import EventPage, GuidePage, NewsPage, OfficePage
from tests.cms.pages.factories import home, make_page

pytestmark = pytest.mark.django_db


LISTS = [(NewsPage, ""), (NewsPage, "atom/"), (EventPage, ""), (EventPage, "atom/"), (EventPage, "calendar/"), (GuidePage, ""), (OfficePage, "")]


@pytest.mark.parametrize(("kind", "file"), LISTS)
def test_page_with_a_password_is_in_no_list(client, kind, file):
    shown, hidden = make_page(kind, title="Per a tothom"), make_page(kind, title="Només per a alguns")
    PageViewRestriction.objects.create(page=hidden, restriction_type=PageViewRestriction.PASSWORD, password="secret")
    index = shown.get_parent().specific
    text = client.get(index.get_url() + file).content.decode()
    assert "Per a tothom" in text
    assert "Només per a alguns" not in text


def test_news_with_a_password_stand_neither_on_the_home_page_nor_beside_others(client):
    shown, hidden = make_page(NewsPage, title="Per a tothom"), make_page(NewsPage, title="Només per a alguns")
    PageViewRestriction.objects.create(page=hidden, restriction_type=PageViewRestriction.LOGIN)
    for address in (home().get_url(), shown.get_url()):
        text = client.get(address).content.decode()
        assert "Per a tothom" in text
        assert "Només per a alguns" not in text


def test_list_below_a_page_with_a_password_shows_nothing_elsewhere(client):
    news = make_page(NewsPage, title="Només per a alguns")
    PageViewRestriction.objects.create(page=news.get_parent(), restriction_type=PageViewRestriction.LOGIN)
    assert "Només per a alguns" not in client.get(home().get_url()).content.decode()
