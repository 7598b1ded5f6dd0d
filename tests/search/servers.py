"""Servers that stand where Elasticsearch should: one that passes everything on until it is cut, and some that are sick."""

import contextlib
import socket
import socketserver
import threading
from urllib.parse import urlsplit


class Proxy:
    """Passes connections on to a real server; `cut` ends them and refuses new ones, `mend` lets them in again."""

    def __init__(self, url: str):
        parts = urlsplit(url)
        self._target = (parts.hostname, parts.port)
        self._sockets: set[socket.socket] = set()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._port = self._listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self._port}"
        self._serve()

    def _serve(self):
        threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()

    def _accept(self, listener):
        with contextlib.suppress(OSError):
            while True:
                client, _ = listener.accept()
                server = socket.create_connection(self._target)
                self._sockets |= {client, server}
                for source, sink in ((client, server), (server, client)):
                    threading.Thread(target=self._pump, args=(source, sink), daemon=True).start()

    @staticmethod
    def _pump(source, sink):
        with contextlib.suppress(OSError):
            while data := source.recv(65_536):
                sink.sendall(data)
        for end in (source, sink):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def cut(self):
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for end in self._sockets:
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()
        self._sockets.clear()

    def mend(self):
        self._listener = socket.create_server(("127.0.0.1", self._port))
        self._serve()


class _Sick(socketserver.StreamRequestHandler):
    """Reads one request and gives the server's answer; none if that is empty."""

    def handle(self):
        self.server.requests += 1
        with contextlib.suppress(OSError):
            self._drain()
            if self.server.answer:
                self.wfile.write(self.server.answer)
            else:
                self.server.released.wait(30)

    def _drain(self):
        length = 0
        while (line := self.rfile.readline()).strip():
            if line.lower().startswith(b"content-length:"):
                length = int(line.split(b":")[1])
        self.rfile.read(length)


class Sick(socketserver.ThreadingTCPServer):
    """A server that gives every request the same answer, or takes it and stays silent."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, answer: bytes):
        super().__init__(("127.0.0.1", 0), _Sick)
        self.answer = answer
        self.requests = 0
        self.released = threading.Event()
        self.url = f"http://127.0.0.1:{self.server_address[1]}"
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()

    def stop(self):
        self.released.set()
        self.shutdown()
        self.server_close()


def response(status: str, body: bytes, *, product: bool = True, content_type: str = "application/json") -> bytes:
    headers = [f"HTTP/1.1 {status}", f"Content-Type: {content_type}", f"Content-Length: {len(body)}", "Connection: close"]
    if product:
        headers.append("X-Elastic-Product: Elasticsearch")
    return "\r\n".join([*headers, "", ""]).encode() + body


SICKNESSES = {
    "silent": b"",
    "503": response("503 Service Unavailable", b'{"error":{"type":"cluster_block_exception","reason":"not recovered"},"status":503}'),
    "429": response("429 Too Many Requests", b'{"error":{"type":"es_rejected_execution_exception","reason":"full"},"status":429}'),
    "a page of HTML": response("200 OK", b"<html>It works!</html>", product=False, content_type="text/html"),
    "JSON of another kind": response("200 OK", b'["a","b"]'),
    "broken JSON": response("200 OK", b'{"hits": {"hits": ['),
    "no HTTP": b"220 mail.example ESMTP\r\n",
}
