"""A partner that answers with whatever does harm: nothing of ours breaks, nothing is lost, and its page says what is wrong."""

import json
import time

import pytest
from django.utils import timezone

from marketplace.federation import harvest
from marketplace.federation.enums import PartnerState
from marketplace.federation.models import Checkpoint, Partner
from marketplace.federation.readers import protocol
from marketplace.listings.models import Listing
from tests.federation.origins import listing_of
from tests.federation.test_harvest import live, read
from tests.websites import drip, drip_headers, endless, redirect, serve

pytestmark = pytest.mark.django_db
CHANGES = "/api/federation/v1/changes"


@pytest.fixture
def known(origin, partner):
    """The partner after a good visit."""
    for number in range(3):
        origin.put(number)
    read(partner)
    return partner


def visit(partner):
    before = list(Listing.objects.order_by("pk").values())
    Checkpoint.objects.filter(partner=partner).update(next_at=timezone.now())
    harvest.visit(partner)
    assert list(Listing.objects.order_by("pk").values()) == before
    checkpoint = Checkpoint.objects.get(partner=partner)
    assert (checkpoint.lease_until, checkpoint.state) == (None, {"cursor": "c3"})
    assert checkpoint.next_at > timezone.now()
    assert checkpoint.error
    return checkpoint.error_code


def as_json(text):
    return 200, {"Content-Type": "application/json"}, text


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (redirect("http://127.0.0.1:1/"), "redirected"),
        (redirect("https://other.example/"), "redirected"),
        (redirect(CHANGES, 308), "redirected"),
        ((200, {"Content-Type": "text/html"}, b"<p>"), "wrong_type"),
        (as_json(b""), "bad-json"),
        (as_json(b"{"), "bad-json"),
        (as_json(b"\xff\xfe"), "bad-json"),
        (as_json(b"[]"), "bad-json"),
        (as_json(b"null"), "bad-json"),
        (as_json(b"{}"), "bad-page"),
        (as_json(b'{"items": {}, "cursor": "c9", "more": false}'), "bad-page"),
        (as_json(b'{"items": [], "cursor": "", "more": false}'), "bad-page"),
        (as_json(b'{"items": [], "cursor": 7, "more": false}'), "bad-page"),
        (as_json(b'{"items": [], "cursor": "c3", "more": true}'), "bad-page"),
        (as_json(b"[" * 100_000), "bad-json"),
        (as_json(b'{"a":' * 100_000), "bad-json"),
        (as_json(json.dumps({"items": [1] * 6000, "cursor": "c9", "more": False}).encode()), "bad-page"),
        ((401, {}, b""), "http-401"),
        ((403, {"Content-Type": "application/problem+json"}, b'{"type": "https://x/api/problems/forbidden", "title": "No"}'), "forbidden"),
        ((403, {"Content-Type": "application/problem+json"}, b'{"type": 7, "title": ["No"]}'), "http-403"),
        ((503, {"Retry-After": "9" * 5000}, b""), "http-503"),
        ((503, {"Retry-After": "-1"}, b""), "http-503"),
        ((204, {}, b""), "bad-json"),
    ],
)  # fmt: skip
def test_nonsense_is_kept_as_an_error(answer, code, origin, known):
    origin.site.pages[CHANGES] = answer
    # 204 has no kind at all.
    assert visit(known) in (code, "wrong_type")


def test_redirect_home_is_not_followed(origin, known, settings):
    with serve({"/": 200}) as home:
        settings.OUTGOING_ALLOWED_HOSTS = [*settings.OUTGOING_ALLOWED_HOSTS, home.host]
        origin.site.pages[CHANGES] = redirect(home.url)
        assert visit(known) == "redirected"
        assert home.connections == 0


def test_next_page_on_another_host_is_not_asked(origin, partner, settings):
    with serve({"/": 200}) as home:
        settings.OUTGOING_ALLOWED_HOSTS = [*settings.OUTGOING_ALLOWED_HOSTS, home.host]
        for number in range(4):
            origin.put(number)
        whole = origin.snapshot

        def elsewhere(request):
            status, headers, body = whole(request)
            return status, {name: value.replace(origin.url, home.url) for name, value in headers.items()}, body

        origin.site.pages["/api/federation/v1/snapshot"] = elsewhere
        partner.reader_options = {"limit": 3}
        partner.save()
        read(partner)
        assert (home.connections, live(partner)) == (0, {"0", "1", "2", "3"})


def test_huge_body_is_cut(origin, known):
    origin.site.pages[CHANGES] = lambda request: endless(_as_json(request))
    assert visit(known) == "too_large"


@pytest.mark.parametrize("slow", [drip, drip_headers])
def test_slow_body_is_cut(slow, origin, known, monkeypatch):
    monkeypatch.setattr(protocol, "SECONDS", 0.5)
    origin.site.pages[CHANGES] = lambda request: slow(_as_json(request))
    began = time.monotonic()
    assert visit(known) == "too_slow"
    assert time.monotonic() - began < 3


def test_snapshot_without_end_is_left(origin, partner, monkeypatch):
    monkeypatch.setattr(protocol, "MOST_SURPLUS", 5)
    numbers = iter(range(10**6))

    def more(request):
        items = [origin.item(listing_of(origin, next(numbers))) for _ in range(3)]
        lines = [{"as_of": "c0", "total": 1}, *items, {"end": True, "count": 3}]
        link = f'<{origin.url}/api/federation/v1/snapshot?after=c0.{next(numbers)}>; rel="next"'
        return 200, {"Content-Type": "application/x-ndjson", "Link": link}, b"".join(json.dumps(line).encode() + b"\n" for line in lines)

    origin.site.pages["/api/federation/v1/snapshot"] = more
    harvest.visit(partner)
    assert Checkpoint.objects.get().error_code == "endless"
    assert len(origin.pages_asked) == 3


def test_partner_that_always_says_expired_is_asked_twice_not_for_ever(origin, known):
    origin.expire_before = 10**6
    origin.site.asked.clear()
    Checkpoint.objects.update(next_at=timezone.now())
    harvest.visit(known)
    assert len(origin.pages_asked) == 2
    assert Checkpoint.objects.get().error_code == "cursor-expired"


def test_hostile_partner_holds_up_no_other(origin, partner, settings):
    from tests.federation.origins import origin as serve_origin  # noqa: PLC0415 - the fixture has its name

    origin.site.pages["/api/federation/v1/snapshot"] = as_json(b"[" * 100_000)
    with serve_origin() as second:
        settings.OUTGOING_ALLOWED_HOSTS = [*settings.OUTGOING_ALLOWED_HOSTS, second.site.host]
        second.put(1)
        good = Partner.objects.create(name="Chamber", base_url=second.url, state=PartnerState.ACTIVE)
        harvest.run_once()
        assert live(good) == {"1"}


def test_fault_of_ours_is_logged_and_holds_up_nobody(origin, partner, monkeypatch, caplog):
    origin.put(1)
    monkeypatch.setattr("marketplace.federation.writing.write", lambda *_: 1 / 0)
    harvest.visit(partner)
    assert Checkpoint.objects.get().error_code == "internal"
    assert "ZeroDivisionError" in caplog.text


def test_one_round_does_not_stay_with_a_partner_that_has_much(origin, partner, monkeypatch):
    for number in range(6):
        origin.put(number)
    partner.reader_options = {"limit": 2}
    partner.save()
    monkeypatch.setattr(harvest, "ROUND_SECONDS", 0)
    assert [harvest.run_once() for _ in range(3)] == [2, 2, 2]
    assert len(live(partner)) == 6
    assert len(origin.pages_asked) == 3, "each page once"


def _as_json(request):
    """The drips say what kind they are; ours is another."""
    send = request.send_header
    request.send_header = lambda name, value: send(name, "application/json" if name == "Content-Type" else value)
    return request
