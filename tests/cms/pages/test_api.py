"""The public figures for programs."""

import pytest
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext

from cms.pages import figures
from marketplace.listings.enums import State
from tests.factories import RUBI, TERRASSA, CompanyFactory, ListingFactory

pytestmark = pytest.mark.django_db

INDICATORS = "/api/v1/indicators/"


def get(client, language="en", **query):
    return client.get(INDICATORS, query, headers={"Accept-Language": language})


def test_figures_are_those_of_the_public_pages(client):
    company, hidden = CompanyFactory(), CompanyFactory(hidden=True)
    ListingFactory(live=True, company=company)
    ListingFactory(live=True, company=company, kind="demand", place_id=RUBI, sector_id="4771", category="knowledge")
    ListingFactory(company=company)
    ListingFactory(live=True, company=hidden)
    ListingFactory(live=True, company=company, state=State.WITHDRAWN)
    found = get(client).json()
    assert {one["code"]: one["value"] for one in found["figures"]} == {"companies": 1, "offers": 1, "demands": 1, "synergies": 0, "mutual": 0}
    series = {one["code"]: {row["code"]: (row["label"], row["value"]) for row in one["rows"]} for one in found["series"]}
    assert series["sectors"] == {"C": ("Manufacturing", 1), "G": ("Wholesale and retail trade; repair of motor vehicles and motorcycles", 1)}
    assert series["categories"] == {"product": ("Product", 1), "knowledge": ("Knowledge", 1)}
    assert series["places"] == {TERRASSA: ("Terrassa", 1), RUBI: ("Rubí", 1)}
    assert sum(value for _label, value in series["months"].values()) == 2
    shown = figures.public()
    assert {figure["number"] for figure in shown["figures"]} == {1}


def test_labels_are_in_the_language_asked_for(client):
    assert get(client, "ca").json()["figures"][0]["label"] != get(client, "en").json()["figures"][0]["label"] == "Companies"


def test_figures_are_counted_once_a_minute(client):
    cache.clear()
    ListingFactory(live=True)
    first = get(client)
    with CaptureQueriesContext(connection) as queries:
        again = client.get(INDICATORS, headers={"Accept-Language": "en", "If-None-Match": first["ETag"]})
    assert (again.status_code, len(queries)) == (304, 0)


def test_unknown_parameter_is_a_400(client):
    assert get(client, year="2026").status_code == 400
