"""The stored synergies follow the listings and never undo what people decided."""

import threading
import uuid
from datetime import timedelta

import pytest
import time_machine
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from marketplace.core import changelog
from marketplace.listings.enums import State as ListingState
from marketplace.listings.models import Listing
from marketplace.synergies import refresh
from marketplace.synergies.enums import State
from marketplace.synergies.models import Synergy, SynergyEvent
from marketplace.synergies.reasons import text_of, turned
from search import editing, index
from tests.factories import CompanyFactory
from tests.synergies.conftest import DEMAND, OFFER, change, make_pair, match, publish, publish_crowd

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("own_index")]


def stored() -> set[tuple[uuid.UUID, uuid.UUID]]:
    return set(Synergy.objects.values_list("offer__uid", "demand__uid"))


# --- Finding ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("asking", ["offer", "demand"])
def test_refresh_stores_the_same_whichever_side_asks(asking):
    offer, demand = publish(**OFFER), publish(**DEMAND)
    match(offer if asking == "offer" else demand)
    synergy = Synergy.objects.get()
    assert (synergy.offer, synergy.demand) == (offer, demand)
    assert synergy.state == State.SUGGESTED
    assert synergy.score >= 30
    assert synergy.score == pytest.approx(sum(signal["points"] for signal in synergy.signals))
    assert list(synergy.events.values_list("step", flat=True)) == ["suggested"]
    pairs = next(reason["data"]["pairs"] for reason in synergy.reasons if reason["code"] == "terms")
    assert pairs
    for found in pairs:
        (start, end), (their_start, their_end) = found["mine"], found["theirs"]
        assert text_of(demand, found["field_mine"])[start:end] == found["mine_text"]
        assert text_of(offer, found["field_theirs"])[their_start:their_end] == found["theirs_text"]
    sector = next(reason["data"] for reason in synergy.reasons if reason["code"] == "sector")
    assert (sector["mine"], sector["theirs"]) == (demand.sector_id, offer.sector_id)


def test_refresh_of_both_sides_makes_one_row():
    offer, demand = publish(**OFFER), publish(**DEMAND)
    match(offer, demand)
    match(offer, demand)
    assert Synergy.objects.count() == 1
    assert SynergyEvent.objects.count() == 1


def test_refresh_suggests_nothing_within_a_company():
    company = CompanyFactory()
    offer, demand = publish(company=company, **OFFER), publish(company=company, **DEMAND)
    match(offer, demand)
    assert stored() == set()


def test_refresh_trusts_the_rows_more_than_a_late_index():
    """The index still shows an offer that has been closed, and one that has moved to the asking company."""
    demand, closed, moved = publish(**DEMAND), publish(**OFFER), publish(**OFFER)
    index.rebuild()
    Listing.objects.filter(pk=closed.pk).update(state=ListingState.CLOSED)
    Listing.objects.filter(pk=moved.pk).update(company=demand.company)
    refresh.refresh([demand.uid])
    assert stored() == set()


def test_refresh_updates_score_and_reasons_when_a_text_changes():
    offer, demand = publish(**OFFER), publish(**DEMAND)
    match(demand)
    before = Synergy.objects.get()
    demand = change(demand, description="Necessitem pantalles facials reutilitzables amb visera de PET i lliurament en 72 hores.")
    match(demand)
    after = Synergy.objects.get()
    assert after.pk == before.pk
    assert after.score > before.score
    assert after.reasons != before.reasons
    assert (after.demand_version, after.offer_version) == (demand.version, offer.version)


def test_turned_twice_is_the_same():
    data = {"pairs": [{"mine": [0, 1], "theirs": [2, 3], "field_mine": "title", "field_theirs": "keywords", "mine_text": "a", "theirs_text": "b"}]}
    assert turned(data)["pairs"][0]["mine_text"] == "b"
    assert turned(turned(data)) == data


# --- Forgetting ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("ending", [{"state": ListingState.CLOSED}, {"state": ListingState.EXPIRED}, {"valid_until": timezone.localdate() - timedelta(days=1)}])
@pytest.mark.parametrize("side", ["offer", "demand"])
def test_refresh_removes_suggestions_of_a_listing_that_ended(ending, side):
    offer, demand = publish(**OFFER), publish(**DEMAND)
    match(demand)
    ended = change(offer if side == "offer" else demand, **ending)
    match(ended)
    assert stored() == set()


def test_refresh_removes_what_neither_side_suggests_any_more():
    offer, demand = publish(**OFFER), publish(**DEMAND)
    match(demand)
    change(demand, title="Busquem local per a magatzem", description="Llogaríem una nau industrial amb moll de càrrega i oficines a prop de l'autopista.")
    match(demand)
    assert stored() == set()
    assert offer.pk


def test_refresh_keeps_what_the_other_side_still_suggests(monkeypatch):
    """The changed demand has twenty better offers, but for this offer the demand is the only one."""
    offer, demand = publish(**OFFER), publish(**DEMAND)
    match(demand)
    real = refresh.search.suggest
    monkeypatch.setattr(refresh.search, "suggest", lambda document, **options: [] if document.kind == "demand" else real(document, **options))
    refresh.refresh([demand.uid])
    assert stored() == {(offer.uid, demand.uid)}


@pytest.mark.parametrize("state", [State.INTEREST, State.MUTUAL, State.DISMISSED])
def test_refresh_keeps_what_people_acted_on_when_a_listing_ends(state):
    pair = make_pair(state=state)
    change(pair.offer, state=ListingState.CLOSED)
    match(pair.offer)
    assert Synergy.objects.get().state == state


@pytest.mark.parametrize("state", [State.INTEREST, State.MUTUAL])
def test_refresh_renews_the_reasons_but_not_the_state(state):
    pair = make_pair(state=state, offer_interest_at=timezone.now(), engine_version="old")
    match(pair.demand)
    synergy = Synergy.objects.get()
    assert synergy.state == state
    assert synergy.offer_interest_at == pair.synergy.offer_interest_at
    assert synergy.engine_version != "old"


def test_refresh_never_brings_a_dismissed_pair_back_nor_touches_it():
    pair = make_pair(state=State.DISMISSED, engine_version="old")
    other = publish(**OFFER)
    publish_crowd()
    match(pair.demand, pair.offer)
    kept = Synergy.objects.get(pk=pair.synergy.pk)
    assert (kept.state, kept.engine_version, kept.score) == (State.DISMISSED, "old", 86.4)
    assert stored() == {(pair.offer.uid, pair.demand.uid), (other.uid, pair.demand.uid)}


def test_refresh_of_a_deleted_listing_does_nothing():
    refresh.refresh([uuid.uuid4()])
    assert stored() == set()


def test_refresh_costs_the_same_queries_for_one_listing_and_for_three():
    publish_crowd()
    for _ in range(4):
        publish(**OFFER)
    demands = [publish(**DEMAND) for _ in range(4)]
    index.rebuild()
    with CaptureQueriesContext(connection) as one:
        refresh.refresh([demands[0].uid])
    with CaptureQueriesContext(connection) as three:
        refresh.refresh([demand.uid for demand in demands[1:]])
    assert len(one) == len(three)
    assert Synergy.objects.count() == 16


# --- Everything anew ----------------------------------------------------------------------------------------------------


def test_refresh_all_finds_and_forgets(capsys):
    stale = make_pair()
    Listing.objects.filter(pk=stale.offer.pk).update(state=ListingState.CLOSED)
    offer = publish(**OFFER)
    index.rebuild()
    call_command("refresh_synergies")
    assert stored() == {(offer.uid, stale.demand.uid)}
    assert "1 open synergies" in capsys.readouterr().out


@pytest.mark.django_db(transaction=True)
def test_no_ordinary_event_asks_about_the_whole_town(monkeypatch):
    """Beside it the naive way, everything anew, which asks for every live listing."""
    publish_crowd()
    offer, demand = publish(**OFFER), publish(**DEMAND)
    index.run_once()
    refresh.run_once()
    asked, real = [], refresh.search.suggest
    monkeypatch.setattr(refresh.search, "suggest", lambda document, **options: asked.append(document.uid) or real(document, **options))
    events = [
        lambda: publish(title="Càtering per a actes", description="Preparem esmorzars i dinars freds per a reunions i jornades."),
        lambda: change(offer, description=f"{OFFER['description']} Ara també de policarbonat."),
        lambda: change(demand, valid_until=timezone.localdate() + timedelta(days=40)),
        lambda: change(demand, state=ListingState.CLOSED),
        lambda: change(demand, state=ListingState.PUBLISHED),
        lambda: editing.add({"kind": "two_way", "ca": "pantalles facials, protectors de cara"}, by=None),
    ]
    for event in events:
        asked.clear()
        event()
        while index.run_once() + refresh.run_once():
            pass
        assert len(set(asked)) <= len({offer.uid, demand.uid})
    asked.clear()
    refresh.refresh_all()
    assert len(set(asked)) == Listing.objects.live().count() > 20


# --- As a reader of the change log --------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_run_once_waits_for_the_index():
    publish(**OFFER), publish(**DEMAND)
    assert refresh.run_once() == 0
    assert index.run_once() == 2
    assert refresh.run_once() == 2
    assert Synergy.objects.count() == 1
    assert refresh.run_once() == 0


@pytest.mark.django_db(transaction=True)
def test_run_once_asks_once_for_a_listing_that_changed_often(monkeypatch):
    offer = publish(**OFFER)
    for number in range(5):
        offer = change(offer, keywords=f"lot {number}")
    index.run_once()
    asked = []
    real = refresh.search.suggest
    monkeypatch.setattr(refresh.search, "suggest", lambda document, **options: asked.append(document.uid) or real(document, **options))
    assert refresh.run_once() == 6
    assert asked == [str(offer.uid)]


@pytest.mark.django_db(transaction=True)
def test_run_once_keeps_its_place_while_the_search_server_is_away(own_index, caplog):
    publish(**OFFER), publish(**DEMAND)
    index.run_once()
    own_index.remove()
    assert refresh.run_once() == 0
    assert "wait for the search server" in caplog.text
    assert changelog.lag(refresh.READER) == 2
    index.run_once()
    assert refresh.run_once() == 2
    assert Synergy.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_run_once_takes_over_from_a_worker_that_died():
    publish(**OFFER), publish(**DEMAND)
    index.run_once()
    changelog._take_lease(refresh.READER, changelog.LEASE)
    assert refresh.run_once() == 0
    with time_machine.travel(timezone.now() + timedelta(minutes=2), tick=True):
        assert refresh.run_once() == 2


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_refresh_by_two_workers_at_once_makes_one_row_a_pair():
    publish_crowd()
    offers, demands = [publish(**OFFER) for _ in range(3)], [publish(**DEMAND) for _ in range(3)]
    index.rebuild()
    start, errors = threading.Barrier(4), []

    def work(listings):
        try:
            start.wait(10)
            for _ in range(5):
                refresh.refresh([listing.uid for listing in listings])
        except Exception as error:  # noqa: BLE001 - told below
            errors.append(error)
        finally:
            connection.close()

    workers = [threading.Thread(target=work, args=[listings]) for listings in (offers, demands, [*offers, *demands], demands[::-1])]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert errors == []
    assert stored() == {(offer.uid, demand.uid) for offer in offers for demand in demands}
    assert SynergyEvent.objects.count() == 9
