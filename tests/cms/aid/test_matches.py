import datetime

import pytest
from django.urls import reverse
from django.utils import timezone, translation

from cms.aid import documents, matches
from cms.aid.models import AidPage
from marketplace.listings.enums import Kind
from search import index
from tests.cms.aid.factories import make_aid, translate_aid
from tests.factories import CompanyFactory, ListingFactory
from tests.synergies.conftest import own_index, publish_crowd  # noqa: F401 - own_index is a fixture

PANELS = {
    "title": "Ajut per a plaques solars en naus i botigues",
    "summary": "Paga part de les plaques solars que instal·les a la teva nau o botiga, per produir la teva pròpia electricitat.",
}
WANTED = {
    "kind": "demand",
    "title": "Busquem instal·lador de plaques solars per a la nau",
    "description": "Volem posar plaques solars a la coberta de la nau per produir electricitat pròpia.",
    "sector_id": "2511",
}


@pytest.fixture
def market(db, own_index):  # noqa: F811 - the fixture imported above
    publish_crowd()


def demand(**values):
    return ListingFactory(live=True, **WANTED | values)


def titles(found) -> list[str]:
    return [one.page.title for one in found]


def test_aid_for_a_demand_is_what_could_pay_for_it_with_the_words_that_say_so(market):
    make_aid(**PANELS)
    make_aid("Ajut a la formació en idiomes", summary="Cursos d'anglès per a la plantilla.")
    index.rebuild()
    [one] = matches.aid_for(demand())
    assert one.page.title == PANELS["title"]
    assert "<mark" in one.quoted.title_offer
    assert "plaques solars" in [word.casefold() for word in one.quoted.words]


@pytest.mark.parametrize(
    "facts",
    [{"sizes": ["large"]}, {"sectors": ["A"]}, {"places": ["170010"]}, {"calls": [{"deadline": datetime.date(2020, 1, 1)}]}],
    ids=lambda facts: next(iter(facts)),
)
def test_aid_for_a_demand_leaves_out_what_its_company_cannot_have(market, facts):
    if "places" in facts:
        from marketplace.companies.models import Place  # noqa: PLC0415 - a municipality other than the company's

        facts = {"places": [Place.objects.exclude(code="082798").values_list("code", flat=True).order_by("-code")[0]]}
    make_aid(**PANELS, **facts)
    index.rebuild()
    assert matches.aid_for(demand(company=CompanyFactory(size="micro"))) == []


def test_aid_for_a_demand_is_shown_once_in_the_readers_language(market):
    page = make_aid(**PANELS)
    translate_aid(page, "es", "Ayuda para placas solares en naves y tiendas")
    index.rebuild()
    wanted = demand()
    with translation.override("es"):
        assert titles(matches.aid_for(wanted)) == ["Ayuda para placas solares en naves y tiendas"]
    with translation.override("en"):
        assert titles(matches.aid_for(wanted)) == [PANELS["title"]]


def test_aid_taken_back_since_the_index_heard_of_it_is_not_shown(market):
    page = make_aid(**PANELS)
    index.rebuild()
    page.unpublish()
    assert matches.aid_for(demand()) == []


def test_aid_is_no_listing(market):
    """The public search of offers and demands must not count what only the finder has a page for."""
    import search  # noqa: PLC0415 - the engine's door, for this test alone

    make_aid(**PANELS)
    index.rebuild()
    assert search.find(search.Query(text="plaques solars")).total == 0
    assert "aid" not in search.find(search.Query()).facets["kinds"]
    assert search.find(search.Query(text="plaques solars", kinds=("aid",))).total == 1


def test_offers_for_an_aid_are_one_of_a_company(market):
    installer = CompanyFactory(name="Sol i Teulada, SL")
    for title in ("Instal·lem plaques solars en naus i botigues", "Manteniment de plaques solars de naus"):
        ListingFactory(
            live=True, company=installer, kind=Kind.OFFER, title=title, description="Plaques solars per produir electricitat pròpia.", sector_id="4321"
        )
    page = make_aid(**PANELS)
    index.rebuild()
    [one] = matches.offers_for(AidPage.objects.get(pk=page.pk))
    assert one.listing.company == installer
    assert "<mark" in one.quoted.title_offer


def test_views_answer_with_a_part_or_with_a_page(market, client):
    page, wanted = make_aid(**PANELS), demand()
    index.rebuild()
    for url in (reverse("aid:for_demand", args=[wanted.uid]), reverse("aid:offers", args=[page.pk])):
        part = client.get(url, headers={"HX-Request": "true"})
        assert "<html" not in part.content.decode()
        whole = client.get(url)
        assert "<html" in whole.content.decode()
        assert "HX-Request" in whole["Vary"]
    assert PANELS["title"] in client.get(reverse("aid:for_demand", args=[wanted.uid])).content.decode()


def test_views_know_only_what_is_public(market, client):
    hidden = ListingFactory(**WANTED)
    offer = ListingFactory(live=True)
    draft = make_aid(**PANELS, live=False)
    for url in (reverse("aid:for_demand", args=[hidden.uid]), reverse("aid:for_demand", args=[offer.uid]), reverse("aid:offers", args=[draft.pk])):
        assert client.get(url).status_code == 404


def test_views_say_so_when_no_engine_answers(db, client, settings, tmp_path):
    settings.EMBEDDED_INDEX_PATH = tmp_path / "nothing here"
    settings.ELASTICSEARCH_URL = ""
    response = client.get(reverse("aid:for_demand", args=[demand().uid]))
    assert response.status_code == 200
    assert "no respon" in response.content.decode() or "does not answer" in response.content.decode()


def test_aid_for_a_demand_costs_the_same_with_one_and_with_many(market, django_assert_max_num_queries):
    for number in range(6):
        make_aid(**PANELS | {"title": f"{PANELS['title']} {number}"}, sizes=["micro"])
    index.rebuild()
    wanted = demand(company=CompanyFactory(size="micro"))
    with django_assert_max_num_queries(14):
        assert len(matches.aid_for(wanted)) == matches.MOST


def test_last_day_is_that_of_the_last_call_that_still_has_money(db):
    today = timezone.localdate()
    page = make_aid(calls=[{"deadline": today}, {"deadline": today + datetime.timedelta(days=9), "exhausted_on": today - datetime.timedelta(days=1)}])
    assert documents.last_day(page.calls.all()) == today
    assert documents.last_day([]) == documents.NEVER
