"""Every kind of page: it shows what it holds, tells search engines what it is, costs few queries, and stands where it may."""

import json
import re

import pytest
from django.core.cache import caches
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from wagtail.models import PageViewRestriction

from cms.pages import structured
from cms.pages.models import (
    EventIndexPage,
    EventPage,
    FaqPage,
    FiguresPage,
    FormPage,
    GuideIndexPage,
    GuidePage,
    HomePage,
    NewsIndexPage,
    NewsPage,
    OfficeIndexPage,
    OfficePage,
    StandardPage,
    Topic,
)
from tests.cms.pages.factories import KINDS, block, heading, make_form, make_image, make_page, text, week

pytestmark = pytest.mark.django_db
#: The types that each kind tells search engines, besides the way to it.
TYPES = {
    NewsPage: {"NewsArticle"},
    EventPage: {"Event"},
    OfficePage: {"GovernmentOffice"},
    FaqPage: {"FAQPage"},
}
#: What the whole site has to keep to, whatever is on a page.
MOST_QUERIES = 15


def page_of(response) -> str:
    return response.content.decode()


def data_of(response) -> list[dict]:
    """The structured data of a page, read as a search engine reads it."""
    return [json.loads(one) for one in re.findall(r'<script type="application/ld\+json">(.*?)</script>', page_of(response), re.DOTALL)]


def make(kind, **fields):
    return make_form(**fields) if kind is FormPage else make_page(kind, **fields)


@pytest.mark.parametrize("kind", KINDS)
def test_page_shows_itself_and_says_what_it_is(client, kind, settings):
    page = make(kind, title='Un títol <b>amb</b> "cometes"')
    response = client.get(page.get_url())
    html = page_of(response)
    assert response.status_code == 200
    assert "Un títol &lt;b&gt;amb&lt;/b&gt;" in html
    assert '<meta property="og:title" content="Un títol &lt;b&gt;' in html
    assert f'<meta property="og:url" content="{settings.SITE_URL}{page.get_url()}">' in html
    assert re.search(r'<meta property="og:image" content="http://testserver/', html)
    found = data_of(response)
    assert {part["@context"] for part in found} == {structured.CONTEXT}
    assert {part["@type"] for part in found} == {"BreadcrumbList"} | TYPES.get(kind, set())
    way = next(part for part in found if part["@type"] == "BreadcrumbList")["itemListElement"]
    assert [step["position"] for step in way] == list(range(1, len(way) + 1))
    assert way[-1]["name"] == page.title
    assert way[0]["item"] == f"{settings.SITE_URL}/"


@pytest.mark.parametrize("kind", KINDS)
def test_page_of_nothing_is_no_error(client, kind):
    """An editor may leave out everything that is not required."""
    assert client.get(make(kind).get_url()).status_code == 200


@pytest.mark.parametrize("kind", KINDS)
def test_uncached_page_costs_at_most_fifteen_queries(client, kind, django_assert_max_num_queries):
    picture = make_image()
    fields = {"lead_image": picture} if hasattr(kind, "lead_image") else {}
    page = make(kind, **fields)
    client.get(page.get_url())
    caches["pages"].clear()
    with django_assert_max_num_queries(MOST_QUERIES):
        client.get(page.get_url())


@pytest.mark.parametrize(
    ("index", "kind"), [(NewsIndexPage, NewsPage), (EventIndexPage, EventPage), (OfficeIndexPage, OfficePage), (GuideIndexPage, GuidePage)]
)
def test_list_costs_the_same_for_one_and_three(client, index, kind):
    picture, topic = make_image(), Topic.objects.create(slug="ajuts", name_ca="Ajuts")

    def add():
        page = make_page(kind, lead_image=picture)
        if hasattr(page, "topics"):
            page.topics.add(topic)
            page.save()

    def cost() -> int:
        client.get(address)
        caches["pages"].clear()
        with CaptureQueriesContext(connection) as queries:
            assert client.get(address).status_code == 200
        return len(queries)

    add()
    address = index.objects.get().get_url()
    one = cost()
    add()
    add()
    assert cost() == one <= MOST_QUERIES


def test_home_tells_who_runs_the_site(client):
    assert {part["@type"] for part in data_of(client.get("/"))} == {"GovernmentOrganization", "WebSite"}


def test_structured_data_cannot_end_its_element():
    hostile = "</script><script>alert(1)</script><!--\u2028&"
    element = structured.script({"@type": "Thing", "name": hostile})
    inside = element.removeprefix('<script type="application/ld+json">').removesuffix("</script>")
    assert "<" not in inside
    assert json.loads(inside)["name"] == hostile


def test_structured_data_leaves_out_what_is_not_known():
    assert structured.without_empty({"a": "", "b": None, "c": [], "d": {}, "e": 0, "f": False, "g": [{"h": ""}, "i"]}) == {"e": 0, "f": False, "g": [{}, "i"]}


def test_office_data_is_what_the_page_says(client):
    office = make_page(
        OfficePage,
        latitude="41.56278",
        longitude="2.00791",
        opening_hours=[week("04")],
        channels=[block("phone", {"number": "93 739 70 00", "note": ""}), block("mail", {"address": "oae@city.example", "note": ""})],
        services=[block("service", {"title": "Trobar ajuts", "text": "", "page": None})],
    )
    found = {part["@type"]: part for part in data_of(client.get(office.get_url()))}
    assert found["GovernmentOffice"]["telephone"] == "93 739 70 00"
    assert found["GovernmentOffice"]["geo"] == {"@type": "GeoCoordinates", "latitude": 41.56278, "longitude": 2.00791}
    assert [day["dayOfWeek"] for day in found["GovernmentOffice"]["openingHoursSpecification"]] == ["https://schema.org/Monday", "https://schema.org/Friday"]
    assert found["GovernmentService"]["name"] == "Trobar ajuts"


def test_description_is_what_the_editor_wrote_or_how_the_page_begins(client):
    page = make_page(StandardPage, body=[heading("Títol"), text("<p>Així comença.</p><p>I segueix.</p>")])
    assert '<meta name="description" content="Així comença. I segueix.">' in page_of(client.get(page.get_url()))
    page.lead = "L'entrada."
    page.save_revision().publish()
    assert page.description == "L'entrada."
    page.search_description = "El que va escriure l'editora."
    assert page.description == "El que va escriure l'editora."
    assert len(StandardPage(lead="molt " * 60).description) <= 155


def test_picture_of_the_page_stands_in_previews(client, settings):
    page = make_page(NewsPage, lead_image=make_image(), lead_image_alt="Una màquina")
    html = page_of(client.get(page.get_url()))
    assert re.search(rf'<meta property="og:image" content="{settings.SITE_URL}/media/images/[^"]+\.jpg">', html)
    assert '<meta property="og:image:width" content="1200">' in html
    assert '<meta property="og:image:alt" content="Una màquina">' in html


def test_page_whose_picture_file_is_gone_is_still_shown(client):
    image = make_image()
    page = make_page(NewsPage, lead_image=image)
    image.renditions.all().delete()
    image.file.storage.delete(image.file.name)
    assert client.get(page.get_url()).status_code == 200


def test_kinds_stand_where_they_may():
    assert {model for model in HomePage.allowed_subpage_models() if model._meta.app_label == "pages"} == {
        StandardPage, GuidePage, FaqPage, FormPage, FiguresPage, NewsIndexPage, EventIndexPage, OfficeIndexPage, GuideIndexPage, OfficePage,
    }  # fmt: skip
    assert NewsPage.allowed_parent_page_models() == [NewsIndexPage]
    assert EventPage.allowed_parent_page_models() == [EventIndexPage]
    assert NewsPage.allowed_subpage_models() == []


def test_deep_addresses_find_their_page_and_nothing_else(client):
    news = make_page(NewsPage, slug="una")
    parent = news.get_parent().specific
    assert client.get(f"{parent.get_url()}una/").status_code == 200
    # The slug is there, but not at this place of the tree.
    assert client.get("/una/").status_code == 404
    assert client.get(f"{parent.get_url()}una/dues/").status_code == 404
    assert client.get(f"{parent.get_url()}{'x/' * 60}").status_code == 404
    news.unpublish()
    assert client.get(f"{parent.get_url()}una/").status_code == 404


def test_private_page_stays_private(client):
    """The short way to a page passes the same door."""
    news = make_page(NewsPage)
    PageViewRestriction.objects.create(page=news.get_parent(), restriction_type="login")
    assert client.get(news.get_url()).status_code == 302


def test_sections_and_texts_stand_in_the_menus(client):
    index = make_page(NewsIndexPage, title="Notícies", show_in_menus=True)
    make_page(OfficeIndexPage, title="No hi surt")
    make_page(StandardPage, title="Al peu", show_in_menus=True)
    for address in ("/", reverse("listings:search")):
        html = page_of(client.get(address))
        header, footer = html.split("</header>")[0], html.split('<footer class="foot">')[1]
        assert f'<a href="{index.get_url()}">Notícies</a>' in header
        assert "Al peu" in footer
        assert "Al peu" not in header
        assert "No hi surt" not in header + footer
    assert f'<a href="{index.get_url()}" aria-current="page">' in page_of(client.get(index.get_url()))
