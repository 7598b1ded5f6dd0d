"""The DCAT-AP catalogue, as a portal reads it, and the page."""

import pytest
from django.urls import reverse
from django.utils import translation
from rdflib import DCAT, DCTERMS, FOAF, RDF, XSD, Graph, Literal, URIRef
from rdflib.namespace import SKOS

from tests.factories import ListingFactory
from tests.federation.open_data.test_files import _own_folder, live  # noqa: F401 - a fixture

# rdflib's own reader of JSON-LD uses what rdflib deprecates.
pytestmark = [pytest.mark.django_db, pytest.mark.filterwarnings("ignore:ConjunctiveGraph is deprecated:DeprecationWarning")]


@pytest.fixture
def told(client):
    live()
    assert client.get("/open-data/listings.csv").getvalue()
    response = client.get("/open-data/catalogue.jsonld")
    assert response["Content-Type"] == "application/ld+json"
    return Graph().parse(data=response.content, format="json-ld")


#: DCAT-AP 3.0, the properties that have to be there.
MANDATORY = {
    DCAT.Catalog: {DCTERMS.title, DCTERMS.description, DCTERMS.publisher},
    DCAT.Dataset: {DCTERMS.title, DCTERMS.description},
    DCAT.Distribution: {DCAT.accessURL},
    DCAT.DataService: {DCTERMS.title, DCAT.endpointURL},
    FOAF.Agent: {FOAF.name},
}


@pytest.mark.parametrize("kind", MANDATORY)
def test_catalogue_has_what_dcat_ap_asks_for(told, kind):
    nodes = set(told.subjects(RDF.type, kind))
    assert nodes
    for node in nodes:
        assert set(told.predicates(node)) >= MANDATORY[kind]


def test_catalogue_links_its_parts(told):
    (catalogue,), (dataset,) = told.subjects(RDF.type, DCAT.Catalog), told.subjects(RDF.type, DCAT.Dataset)
    assert set(told.objects(catalogue, DCAT.dataset)) == {dataset}
    distributions = set(told.objects(dataset, DCAT.distribution))
    assert {str(told.value(one, DCAT.downloadURL)) for one in distributions} == {
        "http://testserver/open-data/listings.csv",
        "http://testserver/open-data/listings.jsonld",
    }
    assert {str(told.value(one, DCTERMS.license)) for one in distributions} == {"https://creativecommons.org/licenses/by/4.0/"}
    assert {str(told.value(one, DCAT.mediaType)) for one in distributions} == {
        f"https://www.iana.org/assignments/media-types/{kind}" for kind in ("text/csv", "application/ld+json")
    }
    assert str(told.value(dataset, DCAT.theme)) == "http://publications.europa.eu/resource/authority/data-theme/ECON"
    service = told.value(catalogue, DCAT.service)
    assert told.value(service, DCAT.servesDataset) == dataset


def test_catalogue_speaks_three_languages_and_its_types_are_right(told):
    (dataset,) = told.subjects(RDF.type, DCAT.Dataset)
    assert {title.language for title in told.objects(dataset, DCTERMS.title)} == {"ca", "es", "en"}
    assert told.value(dataset, DCTERMS.modified).datatype == XSD.dateTime
    sizes = list(told.objects(None, DCAT.byteSize))
    assert [size.datatype for size in sizes] == [XSD.nonNegativeInteger], "of the file that was made"
    city = told.value(dataset, DCTERMS.spatial)
    assert told.value(city, SKOS.prefLabel) == Literal("Terrassa")
    assert str(told.value(city, DCAT.centroid)).startswith("POINT(2.")
    assert not [one for one in told.objects() if isinstance(one, URIRef) and " " in one]


def test_licence_is_a_setting(client, settings):
    settings.OPEN_DATA_LICENCE, settings.OPEN_DATA_LICENCE_URL = "CC0 1.0", "https://creativecommons.org/publicdomain/zero/1.0/"
    assert "CC0 1.0" in client.get(reverse("open_data:page")).content.decode()
    assert "publicdomain/zero" in client.get("/open-data/catalogue.jsonld").content.decode()


@pytest.mark.parametrize("language", ["ca", "es", "en"])
def test_page_explains_and_links_the_downloads_in_each_language(client, language):
    live()
    with translation.override(language):
        page = client.get(reverse("open_data:page"))
    text = page.content.decode()
    assert page.status_code == 200
    for address in ("/open-data/listings.csv", "/open-data/listings.jsonld", "/open-data/catalogue.jsonld", "https://creativecommons.org/licenses/by/4.0/"):
        assert f'href="{address}"' in text
    assert f'<html lang="{language}"' in text


def test_page_costs_the_same_queries_for_three_as_for_one(client, django_assert_num_queries, django_assert_max_num_queries):
    live()
    client.get(reverse("open_data:page"))
    with django_assert_max_num_queries(12) as one:
        client.get(reverse("open_data:page"))
    live(), live()
    with django_assert_num_queries(len(one)):
        client.get(reverse("open_data:page"))


def test_sitemap_names_the_page_and_leaves_out_partners_listings(client):
    mine = ListingFactory(live=True)
    theirs = ListingFactory(live=True, origin="partner", source_uri="https://other.example.org/1", company__source_uri="https://other.example.org/c/1")
    assert reverse("open_data:page") in client.get("/sitemap-lists.xml").content.decode()
    listed = client.get("/sitemap-listings.xml").content.decode()
    assert (str(mine.uid) in listed, str(theirs.uid) in listed) == (True, False)
    companies = client.get("/sitemap-companies.xml").content.decode()
    assert (str(mine.company.uid) in companies, str(theirs.company.uid) in companies) == (True, False)
