"""The stored rings follow the synergies and what people said."""

import uuid
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from marketplace.core import changelog
from marketplace.core.models import Reader
from marketplace.listings.enums import State as ListingState
from marketplace.listings.models import Listing
from marketplace.synergies import beyond_operations, operations, refresh, ring_refresh, rings
from marketplace.synergies.enums import State
from marketplace.synergies.models import Ring, RingLink, Synergy
from tests.factories import CompanyFactory
from tests.synergies.conftest import publish
from tests.synergies.together import circles, make_circle, person_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def circle():
    """A stored ring of three."""
    companies, synergies = make_circle(3)
    ring_refresh.refresh_all()
    return companies, synergies


@pytest.mark.parametrize("size", [2, 3, 4])
def test_ring_is_stored_with_its_links_in_order(size):
    companies, synergies = make_circle(size)
    assert ring_refresh.refresh_all() == 1
    ring = Ring.objects.current().get()
    assert ring_refresh.companies_of(ring.key) == tuple(company.pk for company in companies)
    assert [link.synergy for link in ring.links.all()] == synergies
    assert (ring.size, ring.weakest, ring.mean) == (size, 70.0, sum(70 + n for n in range(size)) / size)


def test_company_whose_demand_nobody_serves_is_in_no_ring():
    _, synergies = make_circle(3)
    synergies[1].delete()
    assert ring_refresh.refresh_all() == 0


def test_best_synergy_between_two_companies_is_the_link(circle):
    companies, synergies = circle
    better = Synergy.objects.create(offer=synergies[0].offer, demand=publish(company=companies[1], kind="demand"), score=95, engine_version="test")
    before = Ring.objects.get()
    ring_refresh.refresh_all()
    after = Ring.objects.get()
    assert (after.pk, after.uid) == (before.pk, before.uid), "the same companies are the same ring"
    assert [link.synergy for link in after.links.all()] == [better, *synergies[1:]]
    assert after.weakest == 71
    assert RingLink.objects.count() == 3


def test_looking_twice_writes_nothing(circle):
    before = list(Ring.objects.values()), list(RingLink.objects.values())
    ring_refresh.refresh_all()
    assert before == (list(Ring.objects.values()), list(RingLink.objects.values()))


# --- A link that is gone --------------------------------------------------------------------------------------------------

GONE = {
    "dismissed": lambda synergy: Synergy.objects.filter(pk=synergy.pk).update(state=State.DISMISSED),
    "no suggestion any more": lambda synergy: synergy.delete(),
    "offer closed": lambda synergy: Listing.objects.filter(pk=synergy.offer_id).update(state=ListingState.CLOSED),
    "demand out of date": lambda synergy: Listing.objects.filter(pk=synergy.demand_id).update(valid_until=timezone.localdate() - timedelta(days=1)),
    "company hidden": lambda synergy: type(synergy.offer.company).objects.filter(pk=synergy.offer.company_id).update(hidden=True),
    "company gone": lambda synergy: synergy.offer.company.delete(),
}


@pytest.mark.parametrize("how", GONE)
def test_ring_is_hidden_at_once_when_a_link_goes_and_gone_with_the_next_look(circle, how):
    GONE[how](circle[1][1])
    assert circles() == set()
    assert ring_refresh.refresh_all() == 0
    assert not Ring.objects.exists()


def test_ring_of_two_who_said_yes_stays_while_their_listings_are_public(circle):
    _, synergies = circle
    Synergy.objects.update(state=State.MUTUAL, mutual_at=timezone.now())
    ring_refresh.refresh_all()
    assert len(circles()) == 1
    Listing.objects.filter(pk=synergies[0].offer_id).update(state=ListingState.CLOSED)
    assert circles() == set()


# --- What people said -----------------------------------------------------------------------------------------------------


def test_ring_set_aside_stays_away_with_other_listings_too(circle):
    companies, synergies = circle
    beyond_operations.set_aside_ring(Ring.objects.get(), by=person_of(companies[1]))
    ring_refresh.refresh_all()
    Synergy.objects.create(offer=publish(company=companies[0]), demand=synergies[0].demand, score=99, engine_version="test")
    ring_refresh.refresh_all()
    assert circles() == set()
    kept = Ring.objects.get()
    assert (kept.dismissed_by, kept.weakest) == (companies[1], 70.0)


def test_ring_set_aside_takes_no_other_rings_place(circle, monkeypatch):
    companies, synergies = circle
    beyond_operations.set_aside_ring(Ring.objects.get(), by=person_of(companies[1]))
    fourth = CompanyFactory()
    for offering, asking in ((companies[1], fourth), (fourth, companies[0])):
        Synergy.objects.create(offer=publish(company=offering), demand=publish(company=asking, kind="demand"), score=45, engine_version="test")
    monkeypatch.setattr(rings.find, "__kwdefaults__", rings.find.__kwdefaults__ | {"per_company": 1})
    ring_refresh.refresh_all()
    assert circles() == {(companies[0].pk, companies[1].pk, fourth.pk)}
    assert synergies


# --- As a reader of the change log ------------------------------------------------------------------------------------------


@pytest.fixture
def followed(transactional_db):
    """The synergies have seen every change so far; call it again after the next one."""

    def follow():
        last = changelog.read(limit=10_000)[-1]
        Reader.objects.update_or_create(name=refresh.READER, defaults={"transaction": last.transaction, "change_id": last.id})

    return follow


def test_run_once_follows_the_synergies(followed):
    make_circle(3)
    assert ring_refresh.run_once() == 0, "not before the synergies"
    followed()
    assert ring_refresh.run_once() == 6
    assert len(circles()) == 1
    assert ring_refresh.run_once() == 0


def test_set_aside_pair_makes_the_reader_look(followed):
    companies, synergies = make_circle(3)
    followed()
    ring_refresh.run_once()
    operations.dismiss(synergies[0], by=person_of(companies[0]), reason="known")
    followed()
    assert ring_refresh.run_once() > 0
    assert not Ring.objects.exists()


def test_after_a_long_look_the_reader_rests_and_loses_nothing(followed, monkeypatch):
    monkeypatch.setattr(ring_refresh, "_rested_at", 0.0)
    monkeypatch.setattr(ring_refresh, "LONG", -1)
    monkeypatch.setattr(ring_refresh, "REST", 10_000_000)
    make_circle(3)
    followed()
    assert ring_refresh.run_once() == 6
    make_circle(2)
    followed()
    assert ring_refresh.run_once() == 0
    assert changelog.lag(ring_refresh.READER) == 4
    monkeypatch.setattr(ring_refresh, "_rested_at", 0.0)
    assert ring_refresh.run_once() == 4
    assert len(circles()) == 2


def test_store_that_fails_halfway_leaves_the_old_rings_and_the_batch(followed, monkeypatch):
    _, synergies = make_circle(3)
    followed()
    ring_refresh.run_once()
    before = circles()
    Synergy.objects.filter(pk=synergies[0].pk).update(score=50)
    make_circle(2)
    followed()

    def broken(*args, **options):
        raise RuntimeError

    with monkeypatch.context() as patched:
        patched.setattr(RingLink.objects, "bulk_create", broken)
        with pytest.raises(RuntimeError):
            ring_refresh.run_once()
    assert circles() == before
    assert Ring.objects.get().weakest == 70
    assert ring_refresh.run_once() == 4
    assert len(circles()) == 2


def test_synergy_that_goes_between_search_and_store_is_in_no_ring(circle, monkeypatch):
    Ring.objects.all().delete()
    real = rings.find

    def slow(edges, **options):
        found = real(edges, **options)
        circle[1][0].delete()
        return found

    monkeypatch.setattr(rings, "find", slow)
    assert ring_refresh.refresh_all() == 0
    assert not Ring.objects.exists()


def test_change_of_something_else_is_passed_over(followed, monkeypatch):
    with transaction.atomic():
        changelog.append("page", uuid.uuid4())
    followed()
    monkeypatch.setattr(ring_refresh, "refresh_all", lambda: pytest.fail("nothing to look for"))
    assert ring_refresh.run_once() == 1


def test_refresh_costs_the_same_queries_for_one_ring_and_for_three():
    make_circle(3)
    with CaptureQueriesContext(connection) as one:
        ring_refresh.refresh_all()
    Ring.objects.all().delete()
    make_circle(4), make_circle(2)
    with CaptureQueriesContext(connection) as three:
        ring_refresh.refresh_all()
    assert Ring.objects.count() == 3
    assert len(one) == len(three)
