"""A partner's listing belongs to its origin: nobody edits it here, curators let it in or hide it, and it is written in bulk."""

import datetime

import pytest
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils import timezone

from marketplace.companies import federated as companies
from marketplace.companies.models import Company
from marketplace.core.models import Change
from marketplace.listings import federated, operations
from marketplace.listings.enums import Move, Origin, State
from marketplace.listings.federated import Arrival
from marketplace.listings.models import Listing, Transition
from marketplace.listings.rules import can_edit
from tests.factories import CompanyFactory, ListingFactory, MembershipFactory, UserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def company():
    return CompanyFactory(tax_id=None, source_uri="https://other.example/id/company/1", source_name="Other city")


@pytest.fixture
def listing(company):
    return ListingFactory(live=True, company=company, origin=Origin.PARTNER, source_uri="https://other.example/id/listing/1", source_name="Other city")


@pytest.fixture
def curator():
    from django.contrib.auth.models import Permission  # noqa: PLC0415 - for this fixture alone

    user = UserFactory()
    user.user_permissions.add(Permission.objects.get(codename="curate_listing"))
    return user


def test_nobody_edits_it_even_a_member_by_mistake(listing):
    user = MembershipFactory(company=listing.company).user
    assert not can_edit(user, listing)
    with pytest.raises(PermissionDenied):
        operations.edit(listing, {"title": "Mine now, all of it"}, by=user)
    with pytest.raises(PermissionDenied):
        operations.withdraw(listing, by=user)
    with pytest.raises(PermissionDenied):
        operations.create(listing.company, {}, by=user)


def test_curator_may_hide_it_but_not_change_it(listing, curator):
    assert {move for move in Move if listing.can(move)} == {Move.REJECT, Move.EXPIRE}
    for step in (
        lambda: operations.revise(listing, {"title": "Better than theirs"}, by=curator),
        lambda: operations.request_changes(listing, by=curator, reason="Longer, please."),
    ):
        with pytest.raises(operations.IllegalMoveError, match="Other city"):
            step()
    assert operations.reject(listing, by=curator, reason="Not for our market.").state == State.REJECTED


def test_waiting_one_whose_last_day_passed_is_not_made_longer_here(listing, curator):
    Listing.objects.update(state=State.SUBMITTED, valid_until=timezone.localdate() - datetime.timedelta(days=1))
    with pytest.raises(operations.IllegalMoveError):
        operations.publish(listing, by=curator)
    assert Listing.objects.get().state == State.SUBMITTED


@pytest.mark.parametrize(
    ("before", "is_shown", "after"),
    [
        (State.REJECTED, True, State.REJECTED),
        (State.PUBLISHED, True, State.PUBLISHED),
        (State.PUBLISHED, False, State.SUBMITTED),
        (State.SUBMITTED, False, State.SUBMITTED),
        (State.SUBMITTED, True, State.PUBLISHED),
        (State.WITHDRAWN, True, State.PUBLISHED),
        (State.EXPIRED, False, State.SUBMITTED),
    ],
)
def test_state_of_a_newer_version(before, is_shown, after, listing):
    Listing.objects.update(state=before)
    row = federated.lock([listing.pk])[listing.pk]
    row.title = "A newer title from there"
    federated.write([Arrival(row, is_shown, timezone.now())])
    row.refresh_from_db()
    assert (row.state, row.title, row.version) == (after, "A newer title from there", listing.version + 1)
    assert Transition.objects.latest("pk").to_state == after
    assert Change.objects.filter(uid=listing.uid).count() == 1


def test_bulk_write_leaves_what_is_ours(listing):
    made, uid = listing.created, listing.uid
    row = federated.lock([listing.pk])[listing.pk]
    row.created, row.uid, row.source_uri = timezone.now() + datetime.timedelta(days=3), Listing().uid, "https://elsewhere.example/1"
    federated.write([Arrival(row, True, timezone.now())])
    kept = Listing.objects.get()
    assert (kept.created, kept.uid, kept.source_uri) == (made, uid, "https://other.example/id/listing/1")


def test_listings_of_companies_here_are_out_of_reach(listing):
    own = ListingFactory(live=True)
    with transaction.atomic():
        assert set(federated.lock([own.pk, listing.pk])) == {listing.pk}
        assert federated.erase([own.pk]) == set()
        assert companies.erase_idle([own.company_id]) == 0
    assert Listing.objects.filter(pk=own.pk).exists()


def test_erasure_takes_rows_history_and_the_idle_company(listing):
    listing.title = "A second version of it"
    listing.save()
    idle = federated.erase([listing.pk])
    assert companies.erase_idle(idle) == 1
    assert not Listing.objects.exists()
    assert not Listing.history.exists()
    assert not Company.history.filter(source_uri=listing.company.source_uri).exists()
    assert set(Change.objects.values_list("kind", "operation")) == {("listing", "delete"), ("company", "delete")}


def test_company_with_another_listing_stays(listing):
    ListingFactory(live=True, company=listing.company, origin=Origin.PARTNER, source_uri="https://other.example/id/listing/2")
    assert companies.erase_idle(federated.erase([listing.pk])) == 0
    assert Company.objects.filter(pk=listing.company_id).exists()
