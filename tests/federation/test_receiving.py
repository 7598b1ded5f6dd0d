"""Messages from partners: what is genuine is heeded once, everything else is refused, and nothing that is told is believed."""

import datetime
import json
import random
import uuid

import pytest
import time_machine
from django.core.cache import cache
from django.utils import timezone

from marketplace.core import sealing
from marketplace.federation import receiving, signing, subscriptions
from marketplace.federation.enums import PartnerState, ReaderKind
from marketplace.federation.fetching import fetch
from marketplace.federation.models import Checkpoint, Partner, ReceivedMessage, Subscription
from marketplace.rest.models import Counter
from tests import websites
from tests.concurrency import at_once
from tests.federation import feeding

URL = "/api/federation/v1/webhooks"
LATER = datetime.timedelta(hours=1)
pytestmark = pytest.mark.django_db


class Sender:
    """A partner marketplace that tells us something, in all the ways one should and should not."""

    def __init__(self, client, number: int = 1):
        self.client, self.secret, self.node = client, signing.new_secret(), uuid.uuid4()
        self.partner = feeding.partner(number).partner
        document = {"node_id": str(self.node), "webhook_public_keys": [{"key": signing.public_key(self.secret)}]}
        Partner.objects.filter(pk=self.partner.pk).update(node_uid=self.node, discovery=document, sealed_key="x", reader=ReaderKind.PROTOCOL)
        self.checkpoint = Checkpoint.objects.create(partner=self.partner, next_at=timezone.now() + LATER)
        self.subscription = Subscription.objects.create(partner=self.partner, url=subscriptions.own_url(), next_attempt_at=timezone.now() + LATER)

    def body(self, kind: str = "listing.changed", **data: object) -> bytes:
        return json.dumps({"type": kind, "timestamp": "2026-11-22T10:00:00Z", "data": {"node": str(self.node)} | data}).encode()

    def sign(self, body: bytes, message_id: str = "", *, secret: str = "", now: datetime.datetime | None = None) -> dict[str, str]:
        return signing.sign(message_id or uuid.uuid4().hex, now or timezone.now(), body, [secret or self.secret])

    def post(self, body: bytes, headers: dict[str, str], **more: object):
        return self.client.post(URL, body, content_type="application/json", headers=headers, **more)

    def send(self, body: bytes | None = None, message_id: str = "", **options: object):
        body = self.body() if body is None else body
        return self.post(body, self.sign(body, message_id, **options))

    @property
    def is_nudged(self) -> bool:
        """Whether the harvester was sent there; asked again it is not, until the next nudge."""
        self.checkpoint.refresh_from_db()
        nudged = self.checkpoint.next_at <= timezone.now()
        Checkpoint.objects.filter(pk=self.checkpoint.pk).update(next_at=timezone.now() + LATER)
        return nudged


@pytest.fixture
def sender(client):
    return Sender(client)


def forget_failures():
    """The limit of an address is not what these tests are about."""
    Counter.objects.all().delete()
    cache.clear()


def test_genuine_message_sends_the_harvester(sender):
    answer = sender.send()
    assert (answer.status_code, answer.json()) == (200, {"status": "accepted"})
    assert sender.is_nudged
    assert ReceivedMessage.objects.get().partner == sender.partner


def test_same_message_again_does_nothing(sender):
    body = sender.body()
    for number in range(4):
        assert sender.post(body, sender.sign(body, "the-id")).status_code == 200
        assert sender.is_nudged is (number == 0)
    assert ReceivedMessage.objects.count() == 1


def test_same_message_at_once_takes_effect_once(transactional_db, client, monkeypatch):
    sender, effects = Sender(client), []
    monkeypatch.setitem(receiving.EFFECTS, "listing.changed", lambda *_arguments: effects.append(1))
    body = sender.body()
    headers = sender.sign(body, "the-id")
    answers = at_once(*[lambda: receiving.receive(headers, body)] * 4)
    assert answers == [{"status": "accepted"}] * 4
    assert effects == [1]


def test_message_whose_effect_fails_is_not_kept(sender, monkeypatch):
    def fail(*_arguments):
        raise RuntimeError

    body = sender.body()
    headers = sender.sign(body)
    with monkeypatch.context() as patch:
        patch.setitem(receiving.EFFECTS, "listing.changed", fail)
        with pytest.raises(RuntimeError):
            receiving.receive(headers, body)
    assert not ReceivedMessage.objects.exists()
    assert sender.post(body, headers).status_code == 200
    assert sender.is_nudged


def test_message_of_a_type_that_we_do_not_know_is_taken_without_effect(sender):
    assert sender.send(sender.body("weather.changed")).status_code == 200
    assert not sender.is_nudged


def test_nothing_of_the_content_is_believed(sender):
    before = list(Partner.objects.values())
    sender.send(sender.body(cursor="x", url="https://evil.example/", base_url="https://evil.example/", listing={"@id": "x"}, op="tombstone"))
    assert list(Partner.objects.values()) == before


def test_ping_is_given_back_and_confirms_the_subscription(sender):
    answer = sender.send(sender.body("hook.ping", challenge="abc"))
    assert answer.json() == {"challenge": "abc"}
    sender.subscription.refresh_from_db()
    assert sender.subscription.confirmed_at
    assert not sender.is_nudged


def test_message_of_a_partner_that_is_paused_waits_and_of_one_that_has_ended_is_gone(sender):
    Partner.objects.update(state=PartnerState.PAUSED)
    assert sender.send().status_code == 200
    assert not sender.is_nudged
    Partner.objects.update(state=PartnerState.ENDED)
    assert sender.send().status_code == 410
    assert sender.send(secret=signing.new_secret()).status_code == 401


def test_partner_cannot_speak_for_another(client):
    one, other = Sender(client, 1), Sender(client, 2)
    assert one.send(other.body()).status_code == 401
    assert not other.is_nudged


def test_partner_without_keys_cannot_be_spoken_for(sender):
    Partner.objects.update(discovery={})
    zeros = signing.SECRET_PREFIX + "A" * 43 + "="
    assert sender.send(secret=zeros).status_code == 401
    assert sender.send().status_code == 401


def test_clocks_may_be_five_minutes_apart(sender):
    now = timezone.now()
    for minutes, status in ((-5.1, 401), (-4.9, 200), (4.9, 200), (5.1, 401), (60 * 24, 401)):
        assert sender.send(now=now + datetime.timedelta(minutes=minutes)).status_code == status


def test_old_message_is_refused_when_its_id_was_never_heard(sender):
    body = sender.body()
    headers = sender.sign(body)
    with time_machine.travel(timezone.now() + datetime.timedelta(minutes=6), tick=True):
        assert sender.post(body, headers).status_code == 401


def test_unknown_partner_and_wrong_signature_are_answered_alike(sender):
    stranger = sender.body().replace(str(sender.node).encode(), str(uuid.uuid4()).encode())
    wrong = [
        sender.send(stranger),
        sender.send(secret=signing.new_secret()),
        sender.send(now=timezone.now() - LATER),
        sender.post(sender.body(), {}),
        sender.send(b"{}"),
        sender.send(b""),
        sender.send(b"\xff\x00"),
        sender.send(b"[" * 60000),
    ]
    assert {answer.status_code for answer in wrong} == {401}
    assert {answer["Content-Type"] for answer in wrong} == {"application/problem+json"}
    assert len({answer.content for answer in wrong}) == 1


def test_large_message_is_not_read(sender):
    body = sender.body(more="x" * receiving.MAX_BYTES)
    answer = sender.send(body)
    assert (answer.status_code, answer["Content-Type"]) == (413, "application/problem+json")
    assert sender.send(sender.body(more="x" * (receiving.MAX_BYTES - 1000))).status_code == 200


def test_address_that_sends_nonsense_is_told_to_wait(sender, settings):
    settings.API_RATE_FAILURES = 5
    answers = [sender.send(secret=signing.new_secret()) for _ in range(7)]
    assert [answer.status_code for answer in answers] == [401] * 5 + [429] * 2
    assert int(answers[-1]["Retry-After"]) > 0
    assert sender.send().status_code == 200, "what is genuine passes all the same"


def test_get_says_that_messages_are_posted(client):
    assert client.get(URL).status_code == 405


# --- 1,000 forged, altered and replayed ones ----------------------------------------------------------------------------


def altered(chance: random.Random, headers: dict[str, str], body: bytes) -> tuple[dict[str, str], bytes]:
    """The message with something changed: a byte, a header, the order of things."""
    headers = dict(headers)
    match chance.randrange(6):
        case 0:
            place = chance.randrange(len(body))
            body = body[:place] + bytes([body[place] ^ 1 << chance.randrange(8)]) + body[place + 1 :]
        case 1:
            place = chance.randrange(len(body) + 1)
            body = body[:place] + chance.choice([b" ", b"\n", b"0", b",", b'"a":1,']) + body[place:]
        case 2:
            body = body[: chance.randrange(len(body))]
        case 3:
            name = chance.choice(list(headers))
            place = chance.randrange(len(headers[name]))
            headers[name] = headers[name][:place] + chance.choice("aZ09+/=-_") + headers[name][place + 1 :]
        case 4:
            body = json.dumps(json.loads(body), indent=chance.choice([1, 2])).encode()
        case 5:
            del headers[chance.choice(list(headers))]
    return headers, body


def test_of_a_thousand_forged_altered_and_replayed_messages_none_takes_effect(sender):
    chance, now = random.Random(1000), timezone.now()  # noqa: S311 - the same every time
    genuine = [(sender.sign(body, f"genuine-{number}"), body) for number in range(20) for body in [sender.body(number=number)]]
    for headers, body in genuine:
        assert sender.post(body, headers).status_code == 200
    assert sender.is_nudged
    ids, statuses = set(ReceivedMessage.objects.values_list("message_id", flat=True)), {"forged": set(), "altered": set(), "replayed": set(), "late": set()}
    for _ in range(1000):
        headers, body = chance.choice(genuine)
        kind = chance.choice(["forged", "altered", "altered", "altered", "replayed", "late"])
        if kind == "forged":
            body = sender.body(number=chance.random())
            headers = sender.sign(body, secret=signing.new_secret())
        elif kind == "altered":
            changed = altered(chance, headers, body)
            if changed == (headers, body):
                continue
            headers, body = changed
        elif kind == "late":
            headers = sender.sign(body, now=now + datetime.timedelta(seconds=chance.choice([-1, 1]) * chance.randrange(310, 10**7)))
        statuses[kind].add(sender.post(body, headers).status_code)
        forget_failures()
    assert statuses == {"forged": {401}, "altered": {401}, "replayed": {200}, "late": {401}}
    assert not sender.is_nudged
    assert set(ReceivedMessage.objects.values_list("message_id", flat=True)) == ids


def test_receiver_without_memory_is_nudged_by_a_replay(sender):
    """The naive variant of the above: a good signature is enough."""
    body = sender.body()
    headers = sender.sign(body)
    sender.post(body, headers)
    assert sender.is_nudged
    ReceivedMessage.objects.all().delete()
    sender.post(body, headers)
    assert sender.is_nudged


# --- Keys that change ---------------------------------------------------------------------------------------------------


@pytest.fixture
def site(sender, settings):
    """The partner's own site, with what it says of itself."""
    with websites.serve() as site:
        settings.OUTGOING_ALLOWED_HOSTS = [site.host]
        Partner.objects.filter(pk=sender.partner.pk).update(base_url=site.url, sealed_key="")
        publish(site, sender, sender.secret)
        yield site


def publish(site, sender: Sender, *secrets: str, node: uuid.UUID | None = None):
    document = {
        "node_id": str(node or sender.node),
        "name": "Partner",
        "base_url": site.url,
        "versions": ["1"],
        "languages": ["ca"],
        "taxonomies": {},
        "endpoints": {"hook": f"{site.url}/hook"},
        "webhook_public_keys": [{"key": signing.public_key(secret)} for secret in secrets],
    }
    body = json.dumps(document).encode()
    site.pages["/.well-known/marketplace-federation"] = lambda _request: (200, {"Content-Type": "application/json"}, body)


def look() -> int:
    """What the worker does; every partner has given us a key."""
    Partner.objects.update(sealed_key="x")
    try:
        return subscriptions.run_once()
    finally:
        Partner.objects.update(sealed_key="")


@pytest.fixture
def no_key(monkeypatch):
    """Their key is not sealed in these tests, so it cannot be sent along."""
    monkeypatch.setattr("marketplace.federation.fetching._authorization", lambda _partner: {})


def test_new_key_is_fetched_by_the_worker_and_then_known(sender, site, no_key):
    new = signing.new_secret()
    publish(site, sender, new, sender.secret)
    assert sender.send(message_id="a", secret=new).status_code == 401
    assert site.asked == [], "who sends us something does not make the request call anybody"
    assert look() == 1
    assert sender.send(message_id="a", secret=new).status_code == 200
    assert sender.send(message_id="b").status_code == 200, "the old one while it is published"


def test_new_key_beside_the_old_one_is_fetched_before_it_is_needed(sender, site, no_key):
    new = signing.new_secret()
    publish(site, sender, new, sender.secret)
    body = sender.body()
    assert sender.post(body, signing.sign("a", timezone.now(), body, [new, sender.secret])).status_code == 200
    assert look() == 1
    publish(site, sender, new)
    assert sender.send(message_id="b", secret=new).status_code == 200


def test_keys_are_asked_for_every_few_minutes_at_most(sender, site, no_key):
    for _ in range(5):
        sender.send(secret=signing.new_secret())
        look()
    assert len(site.asked) == 1
    with time_machine.travel(timezone.now() + subscriptions.KEYS_PAUSE + datetime.timedelta(seconds=1), tick=True):
        look()
        assert len(site.asked) == 2
        look()
    assert len(site.asked) == 2


def test_keys_of_another_node_at_the_same_address_are_not_taken(sender, site, no_key):
    thief = signing.new_secret()
    publish(site, sender, thief, node=uuid.uuid4())
    sender.send(secret=thief)
    look()
    assert sender.send(secret=thief).status_code == 401
    assert sender.send().status_code == 200


# --- Asking to be told --------------------------------------------------------------------------------------------------


def test_partner_is_asked_to_tell_us_until_it_does(sender, site, no_key):
    asked = []

    def hook(request):
        asked.append(json.loads(request.rfile.read(int(request.headers["Content-Length"]))))
        return 200, {"Content-Type": "application/json"}, json.dumps({"state": "active" if len(asked) > 2 else "checking"}).encode()

    publish(site, sender, sender.secret)
    Partner.objects.update(discovery={"endpoints": {"hook": f"{site.url}/hook"}})
    Subscription.objects.all().delete()
    look()
    assert Subscription.objects.get().error == "HTTP 404"
    site.pages["/hook"] = hook
    start = timezone.now()
    for minutes in (1, 4, 12):
        with time_machine.travel(start + datetime.timedelta(minutes=minutes, seconds=minutes), tick=True):
            look()
    assert asked == [{"url": "http://testserver/api/federation/v1/webhooks"}] * 3
    subscription = Subscription.objects.get()
    assert (bool(subscription.confirmed_at), subscription.error) == (True, "")
    with time_machine.travel(start + datetime.timedelta(hours=20), tick=True):
        assert look() == 0
    with time_machine.travel(start + datetime.timedelta(hours=25), tick=True):
        assert look() == 1


def test_partner_that_is_no_marketplace_is_not_asked(sender, site, no_key):
    Subscription.objects.all().delete()
    for fields in ({"reader": ReaderKind.TABLE}, {"reader": ReaderKind.PROTOCOL, "state": PartnerState.PAUSED}):
        Partner.objects.update(**fields)
        assert look() == 0
    assert site.asked == []


def test_register_at_asks_again_at_once(sender, site, no_key):
    assert look() == 0
    subscriptions.register_at(sender.partner)
    assert look() == 1


def test_a_key_that_does_not_open_keeps_no_other_partner_from_being_asked(sender, client, site):
    """The server's secret was changed, or a backup was put back beside another one. Let through, the error ends the worker at every start."""
    other = Sender(client, number=2)
    publish(site, other, other.secret)
    site.pages["/hook"] = lambda _request: (200, {"Content-Type": "application/json"}, b'{"state": "active"}')
    for one in (sender, other):
        document = {"endpoints": {"hook": f"{site.url}/hook"}} | Partner.objects.get(pk=one.partner.pk).discovery
        Partner.objects.filter(pk=one.partner.pk).update(base_url=site.url, discovery=document, sealed_key=sealing.seal("their-key-to-us-0123456789"))
    Partner.objects.filter(pk=sender.partner.pk).update(sealed_key="sealed with another secret")
    with pytest.raises(sealing.BrokenSealError):
        fetch(Partner.objects.get(pk=sender.partner.pk), f"{site.url}/hook")
    Subscription.objects.update(next_attempt_at=timezone.now())
    Subscription.objects.filter(pk=sender.subscription.pk).update(next_attempt_at=timezone.now() - LATER)
    assert subscriptions.run_once() == 2
    sender.subscription.refresh_from_db()
    other.subscription.refresh_from_db()
    assert sender.subscription.error.startswith("broken-seal")
    assert (other.subscription.error, other.subscription.confirmed_at is not None) == ("", True)
