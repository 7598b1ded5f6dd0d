import pytest
from django.http import QueryDict

from marketplace.listings.filters import MAX_TEXT, ListingFilter
from search import Query
from tests.factories import BARCELONA, RUBI, TERRASSA, CompanyFactory, ListingFactory

FAR = "170792"  # Girona

pytestmark = pytest.mark.django_db


def asked(query_string):
    return ListingFilter(QueryDict(query_string))


def test_query_holds_everything_that_was_asked():
    query = asked("q=gel&kind=offer&category=product&sector=C&sector=01&near=rubi&km=25&place=080193&language=ca&size=small&sort=nearest&page=3").query(
        page_size=10
    )

    rubi = (query.near[0], query.near[1])
    assert query == Query(
        text="gel", kinds=("offer",), categories=("product",), sectors=("C", "01"), languages=("ca",), sizes=("small",), places=(BARCELONA,),
        near=rubi, within_km=25, valid_on=query.valid_on, sort="nearest", page=3, page_size=10,
    )  # fmt: skip
    assert rubi == pytest.approx((41.49, 2.03), abs=0.02)


def test_query_of_nothing_restricts_nothing():
    query = asked("").query()
    assert query == Query(valid_on=query.valid_on)


@pytest.mark.parametrize("name", ["Rubí", "rubi", "RUBÍ", RUBI])
def test_near_is_found_by_name_or_code(name):
    assert ListingFilter({"near": name}).values["near"].code == RUBI


def test_near_unknown_proposes_what_was_meant():
    [ignored] = asked("near=Terrasa&km=5").ignored
    assert (ignored.name, ignored.value) == ("near", "Terrasa")
    assert "Terrassa" in ignored.message


def test_distance_without_place_counts_from_the_city():
    assert asked("km=10").values["near"].code == TERRASSA
    assert asked("km=10&near=").values["near"].code == TERRASSA
    assert asked("km=10&near=nowhere").values["near"] is None


def test_part_of_a_ticked_sector_wins_over_the_whole():
    wanted = asked("sector=C&sector=22&sector=J")
    assert wanted.query().sectors == ("22", "J")
    assert wanted.parameters() == [("sector", "22"), ("sector", "J")]


@pytest.mark.parametrize(
    ("query_string", "left_out"),
    [
        ("kind=offer&kind=gift", {"kind"}),
        ("sector=ZZ", {"sector"}),
        ("place=99", {"place"}),
        ("km=abc", {"km"}),
        ("km=-3", {"km"}),
        ("km=99999999999999999999", {"km"}),
        ("page=0", {"page"}),
        ("page=x", {"page"}),
        ("sort=price", {"sort"}),
        (f"q={'a' * 10_000}", {"q"}),
        ("utm_source=mail", set()),
    ],
)
def test_what_is_not_understood_is_left_out_and_named(query_string, left_out):
    wanted = asked(query_string)
    assert {ignored.name for ignored in wanted.ignored} == left_out
    assert all(ignored.message and len(ignored.value) <= 40 for ignored in wanted.ignored)
    assert len(wanted.query().text) <= MAX_TEXT


def test_known_values_stay_beside_unknown_ones():
    assert asked("kind=gift&kind=offer&sector=ZZ&sector=C").parameters() == [("kind", "offer"), ("sector", "C")]


def test_parameters_are_the_same_search_again():
    wanted = asked("sort=relevance&size=micro&q=++gel++&kind=demand&kind=offer&near=rubi&km=5&page=1&language=")
    assert wanted.query_string() == "?q=gel&kind=demand&kind=offer&near=Rub%C3%AD&km=5&size=micro"
    assert asked(wanted.query_string()[1:]).query() == wanted.query()


def test_untidy_is_what_a_plain_form_sends():
    assert asked("q=&kind=offer").is_untidy
    assert asked("q=gel&sort=relevance").is_untidy
    assert not asked("q=gel&kind=offer&page=2").is_untidy


def test_database_search_agrees_with_the_filters():
    offer = ListingFactory(live=True, title="Gel hidroalcohòlic en garrafes", place_id=RUBI, sector_id="2042")
    far = ListingFactory(live=True, title="Gel de sílice", place_id=FAR, sector_id="2059")
    demand = ListingFactory(live=True, demand=True, company=CompanyFactory(size="large"), language="es", title="Busco gel para tiendas")
    ListingFactory(title="Gel que ningú no veu")

    def found(query_string):
        return set(asked(query_string).qs)

    assert found("q=gel") == {offer, far, demand}
    assert found("q=gel garrafes") == {offer}
    assert found("q=gel&sector=20") == {offer, far}
    assert found("q=gel&near=Terrassa&km=30") == {offer, demand}
    assert found("kind=demand&size=large&language=es") == {demand}
    assert found(f"place={RUBI}&place={TERRASSA}") == {offer, demand}
