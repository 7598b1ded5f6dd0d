"""Companies, sectors and municipalities for programs."""

import uuid

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from marketplace.companies.models import Company
from marketplace.companies.serializers import CompanyDetailOut
from tests.factories import SABADELL, TERRASSA, CompanyFactory, MembershipFactory
from tests.rest.programs import Program

pytestmark = pytest.mark.django_db

URL = "/api/v1/companies/"


@pytest.fixture
def anybody():
    return Program()


def results(response):
    assert response.status_code == 200, response.content
    return response.json()["results"]


def refused(response, status, parameter):
    assert (response.status_code, response["Content-Type"]) == (status, "application/problem+json")
    assert {error["parameter"] for error in response.json()["errors"]} == {parameter}


def test_company_is_told_without_people_contact_and_number(anybody):
    company = CompanyFactory(name="Metalls, SL", contact_name="Maria Puig", contact_phone="600 100 200", web="https://metalls.example", legal_form="sl")
    MembershipFactory(company=company, user__name="Joan Soler")
    CompanyFactory(hidden=True)
    response = anybody.get(URL)
    (row,) = results(response)
    assert row == {
        "uid": str(company.uid),
        "url": f"http://testserver/en/companies/{company.uid}/",
        "name": "Metalls, SL",
        "description": "",
        "sector": {"code": "2229", "label": "Manufacture of other plastic products"},
        "place": {"code": TERRASSA, "name": "Terrassa"},
        "size": "small",
        "legal_form": "sl",
        "web": "https://metalls.example",
        "logo": None,
        "verified": False,
        "source": None,
    }
    assert set(row) == set(CompanyDetailOut().fields)
    for secret in ("Maria", "600 100 200", company.contact_email, company.tax_id, "Joan"):
        assert secret not in response.text
    assert anybody.get(f"{URL}{company.uid}/").json() == row


def test_hidden_company_is_not_there(anybody):
    for uid in (CompanyFactory(hidden=True).uid, uuid.uuid4()):
        assert anybody.get(f"{URL}{uid}/").status_code == 404


def test_list_costs_the_same_queries_whatever_its_length(anybody):
    counts = []
    for number in (1, 3):
        while Company.objects.count() < number:
            CompanyFactory()
        with CaptureQueriesContext(connection) as queries:
            assert len(results(anybody.get(URL))) == number
        counts.append(len(queries))
    assert counts == [1, 1]


def test_companies_are_filtered_and_paged_by_name(anybody):
    for name in ("Beta", "Alfa", "Alfa", "Gamma"):
        CompanyFactory(name=name)
    CompanyFactory(name="Delta", place_id=SABADELL, sector_id="0111", description="Mecànica")
    assert [row["name"] for row in results(anybody.get(f"{URL}?q=mecanica"))] == ["Delta"]
    assert [row["name"] for row in results(anybody.get(f"{URL}?place={SABADELL}&sector=A&fields=name"))] == ["Delta"]
    names, address = [], f"{URL}?limit=1"
    while address:
        body = anybody.get(address.removeprefix("http://testserver")).json()
        names += [row["name"] for row in body["results"]]
        address = body["next"]
    assert names == ["Alfa", "Alfa", "Beta", "Delta", "Gamma"]


@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        ("text=x", "text"),
        ("q=" + "a" * 101, "q"),
        ("sector=22", "sector"),
        ("place=0", "place"),
        ("place=1&place=2", "place"),
        ("fields=phone", "fields"),
        ("limit=x", "limit"),
    ],
)
def test_parameter_that_is_not_understood_is_named(anybody, query, parameter):
    refused(anybody.get(f"{URL}?{query}"), 400, parameter)


def test_sectors_and_places_need_no_database(anybody, django_assert_num_queries):
    with django_assert_num_queries(0):
        everything = results(anybody.get("/api/v1/sectors/"))
        towns = results(anybody.get("/api/v1/places/"))
    assert len(everything) == 996
    assert {"code": TERRASSA, "name": "Terrassa", "comarca": "Vallès Occidental", "province": "Barcelona"}.items() <= next(
        one for one in towns if one["code"] == TERRASSA
    ).items()


def test_sectors_are_found(anybody):
    address = "/api/v1/sectors/"
    assert [one["code"] for one in results(anybody.get(f"{address}?level=1"))] == list("ABCDEFGHIJKLMNOPQRSTU")
    assert {one["path"][1] for one in results(anybody.get(f"{address}?parent=22"))} == {"22"}
    assert "2229" in [one["code"] for one in results(anybody.get(f"{address}?q=plastic"))]
    assert results(anybody.get(f"{address}?q=2229&fields=label,parent")) == [{"label": "Manufacture of other plastic products", "parent": "222"}]
    for query, parameter in (("level=5", "level"), ("parent=9999", "parent"), ("q=" + "x" * 201, "q")):
        refused(anybody.get(f"{address}?{query}"), 400, parameter)


def test_places_are_found(anybody):
    address = "/api/v1/places/"
    assert results(anybody.get(f"{address}?q=terrasa"))[0]["name"] == "Terrassa"
    assert {one["comarca"] for one in results(anybody.get(f"{address}?comarca=Osona"))} == {"Osona"}
    refused(anybody.get(f"{address}?comarca=Narnia"), 400, "comarca")


def test_what_is_there_already_is_not_sent_again(anybody):
    tag = anybody.get("/api/v1/sectors/")["ETag"]
    assert anybody.get("/api/v1/sectors/", If_None_Match=tag).status_code == 304
