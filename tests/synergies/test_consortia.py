"""The stored groups follow the listings and what people said; nothing marked is lost."""

from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

import search
from marketplace.companies.models import Company
from marketplace.listings.enums import State as ListingState
from marketplace.listings.models import Listing
from marketplace.synergies import beyond_operations, consortia, operations, refresh
from marketplace.synergies.enums import State
from marketplace.synergies.models import Consortium, ConsortiumDue, ConsortiumMember, Synergy
from marketplace.synergies.reasons import text_of
from search import index
from tests.synergies.conftest import change, make_pair, publish
from tests.synergies.together import ALL_THREE, DEMAND, EVERYTHING, FOOD, SOUND, TENT, groups, look, make_fair

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("own_index")]


@pytest.fixture
def fair(own_index):
    """Found and stored."""
    fair = make_fair()
    look(fair.demand)
    assert groups() == {ALL_THREE}
    return fair


def test_group_is_stored_with_each_part_quoted(fair):
    members = list(fair.consortium.members.select_related("offer"))
    assert sum(member.share for member in members) == pytest.approx(fair.consortium.covered)
    for member in members:
        assert member.pairs
        for pair in member.pairs:
            for whose, listing in (("mine", fair.demand), ("theirs", member.offer)):
                start, end = pair[whose]
                assert text_of(listing, pair[f"field_{whose}"])[start:end] == pair[f"{whose}_text"]


def test_looking_twice_changes_nothing(fair):
    before = list(Consortium.objects.values_list("pk", "uid", "covered", "suggested_at")), sorted(ConsortiumMember.objects.values_list("pk"))
    look(fair.demand)
    assert before == (list(Consortium.objects.values_list("pk", "uid", "covered", "suggested_at")), sorted(ConsortiumMember.objects.values_list("pk")))
    assert not ConsortiumDue.objects.exists()


def test_group_goes_when_one_offer_does_all(fair):
    publish(**EVERYTHING)
    look(fair.demand)
    assert not Consortium.objects.exists()


# --- A link that is gone --------------------------------------------------------------------------------------------------

GONE = {
    "closed": lambda listing: Listing.objects.filter(pk=listing.pk).update(state=ListingState.CLOSED),
    "out of date": lambda listing: Listing.objects.filter(pk=listing.pk).update(valid_until=timezone.localdate() - timedelta(days=1)),
    "hidden company": lambda listing: Company.objects.filter(pk=listing.company_id).update(hidden=True),
    "deleted": lambda listing: Listing.objects.filter(pk=listing.pk).delete(),
    "deleted company": lambda listing: listing.company.delete(),
}


@pytest.mark.parametrize("how", GONE)
@pytest.mark.parametrize("whose", ["demand", "offer"])
def test_group_is_hidden_at_once_when_a_listing_goes(fair, how, whose):
    """Before the worker has looked: a page must never show what is not public any more."""
    GONE[how](fair.demand if whose == "demand" else fair.offers[0])
    assert groups() == set()


@pytest.mark.parametrize("how", ["closed", "out of date", "hidden company", "deleted"])
def test_group_without_that_offer_is_found_by_the_next_look(fair, how):
    GONE[how](fair.offers[2])
    look(fair.demand)
    assert groups() == {frozenset({TENT["title"], FOOD["title"]})}
    assert Consortium.objects.count() == 1


def test_dismissed_pair_takes_its_offer_out(fair):
    synergy = Synergy.objects.create(offer=fair.offers[2], demand=fair.demand, score=50, engine_version="test")
    operations.dismiss(synergy, by=fair.offerers[2], reason="known")
    assert groups() == set()
    look(fair.demand)
    assert groups() == {frozenset({TENT["title"], FOOD["title"]})}


# --- What people said -----------------------------------------------------------------------------------------------------


def test_group_that_the_asking_company_set_aside_does_not_come_back(fair):
    beyond_operations.set_aside_group(fair.consortium, by=fair.asker)
    assert groups() == set()
    look(fair.demand)
    publish(**SOUND | {"title": "Equip de so i llums"})
    look(fair.demand)
    assert all(len(group & ALL_THREE) < 2 for group in groups()), "nor with one company changed"
    assert Consortium.objects.set_aside().get().dismissed_by == fair.demand.company


def test_offering_company_that_does_not_want_is_left_out_of_the_next_group(fair):
    first = fair.consortium
    beyond_operations.set_aside_group(first, by=fair.offerers[2])
    look(fair.demand)
    assert groups() == {frozenset({TENT["title"], FOOD["title"]})}
    first.refresh_from_db()
    assert first.dismissed_by == fair.offers[2].company
    assert first.members.count() == 3, "kept as it was, so that it stays away"


def test_group_on_which_somebody_acts_stays_though_a_better_one_is_found(fair):
    beyond_operations.ask_member(fair.consortium.members.get(offer=fair.offers[1]), by=fair.asker)
    better = publish(**SOUND | {"title": "Equip de so per a la festa, també carpa", "keywords": "so, equip de so, festa"})
    look(fair.demand)
    assert ALL_THREE in groups()
    assert not any(better.title in group and len(group & ALL_THREE) > 1 for group in groups()), "nor one like it beside it"
    change(fair.offers[0], state=ListingState.CLOSED)
    look(fair.demand)
    assert ALL_THREE not in groups()


def test_group_set_aside_while_it_was_looked_at_stays_away(fair, monkeypatch):
    real = consortia.engine.find

    def slow(*args, **options):
        found = real(*args, **options)
        beyond_operations.set_aside_group(Consortium.objects.get(), by=fair.asker)
        return found

    monkeypatch.setattr(consortia.engine, "find", slow)
    consortia.mark([fair.demand.pk])
    consortia._work(10)
    assert groups() == set()
    assert Consortium.objects.get().dismissed_at


def test_offer_that_ended_while_the_engine_answered_is_not_put_in(fair, monkeypatch):
    Consortium.objects.all().delete()
    real = consortia.engine.find

    def slow(*args, **options):
        found = real(*args, **options)
        Listing.objects.filter(pk=fair.offers[0].pk).update(state=ListingState.CLOSED)
        return found

    monkeypatch.setattr(consortia.engine, "find", slow)
    consortia.mark([fair.demand.pk])
    consortia._work(10)
    assert not Consortium.objects.exists()


# --- As a reader of the change log ------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_run_once_follows_the_synergies_and_then_does_the_marked():
    fair = make_fair()
    assert consortia.run_once() == 0, "not before the synergies"
    while index.run_once():
        pass
    assert consortia.run_once() == 0
    while refresh.run_once():
        pass
    while consortia.run_once():
        pass
    assert groups() == {ALL_THREE}
    assert not ConsortiumDue.objects.exists()
    change(fair.offers[1], state=ListingState.CLOSED)
    for step in (index.run_once, refresh.run_once, consortia.run_once):
        while step():
            pass
    assert groups() == {frozenset({TENT["title"], SOUND["title"]})}


@pytest.mark.django_db(transaction=True)
def test_a_new_offer_marks_the_demands_it_may_help():
    publish(**DEMAND)
    other = publish(kind="demand", title="Torns per a metall de segona mà", description="Comprem torns i fresadores en bon estat per al taller.")
    for step in (index.run_once, refresh.run_once, consortia.run_once):
        while step():
            pass
    publish(**TENT)
    while index.run_once() or refresh.run_once():
        pass
    consortia.run_once()
    assert [due.demand.title for due in ConsortiumDue.objects.all()] == [DEMAND["title"]]
    assert other.pk


def test_demand_marked_while_it_is_looked_at_stays_due(fair, monkeypatch):
    """Without the stamp, the end of the first look would take away the mark of the second change."""
    real = consortia.engine.find

    def slow(*args, **options):
        consortia.mark([fair.demand.pk])
        return real(*args, **options)

    monkeypatch.setattr(consortia.engine, "find", slow)
    consortia.mark([fair.demand.pk])
    consortia._work(10)
    assert ConsortiumDue.objects.filter(demand=fair.demand).exists()


def test_look_that_fails_loses_neither_mark_nor_group(fair, monkeypatch):
    def broken(*args, **options):
        raise search.SearchUnavailable

    monkeypatch.setattr(consortia.engine, "find", broken)
    consortia.mark([fair.demand.pk])
    assert consortia.run_once() == 0
    assert ConsortiumDue.objects.count() == 1
    assert groups() == {ALL_THREE}


@pytest.mark.django_db(transaction=True)
def test_store_that_fails_halfway_leaves_what_was_there(fair, monkeypatch):
    def broken(*args, **options):
        raise RuntimeError

    change(fair.offers[2], state=ListingState.CLOSED)
    index.rebuild()
    monkeypatch.setattr(ConsortiumMember.objects, "bulk_create", broken)
    consortia.mark([fair.demand.pk])
    with pytest.raises(RuntimeError):
        consortia._work(10)
    assert Consortium.objects.get().size == 3
    assert ConsortiumDue.objects.count() == 1


def test_demand_deleted_while_due_is_no_error(fair):
    consortia.mark([fair.demand.pk])
    due = ConsortiumDue.objects.get()
    with transaction.atomic():
        fair.demand.delete()
    consortia._look_at(due)
    assert not ConsortiumDue.objects.exists()


def test_refresh_all_finds_everything_and_forgets_what_ended(fair):
    Listing.objects.filter(pk=fair.offers[2].pk).update(state=ListingState.CLOSED)
    index.rebuild()
    assert consortia.refresh_all() == 1
    assert Consortium.objects.get().size == 2


def test_marking_costs_the_same_for_one_and_for_many(fair):
    with CaptureQueriesContext(connection) as one:
        consortia.mark([fair.demand.pk])
    others = [make_pair(state=State.SUGGESTED).demand.pk for _ in range(3)]
    with CaptureQueriesContext(connection) as many:
        consortia.mark([fair.demand.pk, *others])
    assert len(one) == len(many)
    assert ConsortiumDue.objects.count() == 4
