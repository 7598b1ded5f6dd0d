import datetime
import json
import re
from html import unescape

import pytest
from django.contrib.auth.models import Group
from django.test import Client
from django.utils import timezone, translation

from marketplace.accounts.rules import CURATORS
from marketplace.companies.models import Company
from marketplace.listings.enums import State
from marketplace.listings.jsonld import script
from search import index
from tests.factories import RUBI, TERRASSA, CompanyFactory, ListingFactory, MembershipFactory, UserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _in_english():
    """The texts below are those of the templates, whatever their translations say."""
    with translation.override("en"):
        yield


@pytest.fixture(autouse=True)
def _own_index(settings, tmp_path):
    settings.EMBEDDED_INDEX_PATH = tmp_path / "index"


@pytest.fixture
def curator():
    user = UserFactory()
    user.groups.add(Group.objects.get(name=CURATORS))
    return user


def page_of(listing, *, user=None, status=200):
    client = Client()
    if user:
        client.force_login(user)
    response = client.get(listing.get_absolute_url())
    assert response.status_code == status
    return response


def text(response):
    return unescape(response.content.decode())


def graph(response):
    [block] = re.findall(r'<script type="application/ld\+json">(.*?)</script>', response.content.decode(), re.DOTALL)
    data = json.loads(block)
    assert data["@context"] == "https://schema.org"
    return {node["@type"]: node for node in data["@graph"]}


def test_live_listing_shows_everything_but_contact_data():
    company = CompanyFactory(
        name="Tecnoplàstics, SL", contact_email="secret@firm.example", contact_phone="600 100 200", contact_name="Persona Secreta", place_id=RUBI
    )
    listing = ListingFactory(live=True, company=company, language="ca", keywords="PET, viseres", reach_km=25, remote=True)
    page = text(page_of(listing))
    for shown in (listing.title, listing.description, "viseres", "Tecnoplàstics, SL", "Terrassa", "25 km", "Rubí", listing.sector.label):
        assert shown in page
    for hidden in ("secret@firm.example", "600 100 200", "Persona Secreta", company.tax_id):
        assert hidden not in page
    assert f'<h1 id="listing-title" lang="ca">{listing.title}</h1>' in page


def test_offer_is_told_to_machines_as_an_offer(settings):
    listing = ListingFactory(live=True, reach_km=30)
    nodes = graph(page_of(listing))
    assert set(nodes) == {"Offer", "Organization"}
    offer = nodes["Offer"]
    assert offer["url"] == settings.SITE_URL + listing.get_absolute_url()
    assert offer["itemOffered"]["@type"] == "Product"
    assert offer["validThrough"] == listing.valid_until.isoformat()
    assert offer["offeredBy"] == {"@id": nodes["Organization"]["@id"]}
    assert (offer["areaServed"]["@type"], offer["areaServed"]["geoRadius"]) == ("GeoCircle", 30_000)


def test_demand_is_told_to_machines_as_sought_by_its_company():
    nodes = graph(page_of(ListingFactory(live=True, demand=True)))
    assert set(nodes) == {"Demand", "Organization"}
    assert nodes["Organization"]["seeks"] == {"@id": nodes["Demand"]["@id"]}
    assert nodes["Demand"]["areaServed"]["@type"] == "Country"


def test_text_cannot_leave_the_data_block():
    evil = "</script><script>alert(1)</script><!-- & \u2028"
    listing = ListingFactory(live=True, title=f"Etiquetes {evil}", description=f"Etiquetes en rotlle per a caixes {evil}")
    page = page_of(listing)
    assert "<script>alert(1)" not in page.content.decode()
    assert graph(page)["Offer"]["description"] == listing.description
    assert script({"a": "</script>"}) == '<script type="application/ld+json">{"a":"\\u003C/script\\u003E"}</script>'


def test_draft_is_unknown_to_others_and_shown_to_its_company_and_curators(curator):
    listing = ListingFactory()
    page_of(listing, status=404)
    page_of(listing, user=UserFactory(), status=404)
    for user in (MembershipFactory(company=listing.company).user, curator):
        page = text(page_of(listing, user=user))
        assert 'content="noindex"' in page
        assert "Only its company and the Innovation Service see this page" in page
        assert "application/ld+json" not in page


@pytest.mark.parametrize(("state", "title_shown"), [(State.EXPIRED, True), (State.CLOSED, True), (State.WITHDRAWN, False), (State.REJECTED, False)])
def test_listing_that_was_public_is_gone(state, title_shown):
    similar = ListingFactory(live=True)
    listing = ListingFactory(live=True, title="Viseres que ja no fem")
    ListingFactory._meta.model.objects.filter(pk=listing.pk).update(state=state)
    page = text(page_of(listing, status=410))
    assert (listing.title in page) is title_shown
    assert listing.description not in page or similar.description == listing.description
    assert similar.title in page


def test_published_listing_past_its_day_is_gone_before_the_daily_command_runs():
    listing = ListingFactory(live=True, valid_until=timezone.localdate() - datetime.timedelta(days=1))
    page_of(listing, status=410)


def test_listing_of_a_hidden_company_is_gone_without_a_word_of_it():
    listing = ListingFactory(live=True, company=CompanyFactory(name="Amagada, SL", hidden=True), state=State.CLOSED)
    page = text(page_of(listing, status=410))
    assert "Amagada" not in page
    assert listing.title not in page


def test_rejected_before_publication_was_never_public():
    page_of(ListingFactory(state=State.REJECTED), status=404)


def test_unknown_uid_is_not_found(client):
    assert client.get("/en/listings/0190a0b0-0000-7000-8000-000000000000/").status_code == 404


def test_similar_listings_are_of_the_same_side_and_other_companies():
    listing = ListingFactory(live=True, title="Pantalles facials de PET per a comerços")
    same = ListingFactory(live=True, title="Pantalles facials de PET per a botigues")
    ListingFactory(live=True, company=listing.company, title="Pantalles facials de PET per a escoles")
    ListingFactory(live=True, demand=True, title="Busquem pantalles facials de PET")
    index.rebuild()
    assert page_of(listing).context["similar"] == [same]


def test_similar_listings_come_from_the_same_division_without_an_engine():
    listing, same = ListingFactory(live=True), ListingFactory(live=True, sector_id="2221")
    ListingFactory(live=True, sector_id="4711")
    assert page_of(listing).context["similar"] == [same]


def test_reader_with_a_company_sees_how_far_it_is():
    listing = ListingFactory(live=True, place_id=TERRASSA, reach_km=5)
    reader = MembershipFactory(company=CompanyFactory(name="La meva, SL", place_id=RUBI)).user
    [distance] = page_of(listing, user=reader).context["distances"]
    assert (round(distance.km), distance.within) == (8, False)


def test_next_step_is_the_counterpart_with_what_is_known_filled_in():
    page = text(page_of(ListingFactory(live=True, demand=True)))
    assert "?kind=offer&category=product&sector=2229" in page
    assert "Can you provide this?" in page


def test_owner_is_led_to_the_own_page():
    listing = ListingFactory(live=True)
    page = text(page_of(listing, user=MembershipFactory(company=listing.company).user))
    assert f"{listing.get_absolute_url()}manage/" in page


def test_curator_is_led_to_the_console(curator):
    listing = ListingFactory(live=True)
    assert f"/console/review/{listing.uid}/" in text(page_of(listing, user=curator))


def test_more_listings_of_the_company_cost_no_more_queries(django_assert_max_num_queries):
    listing = ListingFactory(live=True)
    ListingFactory(live=True)
    ListingFactory(live=True, company=listing.company)
    page_of(listing)
    with django_assert_max_num_queries(6) as one:
        page_of(listing)
    for _ in range(2):
        ListingFactory(live=True)
        ListingFactory(live=True, company=listing.company)
    with django_assert_max_num_queries(len(one)):
        page_of(listing)


def test_page_links_its_languages_and_itself(settings):
    listing = ListingFactory(live=True)
    page = text(page_of(listing))
    assert f'<link rel="canonical" href="{settings.SITE_URL}{listing.get_absolute_url()}">' in page
    for code in ("ca", "es", "en"):
        with translation.override(code):
            assert f'hreflang="{code}" href="http://testserver{listing.get_absolute_url()}"' in page
    assert f'<meta property="og:title" content="{listing.title}">' in page
    assert Company.objects.count() == 1
