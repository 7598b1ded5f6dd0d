"""What the tests of the page cache share."""

from contextlib import contextmanager

from django.db import connection
from django.test.utils import CaptureQueriesContext

from cms.pages.cache import generations
from cms.pages.models import StandardPage

ADDRESS = "/privacitat/"


def a_page() -> StandardPage:
    """The one at ADDRESS."""
    return StandardPage.objects.get(slug="privacitat")


def publish(page, **values) -> None:
    for name, value in values.items():
        setattr(page, name, value)
    page.save_revision().publish()


def text(response) -> str:
    return response.content.decode()


def quickly(client, *args, **kwargs):
    """As `client.get`, of which the database must not hear."""
    with no_queries():
        return client.get(*args, **kwargs)


@contextmanager
def no_queries():
    with CaptureQueriesContext(connection) as queries:
        yield
    assert [query["sql"] for query in queries] == []


def kept(page_cache) -> int:
    """How many pages are in the cache, beside the tokens."""
    tokens = page_cache.get_many([generations._name(kind) for kind in generations.KINDS])
    return len(page_cache._list_cache_files()) - len(tokens)
