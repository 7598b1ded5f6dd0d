"""A site of the test's own, which partners' requests may reach."""

import pytest

from marketplace.federation.readers import web_pages
from tests.websites import serve


@pytest.fixture
def site(settings, monkeypatch):
    monkeypatch.setattr(web_pages, "PAUSE", 0)
    with serve({}) as site:
        settings.OUTGOING_ALLOWED_HOSTS = [site.host]
        yield site
