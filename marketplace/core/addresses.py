"""Which web addresses the server may call when somebody else typed them: those of public hosts, and of hosts that the settings name.

A page's link, a partner's feed or a webhook could otherwise make the server call itself, the database beside it or the
cloud's metadata address (server-side request forgery). The address is taken apart once, here, and only these parts are used
afterwards: two programs that read `http://a@b#@c/` differently are the classic hole.
"""

import ipaddress
import re
from dataclasses import dataclass
from urllib.parse import SplitResult, quote, urljoin, urlsplit

import idna
from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

MAX_LENGTH = 2000
PORTS = {"http": 80, "https": 443}
#: Names that lead to this machine or into its own network, whatever a resolver says of them (RFC 6761, 6762, 8375 and custom).
OWN_NAMES = ("localhost", "localdomain", "local", "internal", "intranet", "lan", "home.arpa")
#: What is not of everybody in IPv4 (IANA's special-purpose registry), multicast, the reserved rest, and the one address that a
#: large cloud keeps for its hosts in public space.
CLOSED_4 = [
    ipaddress.IPv4Network(block)
    for block in (
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "168.63.129.16/32", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24",
        "192.0.2.0/24", "192.31.196.0/24", "192.52.193.0/24", "192.88.99.0/24", "192.168.0.0/16", "192.175.48.0/24", "198.18.0.0/15",
        "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
    )
]  # fmt: skip
#: In IPv6 only this block is given out to the public. Outside it lie loopback, link-local, site-local (fec0::/10), unique local and
#: multicast, and every form that carries an IPv4 address inside: mapped, compatible, NAT64.
OPEN_6 = ipaddress.IPv6Network("2000::/3")
#: Inside it: protocol assignments with Teredo and ORCHID, documentation, 6to4, documentation again.
CLOSED_6 = [ipaddress.IPv6Network(block) for block in ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20")]
#: A last label that a resolver may read as a number: 2130706433, 0x7f000001, 0177 (WHATWG URL, "ends in a number").
NUMBER = re.compile(r"(\d+|0x[0-9a-f]*)", re.IGNORECASE)
LABEL = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)", re.IGNORECASE)
#: What may stand in a path or a query as it is; the rest is percent-encoded, and what is encoded stays so.
SAFE = "/%:@!$&'()*+,;=~?-._|"

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class Reason(models.TextChoices):
    """Why there is no answer from an address, in words for the person who typed it."""

    NOT_AN_ADDRESS = "address", _("This is not a web address. It has to look like https://www.example.org/page.")
    SCHEME = "scheme", _("The address has to begin with http:// or https://.")
    USERINFO = "userinfo", _("The address holds a user name or password. Take away what stands before the @.")
    PORT = "port", _("The address names a port that is not used for public web pages.")
    NOT_PUBLIC = "not_public", _("The address leads into a private network, not to a public web site.")
    NO_HOST = "no_host", _("There is no web site of this name. Look for a typing error, or the site is gone.")
    NO_ANSWER = "no_answer", _("The site does not answer.")
    TOO_SLOW = "too_slow", _("The site takes too long to answer.")
    CERTIFICATE = "certificate", _("The site's certificate is not valid, so that browsers warn of it.")
    REDIRECTS = "redirects", _("The address sends us round in circles: it redirects too many times.")
    BAD_REDIRECT = "bad_redirect", _("The address redirects to something that is not a web address.")
    TOO_LARGE = "too_large", _("The answer is too large.")
    WRONG_TYPE = "wrong_type", _("The answer is of another kind than expected.")
    BROKEN = "broken", _("The site answers, but not in a way that browsers understand.")


class AddressError(Exception):
    """There is no answer from an address, or it may not be asked; `reason` says why, `str()` in words, `detail` for a log."""

    def __init__(self, reason: Reason, url: str, detail: str = "") -> None:
        # What others put into their headers is in it too, and a NUL is written down nowhere.
        detail = "".join(sign if sign.isprintable() else "\N{REPLACEMENT CHARACTER}" for sign in detail)
        super().__init__(reason, url, detail)
        self.reason, self.url, self.detail = reason, url, detail

    def __str__(self) -> str:
        return str(self.reason.label)


@dataclass(frozen=True, slots=True)
class Target:
    """An address taken apart: `host` is lower-case ASCII (or an IP address without brackets), `path` has its query."""

    scheme: str
    host: str
    port: int
    path: str

    @property
    def netloc(self) -> str:
        """Host and, if it is not the usual one, port, as the Host header wants them."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == PORTS[self.scheme] else f"{host}:{self.port}"

    @property
    def origin(self) -> str:
        """What shares secrets: scheme, host and port."""
        return f"{self.scheme}://{self.netloc}"

    @property
    def url(self) -> str:
        """The whole again, in one spelling."""
        return self.origin + self.path

    @property
    def is_allowed(self) -> bool:
        """Whether the settings let this host be asked wherever it is: named alone, or with this port."""
        allowed = {entry.lower() for entry in settings.OUTGOING_ALLOWED_HOSTS}
        host = f"[{self.host}]" if ":" in self.host else self.host
        return not allowed.isdisjoint({host, f"{host}:{self.port}"})

    def join(self, location: str) -> "Target":
        """Where a redirect leads; raises AddressError."""
        try:
            return parse(urljoin(self.url, location.strip()))
        except ValueError as error:
            raise AddressError(Reason.NOT_AN_ADDRESS, location, str(error)) from error


def parse(url: str) -> Target:
    """The parts of `url`; raises AddressError for what no public web page has. Nothing is resolved: see `check`."""
    if len(url) > MAX_LENGTH or not url.isprintable() or "\\" in url:
        raise AddressError(Reason.NOT_AN_ADDRESS, url)
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise AddressError(Reason.NOT_AN_ADDRESS, url, str(error)) from error
    if parts.scheme not in PORTS:
        raise AddressError(Reason.SCHEME, url)
    if "@" in parts.netloc:
        raise AddressError(Reason.USERINFO, url)
    target = Target(parts.scheme, _host(parts, url), port or PORTS[parts.scheme], _path(parts))
    if not target.is_allowed:
        _check_names(target, url)
    return target


def check(target: Target, addresses: list[Address]) -> None:
    """Raise AddressError unless every address of the host is public, or the settings allow the host. One private address among public ones is no accident."""
    closed = [] if target.is_allowed else [address for address in addresses if not is_public(address)]
    if closed:
        raise AddressError(Reason.NOT_PUBLIC, target.url, str(closed[0]))


def is_public(address: Address) -> bool:
    """Whether it belongs to the public internet. Stricter than `is_global`, which calls NAT64 and multicast global."""
    if isinstance(address, ipaddress.IPv4Address):
        return not any(address in block for block in CLOSED_4)
    return address in OPEN_6 and not any(address in block for block in CLOSED_6)


def literal(host: str) -> Address | None:
    """The IP address that a host name is; None if it is a name."""
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def _host(parts: SplitResult, url: str) -> str:
    """The host in the one spelling that is used from here on; a name in other letters as its ASCII form."""
    host = (parts.hostname or "").removesuffix(".")
    if "[" in parts.netloc:
        address = literal(host)
        # A zone ("fe80::1%eth0") names one of our own interfaces.
        if not isinstance(address, ipaddress.IPv6Address) or address.scope_id:
            raise AddressError(Reason.NOT_AN_ADDRESS, url)
        return str(address)
    if not host.isascii():
        try:
            host = idna.encode(host, uts46=True).decode("ascii").lower()
        except idna.IDNAError as error:
            raise AddressError(Reason.NOT_AN_ADDRESS, url, str(error)) from error
    labels = host.split(".")
    if not all(LABEL.fullmatch(label) for label in labels):
        raise AddressError(Reason.NOT_AN_ADDRESS, url)
    if NUMBER.fullmatch(labels[-1]) and literal(host) is None:
        # 0x7f.1, 017700000001, 2130706433: some resolvers make 127.0.0.1 of them, and nobody else writes so.
        raise AddressError(Reason.NOT_PUBLIC, url)
    return host


def _check_names(target: Target, url: str) -> None:
    if target.port not in settings.OUTGOING_PORTS:
        raise AddressError(Reason.PORT, url)
    address = literal(target.host)
    if address is not None:
        check(target, [address])
    elif "." not in target.host or any(target.host == name or target.host.endswith(f".{name}") for name in OWN_NAMES):
        raise AddressError(Reason.NOT_PUBLIC, url)


def _path(parts: SplitResult) -> str:
    path = quote(parts.path or "/", safe=SAFE)
    path = path if path.startswith("/") else f"/{path}"
    return f"{path}?{quote(parts.query, safe=SAFE)}" if parts.query else path
