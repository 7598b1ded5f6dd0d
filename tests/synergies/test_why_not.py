"""Why a public listing is not suggested for one of one's own."""

import datetime

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

import search
from marketplace.listings.enums import State as ListingState
from marketplace.listings.models import Listing
from marketplace.synergies import operations, why
from marketplace.synergies.enums import Side
from marketplace.synergies.models import Synergy
from marketplace.synergies.reasons import text_of
from search import index
from tests.factories import CompanyFactory, MembershipFactory, UserFactory
from tests.synergies.conftest import DEMAND, OFFER, make_pair, publish, publish_crowd

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("own_index")]
FAR = "170792"  # Girona
SECRETS = ("Alba Asking", "alba@asking.example", "600 111 111", "Oriol Offering", "oriol@offering.example", "600 222 222")


def signed_in(user) -> Client:
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def market(db):
    """A demand with a person, an offer that answers it in part, among others."""
    publish_crowd()
    person = MembershipFactory()
    demand = publish(company=person.company, **DEMAND | {"keywords": "logotip brodat"})
    offer = publish(**OFFER)
    index.rebuild()
    return person.user, demand, offer


def ask(user, mine, other, language="en"):
    return signed_in(user).get(f"/{language}/synergies/why-not/", {"mine": getattr(mine, "uid", mine), "other": getattr(other, "uid", other)})


def explained(offer, demand, side=Side.DEMAND):
    offer, demand = (Listing.objects.for_display().get(pk=one.pk) for one in (offer, demand))
    return why.Explanation(offer, demand, side=side)


# --- What it says -------------------------------------------------------------------------------------------------------


def test_page_shows_score_signals_evidence_and_what_is_missing(market):
    user, demand, offer = market
    response = ask(user, demand, offer)
    told, page = response.context["told"], response.content.decode()
    assert response.status_code == 200
    assert f"A suggestion needs {search.THRESHOLD:g}" in page
    assert told.score == pytest.approx(sum(row.points for row in told.signals), abs=0.1)
    assert all(f">{row.label}</th>" in page for row in told.signals)
    assert "<mark" in page
    assert set(told.missing) & {"logotip", "brodat"}
    assert all(word in page for word in told.missing)
    assert not [secret for secret in SECRETS if secret in page]


def test_evidence_stands_in_the_two_texts(market):
    _user, demand, offer = market
    told = explained(offer, demand)
    pairs = [pair for reason in told.found.reasons if reason["code"] == "terms" for pair in reason["data"]["pairs"]]
    assert pairs
    for pair in pairs:
        for listing, whose in ((demand, "mine"), (offer, "theirs")):
            start, end = pair[whose]
            assert text_of(listing, pair[f"field_{whose}"])[start:end] == pair[f"{whose}_text"]


def test_score_is_that_of_the_suggestion(market):
    _user, demand, offer = market
    [suggested] = [one for one in search.suggest(why.documents.document(demand), threshold=0.0) if one.uid == str(offer.uid)]
    assert explained(offer, demand).score == pytest.approx(suggested.score, abs=0.1)


def test_both_sides_read_their_own_as_mine(market):
    user, demand, offer = market
    person = MembershipFactory(company=offer.company).user
    for reader, mine, other, labels in ((user, demand, offer, ("Your demand", "Their offer")), (person, offer, demand, ("Your offer", "Their demand"))):
        page = ask(reader, mine, other).content.decode()
        assert page.index(labels[0]) < page.index(labels[1])


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ({"place_id": FAR, "reach_km": 20, "remote": False}, "km apart"),
        ({"company": "same"}, "of the same company"),
    ],
)
def test_obstacles_are_told(market, facts, words):
    user, demand, offer = market
    if facts.get("company"):
        facts = {"company": demand.company}
    Listing.objects.filter(pk=offer.pk).update(**facts)
    page = ask(user, demand, offer).content.decode()
    assert "What stands in the way" in page
    assert words in page


def test_own_listing_that_ended_is_told_and_what_to_do(market):
    user, demand, offer = market
    Listing.objects.filter(pk=demand.pk).update(state=ListingState.EXPIRED, valid_until=timezone.localdate() - datetime.timedelta(days=1))
    page = ask(user, demand, offer).content.decode()
    assert "was valid until" in page
    assert "Renew it or send it for review" in page
    assert reverse("listings:own", args=[demand.uid]).split("/")[-2] in page


@pytest.mark.parametrize(
    ("step", "words"), [("suggested", "Nobody has answered yet"), ("interest", "one side said yes"), ("mutual", "both said yes"), ("dismissed", "set aside")]
)
def test_pair_that_was_suggested_says_what_became_of_it(step, words):
    pair = make_pair()
    index.rebuild()
    if step in ("interest", "mutual"):
        operations.express_interest(pair.synergy, by=pair.asker)
    if step == "mutual":
        operations.express_interest(pair.synergy, by=pair.offerer)
    if step == "dismissed":
        operations.dismiss(pair.synergy, by=pair.asker, reason="known")
    page = ask(pair.asker, pair.demand, pair.offer).content.decode()
    assert words in page
    assert f"/en/synergies/{pair.synergy.uid}/" in page
    assert not [secret for secret in SECRETS if secret in page]


def test_text_is_escaped(market):
    user, demand, offer = market
    Listing.objects.filter(pk=offer.pk).update(title="<script>alert(1)</script> pantalles facials")
    page = ask(user, demand, offer).content.decode()
    assert "<script>alert(1)" not in page
    assert "&lt;script&gt;alert(1)" in page


# --- Who sees what --------------------------------------------------------------------------------------------------------


def test_page_asks_to_sign_in(client, market):
    _user, demand, offer = market
    response = client.get(reverse("synergies:why_not"), {"mine": demand.uid, "other": offer.uid})
    assert response["Location"].startswith(reverse("account_login"))


def test_only_own_listings_beside_public_ones(market):
    user, demand, offer = market
    stranger = MembershipFactory().user
    publish(company=stranger.memberships.get().company)
    assert "told" not in ask(stranger, demand, offer).context, "somebody else's demand"
    for state in (ListingState.DRAFT, ListingState.CLOSED, ListingState.REJECTED):
        Listing.objects.filter(pk=offer.pk).update(state=state)
        response = ask(user, demand, offer)
        assert "told" not in response.context
        assert offer.title not in response.content.decode()
        assert "no public listing at this address" in response.content.decode()


def test_listing_of_a_hidden_company_does_not_exist(market):
    user, demand, offer = market
    type(offer.company).objects.filter(pk=offer.company_id).update(hidden=True)
    assert "no public listing at this address" in ask(user, demand, offer).content.decode()


@pytest.mark.parametrize("address", ["", "nonsense", "00000000-0000-7000-8000-000000000000", "https://x.example/", "x" * 501, "\u202e"])
def test_odd_addresses_are_told_or_ask_again(market, address):
    user, demand, _offer = market
    response = ask(user, demand, address)
    assert response.status_code == 200
    assert "told" not in response.context


def test_address_may_be_that_of_the_page_in_any_language(market):
    user, demand, offer = market
    for prefix in ("https://market.example/anuncis/", "http://x/es/anuncios/", "/en/listings/"):
        assert ask(user, demand, f"{prefix}{offer.uid}/?x=1").context["told"].offer == offer


def test_two_of_a_kind_cannot_be_compared(market):
    user, demand, _offer = market
    assert "An offer can only be compared with a demand" in ask(user, demand, publish(**DEMAND)).content.decode()


def test_page_changes_nothing_and_takes_no_post(market):
    user, demand, offer = market
    assert signed_in(user).post(reverse("synergies:why_not"), {"mine": demand.uid, "other": offer.uid}).status_code == 405
    ask(user, demand, offer)
    assert not Synergy.objects.exists()


# --- Coming from the public page --------------------------------------------------------------------------------------------


def test_public_page_leads_here_for_those_who_have_the_opposite(market, client):
    user, demand, offer = market
    link = f"{reverse('synergies:why_not')}?other={offer.uid}"
    address = offer.get_absolute_url()
    assert link in signed_in(user).get(address).content.decode()
    for reader in (client, signed_in(UserFactory()), signed_in(MembershipFactory().user)):
        assert link not in reader.get(address).content.decode()
    only_offers = MembershipFactory()
    publish(company=only_offers.company, **OFFER)
    assert link not in signed_in(only_offers.user).get(address).content.decode()
    told = signed_in(user).get(link).context["told"]
    assert (told.mine, told.theirs) == (demand, offer)


def test_page_without_listings_says_what_to_do():
    page = signed_in(MembershipFactory().user).get("/en/synergies/why-not/").content.decode()
    assert "Publish what you offer or need" in page


def test_page_costs_the_same_queries_whatever_one_has(market):
    user, demand, offer = market

    def cost() -> int:
        client = signed_in(user)
        client.get(reverse("synergies:why_not"), {"mine": demand.uid, "other": offer.uid})
        with CaptureQueriesContext(connection) as queries:
            client.get(reverse("synergies:why_not"), {"mine": demand.uid, "other": offer.uid})
        return len(queries)

    first = cost()
    for _ in range(2):
        publish(company=demand.company, **OFFER)
    assert cost() == first


def test_search_that_is_away_is_told_plainly(market, settings, tmp_path):
    user, demand, offer = market
    settings.EMBEDDED_INDEX_PATH = tmp_path / "nothing" / "here"
    response = ask(user, demand, offer)
    assert response.status_code == 503
    page = response.content.decode()
    assert "The search does not answer at the moment" in page
    assert str(offer.uid) in page, "the choice is kept"


def test_strangers_get_one_advice_only():
    person = MembershipFactory()
    demand = publish(
        company=person.company, kind="demand", title="Busquem un piano de cua", description="Ens cal un piano de cua afinat per a tres concerts de tardor."
    )
    offer = publish(company=CompanyFactory(), **OFFER)
    publish_crowd()
    index.rebuild()
    assert len(explained(offer, demand).tips) == 1
