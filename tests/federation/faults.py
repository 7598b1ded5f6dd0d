"""A line between two marketplaces on which everything goes wrong that can, and what passed over it."""

import contextlib
import json
import socket
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import urllib3

#: What every third message meets, one after the other; "refused" comes by the clock. "late" ones strike when the message has arrived already.
OFTEN = ("500", "cut", "500 late", "slow", "cut late", "redirect", "500", "cut", "500 late", "cut late")
#: After "gone" the receiver's people come and register the hook again, which takes longer than all the rest.
ROUND = (*OFTEN, "gone", *OFTEN, *OFTEN)
FAULTS = frozenset(ROUND)
EVERY = 3
CLOSED_SECONDS, OPEN_SECONDS = 0.2, 1.5


@dataclass
class Line:
    """Takes messages on a port of its own and passes them on to `target`. `reached` counts those that the target took (2xx), by id."""

    target: str
    port: int
    slow_seconds: float
    faulty: bool = True
    met: Counter = field(default_factory=Counter)
    reached: Counter = field(default_factory=Counter)
    told: Counter = field(default_factory=Counter)
    answers: Counter = field(default_factory=Counter)
    number: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        return f"http://{self.host}/api/federation/v1/webhooks"

    def fault(self) -> str:
        """What the next message meets; "" for nothing."""
        with self.lock:
            self.number += 1
            turn, rest = divmod(self.number, EVERY)
            if rest or not self.faulty:
                return ""
            name = ROUND[turn % len(ROUND)]
            self.met[name] += 1
            return name

    def forward(self, body: bytes, headers: dict[str, str]) -> tuple[int, bytes]:
        """The target's answer."""
        answer = urllib3.request("POST", self.target, body=body, headers=headers, timeout=60, retries=False)
        with self.lock:
            self.answers[answer.status] += 1
            if answer.status == 200:
                self.reached[headers["webhook-id"]] += 1
                self.told[json.dumps(json.loads(body)["data"])] += 1
        return answer.status, answer.data


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self):  # noqa: PLR0911 - a fault, a way out
        line, fault = self.server.line, self.server.line.fault()
        length = int(self.headers["Content-Length"])
        if fault == "cut":
            # In the middle of what the sender says.
            self.rfile.read(length // 2)
            return self.hang_up()
        body = self.rfile.read(length)
        headers = {name.lower(): value for name, value in self.headers.items() if name.lower().startswith(("webhook-", "content-type"))}
        if fault == "500":
            return self.answer(500, b"")
        if fault == "redirect":
            return self.answer(302, b"", Location=line.target)
        if fault == "gone":
            return self.answer(410, b"")
        status, data = line.forward(body, headers)
        if fault == "slow":
            time.sleep(line.slow_seconds)
        if fault == "500 late":
            return self.answer(500, b"")
        if fault == "cut late":
            # In the middle of what it is told.
            self.wfile.write(b"HTTP/1.1 20")
            return self.hang_up()
        return self.answer(status, data)

    def answer(self, status: int, body: bytes, **headers: str) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), "Content-Type": "application/json", **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def hang_up(self) -> None:
        self.close_connection = True
        with contextlib.suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)

    def handle(self):
        with contextlib.suppress(OSError):
            super().handle()

    def log_message(self, *_arguments):
        """Say nothing."""


class _Server(ThreadingHTTPServer):
    daemon_threads, block_on_close, request_queue_size = True, False, 50

    def handle_error(self, *_arguments):
        """Say nothing: a client that hung up."""


@contextlib.contextmanager
def line(target: str, port: int, *, slow_seconds: float) -> Iterator[Line]:
    """The line until the block ends. Every now and then nobody listens at all: refused."""
    made, over = Line(target, port, slow_seconds), threading.Event()
    thread = threading.Thread(target=_open_and_close, args=(made, over), daemon=True)
    thread.start()
    try:
        yield made
    finally:
        over.set()
        thread.join()


def _open_and_close(made: Line, over: threading.Event) -> None:
    while not over.is_set():
        with _Server(("127.0.0.1", made.port), _Handler) as server:
            server.line = made
            thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
            thread.start()
            over.wait(OPEN_SECONDS)
            while not made.faulty and not over.is_set():
                over.wait(OPEN_SECONDS)
            server.shutdown()
            thread.join()
        made.met["refused"] += 1
        over.wait(CLOSED_SECONDS)
