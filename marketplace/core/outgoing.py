"""Fetching what lies at an address that somebody else typed, without being led astray or held up.

One call is one `fetch`: the host is resolved once, every address it has is checked, and the connection is made to the checked
one, so that a name server that answers differently the next time (rebinding) changes nothing. Redirects are followed by hand,
each checked like the first address. A watch cuts the connection when the time is up, wherever it hangs: in the handshake, in
headers that come a letter a minute, in a body without end. No cookies, no proxies from the environment, no secrets sent on to
another host; certificates are always verified.

A proxy is not supported on purpose: it would resolve the names itself, after our check.
"""

import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from http.client import HTTPException

import urllib3
from django.conf import settings
from urllib3.exceptions import ConnectTimeoutError, HTTPError, NewConnectionError

from . import lines
from .addresses import Address, AddressError, Reason, Target, check, literal, parse

MAX_REDIRECTS = 5
MAX_BYTES = 5 * 2**20
MAX_ERROR_BYTES = 2**16
SECONDS = 20.0
CHUNK = 2**16
#: A host with many addresses gets so many tries.
MAX_TRIES = 3
#: The first figure of a status that brings a body worth reading.
OK = 2
FIRST_ERROR = 400
REDIRECTS = {301, 302, 303, 307, 308}

Resolver = Callable[[str, int], Sequence[Address]]


@dataclass(frozen=True, slots=True)
class Answer:
    """What a host answered, of whatever status. `url` is where it came from in the end, `redirects` what redirected on the way there: (status, address)."""

    url: str
    status: int
    headers: Mapping[str, str]
    body: bytes = b""
    redirects: tuple[tuple[int, str], ...] = ()

    @property
    def media_type(self) -> str:
        """The kind of the body in small letters, without its parameters."""
        return self.headers.get("Content-Type", "").partition(";")[0].strip().lower()


@dataclass(frozen=True, slots=True)
class Call:
    """How to ask: what may be sent and how much may come back. `types` are the media types that are wanted; None: any, and no body is read.

    `error_types` are those of bodies that are read with a status of 400 and more, up to MAX_ERROR_BYTES; what is of another type or
    larger is left out.
    """

    method: str = "GET"
    headers: Mapping[str, str] = field(default_factory=dict)
    content: bytes | None = None
    types: Sequence[str] | None = None
    error_types: Sequence[str] = ()
    max_bytes: int = MAX_BYTES
    seconds: float = SECONDS
    max_redirects: int = MAX_REDIRECTS


def resolve(host: str, port: int) -> list[Address]:
    """Every address of the host, in the order in which this machine would try them; raises OSError."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(address for *_rest, place in found if (address := literal(str(place[0])))))


def fetch(url: str, call: Call | None = None, *, resolver: Resolver = resolve) -> Answer:
    """What lies at `url`; raises AddressError with a reason. An answer such as 404 is an answer, not an error.

    A body is read only if `call.types` says which kinds are wanted; an answer of status 2xx has one, errors if
    `call.error_types` wants it. All in all it takes at most `call.seconds`. A redirected POST is not sent again: the answer is the redirect.
    """
    call = call or Call()
    target, seen = parse(url), []
    headers, until = dict(call.headers), time.monotonic() + call.seconds
    while True:
        answer = _ask(target, call, headers, until, resolver)
        if answer.status not in REDIRECTS or call.content is not None:
            return Answer(target.url, answer.status, answer.headers, answer.body, tuple(seen))
        seen.append((answer.status, target.url))
        if len(seen) > call.max_redirects:
            raise AddressError(Reason.REDIRECTS, url, f"{answer.status} {answer.headers.get('Location', '')[:200]}")
        following = _next(target, answer)
        if following.origin != target.origin:
            headers = {}
        target = following


def _next(target: Target, answer: Answer) -> Target:
    location = answer.headers.get("Location", "")
    try:
        # http.client reads headers as Latin-1; servers write the letters of an address in UTF-8.
        location = location.encode("latin-1").decode("utf-8")
        if location:
            return target.join(location)
    except AddressError as error:
        if error.reason not in (Reason.NOT_AN_ADDRESS, Reason.SCHEME):
            raise
    except UnicodeError:
        pass
    raise AddressError(Reason.BAD_REDIRECT, target.url, location[:200])


def _ask(target: Target, call: Call, headers: Mapping[str, str], until: float, resolver: Resolver) -> Answer:
    addresses = _addresses(target, until, resolver)
    check(target, addresses)
    for place, address in enumerate(addresses[:MAX_TRIES], start=1):
        try:
            return _exchange(target, address, call, headers, until)
        except AddressError as error:
            if error.reason != Reason.NO_ANSWER or place == min(len(addresses), MAX_TRIES):
                raise
    raise AddressError(Reason.NO_HOST, target.url)


def _addresses(target: Target, until: float, resolver: Resolver) -> list[Address]:
    """Asked once for each host on the way. A name server may hang for half a minute, which is longer than we have."""
    address = literal(target.host)
    if address is not None:
        return [address]
    found: list[Sequence[Address] | Exception] = []

    def ask() -> None:
        try:
            found.append(resolver(target.host, target.port))
        except Exception as error:  # noqa: BLE001 - it is raised again in the caller's thread
            found.append(error)

    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    thread.join(max(0.0, until - time.monotonic()))
    if not found:
        raise AddressError(Reason.TOO_SLOW, target.url, "name server")
    if isinstance(found[0], (OSError, UnicodeError)):
        raise AddressError(Reason.NO_HOST, target.url, str(found[0])) from found[0]
    if isinstance(found[0], Exception):
        raise found[0]
    return list(found[0])


def _exchange(target: Target, address: Address, call: Call, headers: Mapping[str, str], until: float) -> Answer:
    """One request to one address on a connection of its own."""
    watch = lines.Watch(until)
    try:
        with watch, closing(lines.connection(target.scheme, target.host, target.port, watch, address=str(address))) as connection, _explained(target):
            connection.request(call.method, target.path, body=call.content, headers=_headers(target, headers), preload_content=False)
            with closing(connection.getresponse()) as response:
                answer = Answer(target.url, response.status, response.headers)
                if call.types is not None and answer.status // 100 == OK:
                    answer = _read(answer, response, call)
                elif answer.status >= FIRST_ERROR and answer.media_type in call.error_types:
                    answer = _read_error(answer, response)
    except AddressError as error:
        if watch.is_over:
            raise AddressError(Reason.TOO_SLOW, target.url, error.detail) from error
        raise
    if watch.is_over:
        # A body of unknown length looks whole when its line is cut.
        raise AddressError(Reason.TOO_SLOW, target.url)
    return answer


def _headers(target: Target, headers: Mapping[str, str]) -> dict[str, str]:
    own = {"Host": target.netloc, "User-Agent": user_agent(), "Accept": "*/*", "Accept-Encoding": "gzip", "Connection": "close"}
    return own | dict(headers)


def user_agent() -> str:
    """Who asks, with an address under which one can complain."""
    return f"BusinessMarketplace/1.0 (+{settings.SITE_URL})"


def _read(answer: Answer, response: urllib3.BaseHTTPResponse, call: Call) -> Answer:
    """The answer with its body; what is unpacked counts, so that a small archive of zeros is as large as it is."""
    if answer.media_type not in (call.types or ()):
        raise AddressError(Reason.WRONG_TYPE, answer.url, answer.media_type)
    length = response.headers.get("Content-Length", "")
    if length.isdecimal() and int(length) > call.max_bytes:
        raise AddressError(Reason.TOO_LARGE, answer.url, length)
    parts, size = [], 0
    while part := response.read(CHUNK, decode_content=True):
        size += len(part)
        if size > call.max_bytes:
            raise AddressError(Reason.TOO_LARGE, answer.url, str(size))
        parts.append(part)
    return Answer(answer.url, answer.status, answer.headers, b"".join(parts))


def _read_error(answer: Answer, response: urllib3.BaseHTTPResponse) -> Answer:
    """The answer with what the host says of its error. That is an extra, so too much of it is no error of its own."""
    body = response.read(MAX_ERROR_BYTES, decode_content=True)
    if response.read(1, decode_content=True):
        return answer
    return Answer(answer.url, answer.status, answer.headers, body)


@contextmanager
def _explained(target: Target) -> Iterator[None]:
    """Turn what the library and the system say into our reasons; the most special first."""
    try:
        yield
    except (ssl.SSLError, urllib3.exceptions.SSLError) as error:
        raise AddressError(Reason.CERTIFICATE if _is_certificate(error) else Reason.BROKEN, target.url, str(error)) from error
    except (NewConnectionError, ConnectTimeoutError, OSError) as error:
        raise AddressError(Reason.NO_ANSWER, target.url, f"{type(error).__name__}: {error}") from error
    except (HTTPError, HTTPException, ValueError) as error:
        raise AddressError(Reason.BROKEN, target.url, f"{type(error).__name__}: {error}") from error


def _is_certificate(error: Exception) -> bool:
    """Whether it is the certificate, not the handshake: the library wraps the one in the other."""
    return isinstance(error, ssl.SSLCertVerificationError) or any(isinstance(cause, ssl.SSLCertVerificationError) for cause in error.args)
