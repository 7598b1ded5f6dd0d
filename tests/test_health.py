"""What the service tells of itself."""

import pytest
from django.db import transaction

from marketplace.core import changelog
from marketplace.listings.models import Listing
from search import index
from tests.factories import ListingFactory


@pytest.mark.django_db
def test_health_tells_the_lag_of_each_reader(client):
    index.run_once()
    with transaction.atomic():
        changelog.append("listing", ListingFactory(live=True).uid)
    changelog.Reader.objects.get_or_create(name="embedded")
    answer = client.get("/health/")
    assert (answer.status_code, answer.json()["status"], answer.json()["engine"]) == (200, "ok", "embedded")
    assert answer.json()["lag"]["embedded"] == Listing.objects.count() == 1


@pytest.mark.django_db
def test_health_is_degraded_when_the_search_server_is_away(client, settings):
    settings.ELASTICSEARCH_URL = "http://127.0.0.1:9"
    settings.EMBEDDED_FALLBACK = False
    answer = client.get("/health/")
    assert (answer.status_code, answer.json()["status"], answer.json()["engine"]) == (200, "degraded", "elasticsearch")
