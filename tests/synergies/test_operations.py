"""Interest, disclosure, setting aside, taking back; two people at the same moment."""

import threading

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection

from marketplace.core.models import Change, Mail
from marketplace.listings.enums import State as ListingState
from marketplace.listings.models import Listing
from marketplace.synergies import operations
from marketplace.synergies.disclosure import Contact, contact_for
from marketplace.synergies.enums import Side, State
from marketplace.synergies.models import Synergy
from tests.factories import MembershipFactory, UserFactory
from tests.synergies.conftest import make_pair

pytestmark = pytest.mark.django_db


def steps(synergy: Synergy) -> list[tuple[str, str | None]]:
    return [(event.step, event.company and event.company.name) for event in synergy.events.select_related("company")]


def mails() -> list[tuple[str, str]]:
    return sorted(Mail.objects.values_list("to", "subject"))


# --- Interest -----------------------------------------------------------------------------------------------------------


def test_interest_of_one_side_tells_the_other(pair):
    synergy = operations.express_interest(pair.synergy, by=pair.asker)
    assert synergy.state == State.INTEREST
    assert synergy.demand_interest_at
    assert synergy.offer_interest_at is None
    assert steps(synergy) == [("interest", "Comerciants de Rubí")]
    (mail,) = Mail.objects.all()
    assert mail.to == "offerer@login.example"
    assert pair.offer.title in mail.text
    assert pair.demand.title in mail.text
    assert synergy.get_absolute_url() in mail.text


def test_interest_of_both_sides_is_mutual_and_everybody_learns_of_it(pair):
    colleague = MembershipFactory(company=pair.asking, user__email="colleague@login.example").user
    operations.express_interest(pair.synergy, by=pair.offerer)
    Mail.objects.all().delete()
    synergy = operations.express_interest(pair.synergy, by=pair.asker)
    assert synergy.state == State.MUTUAL
    assert synergy.mutual_at
    assert steps(synergy) == [
        ("interest", "Tecnoplàstics"),
        ("interest", "Comerciants de Rubí"),
        ("mutual", None),
        ("shown", "Comerciants de Rubí"),
        ("shown", "Tecnoplàstics"),
    ]
    assert [to for to, _ in mails()] == sorted([pair.asker.email, pair.offerer.email, colleague.email])


def test_interest_twice_is_interest_once(pair):
    operations.express_interest(pair.synergy, by=pair.asker)
    synergy = operations.express_interest(pair.synergy, by=pair.asker)
    assert synergy.state == State.INTEREST
    assert len(steps(synergy)) == 1
    assert len(mails()) == 1


def test_interest_again_after_taking_it_back_sends_no_second_mail(pair):
    for act in (operations.express_interest, operations.undo, operations.express_interest):
        act(pair.synergy, by=pair.asker)
    assert len(mails()) == 1


@pytest.mark.parametrize("ended", ["offer", "demand"])
@pytest.mark.parametrize("who", ["asker", "offerer"])
def test_interest_in_a_listing_that_ended_is_refused_in_words(pair, ended, who):
    Listing.objects.filter(pk=getattr(pair, ended).pk).update(state=ListingState.CLOSED)
    with pytest.raises(operations.IllegalStepError) as refused:
        operations.express_interest(pair.synergy, by=getattr(pair, who))
    assert refused.value.code == "not_live"
    assert Synergy.objects.get().state == State.SUGGESTED
    assert mails() == []


def test_interest_in_a_suggestion_that_is_gone_is_refused_in_words(pair):
    Synergy.objects.all().delete()
    with pytest.raises(operations.IllegalStepError):
        operations.express_interest(pair.synergy, by=pair.asker)


@pytest.mark.parametrize("act", [operations.express_interest, operations.undo, lambda synergy, by: operations.dismiss(synergy, by=by, reason="known")])
def test_nobody_else_may_act(pair, act):
    stranger = MembershipFactory().user
    waiting = MembershipFactory(company=pair.asking, role="member", state="requested").user
    for person in (stranger, waiting, UserFactory()):
        with pytest.raises(PermissionDenied):
            act(pair.synergy, by=person)
    assert Synergy.objects.get().state == State.SUGGESTED


# --- A person on both sides ---------------------------------------------------------------------------------------------


def test_person_of_both_companies_speaks_for_one_at_a_time(pair):
    both = MembershipFactory(company=pair.asking, user=MembershipFactory(company=pair.offering, user__email="both@login.example").user).user
    synergy = operations.express_interest(pair.synergy, by=both)
    assert synergy.state == State.INTEREST
    assert synergy.demand_interest_at
    assert [to for to, _ in mails()] == [pair.offerer.email], "and gets no mail about it"
    synergy = operations.express_interest(pair.synergy, by=both)
    assert synergy.state == State.MUTUAL
    told = list(Mail.objects.filter(key__contains="mutual").order_by("to").values_list("to", flat=True))
    assert told == sorted([both.email, pair.asker.email, pair.offerer.email]), "one mail, though in both companies"


# --- Setting aside ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", [State.SUGGESTED, State.INTEREST, State.MUTUAL])
def test_dismiss_from_any_state(pair, state):
    if state != State.SUGGESTED:
        operations.express_interest(pair.synergy, by=pair.asker)
    if state == State.MUTUAL:
        operations.express_interest(pair.synergy, by=pair.offerer)
    synergy = operations.dismiss(pair.synergy, by=pair.offerer, reason="too_far", comment=" 40 km ")
    assert (synergy.state, synergy.dismissed_by, synergy.dismissed_reason, synergy.dismissed_comment) == (State.DISMISSED, pair.offering, "too_far", "40 km")
    assert steps(synergy)[-1] == ("dismissed", "Tecnoplàstics")
    assert contact_for(pair.asker, synergy, Side.DEMAND) is None


def test_dismiss_without_a_known_reason_is_refused(pair):
    for reason in ("", "because"):
        with pytest.raises(ValidationError) as refused:
            operations.dismiss(pair.synergy, by=pair.asker, reason=reason)
        assert list(refused.value.message_dict) == ["reason"]


def test_dismissed_pair_takes_no_interest(pair):
    operations.dismiss(pair.synergy, by=pair.asker, reason="known")
    with pytest.raises(operations.IllegalStepError):
        operations.express_interest(pair.synergy, by=pair.offerer)
    assert operations.dismiss(pair.synergy, by=pair.offerer, reason="too_far").dismissed_by == pair.asking, "the first one counts"


# --- Taking back --------------------------------------------------------------------------------------------------------


def test_undo_of_interest(pair):
    operations.express_interest(pair.synergy, by=pair.asker)
    before = Change.objects.count()
    synergy = operations.undo(pair.synergy, by=pair.asker)
    assert synergy.state == State.SUGGESTED
    assert synergy.demand_interest_at is None
    assert steps(synergy)[-1] == ("undone", "Comerciants de Rubí")
    assert Change.objects.count() == before + 1, "the engine looks at the pair again"


def test_undo_of_a_dismissal_brings_back_what_was_before(pair):
    operations.express_interest(pair.synergy, by=pair.offerer)
    operations.dismiss(pair.synergy, by=pair.asker, reason="known", comment="them")
    synergy = operations.undo(pair.synergy, by=pair.asker)
    assert (synergy.state, synergy.dismissed_by, synergy.dismissed_reason, synergy.dismissed_comment) == (State.INTEREST, None, "", "")


def test_undo_is_refused_once_both_said_yes(pair):
    operations.express_interest(pair.synergy, by=pair.asker)
    operations.express_interest(pair.synergy, by=pair.offerer)
    with pytest.raises(operations.IllegalStepError):
        operations.undo(pair.synergy, by=pair.asker)
    operations.dismiss(pair.synergy, by=pair.asker, reason="timing")
    with pytest.raises(operations.IllegalStepError):
        operations.undo(pair.synergy, by=pair.asker)


def test_undo_of_what_the_other_side_did_is_refused(pair):
    operations.express_interest(pair.synergy, by=pair.offerer)
    with pytest.raises(operations.IllegalStepError):
        operations.undo(pair.synergy, by=pair.asker)
    operations.dismiss(pair.synergy, by=pair.offerer, reason="known")
    with pytest.raises(operations.IllegalStepError):
        operations.undo(pair.synergy, by=pair.asker)


# --- Contact data -------------------------------------------------------------------------------------------------------


def test_contact_is_for_the_two_sides_of_a_mutual_synergy(pair):
    stranger = MembershipFactory().user
    operations.express_interest(pair.synergy, by=pair.asker)
    pair.synergy.refresh_from_db()
    assert contact_for(pair.asker, pair.synergy, Side.DEMAND) is None
    synergy = operations.express_interest(pair.synergy, by=pair.offerer)
    assert contact_for(pair.asker, synergy, Side.DEMAND) == Contact("Tecnoplàstics", "Oriol Offering", "oriol@offering.example", "+34 600 222 222")
    assert contact_for(pair.offerer, synergy, Side.OFFER).email == "alba@asking.example"
    assert contact_for(stranger, synergy, Side.DEMAND) is None
    assert contact_for(pair.asker, synergy, Side.OFFER) is None, "not the side of this person"


def test_contact_falls_back_to_the_first_owner(pair):
    pair.offering.contact_email = ""
    pair.offering.save()
    MembershipFactory(company=pair.offering, user__email="second@login.example")
    for person in (pair.asker, pair.offerer):
        synergy = operations.express_interest(pair.synergy, by=person)
    assert contact_for(pair.asker, synergy, Side.DEMAND).email == "offerer@login.example"


# --- At the same moment -------------------------------------------------------------------------------------------------


def at_once(*works) -> None:
    start = threading.Barrier(len(works))

    def run(work):
        try:
            start.wait(10)
            work()
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=[work]) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def naive_interest(synergy: Synergy, side: Side) -> None:
    """Without the lock: each reads that the other has not answered yet."""
    read = Synergy.objects.get(pk=synergy.pk)
    NAIVE_BARRIER.wait(10)
    read.set_interest(side, read.suggested_at)
    read.state = State.MUTUAL if read.interest_at(side.other) else State.INTEREST
    read.save()


NAIVE_BARRIER = threading.Barrier(2)


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_interest_of_both_at_the_same_moment_is_mutual_once():
    for _ in range(5):
        pair = make_pair()
        synergy = pair.synergy
        at_once(
            lambda: operations.express_interest(synergy, by=pair.asker),  # noqa: B023 - runs within this round
            lambda: operations.express_interest(synergy, by=pair.offerer),  # noqa: B023
            lambda: operations.express_interest(synergy, by=pair.asker),  # noqa: B023 - and a double click
        )
        synergy.refresh_from_db()
        assert synergy.state == State.MUTUAL
        assert [step for step, _ in steps(synergy)].count("mutual") == 1
        told = Mail.objects.filter(key__startswith=f"synergy:{synergy.uid}:mutual").values_list("to", flat=True)
        assert sorted(told) == [pair.asker.email, pair.offerer.email]
        assert Mail.objects.filter(key__startswith=f"synergy:{synergy.uid}:interest").count() == 1


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_interest_without_the_lock_is_lost():
    """What the lock is for: the naive way ends with one side's yes overwritten."""
    pair = make_pair()
    at_once(lambda: naive_interest(pair.synergy, Side.DEMAND), lambda: naive_interest(pair.synergy, Side.OFFER))
    pair.synergy.refresh_from_db()
    assert pair.synergy.state == State.INTEREST
    assert [pair.synergy.demand_interest_at, pair.synergy.offer_interest_at].count(None) == 1
