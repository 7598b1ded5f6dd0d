"""Several at the same moment: two people of a company, a program that sends twice, a yes while the other side takes back."""

import uuid

import pytest
from django.db import connection, transaction

from marketplace.core.models import Mail
from marketplace.federation.interests import operations, receiving, sending, wire
from marketplace.federation.interests.enums import State
from marketplace.federation.models import IncomingInterest, OutgoingInterest
from marketplace.synergies import operations as synergies
from marketplace.synergies.disclosure import contact_for
from marketplace.synergies.enums import Side
from marketplace.synergies.models import Synergy
from tests.concurrency import at_once
from tests.factories import MembershipFactory

from .conftest import body
from .test_erasing import came
from .test_sending import Partner, answer

# Where rows are locked one by one; SQLite lets one writer in at a time anyway.
pytestmark = [pytest.mark.postgresql, pytest.mark.django_db(transaction=True)]


def test_two_people_of_a_company_say_yes(across):
    colleague = MembershipFactory(company=across.company).user
    at_once(*(lambda user=user: operations.say_yes(across.synergy, across.given, by=user) for user in (across.person, colleague, across.person)))
    assert OutgoingInterest.objects.count() == 1


@pytest.mark.parametrize("is_naive", [True, False], ids=["naive", "ours"])
def test_request_that_comes_eight_times_at_once(across, is_naive):
    Synergy.objects.all().delete()
    uid = uuid.uuid4()
    reader = wire.InterestIn(data=body(across))
    reader.is_valid(raise_exception=True)

    def receive():
        return receiving.receive(across.partner, across.demand, uuid.uuid4() if is_naive else uid, reader.validated_data, fingerprints=["f"])[1]

    results = at_once(*[receive] * 8)
    assert results.count(True) == (8 if is_naive else 1), "the naive one has no id of its own"
    assert IncomingInterest.objects.count() == results.count(True)
    assert Mail.objects.filter(key__startswith="interest:").count() == 1


def test_two_workers_send_it_once(across):
    operations.say_yes(across.synergy, across.given, by=across.person)
    partner = Partner(across)
    partner.says(answer(201, {"state": "received"}))
    at_once(*[sending.run_once] * 3)
    assert len(partner.sent) == 1


@pytest.mark.parametrize("is_joined", [True, False], ids=["synergy", "alone"])
def test_yes_while_the_other_company_takes_its_interest_back(across, is_joined):
    interest = came(across, is_joined=is_joined)

    def say_yes():
        if is_joined:
            return operations.say_yes(across.synergy, across.answer, by=across.person)
        return operations.accept(interest, across.answer, by=across.person)

    at_once(say_yes, lambda: receiving.forget(across.partner, interest.remote_uid, is_erasure=True))
    interest.refresh_from_db()
    assert (interest.state, interest.contact, interest.answer) == (State.ERASED, {}, {})
    if is_joined:
        assert contact_for(across.person, Synergy.objects.get(), Side.DEMAND) is None


def test_taken_back_while_the_yes_arrives(across):
    operations.say_yes(across.synergy, across.given, by=across.person)
    OutgoingInterest.objects.update(state=State.RECEIVED, attempts=1)
    interest = OutgoingInterest.objects.get()
    told = {"state": "accepted", "contact": {"name": "Oriol", "email": "oriol@offering.example", "telephone": ""}}
    at_once(lambda: synergies.undo(across.synergy, by=across.person), lambda: sending._heard(interest, told))
    interest.refresh_from_db()
    synergy = Synergy.objects.get()
    has_contact = contact_for(across.person, synergy, Side.DEMAND) is not None
    assert has_contact == (synergy.mutual_at is not None) == (interest.state == State.ACCEPTED)
    assert interest.to_erase == (not has_contact)


def test_person_is_erased_while_the_worker_sends(across):
    """What was claimed before the erasure goes out at most once more, and is erased there afterwards."""
    MembershipFactory(company=across.company)
    operations.say_yes(across.synergy, across.given, by=across.person)
    partner = Partner(across)
    partner.says(answer(201, {"state": "received"}))
    partner.says_of(OutgoingInterest.objects.get(), 204)
    at_once(sending.run_once, lambda: erase(across.person))
    OutgoingInterest.objects.update(lease_until=None)
    sending.run_once()
    interest = OutgoingInterest.objects.get()
    assert (interest.state, interest.sealed_body, interest.to_erase) == (State.ERASED, "", False)
    assert not partner.sent or partner.sent[-1][0] == "DELETE"


def erase(user) -> None:
    from marketplace.accounts import privacy  # noqa: PLC0415

    with transaction.atomic():
        privacy.erase(user)
    connection.close()
