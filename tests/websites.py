"""Real web sites on this machine, that answer as a test wants: also slowly, endlessly or with nonsense."""

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Site:
    """`pages` maps a path to a status, a (status, headers, body), or a function that gets the request and writes what it likes."""

    port: int = 0
    pages: dict[str, object] = field(default_factory=dict)
    #: What was asked: (method, path); and how many lines were opened, whether or not anything was asked on them.
    asked: list[tuple[str, str]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    connections: int = 0

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        return f"http://{self.host}"


class _Handler(BaseHTTPRequestHandler):
    def answer(self):
        site = self.server.site
        site.asked.append((self.command, self.path))
        site.headers.append(dict(self.headers))
        page = site.pages.get(self.path.partition("?")[0], 404)
        if callable(page):
            page = page(self)
        if page is not None:
            self.write(*((page, {}, b"") if isinstance(page, int) else page))

    def write(self, status, headers, body):
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = answer  # noqa: N815 - the library's names

    def log_message(self, *_arguments):
        """Say nothing."""

    def handle(self):
        # A client that goes away in the middle is what some tests are about.
        with contextlib.suppress(OSError):
            super().handle()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def verify_request(self, *_arguments):
        self.site.connections += 1
        return True

    def handle_error(self, *_arguments):
        """Say nothing: a client that hung up."""


@contextlib.contextmanager
def serve(pages: dict[str, object] | None = None, *, wrap: Callable[[socket.socket], socket.socket] | None = None) -> Iterator[Site]:
    """A site until the block ends; `wrap` puts TLS around its socket."""
    server = _Server(("127.0.0.1", 0), _Handler)
    server.site = site = Site(server.server_address[1], pages or {})
    if wrap:
        server.socket = wrap(server.socket)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield site
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def redirect(location: str, status: int = 302) -> tuple[int, dict[str, str], bytes]:
    return status, {"Location": location}, b""


def drip(request: BaseHTTPRequestHandler) -> None:
    """A body that comes a letter at a time, so that no time-out of the socket ever ends."""
    request.send_response(200)
    request.send_header("Content-Type", "text/plain")
    request.end_headers()
    for _ in range(200):
        request.wfile.write(b".")
        request.wfile.flush()
        time.sleep(0.05)


def drip_headers(request: BaseHTTPRequestHandler) -> None:
    """The same before the body."""
    request.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
    for _ in range(200):
        request.wfile.write(b".")
        request.wfile.flush()
        time.sleep(0.05)


def endless(request: BaseHTTPRequestHandler) -> None:
    """A body without end; it stops when the other side hangs up."""
    request.send_response(200)
    request.send_header("Content-Type", "text/plain")
    request.end_headers()
    while True:
        request.wfile.write(b"x" * 65536)
