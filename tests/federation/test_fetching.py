"""A partner is asked at its own hosts only, over https, with its key to nobody else, and no answer sends us anywhere."""

import pytest

from marketplace.core import sealing
from marketplace.core.addresses import AddressError, Reason
from marketplace.core.outgoing import Call
from marketplace.federation.fetching import Refusal, fetch, fetcher
from marketplace.federation.models import Partner
from tests.core.test_outgoing import CLOSED, LOOPBACK, PUBLIC, Resolver
from tests.network import NetworkClosedError
from tests.websites import drip, endless, redirect, serve

JSON = Call(types=("application/json",), error_types=("application/problem+json",), seconds=5)


@pytest.fixture
def site(settings):
    with serve({"/": (200, {"Content-Type": "application/json"}, b"{}")}) as site:
        settings.OUTGOING_ALLOWED_HOSTS = [site.host]
        yield site


@pytest.fixture
def partner(site):
    return Partner(name="Other city", base_url=site.url, sealed_key=sealing.seal("their secret"))


def reason(partner, url, call=JSON, **kwargs):
    with pytest.raises(AddressError) as raised:
        fetch(partner, url, call, **kwargs)
    assert str(raised.value)
    return raised.value.reason


def test_key_goes_to_the_base_address(site, partner):
    assert fetcher(partner)(site.url, JSON).body == b"{}"
    assert site.headers[0]["Authorization"] == "Bearer their secret"


def test_key_goes_to_no_other_host_of_the_partner(site, partner, settings):
    with serve({"/": (200, {"Content-Type": "application/json"}, b"{}")}) as files:
        settings.OUTGOING_ALLOWED_HOSTS = [site.host, files.host]
        partner.more_hosts = f"\n {files.host} \n"
        fetch(partner, files.url, Call(types=JSON.types, headers={"authorization": "Bearer own", "Accept-Language": "ca"}))
        assert "Authorization" not in files.headers[0]
        assert "authorization" not in files.headers[0]
        assert files.headers[0]["Accept-Language"] == "ca"


def test_host_of_nobody_is_not_asked(partner, settings):
    with serve() as other:
        settings.OUTGOING_ALLOWED_HOSTS.append(other.host)
        assert reason(partner, other.url) == Refusal.OTHER_HOST
        assert other.connections == 0


@pytest.mark.parametrize("spelling", ["https://OTHER.example/", "https://other.example:443/", "https://other.example./feed"])
def test_host_is_compared_in_one_spelling(spelling):
    partner = Partner(base_url="https://Other.Example:443/market")
    with pytest.raises(NetworkClosedError, match=str(PUBLIC)):
        fetch(partner, spelling, resolver=Resolver(PUBLIC))


def test_plain_http_is_for_allowed_hosts_only():
    assert reason(Partner(base_url="http://other.example"), "http://other.example/", resolver=Resolver(OSError("unused"))) == Refusal.NOT_SECURE


@pytest.mark.parametrize("url", CLOSED)
def test_private_address_is_refused_even_as_a_partner(url, settings):
    """A curator typed it, or the partner put it into its own description: 0 connections either way."""
    with serve() as closed:
        settings.OUTGOING_PORTS = [80, 443, closed.port]
        url = url.replace("PORT", str(closed.port)).replace("http:", "https:")
        assert reason(Partner(base_url=url), url, resolver=Resolver(OSError("unused"))) == Reason.NOT_PUBLIC
        assert closed.connections == 0


@pytest.mark.parametrize("url", CLOSED)
def test_redirect_is_not_followed(url, site, partner, settings):
    with serve() as closed:
        settings.OUTGOING_PORTS = [80, 443, closed.port]
        site.pages["/away"] = redirect(url.replace("PORT", str(closed.port)).encode().decode("latin-1"))
        assert reason(partner, f"{site.url}/away") == Refusal.REDIRECTED
        assert (closed.connections, site.asked) == (0, [("GET", "/away")])


@pytest.mark.parametrize("status", [300, 301, 302, 303, 307, 308])
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
def test_redirect_to_itself_is_an_error_that_says_where(status, method, site, partner):
    site.pages["/a"] = redirect("/b", status)
    with pytest.raises(AddressError) as raised:
        fetch(partner, f"{site.url}/a", Call(method=method, content=b"{}" if method == "POST" else None))
    assert (raised.value.reason, raised.value.detail) == (Refusal.REDIRECTED, f"{status} /b")
    assert len(site.asked) == 1


def test_not_modified_is_an_answer(site, partner):
    site.pages["/a"] = 304
    assert fetch(partner, f"{site.url}/a", JSON).status == 304


def test_rebinding_name_server_is_asked_once(settings):
    with serve() as home:
        settings.OUTGOING_PORTS = [home.port]
        url, rebinding = f"https://rebind.example:{home.port}/", Resolver(PUBLIC, LOOPBACK)
        with pytest.raises(NetworkClosedError, match=str(PUBLIC)):
            fetch(Partner(base_url=url), url, JSON, resolver=rebinding)
        assert (len(rebinding.asked), home.connections) == (1, 0)


def test_problem_of_the_partner_can_be_read(site, partner):
    site.pages["/a"] = (410, {"Content-Type": "application/problem+json"}, b'{"status": 410}')
    answer = fetch(partner, f"{site.url}/a", JSON)
    assert (answer.status, answer.body) == (410, b'{"status": 410}')


@pytest.mark.parametrize(("kind", "body"), [("text/html", b"<p>no</p>"), ("application/problem+json", b"x" * 100_000)])
def test_error_in_another_form_or_too_long_is_left_out(kind, body, site, partner):
    site.pages["/a"] = (500, {"Content-Type": kind}, body)
    assert fetch(partner, f"{site.url}/a", JSON).body == b""


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_body_is_sent(method, site, partner):
    seen = []

    def take(request):
        seen.append((request.command, request.rfile.read(int(request.headers["Content-Length"]))))
        return 204

    site.pages["/a"] = take
    fetch(partner, f"{site.url}/a", Call(method=method, content=b'{"a": 1}', headers={"Content-Type": "application/json"}))
    assert seen == [(method, b'{"a": 1}')]


def test_hostile_bodies_are_cut(site, partner):
    site.pages |= {"/huge": endless, "/slow": drip}
    call = Call(types=("text/plain",), max_bytes=2**20, seconds=0.5)
    assert reason(partner, f"{site.url}/huge", call) == Reason.TOO_LARGE
    assert reason(partner, f"{site.url}/slow", call) == Reason.TOO_SLOW
