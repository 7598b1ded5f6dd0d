import pytest
from defusedxml import ElementTree
from django.core.cache import cache, caches
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import translation
from wagtail.models import Page, Site

from cms.pages.models import HomePage, StandardPage
from marketplace.synergies.enums import State as SynergyState
from marketplace.synergies.models import Synergy
from tests.cms.pages.factories import heading
from tests.cms.pages.factories import text as text_block
from tests.factories import CompanyFactory, ListingFactory, UserFactory

pytestmark = pytest.mark.django_db
HOMES = {"ca": "/", "es": "/es/", "en": "/en/"}


def text(response):
    return response.content.decode()


@pytest.mark.parametrize(("language", "address"), HOMES.items())
def test_home_page_speaks_each_language(client, language, address):
    page = client.get(address)
    assert page.status_code == 200
    home = HomePage.objects.get(locale__language_code=language)
    assert f"<h1>{home.hero_title}</h1>" in text(page)
    assert f'<html lang="{language}">' in text(page)
    for code, other in HOMES.items():
        assert f'<link rel="alternate" hreflang="{code}" href="http://testserver{other}">' in text(page)


def test_page_tree_is_sound():
    assert Page.find_problems() == ([], [], [], [], [])
    assert Site.objects.get(is_default_site=True).root_page.specific == HomePage.objects.get(locale__language_code="ca")
    assert {page.get_translations(inclusive=True).count() for page in Page.objects.filter(depth__gt=1)} == {3}


def test_home_page_searches(client):
    page = text(client.get("/"))
    assert f'<form class="search-box" role="search" action="{reverse("listings:search")}">' in page
    assert '<option value="25">Terrassa + 25 km</option>' in page


def test_figures_count_what_is_live(client):
    offer, demand = ListingFactory(live=True), ListingFactory(live=True, demand=True, sector_id="4711")
    second = ListingFactory(live=True, demand=True)
    ListingFactory()
    ListingFactory(live=True, company=CompanyFactory(hidden=True))
    Synergy.objects.create(offer=offer, demand=demand, score=80, engine_version="1", state=SynergyState.MUTUAL)
    Synergy.objects.create(offer=offer, demand=second, score=60, engine_version="1")
    context = client.get("/").context
    assert [figure["number"] for figure in context["figures"]] == [4, 1, 2, 2, 1]
    assert [n for _label, n in context["sector_rows"]] == [2, 1]
    assert list(context["latest_listings"]) == [second, demand, offer]


def test_home_page_costs_the_same_for_one_and_three(client):
    def cost() -> int:
        cache.delete("home-counts")
        caches["pages"].clear()
        with CaptureQueriesContext(connection) as queries:
            client.get("/")
        return len(queries)

    ListingFactory(live=True)
    client.get("/")
    one = cost()
    for _ in range(2):
        ListingFactory(live=True)
    assert cost() == one <= MOST_QUERIES


#: The site's limit for a page that comes from no cache.
MOST_QUERIES = 15


def test_counts_are_kept_for_a_minute_and_the_latest_are_not(client):
    client.get("/")
    listing = ListingFactory(live=True)
    context = client.get("/").context
    # Nothing was there a moment ago, and a nought is not shown.
    assert context["figures"] == []
    assert list(context["latest_listings"]) == [listing]


def test_empty_marketplace_asks_for_the_first_listing(client):
    assert reverse("listings:create") in text(client.get("/"))


@pytest.mark.parametrize("name", ["accessibilitat", "privacitat", "condicions"])
def test_text_pages_stand_at_the_foot_of_every_page(client, name):
    page = client.get(f"/{name}/")
    assert page.status_code == 200
    assert f'href="/{name}/"' in text(client.get(reverse("listings:search")))


def test_text_page_leads_to_its_translations(client):
    page = text(client.get("/privacitat/"))
    assert 'hreflang="es" href="http://testserver/es/privacidad/"' in page
    assert 'hreflang="en" href="http://testserver/en/privacy/"' in page
    assert client.get("/es/privacidad/").status_code == client.get("/en/privacy/").status_code == 200


def test_editor_changes_the_home_page_in_the_console(client):
    client.force_login(UserFactory(is_staff=True, is_superuser=True))
    home = HomePage.objects.get(locale__language_code="ca")
    edit = client.get(reverse("wagtailadmin_pages:edit", args=[home.pk]))
    assert edit.status_code == 200
    home.hero_title = "Un titular <nou>"
    home.save_revision().publish()
    assert "<h1>Un titular &lt;nou&gt;</h1>" in text(client.get("/"))


def test_text_page_prints_rich_text_and_nothing_else(client):
    terms = StandardPage.objects.get(slug="terms")
    terms.body = [heading("Rules"), text_block("<p>Be <b>kind</b>.</p>")]
    terms.save_revision().publish()
    page = text(client.get("/en/terms/"))
    assert '<h2 id="rules">Rules</h2>' in page
    assert "<p>Be <b>kind</b>.</p>" in page
    assert "style=" not in page


def test_sitemap_lists_what_is_public_in_every_language(client, settings):
    live, draft = ListingFactory(live=True), ListingFactory()
    index = ElementTree.fromstring(client.get("/sitemap.xml").content)
    names = {loc.text.rpartition("/")[2] for loc in index.findall(".//{*}loc")}
    assert names == {"sitemap-pages.xml", "sitemap-lists.xml", "sitemap-listings.xml", "sitemap-companies.xml"}
    found = {loc.text for name in names for loc in ElementTree.fromstring(client.get(f"/{name}").content).findall(".//{*}loc")}
    for code, home in HOMES.items():
        with translation.override(code):
            addresses = [home, live.get_absolute_url(), live.company.get_absolute_url(), reverse("listings:search"), reverse("companies:list")]
        assert {settings.SITE_URL + address for address in addresses} <= found
    assert not [address for address in found if str(draft.uid) in address]


def test_robots_are_told_the_sitemap(client, settings):
    robots = client.get("/robots.txt")
    assert robots["Content-Type"].startswith("text/plain")
    assert f"Sitemap: {settings.SITE_URL}/sitemap.xml" in text(robots)
    assert "Disallow: /console/" in text(robots)
