"""A line to Elasticsearch that can be well or sick in any of the known ways, on one address all the time."""

import contextlib
import socket
import threading
import time
from urllib.parse import urlsplit

from tests.search.servers import SICKNESSES

#: What the line can do besides answering every request with one of the sick answers.
WELL, REFUSING = "well", "refusing"


class Line:
    """Passes connections on to a real server while it is well; `become(sickness)` ends them all and treats new ones that way."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._target = (parts.hostname, parts.port)
        self._sockets: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._state, self.connections = WELL, 0
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        self._port = self._listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self._port}"
        self._listen()

    def become(self, state: str) -> None:
        """WELL, REFUSING, or a name in servers.SICKNESSES. Connections that are open are cut."""
        was, self._state = self._state, state
        if state == REFUSING:
            self._close(self._listener)
        with self._lock:
            ends, self._sockets = self._sockets, set()
        for end in ends:
            self._close(end)
        if was == REFUSING and state != REFUSING:
            self._listener = socket.create_server(("127.0.0.1", self._port), backlog=256)
            self._listen()

    def close(self) -> None:
        """Let nobody in any more."""
        self.become(REFUSING)

    @staticmethod
    def _close(end: socket.socket) -> None:
        with contextlib.suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)
        end.close()

    def _listen(self) -> None:
        threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()

    def _accept(self, listener: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = listener.accept()
                self.connections += 1
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with contextlib.suppress(OSError):
            with self._lock:
                self._sockets.add(client)
            if self._state == WELL:
                server = socket.create_connection(self._target)
                with self._lock:
                    self._sockets.add(server)
                threading.Thread(target=self._pump, args=(server, client), daemon=True).start()
                self._pump(client, server)
            else:
                self._answer(client, SICKNESSES[self._state])

    def _pump(self, source: socket.socket, sink: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65_536):
                sink.sendall(data)
        self._close(source)
        self._close(sink)

    def _answer(self, client: socket.socket, answer: bytes) -> None:
        """Read a request, then say what the sick server says; the silent one keeps the connection."""
        with client.makefile("rb") as stream:
            length = 0
            while (line := stream.readline()).strip():
                if line.lower().startswith(b"content-length:"):
                    length = int(line.split(b":")[1])
            stream.read(length)
        if answer:
            client.sendall(answer)
            self._close(client)
        else:
            time.sleep(60)
