"""The finder on the embedded engine; without its index there is no engine, and the page must still serve."""

from html import unescape

import pytest
from django.test import Client
from django.utils import translation

from search import index
from tests.cms.aid.factories import finder, make_aid

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _own_index(settings, tmp_path):
    settings.EMBEDDED_INDEX_PATH = tmp_path / "index"


def search(query="", *, language="ca", status=200, **headers):
    response = Client(headers=headers).get(finder(language).get_url() + query)
    assert response.status_code == status, response
    return response


def text(response):
    return unescape(response.content.decode())


def titles(response):
    return [item.page.title for item in response.context["found"].items]


def test_first_page_shows_all_open_aid():
    make_aid("Digitalització del petit comerç")
    make_aid("Préstec per a plaques solars", kind="loan")
    index.rebuild()
    assert titles(search()) == ["Digitalització del petit comerç", "Préstec per a plaques solars"]
    assert titles(search("?q=digitalitzacio")) == ["Digitalització del petit comerç"]


def test_aid_page_shows():
    page = make_aid("Digitalització del petit comerç", amount_max=5000, share_max=50)
    response = Client().get(page.get_url())
    assert response.status_code == 200
    assert "5.000\u00a0€" in text(response)
