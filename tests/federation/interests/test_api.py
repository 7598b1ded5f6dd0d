"""What a partner's program can do with its interests, and what it cannot."""

import json
import uuid

import pytest
from django.utils import timezone

from marketplace.core.models import Mail
from marketplace.federation.interests import operations
from marketplace.federation.interests.enums import State
from marketplace.federation.models import IncomingInterest, RemoteListing
from marketplace.listings.models import Listing
from marketplace.synergies import operations as synergies
from marketplace.synergies.disclosure import contact_for
from marketplace.synergies.enums import Side
from marketplace.synergies.enums import State as SynergyState
from marketplace.synergies.models import Synergy
from tests.factories import CompanyFactory

from .conftest import ALBA, ORIOL, body, key_of, make_partner

PROBLEM = "application/problem+json"


class Program:
    """A partner's program with its key."""

    def __init__(self, client, partner, *scopes):
        self.client, self.headers = client, {"Authorization": f"Bearer {key_of(partner, *scopes)}"}

    def send(self, listing, content, *, key=None, **headers):
        headers = self.headers | {"Idempotency-Key": str(key or uuid.uuid4())} | headers
        data = content if isinstance(content, bytes) else json.dumps(content).encode()
        return self.client.post(f"/api/federation/v1/listings/{listing}/interests", data, content_type="application/json", headers=headers)

    def get(self, uid):
        return self.client.get(f"/api/federation/v1/interests/{uid}", headers=self.headers)

    def delete(self, uid, query=""):
        return self.client.delete(f"/api/federation/v1/interests/{uid}{query}", headers=self.headers)


@pytest.fixture
def program(client, across) -> Program:
    return Program(client, across.partner)


def alone(across) -> None:
    """As if we had not harvested the partner's listing."""
    Synergy.objects.all().delete()


# --- Sent ---------------------------------------------------------------------------------------------------------------


def test_interest_is_taken_and_its_company_told(settings, across, program):
    alone(across)
    key = uuid.uuid4()
    answer = program.send(across.demand.uid, body(across), key=key)
    assert answer.status_code == 201, answer.content
    assert answer.json() | {"receivedAt": ""} == {
        "id": str(key),
        "listing": f"{settings.SITE_URL}/id/listing/{across.demand.uid}",
        "state": "received",
        "receivedAt": "",
    }
    assert answer["Location"].endswith(f"/api/federation/v1/interests/{key}")
    assert answer["Cache-Control"] == "no-store"
    interest = IncomingInterest.objects.get()
    assert (interest.partner, interest.listing, interest.company_name, interest.company_identity) == (
        across.partner,
        across.demand,
        "Tecnoplàstics",
        "NIF:B12345674",
    )
    assert (interest.contact, interest.message) == (ORIOL.as_dict(), "We can deliver 200 on Thursday.")
    mail = Mail.objects.get()
    assert mail.to == across.person.email
    for secret in ("oriol", "600 222", "Thursday"):
        assert secret.lower() not in (mail.subject + mail.text).lower()


def test_contact_is_stored_sealed(across, program):
    program.send(across.demand.uid, body(across))
    row = IncomingInterest.objects.values().get()
    assert not [name for name, value in row.items() if "oriol" in str(value).lower() or "600 222" in str(value) or "Thursday" in str(value)]


def test_sent_twice_is_once_and_answered_the_same(across, program):
    key = uuid.uuid4()
    first, again = (program.send(across.demand.uid, body(across), key=key) for _ in range(2))
    assert (first.status_code, first.json()) == (again.status_code, again.json())
    assert again["Idempotent-Replayed"] == "true"
    assert (IncomingInterest.objects.count(), Mail.objects.count()) == (1, 1)


def test_same_key_with_another_body_is_refused(across, program):
    key = uuid.uuid4()
    program.send(across.demand.uid, body(across), key=key)
    answer = program.send(across.demand.uid, body(across, message="Something else"), key=key)
    assert answer.status_code == 422
    assert answer.json()["type"].endswith("idempotency-key-reused")


def test_same_key_of_two_partners_is_two_interests(across, client, program):
    other = make_partner("https://other.example", "Other")
    key = uuid.uuid4()
    program.send(across.demand.uid, body(across), key=key)
    own = {"@id": "https://other.example/id/listing/1", "@type": "Offer", "name": "Another offer"}
    assert Program(client, other).send(across.demand.uid, body(across, own=own), key=key).status_code == 201
    assert IncomingInterest.objects.count() == 2


def neighbour(across, client):
    """Another partner on the same host."""
    other = make_partner(across.partner.base_url, "Next door")
    return Program(client, other)


def test_partners_on_one_host_do_not_speak_for_each_others_listings(across, client):
    """The address is on the neighbour's host too: naively its interest joins the pair of the other's company and says yes in its name."""
    answer = neighbour(across, client).send(across.demand.uid, body(across))
    assert (answer.status_code, [error["code"] for error in answer.json()["errors"]]) == (422, ["other-owner"])
    naively = Synergy.objects.with_listing(across.demand).with_listing_at(across.offer.source_uri)
    assert naively.get() == across.synergy
    across.synergy.refresh_from_db()
    assert across.synergy.state == SynergyState.SUGGESTED


def test_interest_of_a_neighbour_from_before_does_not_join_either(across, client):
    from marketplace.federation.interests import receiving  # noqa: PLC0415

    stones = list(RemoteListing.objects.values())
    RemoteListing.objects.all().delete()
    assert neighbour(across, client).send(across.demand.uid, body(across)).status_code == 201
    RemoteListing.objects.bulk_create(RemoteListing(**values) for values in stones)
    assert (receiving.join_new(), IncomingInterest.objects.get().synergy) == (0, None)


def test_made_up_ids_are_not_all_remembered(across, program, monkeypatch):
    """Naively each leaves a row for 400 days."""
    from marketplace.federation.interests import receiving  # noqa: PLC0415

    monkeypatch.setattr(receiving, "MOST_UNKNOWN", 3)
    key = uuid.uuid4()
    program.send(across.demand.uid, body(across), key=key)
    answers = [program.delete(uuid.uuid4()) for _ in range(5)]
    assert [answer.status_code for answer in answers] == [204, 204, 204, 429, 429]
    assert int(answers[-1]["Retry-After"]) > 0
    assert IncomingInterest.objects.count() == 4
    assert program.delete(key).status_code == 204, "what is here goes at once"
    IncomingInterest.objects.update(created=timezone.now() - receiving.UNKNOWN_PERIOD)
    assert program.delete(uuid.uuid4()).status_code == 204


def without(content: dict, path: str) -> dict:
    *way, last = path.split(".")
    inner = content
    for step in way:
        inner = inner[step]
    del inner[last]
    return content


@pytest.mark.parametrize("path", ["company", "company.name", "own", "own.@id", "own.@type", "own.name", "contact", "contact.email", "listing"])
def test_missing_parts_are_named(across, program, path):
    answer = program.send(across.demand.uid, without(body(across), path))
    assert answer.status_code == 422
    assert answer["Content-Type"] == PROBLEM
    assert [error["pointer"] for error in answer.json()["errors"]] == ["/" + path.replace(".", "/")]
    assert not IncomingInterest.objects.exists()


@pytest.mark.parametrize("path", ["consent", "consent.text", "consent.version", "consent.givenAt"])
def test_nothing_is_taken_without_consent(across, program, path):
    answer = program.send(across.demand.uid, without(body(across), path))
    assert answer.status_code == 422
    assert not IncomingInterest.objects.exists()
    empty = program.send(across.demand.uid, body(across, consent={"text": " ", "version": "1", "givenAt": "2026-11-01T10:00:00Z"}))
    assert empty.status_code == 422


def nested(depth: int) -> bytes:
    return b'{"message":' + b"[" * depth + b"]" * depth + b"}"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("message", "x" * 2001),
        ("message", 5),
        ("message", {"a": 1}),
        ("company", []),
        ("company", {"name": "x" * 161}),
        ("company", {"name": "A", "url": "javascript:alert(1)"}),
        ("company", {"name": "A", "identifier": {"propertyID": "PASSPORT", "value": "1"}}),
        ("own", {"@id": "https://evil.example/id/listing/1", "@type": "Offer", "name": "Of somebody else"}),
        ("own", {"@id": "javascript:alert(1)", "@type": "Offer", "name": "A"}),
        ("own", "text"),
        ("contact", {"email": "nobody"}),
        ("contact", {"email": "a@b.example\r\nBcc: all@b.example"}),
        ("contact", None),
        ("consent", {"text": "I agree", "version": "1", "givenAt": "2999-01-01T00:00:00Z"}),
        ("consent", {"text": "I agree", "version": "1", "givenAt": "0001-01-01T00:00:00+14:00"}),
        ("consent", {"text": "I agree", "version": "1", "givenAt": "9999-12-31T23:59:59-14:00"}),
        ("consent", {"text": "I agree", "version": "1", "givenAt": "yesterday"}),
        ("listing", "https://elsewhere.example/id/listing/0198c0de-0000-7000-8000-000000000000"),
    ],
)
def test_bad_values_are_refused_with_a_pointer(across, program, name, value):
    answer = program.send(across.demand.uid, body(across, **{name: value}))
    assert answer.status_code == 422, answer.content
    assert all(error["pointer"].startswith(f"/{name}") for error in answer.json()["errors"])
    assert not IncomingInterest.objects.exists()


def test_year_one_with_an_offset_is_a_date_or_an_error_but_no_crash(across, program):
    content = body(across, consent={"text": "I agree", "version": "1", "givenAt": "0001-01-01T00:00:00Z"})
    assert program.send(across.demand.uid, content).status_code in (201, 422)


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b'"text"', b"NaN", b'{"message": NaN}', b'{"message": "\\ud800"}', b'{"message": "\\u0000"}', nested(100_000), b"\xff\xfe", b"9" * 5000],
    ids=["empty", "open", "list", "string", "nan", "nan inside", "surrogate", "nul", "deep", "not utf-8", "number"],
)
def test_rubbish_is_refused(across, program, content):
    answer = program.send(across.demand.uid, content)
    assert 400 <= answer.status_code < 500, answer.content
    assert answer["Content-Type"] == PROBLEM


def test_large_body_is_refused(across, program):
    assert program.send(across.demand.uid, body(across, message="x" * 100_000)).status_code == 413


@pytest.mark.parametrize("key", ["", "1", "not-a-uuid", "x" * 300])
def test_key_has_to_be_a_uuid(across, program, key):
    answer = program.send(across.demand.uid, body(across), **{"Idempotency-Key": key})
    assert answer.status_code == 400
    assert "UUID" in answer.json()["detail"]


def test_two_of_a_kind_do_not_go_together(across, program):
    own = body(across)["own"] | {"@type": "Demand"}
    answer = program.send(across.demand.uid, body(across, own=own))
    assert [error["code"] for error in answer.json()["errors"]] == ["same-kind"]


def test_only_partners_with_the_scope_send_interests(across, client):
    assert client.post(f"/api/federation/v1/listings/{across.demand.uid}/interests", b"{}", content_type="application/json").status_code == 401
    assert Program(client, across.partner, "federation").send(across.demand.uid, body(across)).status_code == 403
    across.partner.state = "paused"
    across.partner.save()
    assert Program(client, across.partner).send(across.demand.uid, body(across)).status_code == 403


@pytest.mark.parametrize("change", [{"give_kinds": ["offer"]}, {"gives": False}])
def test_listing_that_is_not_given_does_not_exist(across, program, change):
    type(across.partner).objects.update(**change)
    assert program.send(across.demand.uid, body(across)).status_code == 404


def test_listings_that_take_no_interests(across, program):
    assert program.send(uuid.uuid4(), body(across)).status_code == 404
    assert program.send(across.offer.uid, body(across)).status_code == 404, "a partner's own"
    Listing.objects.filter(pk=across.demand.pk).update(state="draft")
    assert program.send(across.demand.uid, body(across)).status_code == 404, "was never public"


# --- Answered -----------------------------------------------------------------------------------------------------------


def test_contact_goes_back_with_the_yes_only(across, program):
    alone(across)
    key = uuid.uuid4()
    program.send(across.demand.uid, body(across), key=key)
    assert program.get(key).json().keys() == {"id", "listing", "state", "receivedAt"}
    operations.accept(IncomingInterest.objects.get(), across.answer, by=across.person)
    told = program.get(key).json()
    assert (told["state"], told["contact"]) == ("accepted", ALBA.as_dict())
    operations.decline(IncomingInterest.objects.get(), by=across.person, reason="known", comment="them")
    told = program.get(key).json()
    assert told.keys() == {"id", "listing", "state", "receivedAt", "answeredAt"}, "neither the contact nor why"
    interest = IncomingInterest.objects.get()
    assert (interest.contact, interest.answer) == ({}, {})


def test_other_partners_see_nothing(across, client, program):
    key = uuid.uuid4()
    program.send(across.demand.uid, body(across), key=key)
    other = Program(client, make_partner("https://other.example", "Other"))
    assert other.get(key).status_code == 404
    assert other.delete(key).status_code == 204, "its own, which never was"
    assert program.get(key).json()["state"] == "received"


def test_taken_back_is_forgotten(across, program):
    alone(across)
    key = uuid.uuid4()
    program.send(across.demand.uid, body(across), key=key)
    assert program.delete(key).status_code == 204
    assert program.delete(key).status_code == 204
    interest = IncomingInterest.objects.get()
    assert (interest.state, interest.contact, interest.message, interest.company_name, interest.contact_mark) == (State.WITHDRAWN, {}, "", "", "")
    assert not Mail.objects.exists()
    assert program.get(key).json()["state"] == "withdrawn"
    assert program.send(across.demand.uid, body(across), key=key).status_code == 410


def test_taken_back_before_it_arrived_is_never_taken(across, program):
    key = uuid.uuid4()
    assert program.delete(key, "?reason=erasure").status_code == 204
    assert program.send(across.demand.uid, body(across), key=key).status_code == 410
    assert IncomingInterest.objects.get().sealed_contact == ""


def test_unknown_reason_of_a_deletion_is_refused(program):
    assert program.delete(uuid.uuid4(), "?reason=because").status_code == 400


def test_interest_of_the_same_two_again_takes_the_place_of_the_first(across, program):
    alone(across)
    first, second = uuid.uuid4(), uuid.uuid4()
    program.send(across.demand.uid, body(across), key=first)
    program.send(across.demand.uid, body(across, message="Once more"), key=second)
    assert [program.get(key).json()["state"] for key in (first, second)] == ["withdrawn", "received"]
    assert IncomingInterest.objects.get(remote_uid=first).sealed_contact == ""


# --- One thing, one place ------------------------------------------------------------------------------------------------


def test_interest_in_a_pair_that_is_a_synergy_here_is_seen_there(across, program):
    program.send(across.demand.uid, body(across))
    interest, synergy = IncomingInterest.objects.get(), Synergy.objects.get()
    assert interest.synergy == synergy
    assert (synergy.state, bool(synergy.offer_interest_at), synergy.demand_interest_at) == (SynergyState.INTEREST, True, None)
    assert not IncomingInterest.objects.waiting_for(across.person).exists()
    assert contact_for(across.person, synergy, Side.DEMAND) is None
    synergy = operations.say_yes(synergy, across.answer, by=across.person)
    assert synergy.state == SynergyState.MUTUAL
    contact = contact_for(across.person, synergy, Side.DEMAND)
    assert (contact.company, contact.name, contact.email, contact.phone) == ("Tecnoplàstics", ORIOL.name, ORIOL.email, ORIOL.phone)
    assert IncomingInterest.objects.get().state == State.ACCEPTED


def test_no_to_the_synergy_is_a_no_to_the_interest(across, program):
    key = uuid.uuid4()
    program.send(across.demand.uid, body(across), key=key)
    synergies.dismiss(Synergy.objects.get(), by=across.person, reason="too_far")
    assert program.get(key).json()["state"] == "declined"
    with pytest.raises(synergies.IllegalStepError):
        synergies.undo(Synergy.objects.get(), by=across.person)


def test_interest_in_a_pair_that_was_set_aside_is_declined_in_silence(across, program):
    synergies.dismiss(across.synergy, by=across.person, reason="known")
    key = uuid.uuid4()
    assert program.send(across.demand.uid, body(across), key=key).json()["state"] == "declined"
    assert not Mail.objects.exists()
    assert IncomingInterest.objects.get().contact == {}


def test_two_who_ask_each_other_have_both_said_yes(across, program):
    operations.say_yes(across.synergy, across.given, by=across.person)
    key = uuid.uuid4()
    assert program.send(across.demand.uid, body(across), key=key).json()["state"] == "accepted"
    assert program.get(key).json()["contact"] == ALBA.as_dict()
    synergy = Synergy.objects.get()
    assert synergy.state == SynergyState.MUTUAL
    assert contact_for(across.person, synergy, Side.DEMAND).email == ORIOL.email


def test_taken_back_by_the_other_company_is_taken_back_in_the_synergy(across, program):
    key = uuid.uuid4()
    program.send(across.demand.uid, body(across), key=key)
    program.delete(key)
    synergy = Synergy.objects.get()
    assert (synergy.state, synergy.offer_interest_at) == (SynergyState.SUGGESTED, None)


def test_taken_back_after_both_said_yes_is_a_no(across, program):
    key = uuid.uuid4()
    program.send(across.demand.uid, body(across), key=key)
    synergy = operations.say_yes(across.synergy, across.answer, by=across.person)
    program.delete(key)
    synergy.refresh_from_db()
    assert (synergy.state, synergy.dismissed_by) == (SynergyState.DISMISSED, across.offer.company)
    assert contact_for(across.person, synergy, Side.DEMAND) is None


@pytest.mark.parametrize(
    ("answer", "state"), [(None, SynergyState.INTEREST), ("yes", SynergyState.MUTUAL), ("no", SynergyState.DISMISSED)], ids=["open", "yes", "no"]
)
def test_synergy_that_is_found_later_takes_over(across, program, answer, state):
    from marketplace.federation.interests import receiving  # noqa: PLC0415

    facts = {name: getattr(across.synergy, name) for name in ("offer", "demand", "score", "engine_version", "reasons", "signals")}
    alone(across)
    program.send(across.demand.uid, body(across))
    if answer == "yes":
        operations.accept(IncomingInterest.objects.get(), across.answer, by=across.person)
    elif answer == "no":
        operations.decline(IncomingInterest.objects.get(), by=across.person, reason="known")
    assert receiving.join_new() == 0
    synergy = Synergy.objects.create(**facts)
    assert (receiving.join_new(), receiving.join_new()) == (1, 0)
    synergy.refresh_from_db()
    assert synergy.state == state
    assert IncomingInterest.objects.get().synergy == synergy
    if answer == "yes":
        assert contact_for(across.person, synergy, Side.DEMAND).email == ORIOL.email


def test_interest_of_another_company_is_no_business_of_ours(across, program):
    alone(across)
    program.send(across.demand.uid, body(across))
    stranger = CompanyFactory()
    assert not IncomingInterest.objects.filter(listing__company=stranger).exists()
    assert timezone.now() >= IncomingInterest.objects.get().created
