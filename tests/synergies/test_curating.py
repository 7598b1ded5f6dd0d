"""What curators do: suggest by hand, judge, advise, give up; and what the engine then leaves alone."""

import pytest
from django.contrib.auth.models import Group
from django.core.exceptions import PermissionDenied, ValidationError
from django.urls import reverse
from django.utils import translation

import search
from marketplace.accounts import privacy
from marketplace.accounts.rules import CURATORS
from marketplace.core.models import Mail
from marketplace.listings.enums import State as ListingState
from marketplace.listings.models import Listing
from marketplace.synergies import curating, digest, operations, refresh
from marketplace.synergies.enums import State
from marketplace.synergies.models import Advice, Judgement, Synergy, UnmetMark
from search import index
from tests.concurrency import at_once
from tests.factories import MembershipFactory, UserFactory
from tests.synergies.conftest import DEMAND, OFFER, change, make_pair, match, publish

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("own_index")]
STRANGE = {"kind": "demand", "title": "Busquem un piano de cua", "description": "Ens cal un piano de cua afinat per a tres concerts de tardor."}


@pytest.fixture
def curator(db):
    return UserFactory(is_superuser=True)


@pytest.fixture
def strangers(db):
    """An offer and a demand that no engine would put together, with a person each."""
    offer, demand = publish(company=MembershipFactory().company, **OFFER), publish(company=MembershipFactory().company, **STRANGE)
    match(offer, demand)
    assert not Synergy.objects.exists()
    return offer, demand


# --- Suggesting by hand -------------------------------------------------------------------------------------------------


def test_proposal_is_stored_with_its_reasons_and_told_to_both(strangers, curator):
    offer, demand = strangers
    synergy = curating.propose(offer, demand, by=curator, note="Tenen un piano al magatzem")
    assert (synergy.state, synergy.proposed_by, synergy.proposed_note) == (State.SUGGESTED, curator, "Tenen un piano al magatzem")
    assert synergy.score < search.THRESHOLD
    assert synergy.signals
    assert list(synergy.events.values_list("step", flat=True)) == ["proposed"]
    assert Mail.objects.count() == 2
    assert all("Tenen un piano al magatzem" in mail.text for mail in Mail.objects.all())


def test_proposal_survives_every_refresh_until_it_is_answered(strangers, curator):
    """The naive variant: what the engine does not suggest goes away with the next change of one of the listings."""
    offer, demand = strangers
    curating.propose(offer, demand, by=curator)
    naive = make_pair()
    change(naive.demand, **{name: value for name, value in STRANGE.items() if name != "kind"})
    match(naive.demand)
    assert not Synergy.objects.filter(pk=naive.synergy.pk).exists(), "one that the engine made does go"
    for listing in (offer, demand):
        change(listing, title=f"{listing.title}, de segona mà")
        match(listing)
    refresh.refresh_all()
    synergy = Synergy.objects.get(offer=offer, demand=demand)
    assert (synergy.offer_version, synergy.demand_version) == (offer.version + 1, demand.version + 1), "score and reasons follow the texts"
    operations.express_interest(synergy, by=demand.company.memberships.first().user)
    assert Synergy.objects.get(pk=synergy.pk).state == State.INTEREST


def test_proposal_waits_while_a_listing_is_away(strangers, curator):
    offer, demand = strangers
    synergy = curating.propose(offer, demand, by=curator)
    match(change(offer, state=ListingState.EXPIRED))
    refresh.refresh_all()
    assert Synergy.objects.filter(pk=synergy.pk).exists()
    assert not Synergy.objects.current().filter(pk=synergy.pk).exists()


def test_proposal_is_not_told_again_by_the_digest(strangers, curator):
    offer, demand = strangers
    curating.propose(offer, demand, by=curator)
    people = [listing.company.memberships.first().user for listing in strangers]
    assert [digest.news(user).count() for user in people] == [0, 0]


def test_proposal_of_a_pair_that_waits_already_changes_nothing(pair, curator):
    synergy = curating.propose(pair.offer, pair.demand, by=curator)
    assert (synergy.pk, synergy.proposed_at) == (pair.synergy.pk, None)
    assert not Mail.objects.exists()


def test_dismissed_pair_is_never_proposed(pair, curator):
    operations.dismiss(pair.synergy, by=pair.asker, reason="known")
    with translation.override("en"), pytest.raises(ValidationError, match="set this pair aside"):
        curating.propose(pair.offer, pair.demand, by=curator)


@pytest.mark.parametrize("broken", ["same company", "not live", "two offers"])
def test_proposal_needs_a_public_offer_and_demand_of_two_companies(strangers, curator, broken):
    offer, demand = strangers
    if broken == "same company":
        Listing.objects.filter(pk=demand.pk).update(company=offer.company)
    elif broken == "not live":
        Listing.objects.filter(pk=demand.pk).update(state=ListingState.CLOSED)
    else:
        Listing.objects.filter(pk=demand.pk).update(kind="offer")
    with pytest.raises(ValidationError):
        curating.propose(offer, demand, by=curator)
    assert not Synergy.objects.exists()


def calls(offer, demand, by):
    return [
        lambda: curating.propose(offer, demand, by=by),
        lambda: curating.judge(offer, demand, by=by, verdict="fits"),
        lambda: curating.advise(demand, by=by, text="Digueu quants"),
        lambda: curating.mark_unmet(demand, by=by, reason="nobody"),
        lambda: curating.unmark(demand, by=by),
    ]


@pytest.mark.parametrize("number", range(5))
@pytest.mark.parametrize("who", ["nobody", "member", "curator of the own company"])
def test_only_curators_decide_and_none_in_their_own_cause(strangers, number, who):
    offer, demand = strangers
    user = UserFactory(is_superuser=who == "curator of the own company")
    if who != "nobody":
        MembershipFactory(user=user, company=demand.company)
    with pytest.raises(PermissionDenied):
        calls(offer, demand, user)[number]()
    assert [model.objects.count() for model in (Synergy, Judgement, Advice, UnmetMark, Mail)] == [0] * 5


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_two_curators_at_once_propose_once():
    offer, demand = publish(company=MembershipFactory().company, **OFFER), publish(company=MembershipFactory().company, **STRANGE)
    curators = [UserFactory(is_superuser=True) for _ in range(4)]
    results = at_once(*[lambda by=by: curating.propose(offer, demand, by=by).pk for by in curators])
    assert len(set(results)) == 1, results
    assert (Synergy.objects.count(), Mail.objects.count()) == (1, 2)


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_proposal_and_refresh_at_once_make_one_synergy():
    offer, demand = publish(company=MembershipFactory().company, **OFFER), publish(company=MembershipFactory().company, **DEMAND)
    index.rebuild()
    curator = UserFactory(is_superuser=True)
    results = at_once(lambda: curating.propose(offer, demand, by=curator), lambda: refresh.refresh([demand.uid]))
    assert not [result for result in results if isinstance(result, Exception)], results
    assert Synergy.objects.count() == 1


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_curator_who_clicks_twice_judges_once():
    pair, curator = make_pair(), UserFactory(is_superuser=True)
    results = at_once(*[lambda verdict=verdict: curating.judge(pair.offer, pair.demand, by=curator, verdict=verdict) for verdict in ("fits", "not", "fits")])
    assert not [result for result in results if isinstance(result, Exception)], results
    assert Judgement.objects.count() == 1


# --- Advising and giving up -----------------------------------------------------------------------------------------------


def test_advice_reaches_the_people_and_stands_until_the_text_changes(strangers, curator, client):
    _offer, demand = strangers
    curating.advise(demand, by=curator, text="Digueu <b>quants</b> concerts")
    curating.advise(demand, by=curator, text="Digueu <b>quants</b> concerts")
    [mail] = Mail.objects.all()
    assert "Digueu <b>quants</b> concerts" in mail.text
    client.force_login(demand.company.memberships.first().user)
    address = reverse("synergies:for_listing", args=[demand.uid])
    assert b"Digueu &lt;b&gt;quants&lt;/b&gt; concerts" in client.get(address, headers={"HX-Request": "true"}).content
    change(demand, title="Busquem un piano de cua per a tres concerts")
    assert b"concerts</p>" not in client.get(address, headers={"HX-Request": "true"}).content
    assert Advice.objects.count() == 1


@pytest.mark.parametrize("text", ["", "   "])
def test_advice_needs_words(strangers, curator, text):
    with pytest.raises(ValidationError):
        curating.advise(strangers[1], by=curator, text=text)


def test_mark_is_one_a_listing_and_the_newest_counts(strangers, curator):
    _offer, demand = strangers
    curating.mark_unmet(demand, by=curator, reason="special", comment="Ningú no en té")
    assert UnmetMark.objects.get().reason == "special"
    curating.mark_unmet(demand, by=curator, reason="nobody")
    assert UnmetMark.objects.get().reason == "nobody"


def test_what_a_curator_wrote_is_exported_and_stays_without_the_name(strangers):
    curator = UserFactory()
    curator.groups.add(Group.objects.get(name=CURATORS))
    offer, demand = strangers
    for call in calls(offer, demand, curator)[:4]:
        call()
    written = privacy.export(curator)["synergies"]["curated"]
    assert {name: len(rows) for name, rows in written.items()} == {"judgements": 1, "proposals": 1, "advice": 1, "nothing_to_be_had": 1}
    privacy.erase(curator)
    assert (Judgement.objects.get().by, Advice.objects.get().by, UnmetMark.objects.get().by, Synergy.objects.get().proposed_by) == (None,) * 4
