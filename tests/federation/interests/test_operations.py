"""The yes that crosses: with consent, once, taken back."""

import pytest
from django.core.exceptions import PermissionDenied, ValidationError

from marketplace.core.models import Mail
from marketplace.federation.enums import ReaderKind
from marketplace.federation.interests import operations
from marketplace.federation.interests.consent import Given
from marketplace.federation.interests.enums import State
from marketplace.federation.models import OutgoingInterest
from marketplace.federation.models.interests import mark
from marketplace.synergies import abroad
from marketplace.synergies import operations as synergies
from marketplace.synergies.enums import State as SynergyState
from marketplace.synergies.models import Synergy
from tests.factories import MembershipFactory

from .conftest import ALBA


def test_plain_yes_to_a_partners_company_is_refused(across):
    with pytest.raises(abroad.ConsentNeededError):
        synergies.express_interest(across.synergy, by=across.person)
    assert Synergy.objects.get().state == SynergyState.SUGGESTED
    assert not OutgoingInterest.objects.exists()


def test_yes_with_consent_waits_for_the_worker(across):
    synergy = operations.say_yes(across.synergy, across.given, by=across.person, message="We need 200.")
    assert (synergy.state, bool(synergy.demand_interest_at)) == (SynergyState.INTEREST, True)
    interest = OutgoingInterest.objects.get()
    assert (interest.state, interest.partner, interest.by, interest.company) == (State.WAITING, across.partner, across.person, across.company)
    assert interest.body["contact"] == ALBA.as_dict()
    assert interest.body["message"] == "We need 200."
    assert interest.body["company"]["identifier"]["value"] == across.company.tax_id
    assert interest.consent_text == across.given.text
    assert interest.contact_mark == mark(" ALBA@asking.example ")
    assert not Mail.objects.exists()


def test_stored_contact_cannot_be_read_in_the_database(across):
    operations.say_yes(across.synergy, across.given, by=across.person, message="We need 200.")
    row = OutgoingInterest.objects.values().get()
    assert not [name for name, value in row.items() if "alba" in str(value).lower() or "600 111" in str(value)]


def test_yes_twice_is_one_interest(across):
    for _ in range(2):
        operations.say_yes(across.synergy, across.given, by=across.person)
    assert OutgoingInterest.objects.count() == 1


@pytest.mark.parametrize("change", [{"version": "2020-01"}, {"text": ""}])
def test_consent_to_another_text_is_none(across, change):
    facts = {"contact": ALBA, "text": across.given.text, "version": across.given.version} | change
    with pytest.raises(ValidationError):
        operations.say_yes(across.synergy, Given(**facts), by=across.person)
    assert not OutgoingInterest.objects.exists()


def test_nobody_else_may_say_yes(across):
    with pytest.raises(PermissionDenied):
        operations.say_yes(across.synergy, across.given, by=MembershipFactory().user)


def test_natural_persons_number_never_crosses(across):
    across.company.tax_id = "12345678Z"
    across.company.save()
    operations.say_yes(across.synergy, across.given, by=across.person)
    assert "identifier" not in OutgoingInterest.objects.get().body["company"]


@pytest.mark.parametrize(
    ("facts", "code"),
    [({"state": "ended"}, "ended"), ({"sealed_key": ""}, "no_way"), ({"reader": ReaderKind.TABLE}, "no_way")],
    ids=["ended", "no key", "table"],
)
def test_partner_that_takes_no_interests(across, facts, code):
    for name, value in facts.items():
        setattr(across.partner, name, value)
    across.partner.save()
    with pytest.raises(operations.NoWayError) as refused:
        operations.say_yes(across.synergy, across.given, by=across.person)
    assert refused.value.code == code
    assert Synergy.objects.get().state == SynergyState.SUGGESTED


def test_taken_back_before_it_was_sent_leaves_nothing(across):
    synergy = operations.say_yes(across.synergy, across.given, by=across.person, message="We need 200.")
    synergy = synergies.undo(synergy, by=across.person)
    assert synergy.state == SynergyState.SUGGESTED
    interest = OutgoingInterest.objects.get()
    assert (interest.state, interest.sealed_body, interest.contact_mark, interest.to_erase) == (State.WITHDRAWN, "", "", False)


def test_taken_back_after_it_was_sent_is_erased_there(across):
    synergy = operations.say_yes(across.synergy, across.given, by=across.person)
    OutgoingInterest.objects.update(state=State.RECEIVED, attempts=1)
    synergies.undo(synergy, by=across.person)
    interest = OutgoingInterest.objects.get()
    assert (interest.state, interest.sealed_body, interest.to_erase) == (State.WITHDRAWN, "", True)


def test_set_aside_after_a_yes_takes_it_back(across):
    synergy = operations.say_yes(across.synergy, across.given, by=across.person)
    synergy = synergies.dismiss(synergy, by=across.person, reason="timing")
    assert (synergy.state, synergy.demand_interest_at) == (SynergyState.DISMISSED, None)
    assert OutgoingInterest.objects.get().state == State.WITHDRAWN
    assert synergies.undo(synergy, by=across.person).state == SynergyState.SUGGESTED


def test_yes_again_after_it_was_taken_back_is_a_new_interest(across):
    synergy = operations.say_yes(across.synergy, across.given, by=across.person)
    synergies.undo(synergy, by=across.person)
    operations.say_yes(across.synergy, across.given, by=across.person)
    assert sorted(OutgoingInterest.objects.values_list("state", flat=True)) == [State.WAITING, State.WITHDRAWN]
