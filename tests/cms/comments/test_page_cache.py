"""Pages are kept for visitors; what they say of their conversation has to be true all the same."""

import pytest
from django.apps import apps
from django.core.cache import caches
from django.test import Client

from cms.comments import kinds, operations
from cms.comments.enums import Moderation
from cms.pages.models import HomePage, NewsIndexPage, NewsPage


@pytest.fixture
def news(settings, tmp_path, transactional_db):
    """A piece of news in English, with the page cache on."""
    settings.CACHES = settings.CACHES | {"pages": {"BACKEND": "django.core.cache.backends.filebased.FileBasedCache", "LOCATION": str(tmp_path / "pages")}}
    home = HomePage.objects.get(locale__language_code="en")
    index = home.add_child(instance=NewsIndexPage(title="News", slug="news-here", locale=home.locale))
    yield index.add_child(instance=NewsPage(title="New aid", slug="new-aid", summary="For shops", locale=home.locale))
    caches["pages"].clear()


def text(page):
    return Client().get(page.get_url()).content.decode()


def test_kept_page_is_made_anew_when_a_comment_becomes_public(news, author, moderator):
    comment = operations.post(news, by=author, text="Good to know")
    assert "Be the first to comment" in text(news)
    operations.approve(comment, by=moderator)
    assert "Read 1 comment" in text(news)
    operations.delete(comment, by=author)
    assert "Be the first to comment" in text(news)
    operations.set_moderation(news, Moderation.OFF, by=moderator)
    assert 'id="comments"' not in text(news)
    operations.set_moderation(news, Moderation.BEFORE, by=moderator)
    operations.set_policy("pages.newspage", Moderation.OFF, by=moderator)
    assert 'id="comments"' in text(news)


def test_kept_page_holds_nothing_of_a_visitor(news, author, django_assert_num_queries):
    first = text(news)
    assert "csrfmiddlewaretoken" not in first
    with django_assert_num_queries(0):
        assert text(news) == first


@pytest.mark.parametrize("kind", list(kinds.KINDS))
def test_every_kind_with_comments_is_made_anew_by_them(kind):
    assert "comment" in apps.get_model(kind).shown_kinds
