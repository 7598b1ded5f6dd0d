"""The worker's part: every answer that a partner can give, and none at all."""

import json
from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from marketplace.core.models import Mail
from marketplace.federation.interests import operations, sending
from marketplace.federation.interests.enums import State
from marketplace.federation.models import OutgoingInterest
from marketplace.synergies import operations as synergies
from marketplace.synergies.disclosure import contact_for
from marketplace.synergies.enums import Side
from marketplace.synergies.enums import State as SynergyState
from marketplace.synergies.models import Synergy

from .conftest import ALBA, ORIOL


def answer(status: int, content: dict | None = None, **headers: str):
    kind = "application/json" if status < 400 else "application/problem+json"
    return status, {"Content-Type": kind, **headers}, json.dumps(content or {}).encode()


class Partner:
    """The partner's side: says what it is told to say, remembers what it was sent."""

    def __init__(self, across):
        self.site, self.sent = across.site, []
        uid = across.offer.source_uri.rpartition("/")[2]
        self.interests = f"/api/federation/v1/listings/{uid}/interests"

    def says(self, reply, to: str = "") -> None:
        self.site.pages[to or self.interests] = lambda request: self._take(request) or reply

    def says_of(self, interest, reply) -> None:
        self.says(reply, f"/api/federation/v1/interests/{interest.uid}")

    def _take(self, request) -> None:
        length = int(request.headers.get("Content-Length") or 0)
        self.sent.append((request.command, dict(request.headers), request.rfile.read(length)))


@pytest.fixture
def partner(across) -> Partner:
    return Partner(across)


@pytest.fixture
def interest(across) -> OutgoingInterest:
    operations.say_yes(across.synergy, across.given, by=across.person, message="We need 200.")
    return OutgoingInterest.objects.get()


def due_now() -> None:
    OutgoingInterest.objects.filter(next_attempt_at__isnull=False).update(next_attempt_at=timezone.now(), lease_until=None)


def arrive(partner, interest) -> OutgoingInterest:
    partner.says(answer(201, {"id": str(interest.uid), "state": "received"}))
    assert sending.run_once() == 1
    interest.refresh_from_db()
    assert interest.state == State.RECEIVED
    return interest


def test_goes_once_with_our_key_and_its_id(partner, interest):
    arrive(partner, interest)
    assert sending.run_once() == 0
    [(method, headers, content)] = partner.sent
    assert (method, headers["Idempotency-Key"], headers["Authorization"]) == ("POST", str(interest.uid), "Bearer mpk_their_key_to_us")
    sent = json.loads(content)
    assert (sent["contact"], sent["message"]) == (ALBA.as_dict(), "We need 200.")
    assert sent["consent"] == {"text": interest.consent_text, "version": interest.consent_version, "givenAt": interest.consented_at.isoformat()}


def test_nothing_goes_before_the_yes(across, partner):
    assert sending.run_once() == 0
    assert across.site.connections == 0


@pytest.mark.parametrize("status", [500, 502, 503, 429, 401, 403, 408, 409, 200, 302])
def test_passing_trouble_is_tried_again_with_growing_pauses(partner, interest, status):
    partner.says(answer(status, {"detail": "no"}, **({"Location": "/x"} if status == 302 else {})))
    pauses = []
    for _ in range(4):
        due_now()
        before = timezone.now()
        assert sending.run_once() == 0
        pauses.append((OutgoingInterest.objects.get().next_attempt_at - before).total_seconds())
    assert [round(pause / 30) for pause in pauses] == [1, 2, 4, 8]
    assert len(partner.sent) == 4
    assert len({content for _method, _headers, content in partner.sent}) == 1, "the same each time"
    assert Synergy.objects.get().state == SynergyState.INTEREST


def test_waits_as_long_as_the_partner_asks(partner, interest):
    partner.says(answer(429, {}, **{"Retry-After": "600"}))
    sending.run_once()
    assert 590 < (OutgoingInterest.objects.get().next_attempt_at - timezone.now()).total_seconds() <= 600


@pytest.mark.parametrize(("status", "words"), [(410, "taken this listing away"), (404, "no such listing"), (422, "Look at your clock")])
def test_refusal_ends_it_with_the_reason_for_the_person(across, partner, interest, status, words):
    OutgoingInterest.objects.update(language="en")
    type(across.person).objects.filter(pk=across.person.pk).update(language="en")
    partner.says(answer(status, {"detail": "The consent is dated in the future. Look at your clock."}))
    assert sending.run_once() == 1
    interest.refresh_from_db()
    assert interest.state == State.FAILED
    assert words in interest.problem
    synergy = Synergy.objects.get()
    assert (synergy.state, synergy.demand_interest_at) == (SynergyState.SUGGESTED, None)
    mail = Mail.objects.get()
    assert (mail.to, words in mail.text, ALBA.email in mail.text) == (across.person.email, True, False)
    assert interest.body["message"] == "We need 200.", "kept for another try"
    operations.say_yes(synergy, across.given, by=across.person)
    assert OutgoingInterest.objects.filter(state=State.WAITING).count() == 1


def test_partner_that_never_answers_ends_it_after_days(across, partner, interest):
    across.partner.base_url = "http://127.0.0.1:9"
    across.partner.save()
    with time_machine.travel(timezone.now() + timedelta(days=6), tick=False):
        partner.says(500)
        across.partner.base_url = across.site.url
        across.partner.save()
        assert sending.run_once() == 1
    interest.refresh_from_db()
    assert (interest.state, interest.to_erase) == (State.FAILED, True), "it may have arrived without an answer"


@pytest.mark.parametrize("told", [{}, {"state": "waiting"}, {"state": 5}, {"state": "mutual"}, {"state": "accepted"}, {"state": "accepted", "contact": "x"}])
def test_answer_that_says_nothing_changes_nothing(partner, interest, told):
    partner.says(answer(201, told))
    assert sending.run_once() == 0
    interest.refresh_from_db()
    assert (interest.state, interest.contact) == (State.WAITING, {})


def test_yes_brings_the_contact(across, partner, interest):
    arrive(partner, interest)
    due_now()
    partner.says_of(interest, answer(200, {"state": "accepted", "contact": ORIOL.as_dict() | {"name": "x" * 500, "more": 1}}))
    assert sending.run_once() == 1
    synergy = Synergy.objects.get()
    assert synergy.state == SynergyState.MUTUAL
    contact = contact_for(across.person, synergy, Side.DEMAND)
    assert (contact.email, contact.phone, len(contact.name)) == (ORIOL.email, ORIOL.phone, 120)
    mail = Mail.objects.get(key__contains="mutual")
    assert (mail.to, ORIOL.email in mail.text) == (across.person.email, False)
    row = OutgoingInterest.objects.values().get()
    assert not [name for name, value in row.items() if "oriol" in str(value).lower()]
    due_now()
    assert sending.run_once() == 0
    assert Mail.objects.filter(key__contains="mutual").count() == 1, "asked again, nothing is told twice"


def test_no_is_shown_and_forgotten(partner, interest):
    arrive(partner, interest)
    due_now()
    partner.says_of(interest, answer(200, {"state": "declined"}))
    assert sending.run_once() == 1
    interest.refresh_from_db()
    assert (interest.state, interest.sealed_body, interest.to_erase, interest.next_attempt_at) == (State.DECLINED, "", False, None)
    synergy = Synergy.objects.select_related("dismissed_by").get()
    assert (synergy.state, synergy.dismissed_by, synergy.dismissed_reason) == (SynergyState.DISMISSED, synergy.offer.company, "")


@pytest.mark.parametrize("reply", [answer(200, {"state": "erased"}), answer(404), answer(410)], ids=["erased", "unknown", "gone"])
def test_erased_there_is_forgotten_here_also_after_the_yes(across, partner, interest, reply):
    arrive(partner, interest)
    due_now()
    partner.says_of(interest, answer(200, {"state": "accepted", "contact": ORIOL.as_dict()}))
    sending.run_once()
    due_now()
    partner.says_of(interest, reply)
    assert sending.run_once() == 1
    interest.refresh_from_db()
    assert (interest.state, interest.sealed_contact, interest.sealed_body) == (State.ERASED, "", "")
    synergy = Synergy.objects.get()
    assert (synergy.state, synergy.mutual_at, contact_for(across.person, synergy, Side.DEMAND)) == (SynergyState.SUGGESTED, None, None)


def test_taken_back_is_deleted_there_until_it_is(across, partner, interest):
    arrive(partner, interest)
    synergies.undo(Synergy.objects.get(), by=across.person)
    partner.says_of(interest, 503)
    assert sending.run_once() == 0
    due_now()
    partner.says_of(interest, 204)
    assert sending.run_once() == 1
    interest.refresh_from_db()
    assert (interest.to_erase, interest.next_attempt_at) == (False, None)
    assert [(method, content) for method, _headers, content in partner.sent[1:]] == [("DELETE", b"")] * 2
    due_now()
    assert sending.run_once() == 0


def test_taken_back_while_it_was_being_sent(across, partner, interest, monkeypatch):
    """The answer comes for an interest that is no more: nothing follows from it but its erasure there."""
    request = sending._request

    def taken_back_meanwhile(*arguments):
        synergies.undo(Synergy.objects.get(), by=across.person)
        return request(*arguments)

    partner.says(answer(201, {"state": "received"}))
    with monkeypatch.context() as patch:
        patch.setattr(sending, "_request", taken_back_meanwhile)
        sending.run_once()
    interest.refresh_from_db()
    assert (interest.state, interest.sealed_body, interest.to_erase) == (State.WITHDRAWN, "", True)
    partner.says_of(interest, 204)
    due_now()
    assert sending.run_once() == 1


def test_crashed_workers_turn_is_taken_over(partner, interest):
    OutgoingInterest.objects.update(lease_until=timezone.now() + timedelta(minutes=2))
    partner.says(answer(201, {"state": "received"}))
    assert sending.run_once() == 0
    with time_machine.travel(timezone.now() + timedelta(minutes=3), tick=False):
        assert sending.run_once() == 1


def test_paused_partner_is_only_asked_to_erase(across, partner, interest):
    arrive(partner, interest)
    type(across.partner).objects.update(state="paused")
    due_now()
    assert sending.run_once() == 0
    assert len(partner.sent) == 1
    synergies.undo(Synergy.objects.get(), by=across.person)
    partner.says_of(interest, 204)
    assert sending.run_once() == 1


@pytest.mark.parametrize("key", ["", "sealed with another secret"], ids=["none", "does not open"])
def test_key_that_is_missing_holds_up_nobody_else(across, partner, interest, key):
    type(across.partner).objects.update(sealed_key=key)
    assert sending.run_once() == 0
    interest.refresh_from_db()
    assert (interest.state, interest.lease_until, interest.next_attempt_at > timezone.now()) == (State.WAITING, None, True)
    assert across.site.connections == 0


def test_nothing_personal_is_logged(across, partner, interest, caplog):
    caplog.set_level("DEBUG")
    partner.says(answer(500))
    sending.run_once()
    due_now()
    arrive(partner, interest)
    due_now()
    partner.says_of(interest, answer(200, {"state": "accepted", "contact": ORIOL.as_dict()}))
    sending.run_once()
    told = caplog.text.lower()
    assert not [word for word in ("alba", "oriol", "600 111", "600 222", "mpk_their", "we need 200") if word in told]


@pytest.mark.parametrize("sign", ["\\u0000", "\\ud800"])
@pytest.mark.parametrize(
    ("status", "told"),
    [(422, '{"detail": "SIGN"}'), (201, '{"state": "accepted", "contact": {"name": "SIGN", "email": "a@b.example"}}')],
    ids=["refusal", "contact"],
)
def test_texts_that_no_database_takes_are_no_answer(partner, interest, sign, status, told):
    """Python's reader takes them: kept, they would end the worker at every round."""
    text = told.replace("SIGN", sign)
    with pytest.raises((ValueError, AssertionError)):  # noqa: PT012 - each sign fails in its own way
        naive = json.dumps(json.loads(text), ensure_ascii=False)
        naive.encode()
        assert "\\u0000" not in naive, "PostgreSQL refuses it"
    partner.says((status, {"Content-Type": "application/json"}, text.encode()))
    sending.run_once()
    interest.refresh_from_db()
    assert (interest.contact, sign in interest.problem) == ({}, False)


def test_a_turn_that_fails_costs_no_other_its_own(across, partner, interest, monkeypatch, caplog):
    """The first of the round fails in a way nobody thought of: the second goes all the same, and the log tells nothing that was sent."""
    other = OutgoingInterest.objects.create(
        partner=across.partner, remote_uri=interest.remote_uri, consent_text="", consent_version="1", sealed_body=interest.sealed_body,
        next_attempt_at=interest.next_attempt_at + timedelta(milliseconds=1),
    )  # fmt: skip
    real, turns = sending._request, []

    def request(row, *args):
        turns.append(row.pk)
        if row.pk == interest.pk:
            raise ValueError(ALBA.email)
        return real(row, *args)

    monkeypatch.setattr(sending, "_request", request)
    partner.says(answer(201, {"state": "received"}))
    with monkeypatch.context() as naive:
        naive.setattr(sending, "_by_itself", sending._take_turn)
        with pytest.raises(ValueError, match=ALBA.email):
            sending.run_once()
    assert turns == [interest.pk], "the naive round ends with the first"
    due_now()
    assert sending.run_once() == 1
    assert OutgoingInterest.objects.get(pk=other.pk).state == State.RECEIVED
    assert "ValueError" in caplog.text
    assert ALBA.email not in caplog.text
