"""Personal data that crossed, and how they go: when a person goes, when time passes, when a partnership ends."""

import json
from datetime import timedelta

import pytest
from django.conf import settings as django_settings
from django.utils import timezone

from marketplace.accounts import privacy
from marketplace.core.models import Mail
from marketplace.federation import operations as partners
from marketplace.federation.interests import erasing, operations, receiving, sending, wire
from marketplace.federation.interests.enums import State
from marketplace.federation.models import Delivery, Hook, IncomingInterest, OutgoingInterest
from marketplace.federation.models.interests import sealed
from marketplace.synergies.enums import State as SynergyState
from marketplace.synergies.models import Synergy
from tests.factories import MembershipFactory

from .conftest import ALBA, ORIOL, body


def sent(across, *, state=State.RECEIVED, contact=None) -> OutgoingInterest:
    operations.say_yes(across.synergy, across.given, by=across.person, message="We need 200.")
    OutgoingInterest.objects.update(state=state, attempts=1, sealed_contact=sealed(contact) if contact else "")
    if state == State.ACCEPTED:
        Synergy.objects.update(state=SynergyState.MUTUAL, offer_interest_at=timezone.now(), mutual_at=timezone.now())
    return OutgoingInterest.objects.get()


def came(across, *, is_joined: bool = True) -> IncomingInterest:
    if not is_joined:
        Synergy.objects.all().delete()
    reader = wire.InterestIn(data=body(across))
    reader.is_valid(raise_exception=True)
    return receiving.receive(across.partner, across.demand, across.offer.uid, reader.validated_data, fingerprints=["f"])[0]


def personal(row) -> list[str]:
    """The fields of a row that still hold something."""
    names = ("sealed_body", "sealed_contact", "contact_mark", "sealed_message", "sealed_answer", "answer_mark", "company_name", "their_title", "consent_text")
    return [name for name in names if getattr(row, name, "") and not (name == "consent_text" and isinstance(row, OutgoingInterest))]


def told(across) -> list[dict]:
    return [json.loads(delivery.body) for delivery in Delivery.objects.filter(hook__partner=across.partner, type="interest.changed")]


@pytest.fixture
def _hook(across):
    Hook.objects.create(partner=across.partner, url=f"{across.partner.base_url}/hook", is_active=True)


# --- A person goes ------------------------------------------------------------------------------------------------------


def test_person_who_asked_is_erased_here_and_there(across):
    MembershipFactory(company=across.company)
    interest = sent(across, state=State.ACCEPTED, contact=ORIOL.as_dict())
    privacy.erase(across.person)
    interest.refresh_from_db()
    assert (interest.state, interest.by, personal(interest)) == (State.ERASED, None, [])
    assert (interest.to_erase, interest.next_attempt_at <= timezone.now()) == (True, True)
    synergy = Synergy.objects.get()
    assert (synergy.state, synergy.demand_interest_at, synergy.offer_interest_at, synergy.mutual_at) == (SynergyState.SUGGESTED, None, None, None)


def test_person_whose_address_was_given_by_another_is_erased_too(across):
    colleague = MembershipFactory(company=across.company, user__email=ALBA.email.upper()).user
    interest = sent(across)
    privacy.erase(colleague)
    interest.refresh_from_db()
    assert (interest.state, personal(interest), interest.to_erase) == (State.ERASED, [], True)


def test_erasure_of_somebody_else_leaves_it(across):
    stranger = MembershipFactory(company=across.company).user
    interest = sent(across)
    privacy.erase(stranger)
    interest.refresh_from_db()
    assert (interest.state, interest.body["contact"]) == (State.RECEIVED, ALBA.as_dict())


@pytest.mark.usefixtures("_hook")
@pytest.mark.parametrize("is_joined", [True, False], ids=["synergy", "alone"])
def test_person_who_answered_is_erased_here_and_the_partner_told(across, is_joined):
    MembershipFactory(company=across.company)
    interest = came(across, is_joined=is_joined)
    if is_joined:
        operations.say_yes(Synergy.objects.get(), across.answer, by=across.person)
    else:
        operations.accept(interest, across.answer, by=across.person)
    Delivery.objects.all().delete()
    privacy.erase(across.person)
    interest.refresh_from_db()
    assert (interest.state, interest.answered_by, personal(interest)) == (State.ERASED, None, [])
    [message] = told(across)
    assert message["data"]["interest"] == str(interest.remote_uid)
    assert "alba" not in json.dumps(message)
    assert not Mail.objects.filter(key__startswith="interest:").exists()
    if is_joined:
        assert Synergy.objects.get().state == SynergyState.SUGGESTED


@pytest.mark.parametrize(("state", "to_erase"), [(State.DECLINED, True), (State.FAILED, True), (State.WITHDRAWN, False), (State.ERASED, False)])
def test_erasure_reaches_what_may_be_left_of_an_interest_that_ended(across, state, to_erase):
    """After a no the partner still has company and message for some days."""
    MembershipFactory(company=across.company)
    interest = sent(across, state=state)
    privacy.erase(across.person)
    interest.refresh_from_db()
    assert (interest.state, interest.to_erase, interest.by) == (state, to_erase, None)


def test_consequences_say_what_ends(across):
    assert not [words for words in privacy.consequences(across.person) if "partner" in words]
    sent(across)
    assert [words for words in privacy.consequences(across.person) if "1" in words]


def test_copy_of_a_persons_data_has_what_crossed(across):
    sent(across)
    answered = came(across, is_joined=False)
    operations.accept(answered, across.answer, by=across.person)
    told = privacy.export(across.person)["partner_marketplaces"]
    json.dumps(told)
    assert (told["sent"][0]["content"]["contact"], told["sent"][0]["consent"]) == (ALBA.as_dict(), across.given.text)
    assert told["answered"][0]["contact"] == ALBA.as_dict()
    assert ORIOL.email not in json.dumps(told), "the other person's data are not this person's"


# --- Time passes --------------------------------------------------------------------------------------------------------


def age(rows, **days: int) -> None:
    rows.update(**{name: timezone.now() - timedelta(days=number) for name, number in days.items()})


@pytest.mark.usefixtures("_hook")
def test_unanswered_interest_ends_and_is_forgotten(across):
    interest = came(across)
    age(IncomingInterest.objects, created=django_settings.INTEREST_WAIT_DAYS - 1)
    assert erasing.run_daily() == 0
    age(IncomingInterest.objects, created=django_settings.INTEREST_WAIT_DAYS + 1)
    assert (erasing.run_daily(), erasing.run_daily()) == (1, 0)
    interest.refresh_from_db()
    assert (interest.state, personal(interest), len(told(across))) == (State.EXPIRED, [], 1)
    assert Synergy.objects.get().state == SynergyState.SUGGESTED


def test_unanswered_interest_of_ours_ends_even_if_the_partner_is_silent(across):
    interest = sent(across)
    age(OutgoingInterest.objects, created=django_settings.INTEREST_WAIT_DAYS + 1)
    assert erasing.run_daily() == 0, "the partner ends it first"
    age(OutgoingInterest.objects, created=django_settings.INTEREST_WAIT_DAYS + 8)
    assert erasing.run_daily() == 1
    interest.refresh_from_db()
    assert (interest.state, personal(interest), interest.to_erase) == (State.EXPIRED, [], True)


def test_what_is_left_of_a_no_goes_after_some_days(across):
    interest = came(across, is_joined=False)
    operations.decline(interest, by=across.person, reason="other", comment="We know them")
    interest.refresh_from_db()
    assert (interest.contact, interest.company_name) == ({}, "Tecnoplàstics"), "the contact goes at once"
    assert erasing.run_daily() == 0
    age(IncomingInterest.objects, closed_at=django_settings.INTEREST_KEEP_DAYS + 1)
    assert (erasing.run_daily(), erasing.run_daily()) == (1, 0)
    interest.refresh_from_db()
    assert (interest.state, personal(interest), interest.comment) == (State.DECLINED, [], "")


def test_text_of_a_failed_yes_goes_after_some_days(across):
    sent(across, state=State.FAILED)
    age(OutgoingInterest.objects, closed_at=django_settings.INTEREST_KEEP_DAYS + 1)
    assert (erasing.run_daily(), erasing.run_daily()) == (1, 0)
    assert personal(OutgoingInterest.objects.get()) == []


def test_end_of_a_partnership_ends_its_interests(across):
    """Beyond it no erasure could arrive. The partner's key is kept for just this one more request."""
    ours = sent(across, state=State.ACCEPTED, contact=ORIOL.as_dict())
    theirs = came(across)
    partner = partners.end(across.partner, by=None)
    assert partner.sealed_key
    across.site.pages[f"/api/federation/v1/interests/{ours.uid}"] = 204
    assert sending.run_once() == 3
    for interest in (ours, theirs):
        interest.refresh_from_db()
        assert (interest.state, personal(interest)) == (State.EXPIRED, [])
    assert [method for method, _path in across.site.asked] == ["DELETE"]
    partner.refresh_from_db()
    assert (partner.sealed_key, OutgoingInterest.objects.not_erased_yet().count()) == ("", 0)
    assert sending.run_once() == 0


def test_rows_that_say_nothing_go_in_the_end(across):
    ours, theirs = sent(across, state=State.WITHDRAWN), came(across)
    receiving.forget(across.partner, theirs.remote_uid, is_erasure=True)
    OutgoingInterest.objects.update(sealed_body="", to_erase=True)
    assert erasing.run_daily() == 0
    for rows in (IncomingInterest.objects, OutgoingInterest.objects):
        age(rows, modified=django_settings.FEDERATION_TOMBSTONE_DAYS + 1)
    assert erasing.run_daily() == 1
    assert list(OutgoingInterest.objects.all()) == [ours], "the partner has still to delete it"


def test_company_or_listing_that_is_gone_ends_it(across):
    ours, theirs = sent(across), came(across)
    across.demand.delete()
    across.company.delete()
    assert erasing.run_daily() == 2
    for interest in (ours, theirs):
        interest.refresh_from_db()
        assert (interest.state, personal(interest)) == (State.EXPIRED, [])
    assert ours.to_erase
