"""Places and holding back follow every change, and end where counting everything at once would."""

import random
import threading
from dataclasses import asdict

import pytest
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

import search.exposure
from marketplace.listings.enums import State as ListingState
from marketplace.listings.models import Listing
from marketplace.synergies import exposure, operations, refresh
from marketplace.synergies.enums import State
from marketplace.synergies.models import Synergy
from search import index
from tests.factories import CompanyFactory, ListingFactory, MembershipFactory
from tests.synergies.conftest import DEMAND, OFFER, change, match, publish, publish_crowd

pytestmark = pytest.mark.django_db
CAP = 3


@pytest.fixture
def low_cap(monkeypatch):
    """A cap that a small town reaches."""
    monkeypatch.setattr(search.exposure, "MOST_DEMANDS", CAP)


def town(offers: int, demands: int) -> tuple[list[Listing], list[Listing]]:
    company, others = CompanyFactory(), CompanyFactory()
    return (
        [ListingFactory(company=company, live=True) for _ in range(offers)],
        [ListingFactory(company=others, live=True, demand=True) for _ in range(demands)],
    )


def pair(offer: Listing, demand: Listing, score: float, **values: object) -> Synergy:
    synergy = Synergy.objects.create(offer=offer, demand=demand, score=score, engine_version="test", **values)
    exposure.spread([offer.pk, demand.pk])
    return synergy


def stored() -> dict[tuple[int, int], dict]:
    rows = Synergy.objects.ranked().values_list("offer", "demand", *exposure.FIELDS)
    return {(offer, demand): dict(zip(exposure.FIELDS, values, strict=True)) for offer, demand, *values in rows}


def counted_at_once() -> dict[tuple[int, int], dict]:
    rows = list(Synergy.objects.ranked().values_list("offer", "demand", "score", "vouched"))
    scores, vouched = {row[:2]: row[2] for row in rows}, {row[:2]: row[3] for row in rows}
    return {pair: asdict(standing) for pair, standing in search.exposure.spread(scores, vouched, most=search.exposure.MOST_DEMANDS).items()}


def places_and_turns() -> dict[tuple[int, int], tuple]:
    """Without the numbers that move a little with how rare a word is at the moment."""
    names = [name for name in exposure.FIELDS if name != "promise"]
    return {pair: tuple(values[name] for name in names) for pair, values in stored().items()}


def listed(demand: Listing) -> list[Listing]:
    return [synergy.offer for synergy in Synergy.objects.filter(demand=demand).not_held_back().order_by("place_for_demand")]


def on_lists(offer: Listing) -> set[Listing]:
    return {synergy.demand for synergy in Synergy.objects.filter(offer=offer, state=State.SUGGESTED).not_held_back()}


# --- One change after the other -----------------------------------------------------------------------------------------


def change_something(offers, demands, rng) -> set[int]:
    """A pair comes, goes, scores otherwise or is dismissed; its two ends."""
    rows = list(Synergy.objects.order_by("pk"))
    what = rng.random()
    if what < 0.5 or len(rows) < 15:
        offer, demand = rng.choice(offers), rng.choice(demands)
        values = {"score": rng.randrange(40, 90, 5), "vouched": rng.choice([None, 0, 8, 16]), "state": State.SUGGESTED}
        Synergy.objects.update_or_create(offer=offer, demand=demand, defaults=values)
        return {offer.pk, demand.pk}
    row = rng.choice(rows)
    if what < 0.7:
        row.delete()
    elif what < 0.85:
        Synergy.objects.filter(pk=row.pk).update(score=rng.randrange(40, 90, 5))
    else:
        Synergy.objects.filter(pk=row.pk).update(state=State.DISMISSED)
    return {row.offer_id, row.demand_id}


@pytest.mark.usefixtures("low_cap")
@pytest.mark.parametrize("seed", range(4))
def test_any_order_of_changes_ends_where_counting_everything_does(seed):
    rng = random.Random(seed)  # noqa: S311 - chance, no secret
    offers, demands = town(4, 10)
    held = 0
    for _ in range(80):
        exposure.spread(change_something(offers, demands, rng))
        assert stored() == counted_at_once()
        held = max(held, sum(values["is_held_back"] for values in stored().values()))
    assert held


@pytest.mark.usefixtures("low_cap")
def test_counting_only_the_lists_that_changed_would_go_wrong():
    """The naive way: number the two lists of the pair that came, and look no further."""
    rng = random.Random(0)  # noqa: S311
    offers, demands = town(4, 10)
    wrong = 0
    for _ in range(60):
        changed = change_something(offers, demands, rng)
        view = exposure._View()
        view.load(exposure.Q(offer__in=changed) | exposure.Q(demand__in=changed))
        view.note("demand", changed, "promise", view.found, search.exposure.promises)
        view.note("demand", changed, "place_for_demand", view.promises, search.exposure.places)
        view.note("offer", changed, "place_for_offer", view.scores, search.exposure.places)
        view.note("offer", changed, "turn", view.wishes, search.exposure.turns)
        view.hold_back(changed)
        view.write()
        wrong += stored() != counted_at_once()
    assert wrong > 10


@pytest.mark.usefixtures("low_cap")
def test_a_demand_that_needs_the_offer_more_takes_the_last_turn_and_gives_it_back():
    (hub, other), demands = town(2, CAP + 1)
    for number, demand in enumerate(demands[:CAP]):
        pair(hub, demand, 70 - number)
        pair(other, demand, 50 - number)
    assert on_lists(hub) == set(demands[:CAP])
    better = pair(hub, demands[CAP], 90)
    assert on_lists(hub) == {demands[0], demands[1], demands[3]}
    assert listed(demands[2]) == [other], "its next best moves up"
    better.delete()
    exposure.spread([hub.pk, demands[CAP].pk])
    assert listed(demands[2]) == [hub, other]


@pytest.mark.usefixtures("low_cap")
def test_who_has_nothing_else_keeps_the_offer_and_loses_it_only_to_another():
    (hub, other), demands = town(2, CAP + 1)
    for demand in demands:
        pair(hub, demand, 60)
    assert on_lists(hub) == set(demands)
    last = max(demands, key=lambda demand: Synergy.objects.get(offer=hub, demand=demand).turn)
    found = pair(other, last, 45)
    assert listed(last) == [other]
    Synergy.objects.filter(pk=found.pk).update(state=State.DISMISSED)
    exposure.spread([other.pk, last.pk])
    assert hub in listed(last)


@pytest.mark.usefixtures("low_cap")
@pytest.mark.parametrize("values", [{"state": State.INTEREST}, {"state": State.MUTUAL}, {"proposed_at": "2020-04-20T09:00Z"}])
def test_what_people_began_is_never_held_back(values):
    hub, held, _served = crowded()
    Synergy.objects.filter(pk=held.pk).update(**values)
    assert held.demand in {synergy.demand for synergy in Synergy.objects.filter(offer=hub).not_held_back()}
    exposure.spread([hub.pk, held.demand_id])
    assert Synergy.objects.get(pk=held.pk).state == values.get("state", State.SUGGESTED)


def test_without_a_hub_nothing_is_held_back():
    offers, demands = town(3, 6)
    for offer in offers:
        for number, demand in enumerate(demands):
            pair(offer, demand, 40 + number)
    assert not Synergy.objects.filter(is_held_back=True).exists()


def test_spread_costs_the_same_queries_for_one_listing_and_for_three():
    offers, demands = town(4, 4)
    for offer in offers:
        for demand in demands:
            Synergy.objects.create(offer=offer, demand=demand, score=50, engine_version="test")
    costs = []
    for chosen in (offers[:1], offers[1:]):
        with CaptureQueriesContext(connection) as queries:
            exposure.spread([offer.pk for offer in chosen])
        costs.append(len(queries))
    assert costs == [4, 4]


# --- What goes without a word -------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("low_cap")
@pytest.mark.parametrize("seed", range(3))
def test_spread_gaps_mends_the_lists_of_listings_that_were_deleted(seed):
    rng = random.Random(seed)  # noqa: S311
    offers, demands = town(4, 10)
    for _ in range(40):
        exposure.spread(change_something(offers, demands, rng))
    for _ in range(3):
        gone = rng.choice(demands)
        demands.remove(gone)
        Listing.objects.filter(pk=gone.pk).delete()
        exposure.spread_gaps()
        assert stored() == counted_at_once()


@pytest.mark.usefixtures("low_cap")
def test_spread_gaps_counts_what_was_never_counted():
    """As after the update that brings the columns."""
    offers, demands = town(3, 6)
    for offer in offers:
        for demand in demands:
            Synergy.objects.create(offer=offer, demand=demand, score=50, engine_version="test")
    assert exposure.spread_gaps() == 18
    assert stored() == counted_at_once()
    assert exposure.spread_gaps() == 0


# --- With the engine ----------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("own_index", "low_cap")
def test_refresh_one_by_one_ends_where_refreshing_everything_does():
    publish_crowd()
    demands = [publish(**DEMAND | {"description": DEMAND["description"] + f" Lot {n}."}) for n in range(CAP + 2)]
    offers = [publish(**OFFER), publish(**OFFER | {"description": "Fem pantalles facials reutilitzables."})]
    for listing in (*demands[:2], *offers, *demands[2:]):
        match(listing)
        assert stored() == counted_at_once()
    assert Synergy.objects.filter(is_held_back=True).exists()
    ended = change(demands[0], state=ListingState.CLOSED)
    match(ended)
    assert stored() == counted_at_once()
    one_by_one = places_and_turns()
    Synergy.objects.all().delete()
    call_command("refresh_synergies", verbosity=0)
    assert places_and_turns() == one_by_one


@pytest.mark.usefixtures("own_index", "low_cap")
@pytest.mark.django_db(transaction=True)
def test_a_no_frees_a_place_at_the_workers_next_round():
    hub, held, served = crowded()
    operations.dismiss(served, by=MembershipFactory(company=served.demand.company).user, reason="known")
    assert Synergy.objects.get(pk=held.pk).is_held_back
    index.run_once()
    assert refresh.run_once() == 1
    assert held.demand in on_lists(hub)
    assert served.demand not in on_lists(hub)
    assert stored() == counted_at_once()


@pytest.mark.usefixtures("low_cap")
def test_a_deleted_listing_frees_its_places():
    hub, held, served = crowded()
    uid = served.demand.uid
    Listing.objects.filter(pk=served.demand_id).delete()
    refresh.refresh([uid])
    assert held.demand in on_lists(hub)
    assert stored() == counted_at_once()


def crowded() -> tuple[Listing, Synergy, Synergy]:
    """An offer at its cap, the synergy of the demand from which it is held back and one that it serves."""
    (hub, other), demands = town(2, CAP + 1)
    for number, demand in enumerate(demands):
        pair(other, demand, 50 + number)
        pair(hub, demand, 80)
    served, held = (Synergy.objects.filter(offer=hub, is_held_back=is_held).order_by("pk").first() for is_held in (False, True))
    return hub, held, served


# --- Two workers --------------------------------------------------------------------------------------------------------


def work_at_once(offers: list[Listing], demands: list[Listing]) -> list[Exception]:
    """Four workers store pairs of the same offers at once, each its own demands, and take some away."""
    start, errors = threading.Barrier(4), []

    def work(number: int) -> None:
        rng = random.Random(number)  # noqa: S311
        own = demands[number::4]
        try:
            start.wait(10)
            for demand in [rng.choice(own) for _ in range(12)]:
                store(rng.choice(offers), demand, score=rng.randrange(40, 90, 5), goes=rng.random() < 0.25)
        except Exception as error:  # noqa: BLE001 - told below
            errors.append(error)
        finally:
            connection.close()

    workers = [threading.Thread(target=work, args=[number]) for number in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return errors


def store(offer: Listing, demand: Listing, *, score: float, goes: bool) -> None:
    with refresh.transaction.atomic():
        exposure.lock()
        if goes:
            Synergy.objects.filter(offer=offer, demand=demand).delete()
        else:
            Synergy.objects.update_or_create(offer=offer, demand=demand, defaults={"score": score, "engine_version": "test"})
        exposure.spread([offer.pk, demand.pk])


@pytest.mark.postgresql
@pytest.mark.usefixtures("low_cap")
@pytest.mark.django_db(transaction=True)
def test_workers_at_once_keep_the_cap():
    offers, demands = town(3, 16)
    assert work_at_once(offers, demands) == []
    assert stored() == counted_at_once()
    assert Synergy.objects.filter(is_held_back=True).exists()


@pytest.mark.postgresql
@pytest.mark.usefixtures("low_cap")
@pytest.mark.django_db(transaction=True)
def test_without_the_lock_each_worker_counts_what_it_sees(monkeypatch):
    monkeypatch.setattr(exposure, "lock", lambda: None)
    wrong = 0
    for _ in range(5):
        Listing.objects.all().delete()
        errors = work_at_once(*town(3, 16))
        wrong += bool(errors) or stored() != counted_at_once()
        if wrong:
            break
    assert wrong


@pytest.mark.postgresql
@pytest.mark.usefixtures("own_index", "low_cap")
@pytest.mark.django_db(transaction=True)
def test_refreshes_at_once_end_where_refreshing_everything_does():
    publish_crowd()
    offers = [publish(**OFFER | {"description": OFFER["description"] + f" Lot {n}."}) for n in range(3)]
    demands = [publish(**DEMAND) for _ in range(6)]
    index.rebuild()
    start, errors = threading.Barrier(4), []

    def work(listings):
        try:
            start.wait(10)
            for _ in range(3):
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
    assert len(stored()) == 18
    assert stored() == counted_at_once()
