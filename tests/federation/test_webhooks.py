"""Messages to partners: where they go, what they say, how often they are tried, and how they are sent again."""

import datetime
import itertools
import json
import socket
import time
import uuid

import pytest
import time_machine
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils import timezone

from marketplace.federation import deliveries, hooks, node_keys, sending, signing
from marketplace.federation.enums import PartnerAction, PartnerState
from marketplace.federation.models import Announced, Delivery, DeliveryAttempt, FeedEntry, FeedLog, Hook, Node, NodeKey, Partner
from marketplace.federation.models.feed import Op
from tests import websites
from tests.concurrency import at_once
from tests.factories import UserFactory
from tests.federation import feeding, hooking
from tests.federation.hooking import send

HOOK = "/api/federation/v1/hook"
pytestmark = pytest.mark.django_db


@pytest.fixture
def ears(settings):
    with hooking.listening(settings) as ears:
        yield ears


def after(**pause: float):
    return time_machine.travel(timezone.now() + datetime.timedelta(**pause), tick=True)


def entries(number: int, version: int = 1) -> list[FeedEntry]:
    """So many changes in the log."""
    made = [
        FeedEntry(
            uid=uid, uri=f"http://testserver/id/listing/{uid}", op=Op.TOMBSTONE, reason="withdrawn", version=version, updated_at=timezone.now(), text="{}"
        )
        for uid in (uuid.uuid4() for _ in range(number))
    ]
    return FeedEntry.objects.bulk_create(made)


def states(hook: Hook) -> list[str]:
    return list(hook.deliveries.exclude(type=hooks.PING).order_by("pk").values_list("state", flat=True))


# --- Registering --------------------------------------------------------------------------------------------------------


def put(reading: feeding.Reading, url: object, **body: object):
    headers = {"Authorization": f"Bearer {reading.key}"}
    return reading.client.put(HOOK, json.dumps({"url": url} | body), content_type="application/json", headers=headers)


def test_hook_is_active_when_it_has_given_the_challenge_back(ears):
    reading = hooking.partner(ears)
    answer = put(reading, ears.url)
    assert (answer.status_code, answer.json()["state"]) == (202, "checking")
    assert ears.heard == [], "the worker calls, not the request"
    send()
    assert ears.verify().id
    told = json.loads(ears.heard[0][1])
    assert told["type"] == "hook.ping"
    assert reading.get(HOOK).json() == {
        "url": ears.url,
        "state": "active",
        "checked_at": reading.get(HOOK).json()["checked_at"],
        "failing_since": None,
        "waiting": 0,
    }


def test_hook_registered_again_as_it_is_changes_nothing(ears):
    hook = hooking.hooked(ears)
    assert hooks.register(hook.partner, ears.url).is_active
    assert send() == 0


@pytest.mark.parametrize("body", [b"{}", b'{"challenge":"x"}', b"[]", b"", b"\xff", b"[" * 4000])
def test_hook_that_does_not_give_the_challenge_back_stays_silent(ears, body):
    ears.answer = lambda _request, _body: (200, {"Content-Type": "application/json"}, body)
    hook = hooks.register(hooking.partner(ears).partner, ears.url)
    entries(1)
    send()
    hook.refresh_from_db()
    assert hook.state == "checking"
    assert ears.messages == []


def test_hook_that_never_proves_itself_is_turned_off(ears, settings):
    settings.WEBHOOK_PAUSES = [0.001]
    ears.answer = 500
    hook = hooks.register(hooking.partner(ears).partner, ears.url)
    for _ in range(sending.PING_ATTEMPTS + 2):
        send()
        time.sleep(0.005)
    hook.refresh_from_db()
    assert (hook.state, hook.off_reason) == ("off", Hook.OffReason.UNPROVEN)
    assert len(ears.heard) == sending.PING_ATTEMPTS
    ears.answer = 200
    hooks.register(hook.partner, ears.url)
    send()
    hook.refresh_from_db()
    assert hook.state == "active"


def test_hook_that_does_not_answer_for_three_days_is_turned_off(ears):
    """Otherwise it would be in the making for ever, and its owner never told to register it again."""
    ears.answer = 500
    hook = hooks.register(hooking.partner(ears).partner, ears.url)
    while hook.state == "checking":
        ping = hook.deliveries.get()
        with time_machine.travel(max(ping.next_attempt_at, hook.pause_until or timezone.now()), tick=True):
            assert sending.run_once(seconds=30) == 1
        hook.refresh_from_db()
    assert (hook.state, hook.off_reason) == ("off", Hook.OffReason.UNPROVEN)
    assert hook.deliveries.get().attempts <= 11


@pytest.mark.parametrize(
    "url",
    [
        "http://partner1.example.org/x",
        "https://elsewhere.example.org/x",
        "https://partner1.example.org.elsewhere.example/x",
        "https://partner1.example.org:8443/x",
        "https://partner1.example.org@elsewhere.example/x",
        "https://elsewhere.example#partner1.example.org",
        "https://127.0.0.1/x",
        "https://[::1]/",
        "ftp://partner1.example.org/",
        "javascript:alert(1)",
        "https://partner1.example.org/" + "a" * 600,
        "https://partner1.example.org/\x00",
        "https://partner1.example.org/\ud800",
        "",
        None,
        7,
        ["https://partner1.example.org/x"],
        {"a": 1},
    ],
)
def test_hook_refuses_addresses_that_are_not_the_partners(url):
    answer = put(feeding.partner(), url)
    assert answer.status_code in (400, 422), answer.content
    assert answer["Content-Type"] == "application/problem+json"
    assert not Hook.objects.exists()


def test_hook_takes_an_https_address_of_the_partner_in_any_spelling():
    reading = feeding.partner()
    for url in ("https://partner1.example.org/messages?a=b", "https://PARTNER1.example.org:443/x"):
        assert put(reading, url).status_code == 202
    assert Hook.objects.get().url == url


def test_hook_needs_a_partners_key(client, ears):
    assert client.put(HOOK, "{}", content_type="application/json").status_code == 401
    assert client.get(HOOK).status_code == 401
    reading = hooking.partner(ears)
    Partner.objects.update(gives=False)
    assert put(reading, ears.url).status_code == 403


def test_hook_of_one_partner_is_nothing_to_another(ears):
    hooking.hooked(ears)
    other = feeding.partner(2)
    assert other.get(HOOK).status_code == 404
    assert other.client.delete(HOOK, headers={"Authorization": f"Bearer {other.key}"}).status_code == 204
    assert Hook.objects.count() == 1


def test_hook_is_taken_away_with_what_waits(ears):
    reading = hooking.partner(ears)
    put(reading, ears.url)
    assert reading.client.delete(HOOK, headers={"Authorization": f"Bearer {reading.key}"}).status_code == 204
    assert reading.get(HOOK).status_code == 404
    assert send() == 0


def test_register_twice_at_once_makes_one_hook_and_one_ping(transactional_db, ears):
    partner = hooking.partner(ears).partner
    at_once(*[lambda: hooks.register(partner, ears.url)] * 3)
    assert Hook.objects.count() == 1
    assert Delivery.objects.filter(type=hooks.PING).count() == 1


# --- Telling ------------------------------------------------------------------------------------------------------------


def test_change_is_told_in_a_thin_signed_message(ears):
    hook = hooking.hooked(ears)
    entries(1)
    send()
    assert ears.verify().id == ears.ids[0]
    (message,) = ears.messages
    assert message == {"type": "listing.changed", "timestamp": message["timestamp"], "data": {"node": str(node_uid())}}
    assert datetime.datetime.fromisoformat(message["timestamp"]).utcoffset() == datetime.timedelta()
    headers = ears.heard[0][0]
    assert "authorization" not in headers
    assert headers["content-type"] == "application/json"
    (attempt,) = DeliveryAttempt.objects.filter(delivery__hook=hook).exclude(delivery__type=hooks.PING)
    assert (attempt.status, attempt.error) == (200, "")


def node_uid() -> uuid.UUID:
    return Node.own_uid()


def test_each_change_is_told_once_to_each_hook_under_one_id(settings):
    with hooking.listening(settings) as one, hooking.listening(settings) as other:
        hooking.hooked(one, 1), hooking.hooked(other, 2)
        entries(7)
        send()
        assert len(one.ids) == len(set(one.ids)) == 7
        assert sorted(one.ids) == sorted(other.ids)
        assert send() == 0


def test_burst_is_told_in_few_messages(ears):
    hook = hooking.hooked(ears)
    entries(1200)
    while deliveries.announce():
        pass
    assert hook.deliveries.exclude(type=hooks.PING).count() == 3
    sending.run_once(seconds=30)
    assert sum(message["data"]["changes"] for message in ears.messages) == 1200


def test_nobody_is_told_of_what_was_before_the_first_hook(ears):
    entries(5)
    send()
    hooking.hooked(ears)
    assert send() == 0
    assert Announced.objects.get().position == FeedEntry.objects.last_position()


def test_announce_rolled_back_tells_later(ears):
    hook = hooking.hooked(ears)
    entries(3)
    with transaction.atomic():
        deliveries.announce()
        transaction.set_rollback(True)
    assert states(hook) == []
    send()
    assert len(ears.ids) == 3


def test_log_in_a_new_order_is_told_as_a_whole(ears):
    hook = hooking.hooked(ears)
    entries(3)
    send()
    FeedLog.objects.update_or_create(pk=1, defaults={"renumbered": 1})
    deliveries.announce()
    assert states(hook) == ["sent", "sent", "sent", "waiting"]
    assert send() == 1
    assert send() == 0


def test_announce_at_its_end_writes_nothing(ears, django_assert_num_queries):
    hooking.hooked(ears)
    entries(1)
    send()
    with django_assert_num_queries(3):
        deliveries.announce()


def test_announce_of_many_needs_no_more_queries_than_of_one(ears, django_assert_num_queries):
    hooking.hooked(ears)
    entries(1)
    deliveries.announce()
    for number in (1, 3, 40):
        entries(number)
        with django_assert_num_queries(12):
            deliveries.announce()


def test_notify_tells_one_partner(settings):
    with hooking.listening(settings) as one, hooking.listening(settings) as other:
        hook = hooking.hooked(one, 1)
        hooking.hooked(other, 2)
        message_id = deliveries.notify(hook.partner, "interest.changed", {"interest": "x"})
        send()
        assert one.ids == [message_id]
        assert one.messages[0]["data"] == {"node": str(node_uid()), "interest": "x"}
        assert other.ids == []


def test_notify_of_a_partner_without_hook_does_nothing():
    assert deliveries.notify(feeding.partner().partner, "interest.changed", {}) == ""


def test_paused_partner_is_told_when_it_is_resumed(ears):
    hook = hooking.hooked(ears)
    Partner.objects.update(state=PartnerState.PAUSED)
    entries(2)
    assert send() == 2
    assert ears.ids == []
    Partner.objects.update(state=PartnerState.ACTIVE)
    send()
    assert len(ears.ids) == 2
    assert states(hook) == ["sent", "sent"]


def cut(request, _body):
    """Hang up without an answer."""
    request.close_connection = True
    request.connection.shutdown(socket.SHUT_RDWR)


# --- When it fails ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "status", "error"),
    [
        (500, 500, "HTTP 500"),
        (404, 404, "HTTP 404"),
        (429, 429, "HTTP 429"),
        (lambda _request, _body: websites.redirect("http://127.0.0.1:1/"), 0, "redirected"),
        (lambda _request, _body: websites.redirect("/messages", 307), 0, "redirected"),
        (cut, 0, "no_answer"),
    ],
    ids=["500", "404", "429", "302", "307", "cut"],
)
def test_failed_message_is_tried_again_under_its_id(ears, answer, status, error):
    hook = hooking.hooked(ears)
    entries(1)
    ears.answer = answer
    send()
    attempt = DeliveryAttempt.objects.latest("pk")
    assert (attempt.status, attempt.error.partition(":")[0]) == (status, error)
    assert states(hook) == ["waiting"]
    assert send() == 0, "the pause has not passed"
    ears.answer = 200
    with after(seconds=10):
        send()
    assert states(hook) == ["sent"]
    assert len(ears.ids) == 2
    assert len(set(ears.ids)) == 1
    assert ears.heard[0][0]["webhook-signature"] != ears.heard[1][0]["webhook-signature"], "the time is that of the attempt"


def test_message_is_tried_ten_times_in_three_days_and_then_given_up(ears):
    hook = hooking.hooked(ears)
    ears.answer = 503
    entries(1)
    deliveries.announce()
    start, moments = timezone.now(), []
    while states(hook) == ["waiting"]:
        due = max(hook.deliveries.get(state="waiting").next_attempt_at, Hook.objects.get().pause_until or start)
        moments.append((due - start).total_seconds())
        with time_machine.travel(due, tick=True):
            assert sending.run_once(seconds=30) == 1
    assert states(hook) == ["failed"]
    assert 3 <= moments[-1] / 86400 <= 4.5
    assert 9 <= len(moments) <= 11
    pauses = [later - earlier for earlier, later in itertools.pairwise(moments)]
    assert pauses[0] < 10
    assert 60 < pauses[1] < pauses[2] < pauses[3] < pauses[5] < pauses[8]


def test_pauses_of_many_differ(settings):
    pauses = {sending._pause(2, None).total_seconds() for _ in range(50)}
    assert len(pauses) > 40
    assert all(225 <= pause <= 375 for pause in pauses)


def test_retry_after_is_heeded(ears):
    hook = hooking.hooked(ears)
    ears.answer = lambda _request, _body: (429, {"Retry-After": "1800"}, b"")
    entries(1)
    send()
    ears.answer = 200
    with after(minutes=29):
        assert sending.run_once(seconds=30) == 0
    with after(minutes=31):
        assert sending.run_once(seconds=30) == 1
    assert states(hook) == ["sent"]


def test_410_turns_the_hook_off_until_it_is_registered_again(ears):
    hook = hooking.hooked(ears)
    ears.answer = 410
    entries(2)
    send()
    hook.refresh_from_db()
    assert (hook.state, hook.off_reason) == ("off", Hook.OffReason.GONE)
    ears.answer = 200
    entries(1)
    with after(hours=1):
        send()
        assert len(ears.ids) == 1
        hooks.register(hook.partner, ears.url)
        send()
        send()
    assert states(hook) == ["sent"] * 3
    assert len(set(ears.ids)) == 3, "what was missed comes, under its ids"


def test_410_of_the_address_of_before_does_not_turn_off_the_new_one(ears):
    hook = hooking.hooked(ears)
    entries(1)
    deliveries.announce()
    (trip,) = sending._claim()
    Hook.objects.update(challenge="of-the-new-address")
    ears.answer = 410
    sending.record(sending.call(trip.hook, trip.left[0], trip.secrets))
    hook.refresh_from_db()
    assert hook.is_active
    assert states(hook) == ["waiting"]


def test_hook_on_a_host_that_is_not_the_partners_any_more_is_turned_off(ears):
    hook = hooking.hooked(ears)
    Partner.objects.update(base_url="https://moved.example.org")
    entries(1)
    send()
    hook.refresh_from_db()
    assert hook.off_reason == Hook.OffReason.MOVED
    assert ears.heard == []


def test_failing_hook_is_asked_with_one_message_at_a_time(ears):
    hooking.hooked(ears)
    ears.answer = 500
    entries(20)
    send()
    assert len(ears.heard) == 1
    with after(seconds=7):
        send()
        assert len(ears.heard) == 2
    ears.answer = 200
    with after(minutes=8):
        send()
    assert len(set(ears.ids)) == 20


def test_dead_hooks_messages_are_given_up_after_three_days_of_trying(ears):
    hook = hooking.hooked(ears)
    ears.answer = 500
    entries(3)
    deliveries.announce()
    # As after three days in which it was tried every few minutes.
    Hook.objects.update(failures=900)
    hook.deliveries.update(since=timezone.now() - datetime.timedelta(days=3, minutes=1))
    sending.run_once(seconds=30)
    assert states(hook) == ["failed"] * 3


def test_clock_set_forward_gives_nothing_up(ears, settings):
    """The naive variant, by age alone, gives up at the first failure."""
    hook = hooking.hooked(ears)
    entries(3)
    deliveries.announce()
    ears.answer = 500
    with after(days=10):
        assert timezone.now() - hook.deliveries.last().since > sending.PATIENCE, "by age alone it would be given up"
        sending.run_once(seconds=30)
        assert states(hook) == ["waiting"] * 3
    ears.answer = 200
    # Back again: pauses and leases that end in ten days are not believed.
    assert Hook.objects.get().pause_until > timezone.now() + datetime.timedelta(days=9)
    send()
    assert states(hook) == ["sent"] * 3


@pytest.mark.parametrize("hours", [2, 10, 100])
def test_pause_set_by_a_clock_that_was_ahead_is_not_waited_for(ears, hours):
    """The naive variant believes what stands in the row, and is silent for as long as the clock was wrong."""
    hook = hooking.hooked(ears)
    ears.answer = 500
    entries(1)
    with after(hours=hours):
        send()
    ears.answer = 200
    waiting = hook.deliveries.filter(state="waiting")
    assert waiting.get().next_attempt_at > timezone.now() + datetime.timedelta(hours=hours - 1)
    assert not waiting.filter(next_attempt_at__lte=timezone.now()).exists()
    send()
    assert states(hook) == ["sent"]


def test_lease_of_a_clock_that_was_wrong_is_not_believed(ears):
    hook = hooking.hooked(ears)
    entries(1)
    deliveries.announce()
    with after(days=10):
        assert sending._claim()
    assert sending.run_once(seconds=30) == 1
    assert states(hook) == ["sent"]


def test_lease_of_a_crashed_worker_runs_out(ears):
    hook = hooking.hooked(ears)
    entries(1)
    deliveries.announce()
    assert sending._claim()
    assert sending.run_once(seconds=30) == 0, "somebody else has it"
    with after(minutes=2, seconds=1):
        assert sending.run_once(seconds=30) == 1
    assert states(hook) == ["sent"]


def test_outcome_of_a_message_that_another_worker_took_over_is_not_written(ears):
    hook = hooking.hooked(ears)
    entries(1)
    deliveries.announce()
    (trip,) = sending._claim()
    outcome = sending.call(trip.hook, trip.left[0], trip.secrets)
    with after(minutes=3):
        sending.run_once(seconds=30)
    assert not sending.record(outcome)
    assert hook.deliveries.exclude(type=hooks.PING).get().attempts == 1


def test_slow_partner_holds_no_other_up(settings):
    settings.WEBHOOK_SECONDS = 3.0
    with hooking.listening(settings) as slow, hooking.listening(settings) as quick:
        hooks_of = hooking.hooked(slow, 1), hooking.hooked(quick, 2)
        slow.answer = lambda _request, _body: time.sleep(4) or (200, {}, b"")
        entries(10)
        deliveries.announce()
        began = time.monotonic()
        assert sending.run_once(seconds=1.0) == 10
        assert time.monotonic() - began < 1.5, "the round does not wait for it either"
        assert states(hooks_of[1]) == ["sent"] * 10
        assert states(hooks_of[0]) == ["waiting"] * 10
        assert sending.run_once(seconds=5.0) == 1, "it was not called a second time meanwhile"
        assert DeliveryAttempt.objects.latest("pk").error.startswith("too_slow")
        assert len(slow.heard) == 1


# --- Again by hand ------------------------------------------------------------------------------------------------------


@pytest.fixture
def manager():
    return UserFactory(is_staff=True, is_superuser=True)


def test_replay_sends_the_same_message_once_more(ears, manager):
    hook = hooking.hooked(ears)
    entries(1)
    send()
    deliveries.replay(hook.deliveries.latest("pk"), by=manager)
    send()
    (first, again) = ears.heard
    assert first[1] == again[1]
    assert len(set(ears.ids)) == 1
    assert hook.partner.events.get(action=PartnerAction.REPLAYED).by == manager


def test_replay_since_sends_what_was_written_since(ears, manager):
    hook = hooking.hooked(ears)
    for hours in (-3, -2, -1):
        entries(1)
        deliveries.announce()
        Delivery.objects.filter(pk=hook.deliveries.latest("pk").pk).update(created=timezone.now() + datetime.timedelta(hours=hours))
    send()
    ears.heard.clear()
    assert deliveries.replay_since(hook.partner, timezone.now() - datetime.timedelta(hours=2, minutes=1), by=manager) == 2
    send()
    assert len(ears.ids) == 2
    assert deliveries.replay_since(hook.partner, timezone.now() + datetime.timedelta(hours=1), by=manager) == 1, "nothing is kept: come and look"
    send()
    assert len(set(ears.ids)) == 3


def test_replay_needs_the_right_and_an_active_hook(ears, manager):
    hook = hooking.hooked(ears)
    entries(1)
    send()
    delivery = hook.deliveries.latest("pk")
    for call in (lambda by: deliveries.replay(delivery, by=by), lambda by: deliveries.replay_since(hook.partner, timezone.now(), by=by)):
        with pytest.raises(PermissionDenied):
            call(UserFactory())
        Hook.objects.update(is_active=False)
        with pytest.raises(ValidationError):
            call(manager)
        Hook.objects.update(is_active=True)
    with pytest.raises(ValidationError):
        deliveries.replay_since(feeding.partner(9).partner, timezone.now(), by=manager)


def test_prune_forgets_what_is_old(ears):
    hook = hooking.hooked(ears)
    entries(2)
    send()
    assert deliveries.prune() == 0
    Delivery.objects.filter(pk=hook.deliveries.latest("pk").pk).update(created=timezone.now() - deliveries.KEPT - datetime.timedelta(hours=1))
    assert deliveries.prune() == 1
    assert hook.deliveries.count() == 2


# --- Our keys -----------------------------------------------------------------------------------------------------------


def test_first_key_is_made_when_it_is_needed_and_its_private_part_is_sealed():
    (published,) = node_keys.public_keys()
    assert published == {"key": NodeKey.objects.get().public, "algorithm": "ed25519", "expires_at": None}
    (secret,) = node_keys.signing_secrets()
    assert secret[5:] not in NodeKey.objects.get().sealed
    assert node_keys.public_keys() == [published]


def test_first_key_is_one_when_many_need_it_at_once(transactional_db):
    results = at_once(*[node_keys.public_keys] * 4)
    assert len({json.dumps(result) for result in results}) == 1
    assert NodeKey.objects.count() == 1


def test_rotated_key_signs_and_is_published_for_some_days_more(ears, manager):
    hooking.hooked(ears)
    (old,) = node_keys.public_keys()
    node_keys.rotate(by=manager)
    new, still = node_keys.public_keys()
    assert (still["key"], new["key"] != old["key"]) == (old["key"], True)
    assert still["expires_at"]
    entries(1)
    send()
    headers, body = ears.heard[0]
    assert headers["webhook-signature"].count("v1a,") == 2
    for known in (old, new):
        assert signing.verify(headers, body, [known["key"]], timezone.now())
    with after(days=7, minutes=1):
        assert [key["key"] for key in node_keys.public_keys()] == [new["key"]]


def test_rotation_needs_the_right():
    with pytest.raises(PermissionDenied):
        node_keys.rotate(by=UserFactory())


def test_key_that_was_sealed_under_another_secret_is_replaced(settings):
    (old,) = node_keys.public_keys()
    settings.SECRET_KEY = "another-secret-without-fallback"
    assert len(node_keys.signing_secrets()) == 1
    assert node_keys.public_keys()[0]["key"] != old["key"]
    settings.SECRET_KEY_FALLBACKS = ["only-for-tests"]
    assert len(node_keys.signing_secrets()) == 2
