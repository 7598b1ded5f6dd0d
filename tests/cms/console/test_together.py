"""The console's lists of groups and rings."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from marketplace.synergies import beyond_operations, ring_refresh
from marketplace.synergies.models import Consortium, Ring
from tests.factories import MembershipFactory
from tests.synergies.conftest import own_index  # noqa: F401 - a fixture
from tests.synergies.together import look, make_circle, make_fair, person_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("own_index")]
LISTS = ("console_groups", "console_rings")


def texts(response) -> str:
    assert response.status_code == 200
    return response.content.decode()


@pytest.fixture
def fair(own_index):  # noqa: F811 - the fixture
    fair = make_fair()
    look(fair.demand)
    return fair


def test_only_curators_come_in(client, fair):
    make_circle(2)
    ring_refresh.refresh_all()
    addresses = [*map(reverse, LISTS), reverse("console_group", args=[Consortium.objects.get().uid]), reverse("console_ring", args=[Ring.objects.get().uid])]
    client.force_login(MembershipFactory().user)
    assert {client.get(address).status_code for address in addresses} == {302}


def test_lists_are_there_when_there_is_nothing(console):
    for name in LISTS:
        texts(console.get(reverse(name)))


def test_curators_see_who_covers_what_and_why(console, fair):
    assert fair.demand.title in texts(console.get(reverse("console_groups")))
    page = texts(console.get(reverse("console_group", args=[fair.consortium.uid])))
    for offer in fair.offers:
        assert offer.company.name in page
        assert reverse("console_pair", args=[offer.uid, fair.demand.uid]) in page
    assert "<mark" in page


def test_curators_see_who_serves_whom(console):
    companies, synergies = make_circle(3)
    ring_refresh.refresh_all()
    assert "Baula 0, SL → Baula 1, SL → Baula 2, SL" in texts(console.get(reverse("console_rings")))
    page = texts(console.get(reverse("console_ring", args=[Ring.objects.get().uid])))
    assert "ring-picture" in page
    for synergy in synergies:
        assert synergy.offer.title in page
        assert synergy.demand.title in page
    beyond_operations.set_aside_ring(Ring.objects.get(), by=person_of(companies[1]))
    assert "Baula 1, SL" in texts(console.get(reverse("console_ring", args=[Ring.objects.get().uid])))


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({}, {2, 3, 4}),
        ({"size": "3"}, {3}),
        ({"weakest": "75"}, {4}),
        ({"company": "baula 3"}, {4}),
        ({"standing": "set_aside"}, {2}),
        ({"standing": "current"}, {3, 4}),
        ({"standing": "current", "size": "2"}, set()),
    ],
)
def test_rings_can_be_narrowed(console, query, expected):
    for size, score in ((2, 50), (3, 60), (4, 80)):
        make_circle(size, score=score)
    ring_refresh.refresh_all()
    pair = Ring.objects.get(size=2)
    beyond_operations.set_aside_ring(pair, by=pair.links.first().synergy.offer.company.memberships.get().user)
    response = console.get(reverse("console_rings"), query)
    assert {ring.size for ring in response.context["object_list"]} == expected


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({}, True),
        ({"size": "3"}, True),
        ({"size": "2"}, False),
        ({"company": "fogons"}, True),
        ({"company": "fàbrica"}, True),
        ({"company": "nobody"}, False),
        ({"standing": "current"}, True),
        ({"standing": "set_aside"}, False),
        ({"covered": "0.6"}, True),
    ],
)
def test_groups_can_be_narrowed(console, fair, query, found):
    assert bool(console.get(reverse("console_groups"), query).context["object_list"]) == found


@pytest.mark.parametrize("name", LISTS)
def test_list_costs_the_same_queries_for_one_row_and_for_three(console, fair, name):
    def queries():
        console.get(reverse(name))
        with CaptureQueriesContext(connection) as captured:
            response = console.get(reverse(name))
        return len(captured), len(response.context["object_list"])

    make_circle(2)
    ring_refresh.refresh_all()
    one = queries()
    for number in range(2):
        make_circle(number + 3)
        copy = Consortium.objects.create(demand=fair.demand, key=f"copy{number}", size=3, covered=0.5, best_alone=0.2, engine_version="test")
        for member in Consortium.objects.order_by("pk").first().members.all():
            member.pk, member.consortium = None, copy
            member.save()
    ring_refresh.refresh_all()
    three = queries()
    assert (one[1], three[1]) == (1, 3)
    assert one[0] == three[0]
