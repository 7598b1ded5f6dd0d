"""The server calls an address that somebody typed: nowhere but to public hosts, and never for longer than it should."""

import datetime
import gzip
import ipaddress
import socket
import ssl
import time
import urllib.request

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from marketplace.core import addresses, lines, outgoing
from marketplace.core.addresses import AddressError, Reason
from marketplace.core.outgoing import Call, fetch
from tests.network import NetworkClosedError
from tests.websites import drip, drip_headers, endless, redirect, serve

PUBLIC = ipaddress.ip_address("93.184.215.14")
LOOPBACK = ipaddress.ip_address("127.0.0.1")
TEXT = Call(types=("text/plain",), seconds=5)

#: Every way we know to write "this machine" or "this network". PORT is a server that must not be reached.
CLOSED = [
    "http://127.0.0.1:PORT/", "http://127.0.0.2:PORT/", "http://127.1:PORT/", "http://127.0.1:PORT/", "http://0:PORT/", "http://0.0.0.0:PORT/",
    "http://2130706433:PORT/", "http://017700000001:PORT/", "http://0x7f000001:PORT/", "http://0x7f.0.0.1:PORT/", "http://0177.0.0.1:PORT/",
    "http://127.0.0.0x1:PORT/", "http://00000127.0.0.1:PORT/", "http://127.0.0.1.:PORT/", "http://１２７.０.０.１:PORT/", "http://①②⑦.⓪.⓪.①:PORT/",
    "http://localhost:PORT/", "http://LOCALHOST:PORT/", "http://localhost.:PORT/", "http://api.localhost:PORT/", "http://localhost.localdomain:PORT/",
    "http://ｌｏｃａｌｈｏｓｔ:PORT/", "http://printer.local:PORT/", "http://db.internal:PORT/", "http://router.home.arpa:PORT/", "http://database:PORT/",
    "http://metadata.google.internal/", "http://10.0.0.1/", "http://100.64.0.1/", "http://100.100.100.200/", "http://169.254.169.254/latest/meta-data/",
    "http://168.63.129.16/", "http://172.16.0.1/", "http://172.31.255.255/", "http://192.0.0.8/", "http://192.0.2.1/", "http://192.88.99.1/",
    "http://192.168.1.1/", "http://198.18.0.1/", "http://198.51.100.1/", "http://203.0.113.1/", "http://224.0.0.1/", "http://240.0.0.1/",
    "http://255.255.255.255/", "http://[::1]:PORT/", "http://[::]:PORT/", "http://[0:0:0:0:0:0:0:1]:PORT/", "http://[::ffff:127.0.0.1]:PORT/",
    "http://[::ffff:7f00:1]:PORT/", "http://[::127.0.0.1]:PORT/", "http://[::ffff:0:127.0.0.1]:PORT/", "http://[64:ff9b::7f00:1]:PORT/",
    "http://[64:ff9b::169.254.169.254]/", "http://[64:ff9b:1::10.0.0.1]/", "http://[2002:7f00:1::]:PORT/", "http://[2002:c0a8:101::1]/",
    "http://[2001:0:7f00:1::1]/", "http://[2001:10::1]/", "http://[2001:db8::1]/", "http://[3fff::1]/", "http://[fe80::1]/", "http://[fec0::1]/",
    "http://[fc00::1]/", "http://[fd00:ec2::254]/", "http://[ff02::1]/", "http://[100::1]/", "http://[5f00::1]/",
]  # fmt: skip
#: What no address of a public page looks like.
MALFORMED = {
    "ftp://example.org/": Reason.SCHEME,
    "file:///etc/passwd": Reason.SCHEME,
    "gopher://example.org/_x": Reason.SCHEME,
    "javascript:alert(1)": Reason.SCHEME,
    "//example.org/": Reason.SCHEME,
    "example.org": Reason.SCHEME,
    "": Reason.SCHEME,
    "http://": Reason.NOT_AN_ADDRESS,
    "http:///path": Reason.NOT_AN_ADDRESS,
    "http://user@example.org/": Reason.USERINFO,
    "http://user:secret@example.org/": Reason.USERINFO,
    "http://example.org@127.0.0.1/": Reason.USERINFO,
    "http://127.0.0.1\\@example.org/": Reason.NOT_AN_ADDRESS,
    "http://example.org\r\nHost: db/": Reason.NOT_AN_ADDRESS,
    "http://exam\tple.org/": Reason.NOT_AN_ADDRESS,
    "http://exa mple.org/": Reason.NOT_AN_ADDRESS,
    "http://%31%32%37.0.0.1/": Reason.NOT_AN_ADDRESS,
    "http://example..org/": Reason.NOT_AN_ADDRESS,
    "http://-example.org/": Reason.NOT_AN_ADDRESS,
    "http://[fe80::1%25eth0]/": Reason.NOT_AN_ADDRESS,
    "http://[not-an-address]/": Reason.NOT_AN_ADDRESS,
    "http://example.org:99999/": Reason.NOT_AN_ADDRESS,
    "http://example.org:http/": Reason.NOT_AN_ADDRESS,
    "http://example.org:22/": Reason.PORT,
    "https://example.org:8443/": Reason.PORT,
    "http://example.org/" + "a" * 2000: Reason.NOT_AN_ADDRESS,
}


class Resolver:
    """A name server that gives one answer after the other, the last one for ever."""

    def __init__(self, *answers):
        self.answers, self.asked = list(answers), []

    def __call__(self, host, port):
        self.asked.append((host, port))
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer if isinstance(answer, list) else [answer]


@pytest.fixture
def site(settings):
    """A web site that the settings let us ask by its address."""
    with serve({"/": (200, {"Content-Type": "text/plain; charset=utf-8"}, b"hello")}) as site:
        settings.OUTGOING_ALLOWED_HOSTS = [site.host]
        yield site


def reason(url, call=TEXT, **kwargs):
    with pytest.raises(AddressError) as raised:
        fetch(url, call, **kwargs)
    assert str(raised.value)
    return raised.value.reason


# --- Where it may not go ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("url", CLOSED)
def test_private_address_is_refused_before_any_connection(url, settings):
    with serve() as closed:
        settings.OUTGOING_PORTS = [80, 443, closed.port]
        assert reason(url.replace("PORT", str(closed.port)), resolver=Resolver(OSError("unused"))) == Reason.NOT_PUBLIC
        assert closed.connections == 0


def test_naive_fetch_reaches_them(settings):
    """What the library alone would do: the server is reached by several of these spellings."""
    with serve({"/": 200}) as closed:
        spellings = ("127.0.0.1", "127.1", "2130706433", "0x7f000001", "017700000001")
        for host in spellings:
            socket.create_connection((socket.inet_ntoa(socket.inet_aton(host)), closed.port)).close()
            urllib.request.urlopen(f"http://{socket.inet_ntoa(socket.inet_aton(host))}:{closed.port}/")
        assert len(closed.asked) == len(spellings)


@pytest.mark.parametrize("url", CLOSED)
def test_redirect_to_a_private_address_is_refused(url, site, settings):
    with serve() as closed:
        settings.OUTGOING_PORTS = [80, 443, closed.port]
        site.pages["/away"] = redirect(url.replace("PORT", str(closed.port)).encode().decode("latin-1"))
        assert reason(f"{site.url}/away") == Reason.NOT_PUBLIC
        assert (closed.connections, site.asked) == (0, [("GET", "/away")])


@pytest.mark.parametrize(("url", "expected"), MALFORMED.items())
def test_malformed_address_is_refused(url, expected):
    assert reason(url, resolver=Resolver(OSError("unused"))) == expected


@pytest.mark.parametrize(
    "url",
    [
        "http://93.184.215.14/",
        "https://example.org",
        "http://example.org:443/",
        "https://example.org./",
        "https://Bücher.example/ö?q=ñ#part",
        "https://[2606:2800:220:1::1]/",
    ],
)
def test_public_address_is_taken(url):
    target = addresses.parse(url)
    assert target.url.isascii()
    assert "#" not in target.url


def test_spelling_of_an_address_is_one():
    assert addresses.parse("HTTPS://Bücher.Example:443/a b?c=ñ&d=%20#e").url == "https://xn--bcher-kva.example/a%20b?c=%C3%B1&d=%20"


@pytest.mark.parametrize("address", ["10.1.2.3", "127.0.0.1", "169.254.169.254", "fd00::1", "::1", "64:ff9b::808:808", "2002:808:808::1"])
def test_name_with_a_private_address_is_refused(address):
    resolver = Resolver(ipaddress.ip_address(address))
    assert reason("http://attacker.example/", resolver=resolver) == Reason.NOT_PUBLIC


def test_name_with_one_private_address_among_public_ones_is_refused():
    assert reason("http://attacker.example/", resolver=Resolver([PUBLIC, LOOPBACK])) == Reason.NOT_PUBLIC


def test_rebinding_name_server_is_asked_once(settings):
    """The first answer is public and passes the check; the second would lead home."""
    with serve({"/": 200}) as home:
        settings.OUTGOING_PORTS = [home.port]
        url, rebinding = f"http://rebind.example:{home.port}/", Resolver(PUBLIC, LOOPBACK)
        # The closed network of the tests tells where the connection was meant to go: to the address that was checked.
        with pytest.raises(NetworkClosedError, match=str(PUBLIC)):
            fetch(url, TEXT, resolver=rebinding)
        assert (rebinding.asked, home.connections) == ([("rebind.example", home.port)], 0)

        naive = Resolver(PUBLIC, LOOPBACK)
        assert all(addresses.is_public(address) for address in naive("rebind.example", home.port))
        urllib.request.urlopen(f"http://{naive('rebind.example', home.port)[0]}:{home.port}/")
        assert home.connections == 1, "checked, resolved again, and inside"


def test_every_hop_is_resolved_and_checked_anew(site):
    site.pages["/away"] = redirect("http://other.example/")
    assert reason(f"{site.url}/away", resolver=Resolver(LOOPBACK)) == Reason.NOT_PUBLIC


def test_allowed_host_is_allowed_on_its_port_only(site, settings):
    assert fetch(site.url, TEXT).body == b"hello"
    settings.OUTGOING_ALLOWED_HOSTS = ["127.0.0.1:1"]
    assert reason(site.url) == Reason.PORT
    settings.OUTGOING_ALLOWED_HOSTS = ["127.0.0.1"]
    assert fetch(site.url, TEXT).status == 200


def test_proxy_of_the_environment_is_not_used(site, monkeypatch):
    with serve() as proxy:
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.url)
        assert fetch(site.url, TEXT).body == b"hello"
        assert proxy.connections == 0


# --- Answers ------------------------------------------------------------------------------------------------------------


def test_answer_has_status_headers_and_body(site):
    answer = fetch(f"{site.url}/?q=1#part", TEXT)
    assert (answer.status, answer.body, answer.media_type, answer.url) == (200, b"hello", "text/plain", f"{site.url}/?q=1")
    assert site.asked == [("GET", "/?q=1")]
    assert site.headers[0]["User-Agent"] == "BusinessMarketplace/1.0 (+http://testserver)"
    assert "Cookie" not in site.headers[0]


def test_no_body_is_read_unless_a_kind_is_wanted(site):
    site.pages["/"] = endless
    assert fetch(site.url, Call(seconds=5)) == outgoing.Answer(f"{site.url}/", 200, fetch(site.url, Call(seconds=5)).headers)


def test_error_of_the_site_is_an_answer(site):
    assert fetch(f"{site.url}/missing", TEXT).status == 404


def test_redirects_are_followed_and_told(site):
    site.pages |= {"/a": redirect("/b", 301), "/b": redirect(f"{site.url}/", 307)}
    answer = fetch(f"{site.url}/a", TEXT)
    assert (answer.body, answer.url) == (b"hello", f"{site.url}/")
    assert answer.redirects == ((301, f"{site.url}/a"), (307, f"{site.url}/b"))


def test_cookies_are_not_kept_between_redirects(site):
    site.pages["/a"] = (302, {"Location": "/", "Set-Cookie": "session=1"}, b"")
    fetch(f"{site.url}/a", TEXT)
    assert "Cookie" not in site.headers[1]


def test_secrets_go_to_no_other_host(site, settings):
    with serve({"/": (200, {"Content-Type": "text/plain"}, b"")}) as other:
        settings.OUTGOING_ALLOWED_HOSTS = [site.host, other.host]
        site.pages |= {"/same": redirect("/"), "/other": redirect(other.url)}
        call = Call(types=("text/plain",), headers={"Authorization": "Bearer secret"})
        fetch(f"{site.url}/same", call)
        assert [headers.get("Authorization") for headers in site.headers] == ["Bearer secret"] * 2
        fetch(f"{site.url}/other", call)
        assert "Authorization" not in other.headers[0]


@pytest.mark.parametrize("location", ["", "javascript:alert(1)", "ftp://example.org/", "http://[", "\xff\xfe"])
def test_redirect_to_nowhere_is_an_error(site, location):
    site.pages["/a"] = redirect(location)
    assert reason(f"{site.url}/a") == Reason.BAD_REDIRECT


def test_redirect_with_letters_in_utf8_is_followed(site):
    site.pages |= {"/a": redirect("/català".encode().decode("latin-1")), "/catal%C3%A0": 204}
    assert fetch(f"{site.url}/a").status == 204


def test_circle_of_redirects_ends(site):
    site.pages["/a"] = redirect("/a")
    assert reason(f"{site.url}/a") == Reason.REDIRECTS
    assert len(site.asked) == outgoing.MAX_REDIRECTS + 1


def test_posted_content_is_not_sent_on(site):
    site.pages["/a"] = redirect("/", 307)
    assert fetch(f"{site.url}/a", Call(method="POST", content=b"{}")).status == 307
    assert site.asked == [("POST", "/a")]


def test_another_kind_than_expected_is_an_error(site):
    site.pages["/"] = (200, {"Content-Type": "text/html"}, b"<p>")
    assert reason(site.url) == Reason.WRONG_TYPE


# --- Too much, too slow, too strange ------------------------------------------------------------------------------------


def test_endless_body_is_cut_by_its_size(site):
    site.pages["/"] = endless
    assert reason(site.url) == Reason.TOO_LARGE


def test_announced_size_is_believed_when_it_is_too_large(site):
    site.pages["/"] = (200, {"Content-Type": "text/plain", "Content-Length": str(10**12)}, b"x")
    assert reason(site.url) == Reason.TOO_LARGE


def test_archive_that_grows_is_cut_by_what_comes_out(site):
    bomb = gzip.compress(bytes(200 * 2**20), compresslevel=9)
    assert len(bomb) < 2**20
    site.pages["/"] = (200, {"Content-Type": "text/plain", "Content-Encoding": "gzip"}, bomb)
    began = time.monotonic()
    assert reason(site.url, Call(types=("text/plain",), max_bytes=2**20)) == Reason.TOO_LARGE
    assert time.monotonic() - began < 2


def test_archives_in_archives_are_not_unpacked(site):
    body = b"hello"
    for _ in range(20):
        body = gzip.compress(body)
    site.pages["/"] = (200, {"Content-Type": "text/plain", "Content-Encoding": ", ".join(["gzip"] * 20)}, body)
    assert reason(site.url) == Reason.BROKEN


def test_packed_answer_is_unpacked(site):
    site.pages["/"] = (200, {"Content-Type": "text/plain", "Content-Encoding": "gzip"}, gzip.compress(b"hello"))
    assert fetch(site.url, TEXT).body == b"hello"


@pytest.mark.parametrize("slow", [drip, drip_headers])
def test_slow_answer_is_cut_when_the_time_is_up(site, slow):
    site.pages["/"] = slow
    began = time.monotonic()
    assert reason(site.url, Call(types=("text/plain",), seconds=0.4)) == Reason.TOO_SLOW
    assert time.monotonic() - began < 2


def test_timeout_of_the_socket_alone_waits_for_every_letter(site):
    site.pages["/"] = drip
    began = time.monotonic()
    # Long enough for a busy machine to send the next letter in time.
    urllib.request.urlopen(site.url, timeout=1.2).read(45)  # noqa: S310 - our own site
    assert time.monotonic() - began > 1.5, "each letter began the 1.2 seconds anew"


def test_time_counts_over_all_redirects(site):
    def slow_redirect(request):
        time.sleep(0.3)
        return redirect("/a")

    site.pages["/a"] = slow_redirect
    began = time.monotonic()
    assert reason(f"{site.url}/a", Call(seconds=0.7)) == Reason.TOO_SLOW
    assert time.monotonic() - began < 2


def test_silent_handshake_is_cut(settings):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        settings.OUTGOING_ALLOWED_HOSTS = [f"127.0.0.1:{port}"]
        assert reason(f"https://127.0.0.1:{port}/", Call(seconds=0.4)) == Reason.TOO_SLOW


def test_slow_name_server_is_not_waited_for():
    def hang(_host, _port):
        time.sleep(3)

    began = time.monotonic()
    assert reason("http://slow.example/", Call(seconds=0.3), resolver=hang) == Reason.TOO_SLOW
    assert time.monotonic() - began < 2


def test_unknown_name_is_told():
    assert reason("http://gone.example/", resolver=Resolver(socket.gaierror(-2, "Name or service not known"))) == Reason.NO_HOST
    assert reason("http://gone.example/", resolver=Resolver([])) == Reason.NO_HOST


def test_closed_port_is_told(settings):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    settings.OUTGOING_ALLOWED_HOSTS = [f"127.0.0.1:{port}"]
    assert reason(f"http://127.0.0.1:{port}/") == Reason.NO_ANSWER


def test_second_address_is_tried_when_the_first_does_not_answer(site, settings):
    settings.OUTGOING_ALLOWED_HOSTS = [f"two.example:{site.port}"]
    # Nothing listens on the first one.
    resolver = Resolver([ipaddress.ip_address("127.0.0.9"), LOOPBACK])
    assert fetch(f"http://two.example:{site.port}/", TEXT, resolver=resolver).body == b"hello"
    assert site.headers[0]["Host"] == f"two.example:{site.port}"


@pytest.mark.parametrize(
    "junk", [b"SSH-2.0-OpenSSH_9.9\r\n", b"HTTP/1.1 abc\r\n\r\n", b"\x00" * 100 + b"\r\n", b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 500 + b"\r\n"]
)
def test_junk_instead_of_an_answer_is_told(site, junk):
    site.pages["/"] = lambda request: request.wfile.write(junk) and None
    assert reason(site.url) == Reason.BROKEN


def test_line_that_is_cut_in_the_body_is_told(site):
    site.pages["/"] = (200, {"Content-Type": "text/plain", "Content-Length": "100"}, b"half")
    assert reason(site.url) == Reason.BROKEN


# --- Certificates -------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """The file of a certificate for shop.example, signed by itself, with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "shop.example")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("shop.example")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = tmp_path_factory.mktemp("tls") / "shop.pem"
    private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    file.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    return file


@pytest.fixture
def shop(certificate, settings):
    """A site with TLS on this machine, named shop.example and thief.example by the resolver."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with serve({"/": 204}, wrap=lambda line: context.wrap_socket(line, server_side=True)) as site:
        settings.OUTGOING_ALLOWED_HOSTS = [f"shop.example:{site.port}", f"thief.example:{site.port}"]
        yield site


def test_unknown_certificate_is_refused(shop):
    assert reason(f"https://shop.example:{shop.port}/", resolver=Resolver(LOOPBACK)) == Reason.CERTIFICATE
    assert shop.asked == []


def test_certificate_counts_for_the_name_not_for_the_pinned_address(shop, certificate, monkeypatch):
    trusting = ssl.create_default_context(cafile=str(certificate))
    monkeypatch.setattr(lines, "_context", lambda: trusting)
    assert fetch(f"https://shop.example:{shop.port}/", resolver=Resolver(LOOPBACK)).status == 204
    assert reason(f"https://thief.example:{shop.port}/", resolver=Resolver(LOOPBACK)) == Reason.CERTIFICATE


def test_plain_server_behind_https_is_told(site):
    assert reason(site.url.replace("http:", "https:")) == Reason.BROKEN


def test_what_others_write_into_their_headers_can_be_written_down():
    """A NUL in it would make PostgreSQL refuse the row that tells of the error, at every try."""
    error = AddressError(Reason.REDIRECTS, "https://a.example/", "302 /\0\ud800\r\nx")
    assert error.detail == "302 /\N{REPLACEMENT CHARACTER}\N{REPLACEMENT CHARACTER}\N{REPLACEMENT CHARACTER}\N{REPLACEMENT CHARACTER}x"
