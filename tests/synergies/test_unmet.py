"""Which listings find nobody, told apart from those that the engine has not looked at."""

import datetime

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

import search
from marketplace.core import changelog
from marketplace.listings.enums import Kind
from marketplace.listings.enums import State as ListingState
from marketplace.listings.models import Listing
from marketplace.synergies import curating, operations, refresh, unmet
from marketplace.synergies.models import Synergy
from search import index
from tests.factories import RUBI, CompanyFactory, MembershipFactory, UserFactory
from tests.synergies.conftest import DEMAND, OFFER, change, make_pair, publish

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("own_index")]
STRANGE = {"kind": "demand", "title": "Busquem un piano de cua", "description": "Ens cal un piano de cua afinat per a tres concerts de tardor."}


def look():
    """Let the engine look at everything that has changed."""
    while index.run_once() or refresh.run_once():
        pass


def lists():
    found = {"demands": unmet.without(Kind.DEMAND), "offers": unmet.without(Kind.OFFER), "unseen": unmet.unseen(), "nothing": unmet.nothing()}
    return {name: set(rows.values_list("pk", flat=True)) for name, rows in found.items() if rows.exists()}


def test_not_looked_at_yet_is_not_nothing_found():
    """The naive variant calls every demand without a suggestion unmet, also in the second after its publication."""
    demand = publish(**STRANGE)
    assert lists() == {"unseen": {demand.pk}}
    look()
    assert lists() == {"demands": {demand.pk}}
    change(demand, title="Busquem un piano vertical")
    assert lists() == {"unseen": {demand.pk}}


def test_index_that_lags_behind_leaves_them_unseen():
    demand = publish(**STRANGE)
    refresh.run_once()
    assert lists() == {"unseen": {demand.pk}}, "the synergies wait for the index"


def test_pair_that_is_suggested_is_on_no_list():
    publish(**OFFER)
    publish(**DEMAND)
    look()
    assert Synergy.objects.count() == 1
    assert lists() == {}


def test_only_public_listings_are_on_the_lists():
    publish(**STRANGE, company=CompanyFactory(hidden=True))
    ended = publish(**STRANGE)
    look()
    change(ended, state=ListingState.CLOSED)
    look()
    assert lists() == {}


def test_listing_whose_suggestions_were_all_set_aside_is_on_the_list():
    pair = make_pair()
    look()
    assert pair.demand.pk not in lists().get("demands", set())
    operations.dismiss(Synergy.objects.get(demand=pair.demand, offer=pair.offer), by=pair.asker, reason="other_thing")
    [row] = unmet.without(Kind.DEMAND)
    assert (row.pk, row.refused) == (pair.demand.pk, 1)


def test_partner_that_has_ended_puts_it_back_on_the_list():
    offer, demand = publish(**OFFER), publish(**DEMAND)
    look()
    operations.express_interest(Synergy.objects.get(), by=MembershipFactory(company=demand.company).user)
    change(offer, state=ListingState.CLOSED)
    look()
    assert lists() == {"demands": {demand.pk}}


def test_given_up_comes_back_when_its_text_changes():
    demand, curator = publish(**STRANGE), UserFactory(is_superuser=True)
    look()
    curating.mark_unmet(demand, by=curator, reason="nobody")
    assert lists() == {"nothing": {demand.pk}}
    change(demand, title="Busquem un piano vertical")
    look()
    assert lists() == {"demands": {demand.pk}}
    curating.mark_unmet(demand, by=curator, reason="nobody")
    curating.unmark(demand, by=curator)
    assert lists() == {"demands": {demand.pk}}


def test_lists_and_figures_cost_the_same_queries_for_one_and_for_three():
    def cost() -> int:
        with CaptureQueriesContext(connection) as queries:
            lists()
            unmet.figures()
        return len(queries)

    publish(**STRANGE)
    look()
    first = cost()
    for _ in range(2):
        publish(**STRANGE)
    look()
    assert cost() == first


def test_nearest_are_the_best_of_whatever_score_with_what_they_lack():
    publish(**OFFER)
    demand = publish(kind="demand", title="Busquem visera per a casc", description="Ens cal una visera de policarbonat per a cascos d'obra, homologada.")
    look()
    found = unmet.nearest(Listing.objects.for_display().get(pk=demand.pk))
    assert found
    assert found == sorted(found, key=lambda one: -one.score)
    assert [one.suffices for one in found] == [one.score >= search.THRESHOLD for one in found]
    assert "casc" in found[0].missing


# --- Figures --------------------------------------------------------------------------------------------------------------


def test_figures_by_section_place_and_month():
    curator, now = UserFactory(is_superuser=True), timezone.now()
    for met in (DEMAND, OFFER):
        publish(**met)
    _one, other, given_up = (publish(**STRANGE | facts) for facts in ({}, {"place_id": RUBI, "sector_id": "4771"}, {}))
    Listing.objects.filter(pk=other.pk).update(published_at=now - datetime.timedelta(days=40))
    look()
    publish(**STRANGE)
    curating.mark_unmet(given_up, by=curator, reason="nobody")
    figures = unmet.figures()
    assert (figures.demands, figures.unmet, figures.given_up) == (4, 3, 1), "what was not looked at is in no figure"
    assert {figure.label: (figure.demands, figure.unmet) for figure in figures.by_section()} == {"C": (2, 2), "G": (2, 1)}
    assert {figure.label: (figure.demands, figure.unmet) for figure in figures.by_place()} == {"Terrassa": (2, 2), "Rubí": (2, 1)}
    by_month = dict(figures.by_month())
    assert len(by_month) == unmet.MONTHS
    this = timezone.localdate().replace(day=1)
    assert by_month[this].unmet == 2
    assert sum(figure.unmet for figure in by_month.values()) == 3


@pytest.mark.parametrize("today", ["2021-01-31", "2021-03-01", "2020-12-31"])
def test_months_are_twelve_whatever_the_day(today):
    with time_machine.travel(f"{today} 12:00:00+00:00"):
        months = [month for month, _figure in unmet.figures().by_month()]
    assert len(set(months)) == 12
    assert months == sorted(months)
    assert months[-1].isoformat()[:7] == today[:7]


def test_no_demand_no_figures():
    assert (unmet.figures().demands, unmet.figures().by_section(), unmet.figures().by_place()) == (0, [], [])
    assert changelog.last_id() == 0
