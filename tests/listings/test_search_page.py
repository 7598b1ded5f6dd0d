"""The search page on the embedded engine; without its index there is no engine, and the page must still serve."""

from html import unescape
from urllib.parse import parse_qsl, urlsplit

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse
from django.utils import translation
from django.utils.html import escape

from marketplace.listings import facets, operations
from marketplace.listings.filters import ListingFilter
from marketplace.listings.results import look_up
from search import index
from tests.factories import RUBI, CompanyFactory, ListingFactory, MembershipFactory, UserFactory

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}


@pytest.fixture(autouse=True)
def _in_english():
    """The texts below are those of the templates, whatever their translations say."""
    with translation.override("en"):
        yield


@pytest.fixture(autouse=True)
def _own_index(settings, tmp_path):
    settings.EMBEDDED_INDEX_PATH = tmp_path / "index"


def search(query="", *, headers=None, status=200):
    response = Client(headers=headers).get(reverse("listings:search") + query)
    assert response.status_code == status
    return response


def text(response):
    return unescape(response.content.decode())


def titles(response):
    return [row.listing.title for row in response.context["found"].rows]


@pytest.fixture
def market():
    """Three listings in the index."""
    visors = ListingFactory(live=True, title="Pantalles facials de PET", description="Viseres reutilitzables per a oficines i comerços de la comarca.")
    gel = ListingFactory(
        live=True, title="Gel hidroalcohòlic en garrafes", sector_id="2042", place_id=RUBI, description="Gel de mans per a botigues i tallers, en cinc litres."
    )
    tills = ListingFactory(live=True, demand=True, title="Mampares per a taulells", language="es", description="Necesitamos mamparas y gel para catorce tiendas.", company=CompanyFactory(size="large"))  # fmt: skip
    index.rebuild()
    return visors, gel, tills


def test_text_is_found_with_a_slip_and_without_accents(market):
    assert titles(search("?q=hidroalcoholic")) == ["Gel hidroalcohòlic en garrafes"]
    assert titles(search("?q=pantales")) == ["Pantalles facials de PET"]


def test_matches_are_marked_and_the_best_comes_first(market):
    page = search("?q=gel")
    assert titles(page) == ["Gel hidroalcohòlic en garrafes", "Mampares per a taulells"]
    assert "<mark>Gel</mark> hidroalcohòlic" in text(page)


def test_facets_count_what_each_would_give(market):
    groups = search("?kind=offer").context["groups"]
    assert [(o["value"], o["count"], o["checked"]) for o in groups["kind"].options] == [("offer", 2, True), ("demand", 1, False)]
    assert [(o["value"], o["count"]) for o in groups["language"].options] == [("ca", 2), ("es", 0), ("en", 0)]


def test_sector_tree_opens_along_what_is_ticked(market):
    tree = search("?sector=20").context["groups"]["sector"].options
    assert [(o["value"], o["depth"], o["count"], o["checked"]) for o in tree] == [
        ("C", 0, 3, False),
        ("22", 1, 2, False),
        ("20", 1, 1, True),
        ("204", 2, 1, False),
    ]


def test_chips_take_themselves_away(market):
    page = search("?q=gel&kind=offer&sector=C&near=Rub%C3%AD&km=10&sort=nearest")
    chips = page.context["chips"]
    assert [chip.name for chip in chips] == ["kind", "near", "sector"]
    whole = parse_qsl(page.wsgi_request.GET.urlencode())
    for chip in chips:
        left = parse_qsl(urlsplit(chip.url).query)
        gone = {name for name, _value in whole} - {name for name, _value in left}
        assert gone == ({"near", "km", "sort"} if chip.name == "near" else {chip.name})
    assert parse_qsl(page.context["clear_url"][1:]) == [("q", "gel")]


def test_distance_is_shown_and_limits(market):
    page = search("?near=Terrassa&km=15&sort=nearest")
    assert titles(page)[-1] == "Gel hidroalcohòlic en garrafes"
    assert "Rubí, 8" in text(page)
    assert titles(search("?near=Terrassa&km=5")) != titles(page)


def test_address_of_a_plain_form_becomes_short(market):
    page = search("?q=gel&kind=offer&near=&km=&sort=relevance&page=1", status=302)
    assert page.url == reverse("listings:search") + "?q=gel&kind=offer"
    assert f'<link rel="canonical" href="{settings.SITE_URL}{escape(page.url)}">' in search(urlsplit(page.url)._replace(path="").geturl()).content.decode()


def test_pages_share_the_listings_and_the_last_one_is_told():
    for number in range(23):
        ListingFactory(live=True, title=f"Cadires plegables, lot {number}")
    index.rebuild()
    first, second = titles(search("?q=cadires")), titles(search("?q=cadires&page=2"))
    assert (len(first), len(second), len({*first, *second})) == (20, 3, 23)
    beyond = search("?q=cadires&page=999999")
    assert titles(beyond) == second
    assert beyond.context["beyond_last"]
    assert 'id="ignored"' in text(beyond)


@pytest.mark.parametrize(
    "query",
    [
        "?page=0", "?page=-1", "?page=abc", "?km=abc&near=Terrassa", "?km=1e400", "?near=Atlantis", "?sector=ZZ", "?kind=gift", "?sort=price",
        "?q=" + "a" * 10_000, "?place=" + "9" * 500, "?sector=C&sector=%F0%9F%98%80",
    ],
)  # fmt: skip
def test_bad_input_is_left_out_and_told(market, query):
    assert 'id="ignored"' in text(search(query))


@pytest.mark.parametrize(
    "query", ["?q=%F0%9F%98%80", "?q=%E2%80%AE%D7%A9%D7%9C%D7%95%D7%9D", "?q=%ff%fe", "?q=*", "?q=%22%28AND+OR", "?q=%5B%5E%2F", "?foo=bar"]
)
def test_strange_text_is_only_text(market, query):
    assert 'id="ignored"' not in text(search(query))


def test_nul_byte_is_refused():
    search("?q=a%00b", status=400)


def test_markup_is_shown_as_text():
    ListingFactory(
        live=True, title="Etiquetes <script>alert(1)</script> blanques", description="Etiquetes <img src=x onerror=alert(2)> per a caixes de cartró."
    )
    index.rebuild()
    page = search("?q=etiquetes+%3Cscript%3E").content.decode()
    assert "<script>alert" not in page
    assert "<img src=x" not in page
    assert "&lt;script&gt;" in page


def test_htmx_gets_what_changed_and_the_short_address(market):
    page = search("?q=gel&kind=&near=&sort=relevance", headers=HTMX)
    body = text(page)
    assert "<html" not in body
    assert [part in body for part in ('id="results"', 'id="facets-content" hx-swap-oob', 'id="result-count" hx-swap-oob')] == [True] * 3
    assert page["HX-Push-Url"] == reverse("listings:search") + "?q=gel"
    assert "HX-Request" in page["Vary"]


def test_typing_adds_no_steps_to_the_history(market):
    page = search("?q=ge", headers=HTMX | {"HX-Trigger-Name": "q"})
    assert page["HX-Replace-Url"].endswith("?q=ge")
    assert not page.has_header("HX-Push-Url")


def test_rows_cost_the_same_for_one_and_three(market, django_assert_num_queries):
    search()
    with django_assert_num_queries(QUERIES):
        assert len(titles(search("?q=visor+pantalles"))) == 1
    with django_assert_num_queries(QUERIES):
        assert len(titles(search("?sector=C&place=081846&place=082798"))) == 3


# The listings, and the pages at the foot.
QUERIES = 2


def test_listing_that_ended_since_the_index_was_written_is_not_shown(market):
    visors, *_others = market
    operations.withdraw(visors, by=MembershipFactory(company=visors.company).user)
    assert "Pantalles facials de PET" not in titles(search())


def test_nothing_found_says_what_to_take_away(market):
    page = search("?q=gel&kind=offer&language=es")
    assert [(chip.label, number) for chip, number in page.context["ways_out"]] == [("Offer", 1), ("Español", 1)]
    far = search("?q=gel&near=Figueres&km=5")
    assert [number for _chip, number in far.context["ways_out"]] == [2]
    both = search("?q=gel&category=space&near=Figueres&km=5")
    assert (both.context["ways_out"], both.context["without_filters"]) == ([], 2)


def test_nothing_found_offers_to_publish_the_text_as_a_demand(market):
    assert f"{reverse('listings:create')}?kind=demand&title=tel%C3%A8scop%20%26%20m%C3%A9s" in text(search("?q=tel%C3%A8scop+%26+m%C3%A9s"))


def test_without_an_engine_the_database_answers_and_the_page_says_so():
    wanted = ListingFactory(live=True, title="Gel hidroalcohòlic en garrafes")
    ListingFactory(live=True, title="Gel de bany", demand=True)
    ListingFactory(title="Gel que encara és un esborrany")
    page = search("?q=gel&kind=offer")
    assert titles(page) == [wanted.title]
    assert page.context["found"].degraded
    assert "The search is not at its best right now" in text(page)
    assert [o["count"] for o in page.context["groups"]["kind"].options] == [None, None]
    assert search("?q=telescopi").context["found"].total == 0


def test_look_up_needs_no_request(market):
    assert [row.listing.title for row in look_up(ListingFilter({"q": "gel", "kind": ["offer"]})).rows] == ["Gel hidroalcohòlic en garrafes"]


def test_facets_without_counts_show_every_section():
    assert len(facets.sector_tree([], None)) == 21


def test_page_is_in_three_languages_and_signed_in_people_see_it_too(market):
    client = Client()
    client.force_login(UserFactory())
    for code, _name in settings.LANGUAGES:
        with translation.override(code):
            page = client.get(reverse("listings:search"))
        assert (page.status_code, page["Content-Language"]) == (200, code)
