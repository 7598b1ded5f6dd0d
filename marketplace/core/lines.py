"""Connections that are cut when their time is up, wherever they hang. No Django here: the client that partners can use builds on it."""

import functools
import socket
import ssl
import threading
import time
from typing import Self

from urllib3.connection import HTTPConnection, HTTPSConnection

#: Seconds for one address to take the call, so that a second one of the same host gets its turn.
CONNECT_SECONDS = 5.0


class Watch:
    """Cuts a connection when the time is up (`until`, of time.monotonic). Time-outs of a socket begin anew with every byte, this does not."""

    def __init__(self, until: float) -> None:
        self.until, self._line = until, None
        self._lock = threading.Lock()
        self._timer = threading.Timer(max(0.0, until - time.monotonic()), self._cut)
        self._timer.daemon = True

    @property
    def left(self) -> float:
        """Seconds, never quite none."""
        return max(0.001, self.until - time.monotonic())

    @property
    def is_over(self) -> bool:
        """Whether the time is up: what came may be half of it."""
        return time.monotonic() >= self.until

    def __enter__(self) -> Self:
        self._timer.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._timer.cancel()
        with self._lock:
            if self._line is not None:
                self._line.close()

    def over(self, line: socket.socket) -> None:
        """Keep a second handle of the line: the first one is given away when TLS begins."""
        with self._lock:
            self._line = line.dup()
        if self.is_over:
            # It went off just before there was a line to cut.
            self._cut()

    def _cut(self) -> None:
        with self._lock:
            if self._line is not None:
                try:
                    self._line.shutdown(socket.SHUT_RDWR)
                except OSError:
                    return  # It is closed already.


class _WatchedMixin:
    """Mixed into the library's connections: the host is an address already, and the line is under watch from its first moment."""

    watch: Watch

    def _new_conn(self) -> socket.socket:
        self.timeout = min(CONNECT_SECONDS, self.watch.left)
        line = super()._new_conn()
        self.watch.over(line)
        # From here on the watch alone counts.
        line.settimeout(None)
        return line


class _PlainConnection(_WatchedMixin, HTTPConnection):
    pass


class _TlsConnection(_WatchedMixin, HTTPSConnection):
    pass


def connection(scheme: str, host: str, port: int | None, watch: Watch, *, address: str = "") -> HTTPConnection:
    """To `address`, where it is known already, under the name of `host`, for which the certificate has to be; not opened yet."""
    to = address or host
    made = _TlsConnection(to, port, ssl_context=_context(), server_hostname=host) if scheme == "https" else _PlainConnection(to, port)
    made.watch = watch
    return made


@functools.cache
def _context() -> ssl.SSLContext:
    """With the machine's own authorities, or those of SSL_CERT_FILE."""
    return ssl.create_default_context()
