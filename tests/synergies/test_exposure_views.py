"""What people see of exposure: who is not on whose list, why, and that nothing is hidden from anybody."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import translation

from marketplace.accounts import daily
from marketplace.core.models import Mail
from marketplace.listings.models import Listing
from marketplace.synergies import context_processors, operations
from marketplace.synergies.cards import Card
from marketplace.synergies.enums import Side, State
from marketplace.synergies.models import Synergy
from tests.synergies.conftest import make_pair
from tests.synergies.test_views import shown, signed_in

pytestmark = pytest.mark.django_db
INBOX = reverse("synergies:inbox")


@pytest.fixture
def held(pair):
    """A suggestion that is not put on the demand's list."""
    Synergy.objects.filter(pk=pair.synergy.pk).update(place_for_demand=3, place_for_offer=25, turn=25, is_held_back=True)
    pair.synergy.refresh_from_db()
    return pair


def tabs(response) -> dict[str, int]:
    return {tab.name: tab.count for tab in response.context["tabs"]}


@pytest.mark.parametrize("state", ["", "waiting"])
def test_what_is_held_back_is_not_on_the_demands_list(held, state):
    client = signed_in(held.asker)
    assert shown(client.get(INBOX, {"state": state})) == []
    assert shown(client.get(reverse("synergies:for_listing", args=[held.demand.uid]), headers={"HX-Request": "true"})) == []


def test_what_is_held_back_can_be_looked_at_with_a_word_why(held):
    client = signed_in(held.asker)
    response = client.get(INBOX, {"state": "more"})
    assert shown(response) == [str(held.synergy.uid)]
    assert tabs(response) == {"": 0, "waiting": 0, "answered": 0, "mutual": 0, "closed": 0, "more": 1}
    page = client.get("/en/synergies/", {"state": "more"}).content.decode()
    assert "on the lists of 20 other companies already" in page
    assert "Suggested to 20 others first" in page


def test_the_tab_is_there_only_for_whom_it_concerns(held):
    assert "more" not in tabs(signed_in(make_pair().asker).get(INBOX))
    assert "more" not in tabs(signed_in(held.offerer).get(INBOX))
    assert "more" in tabs(signed_in(held.asker).get(INBOX))
    assert signed_in(make_pair().asker).get(INBOX, {"state": "more"}).status_code == 200


def test_who_offers_sees_everybody_who_asks(held):
    client = signed_in(held.offerer)
    for state in ("", "waiting"):
        assert shown(client.get(INBOX, {"state": state})) == [str(held.synergy.uid)]
    assert "Not on their list: they see it once you say yes" in client.get("/en/synergies/").content.decode()


def test_a_yes_of_who_offers_puts_it_on_the_demands_list(held):
    operations.express_interest(held.synergy, by=held.offerer)
    response = signed_in(held.asker).get(INBOX)
    assert shown(response) == [str(held.synergy.uid)]
    assert "more" not in tabs(response)


def test_who_asks_can_say_yes_to_what_is_held_back(held):
    client = signed_in(held.asker)
    assert client.get(reverse("synergies:detail", args=[held.synergy.uid])).status_code == 200
    assert client.post(reverse("synergies:interest", args=[held.synergy.uid])).status_code == 302
    assert Synergy.objects.get().state == State.INTEREST
    assert shown(client.get(INBOX)) == [str(held.synergy.uid)]


def test_who_acts_for_both_sides_misses_nothing(held):
    held.asking.memberships.create(user=held.offerer, role="owner", state="active")
    assert shown(signed_in(held.offerer).get(INBOX)) == [str(held.synergy.uid)]


def test_the_number_in_the_menu_and_the_mail_leave_it_out(held, rf):
    request = rf.get("/")
    request.user = held.asker
    assert context_processors.waiting(request)["waiting_synergies"] == 0
    assert daily.send() == 0
    assert not Mail.objects.exists()


def test_the_number_beside_a_listing_leaves_it_out(held):
    counts = dict(Listing.objects.with_suggestions().values_list("pk", "suggestions"))
    assert counts == {held.demand.pk: 0, held.offer.pk: 1}
    Synergy.objects.update(is_held_back=False)
    assert dict(Listing.objects.with_suggestions().values_list("pk", "suggestions")) == {held.demand.pk: 1, held.offer.pk: 1}


def test_what_a_curator_put_together_is_on_both_lists(held):
    Synergy.objects.update(proposed_at=held.synergy.suggested_at)
    assert shown(signed_in(held.asker).get(INBOX)) == [str(held.synergy.uid)]


def test_inbox_is_ordered_by_what_is_promised_and_by_both_directions(pairs):
    plain, promising, mutual = pairs(3)
    for pair, values in ((plain, {"score": 70}), (promising, {"score": 60, "promise": 72}), (mutual, {"score": 60, "mutual_points": 20})):
        Synergy.objects.filter(pk=pair.synergy.pk).update(**values)
    assert shown(signed_in(plain.asker).get(INBOX)) == [str(pair.synergy.uid) for pair in (mutual, promising, plain)]


@pytest.mark.parametrize(
    ("places", "words"),
    [((1, 1), "The best we found for both of you"), ((1, 3), "Among the three best for both of you"), ((1, 4), ""), ((None, None), "")],
)
def test_card_says_that_both_rank_high_in_each_others_list(pair, places, words):
    pair.synergy.place_for_demand, pair.synergy.place_for_offer = places
    for side in Side:
        translation.activate("en")
        told = [chip.text for chip in Card(pair.synergy, side).chips if chip.positive and "both of you" in chip.text]
        assert told == ([words] if words else [])


def test_more_costs_the_same_queries_for_one_and_for_three(pairs):
    several = pairs(3)
    client = signed_in(several[0].asker)
    costs = []
    for chosen in (several[:1], several):
        Synergy.objects.filter(pk__in=[pair.synergy.pk for pair in chosen]).update(is_held_back=True)
        with CaptureQueriesContext(connection) as queries:
            assert len(shown(client.get(INBOX, {"state": "more"}))) == len(chosen)
        costs.append(len(queries))
    assert costs[0] == costs[1]
