"""Starts and stops a real Elasticsearch node from the libraries its makers publish.

The node is the stock server (same engine, same wire format) started by a small main class, plus the
stock modules that are not published as libraries, in java/modules/. It needs Java 17 and Maven.
What it has not: scripts, percolator, _reindex, _update_by_query, _delete_by_query, _rank_eval, and security.
"""

import atexit
import contextlib
import json
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from .distribution import VERSION, NodeError, built, missing

__all__ = ["NodeError", "missing"]

#: Measured: 8 s on 2 idle cores; a loaded CI machine needs several times that.
START_SECONDS = 180
STOP_SECONDS = 20


@dataclass
class Node:
    """A running node. `stop()` ends its process, and no other."""

    process: subprocess.Popen
    home: Path
    url: str = ""
    _temporary: list[Path] = field(default_factory=list)

    def wait(self) -> None:
        """Wait until the node listens and its cluster answers for its indices."""
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                raise NodeError(f"Elasticsearch ended at once (code {self.process.returncode}):\n{self.tail()}")
            if (self.home / "port").exists():
                self.url = f"http://127.0.0.1:{(self.home / 'port').read_text()}"
                if _healthy(self.url):
                    return
            time.sleep(0.1)
        raise NodeError(f"Elasticsearch did not start within {START_SECONDS} s:\n{self.tail()}")

    def tail(self, lines: int = 40) -> str:
        """The end of its log."""
        return "\n".join((self.home / "node.log").read_text(errors="replace").splitlines()[-lines:])

    def kill(self) -> None:
        """End it as a power failure does: kill -9."""
        self.process.kill()
        self.process.wait()

    def stop(self) -> None:
        """Close the node's input, which it takes as the request to end; force it when it lingers."""
        atexit.unregister(self.stop)
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.close()
        try:
            self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()
        for folder in self._temporary:
            shutil.rmtree(folder, ignore_errors=True)


def start(home: Path | None = None, port: int = 0, data: Path | None = None, *, heap: str = "512m", version: str = VERSION) -> Node:
    """Start a node on 127.0.0.1 and wait until it serves.

    home: its folder, made when it is not there; without one a temporary folder, removed by `stop()`.
    port: 0 takes a free one. data: where indices are kept, HOME/data unless given.
    """
    if port and _taken(port):
        raise NodeError(f"port {port} is taken by another program; stop it or choose another port")
    temporary = []
    if home is None:
        home = Path(tempfile.mkdtemp(prefix="elasticsearch-"))
        temporary.append(home)
    settings = {"discovery.type": "single-node", "http.port": port, "transport.port": 0}
    node = launch(home, settings | ({"path.data": str(data)} if data else {}), f"-Xmx{heap}", version=version)
    node._temporary = temporary
    try:
        node.wait()
    except BaseException:
        node.stop()
        raise
    return node


def launch(home: Path, settings: Mapping[str, object], *options: str, version: str = VERSION) -> Node:
    """Start a node with these settings besides ours and options of the virtual machine; do not wait for it."""
    if lack := missing():
        raise NodeError(lack)
    parts = built(version)
    home = Path(home).resolve()
    parts.lay_out(home, settings)
    (home / "port").unlink(missing_ok=True)
    command = parts.command(home, f"-XX:SharedArchiveFile={parts.archive}", *options)
    with (home / "node.log").open("ab") as log:
        # A session of its own: Ctrl-C reaches the Python side only, which then ends the node in order.
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=log, stderr=log, cwd=home, start_new_session=True)
    node = Node(process, home)
    atexit.register(node.stop)
    return node


def _taken(port: int) -> bool:
    with socket.socket() as attempt:
        attempt.settimeout(1)
        return attempt.connect_ex(("127.0.0.1", port)) == 0


def _healthy(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/_cluster/health", timeout=5) as answer:  # noqa: S310 - our own loopback address
            return json.load(answer)["status"] in {"green", "yellow"}
    except (urllib.error.URLError, TimeoutError, ConnectionError):
        return False


def serve(*, port: int, home: Path | None, heap: str) -> None:
    """Run a node in the foreground until Ctrl-C or SIGTERM."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        _serve(start(home, port, heap=heap))
    except KeyboardInterrupt:
        print("Elasticsearch is stopped.", flush=True)


def _serve(node: Node) -> None:
    try:
        print(f"Elasticsearch answers at {node.url} (log: {node.home / 'node.log'}); Ctrl-C stops it.", flush=True)
        node.process.wait()
        raise NodeError(f"Elasticsearch ended (code {node.process.returncode}):\n{node.tail()}")
    finally:
        node.stop()
