"""What a page may cost: queries when it is rendered, bytes when it is seen first."""

import gzip
import re
from pathlib import Path

import brotli
import pytest
from django.contrib.staticfiles import finders
from django.core.exceptions import ValidationError
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from wagtail.actions.create_alias import CreatePageAliasAction
from wagtail.models import Page, PageViewRestriction

from cms.aid.models import AidIndexPage
from cms.pages.cache import generations
from cms.pages.models import FormPage, HomePage, NewsPage, StandardPage
from tests.cms.aid.factories import make_aid
from tests.cms.pages.factories import KINDS, LISTS, block, make_form, make_image, make_page, text
from tests.factories import ListingFactory

pytestmark = pytest.mark.django_db
QUERIES = 15
#: What whoever comes first after a publish pays besides, once in a process: the aid that lists show is read anew.
QUERIES_AFTER_PUBLISH = 15
#: HTML, styles and scripts without pictures, as browsers get them at the first view, and uncompressed.
BYTES_SENT, BYTES = 60_000, 180_000


@pytest.fixture
def site():
    """A small tree with every kind of page, each list with three pages, pictures in lists and texts."""
    ListingFactory.create_batch(3, live=True)
    aid = [make_aid(f"Ajut {number}") for number in range(3)]
    pages = [make_form() if kind is FormPage else make_page(kind) for kind in KINDS if kind not in LISTS.values()]
    for kind in LISTS:
        pages += [make_page(kind) for _ in range(2)]
    for _ in range(2):
        body = [text(), *(block("picture", {"image": {"image": make_image(width=400).pk, "alt_text": "x", "decorative": False}}) for _ in range(2))]
        pages.append(make_page(NewsPage, lead_image=make_image(width=400), lead_image_alt="x", body=body))
    return [*aid, *pages, *HomePage.objects.all(), *AidIndexPage.objects.all(), *StandardPage.objects.all()]


def queries(address: str) -> int:
    with CaptureQueriesContext(connection) as made:
        assert Client().get(address).status_code == 200, address
    return len(made)


def test_no_page_asks_more_than_fifteen_queries_to_be_rendered(site, page_cache):
    too_dear = {}
    for page in site:
        # What a process reads once is read; the page itself is rendered.
        queries(page.url)
        generations.renew(["comment", "image"])
        if (number := queries(page.url)) > QUERIES:
            too_dear[f"{type(page).__name__} {page.url}"] = number
    assert too_dear == {}


def test_first_page_after_a_publish_asks_little_more(site):
    too_dear = {f"{type(page).__name__} {page.url}": number for page in site if (number := queries(page.url)) and queries(page.url) > QUERIES_AFTER_PUBLISH}
    assert too_dear == {}


def test_no_page_sets_a_cookie(site):
    setting = [page.url for page in site if not isinstance(page, FormPage) and Client().get(page.url).cookies]
    assert setting == []


def test_all_pages_but_forms_come_from_the_cache_the_second_time(site, page_cache):
    dear = []
    for page in site:
        Client().get(page.url)
        if not isinstance(page, FormPage) and queries(page.url):
            dear.append(page.url)
    assert dear == []


# --- Restrictions in one query ------------------------------------------------------------------------------------------------


def test_restrictions_are_those_that_wagtail_finds():
    above = make_page(StandardPage)
    below = make_page(StandardPage, above)
    other = make_page(StandardPage)
    alias = CreatePageAliasAction(below, parent=other, update_slug="un-alies").execute(skip_permission_checks=True)
    alias_of_alias = CreatePageAliasAction(alias, parent=other, update_slug="un-altre").execute(skip_permission_checks=True)
    pages = [above, below, other, alias.specific, alias_of_alias.specific]
    for restricted in (above, below, other, alias, alias_of_alias):
        try:
            PageViewRestriction.objects.create(page=restricted, restriction_type=PageViewRestriction.LOGIN)
        except ValidationError:
            continue
        for page in pages:
            ours, theirs = page.get_view_restrictions(), Page.get_view_restrictions(page)
            assert set(ours) == set(theirs), (restricted, page)
            assert len(ours) == len(theirs)


# --- Weight -------------------------------------------------------------------------------------------------------------------


def weight(address: str) -> tuple[int, int]:
    """Bytes of the page with its styles and scripts: plain, and compressed as they are sent."""
    html = Client().get(address, headers={"accept-encoding": ""}).content
    names = re.findall(rb'<link rel="stylesheet" href="/static/([^"]+)"|<script src="/static/([^"]+)"', html)
    parts = [html, *(Path(finders.find((css or js).decode())).read_bytes() for css, js in names)]
    assert len(parts) > 5
    return sum(map(len, parts)), sum(len(brotli.compress(part, quality=5)) for part in parts)


def test_pages_are_light(site):
    heavy = {}
    for page in site:
        plain, sent = weight(page.url)
        if plain > BYTES or sent > BYTES_SENT:
            heavy[page.url] = (plain, sent)
    assert heavy == {}


def test_compression_is_worth_it(page_cache):
    page = Client().get("/")
    sent = Client().get("/", headers={"accept-encoding": "gzip"})
    assert gzip.decompress(sent.content) == page.content
    assert len(sent.content) < len(page.content) / 3
