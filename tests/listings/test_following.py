"""A company's change reaches the documents of its listings."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection, transaction

import search
from marketplace import worker
from marketplace.companies import operations
from marketplace.core import changelog
from marketplace.core.models import Change
from marketplace.listings import following
from marketplace.listings import operations as listings
from marketplace.listings.enums import State
from search import engine
from tests.factories import ListingFactory, MembershipFactory, UserFactory

# On PostgreSQL the change log shows a reader only what is committed.
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _own_index(settings, tmp_path):
    settings.EMBEDDED_INDEX_PATH, settings.ELASTICSEARCH_URL = tmp_path / "index", ""
    engine.backends()[0].create()


def test_a_companys_change_touches_its_published_listings_alone():
    owner = MembershipFactory()
    published = ListingFactory(company=owner.company, live=True)
    ListingFactory(company=owner.company)
    ListingFactory(live=True)
    operations.edit(owner.company, {"name": "Un nom nou"}, by=owner.user)
    assert following.run_once() == 1
    assert list(Change.objects.order_by("id").values_list("kind", "uid")) == [("company", owner.company.uid), ("listing", published.uid)]
    # Its own line is read, too, and ends there.
    assert (following.run_once(), following.run_once()) == (1, 0)


@pytest.mark.postgresql
def test_a_touch_waits_for_an_edit_under_way_so_that_the_newest_text_has_the_newest_version():
    owner = MembershipFactory()
    listing = ListingFactory(company=owner.company, live=True)

    def touch():
        try:
            listings.touch([listing])
        finally:
            connection.close()

    with ThreadPoolExecutor() as pool:
        with transaction.atomic():
            edited = listings.edit(listing, {"title": "Viseres facials noves"}, by=owner.user)
            touching = pool.submit(touch)
            with pytest.raises(TimeoutError):
                touching.result(timeout=0.5)
        touching.result(timeout=10)
    # Each reader of the log sees the touch behind the edit, whose text is there by then.
    assert [change.id for change in changelog.read()] == sorted(change.id for change in Change.objects.all())
    assert edited.version == 2


def found(**query):
    return {hit.uid for hit in search.find(search.Query(**query)).hits}


def test_a_hidden_companys_listings_leave_the_index_and_come_back():
    owner = MembershipFactory()
    listing = ListingFactory(company=owner.company, live=True, title="Pantalles facials de PET")
    curator = UserFactory(is_superuser=True)
    operations.edit(owner.company, {"size": "large"}, by=owner.user)
    worker.drain()
    assert found(sizes=("large",)) == {str(listing.uid)}
    operations.set_hidden(owner.company, True, by=curator)
    worker.drain()
    assert found() == set()
    operations.set_hidden(owner.company, False, by=curator)
    worker.drain()
    assert found() == {str(listing.uid)}


def test_a_hidden_companys_published_listings_keep_their_state():
    owner = MembershipFactory()
    listing = ListingFactory(company=owner.company, live=True)
    operations.set_hidden(owner.company, True, by=UserFactory(is_superuser=True))
    worker.drain()
    listing.refresh_from_db()
    assert listing.state == State.PUBLISHED
