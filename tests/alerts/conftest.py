"""A market with an index of its own, and people who save searches in it."""

import pytest
from django.http import QueryDict

from marketplace import worker
from marketplace.accounts.models import User
from marketplace.alerts import operations
from marketplace.alerts.models import Finding, SavedSearch
from marketplace.core.models import Mail
from marketplace.listings.filters import ListingFilter
from tests.factories import UserFactory
from tests.synergies.conftest import change, own_index, publish  # noqa: F401 - own_index is a fixture, the others are for the tests

GEL = {"title": "Gel hidroalcohòlic en garrafes", "description": "Gel de mans per a botigues i tallers, en garrafes de cinc litres."}
VISORS = {"title": "Pantalles facials de PET", "description": "Fabriquem pantalles facials reutilitzables amb visera de PET."}


def wanted(query: str) -> ListingFilter:
    return ListingFilter(QueryDict(query))


def save(query: str, *, by: User, **more) -> SavedSearch:
    return operations.save(wanted(query), by=by, **more)[0]


def watched(query: str, *, by: User, **more) -> SavedSearch:
    """A search saved when the index holds everything, with which the worker has begun."""
    worker.drain()
    saved = save(query, by=by, **more)
    worker.drain()
    saved.refresh_from_db()
    assert saved.is_ready
    return saved


def news_of(saved: SavedSearch) -> list[str]:
    return sorted(Finding.objects.filter(search=saved, is_news=True).values_list("listing__title", flat=True))


def daily_mails() -> list[Mail]:
    return list(Mail.objects.filter(key__startswith="digest:").order_by("id"))


@pytest.fixture
def seeker(transactional_db) -> User:
    return UserFactory(email="seeker@firm.example", name="Anna", language="en")
