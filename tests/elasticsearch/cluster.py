"""Several real nodes on this machine that form one cluster, to be killed and upgraded one by one.

with cluster.running(3, tmp_path) as nodes:
    nodes.kill(nodes.master())
"""

import contextlib
import json
import socket
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from . import node
from .distribution import VERSION, NodeError

#: Enough heap for 100,000 listings; three nodes stay under 2 GB. They live for a minute, so quick compiling beats quick code.
OPTIONS = ("-Xmx320m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")
ASK_SECONDS = 30


@dataclass
class Cluster:
    """Running nodes by name ("node-1", …). Each keeps its data, its ports and so its address however often it is killed."""

    folder: Path
    ports: dict[str, tuple[int, int]]
    version: str = VERSION
    nodes: dict[str, node.Node] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)

    def url(self, name: str) -> str:
        """Where a node listens, now or when it is back."""
        return f"http://127.0.0.1:{self.ports[name][0]}"

    @property
    def urls(self) -> str:
        """All of them, as in ELASTICSEARCH_URL."""
        return ",".join(map(self.url, self.ports))

    def start(self, name: str, *, version: str | None = None, makes: bool = True, alone: bool = False) -> None:
        """Start a node, of its last version unless another is given, and do not wait for it.

        `makes`: it may take part in making the cluster; without, it only joins one. `alone`: a single node that waits for no other.
        """
        self.versions[name] = version or self.versions.get(name, self.version)
        http, transport = self.ports[name]
        settings = {"node.name": name, "http.port": http, "transport.port": transport}
        if alone:
            settings["discovery.type"] = "single-node"
        else:
            settings["discovery.seed_hosts"] = [f"127.0.0.1:{port}" for _, port in self.ports.values()]
            if makes:
                settings["cluster.initial_master_nodes"] = list(self.ports)
        self.nodes[name] = node.launch(self.folder / name, settings, *OPTIONS, version=self.versions[name])

    def kill(self, name: str) -> None:
        """End a node as a power failure does."""
        self.nodes[name].kill()

    def stop(self, name: str) -> None:
        """End a node in order."""
        self.nodes[name].stop()

    # --- What the cluster says of itself ------------------------------------------------------------------------------

    def ask(self, path: str, *, put: object = None) -> object:
        """The JSON that the first node that answers has for a path; with `put`, for putting that there."""
        failures, body = [], None if put is None else json.dumps(put).encode()
        for name in self.ports:
            request = urllib.request.Request(  # noqa: S310 - our own loopback address
                f"{self.url(name)}{path}", data=body, method="GET" if body is None else "PUT", headers={"Content-Type": "application/json"}
            )
            try:
                with urllib.request.urlopen(request, timeout=ASK_SECONDS) as answer:  # noqa: S310 - as above
                    return json.load(answer)
            except (urllib.error.URLError, TimeoutError, ConnectionError) as error:
                failures.append(f"{name}: {error}")
        raise NodeError(f"No node answers {path}: {'; '.join(failures)}")

    def wait(self, *, nodes: int | None = None, status: tuple[str, ...] = ("green",), seconds: float = node.START_SECONDS) -> None:
        """Wait until so many nodes (all) are in and the indices do so well."""
        nodes, deadline, health = nodes or len(self.ports), time.monotonic() + seconds, {}
        while time.monotonic() < deadline:
            self._see_that_they_live()
            with contextlib.suppress(NodeError):
                health = self.ask("/_cluster/health")
                if health["number_of_nodes"] == nodes and health["status"] in status and not health["relocating_shards"]:
                    return
            time.sleep(0.2)
        raise NodeError(f"The cluster is not {' or '.join(status)} with {nodes} nodes after {seconds} s: {health}")

    def _see_that_they_live(self) -> None:
        for name, one in self.nodes.items():
            if one.process.poll() not in {None, -9, 0}:
                raise NodeError(f"{name} ended (code {one.process.returncode}):\n{one.tail()}")

    def allocate(self, shards: str | None) -> None:
        """Which shards may be given to nodes: "primaries" while a node is upgraded, None for all."""
        self.ask("/_cluster/settings", put={"persistent": {"cluster.routing.allocation.enable": shards}})

    def master(self) -> str:
        """The name of the elected master."""
        [row] = self.ask("/_cat/master?format=json")
        return row["node"]

    def holder(self, index: str) -> str:
        """The name of the node with the primary copy of an index, or of the index behind an alias."""
        return next(shard["node"] for shard in self.shards(index) if shard["prirep"] == "p")

    def shards(self, index: str) -> list[dict]:
        """The copies of an index: prirep ("p", "r"), state, node, docs."""
        return self.ask(f"/_cat/shards/{index}?format=json&h=index,prirep,state,node,docs")


@contextlib.contextmanager
def planned(size: int, folder: Path, *, version: str = VERSION) -> Iterator[Cluster]:
    """A cluster of so many nodes, none of which is started; those that are, are gone at the end. Their data stay in `folder`."""
    http, transport = _free_ports(size), _free_ports(size)
    made = Cluster(folder, {f"node-{number}": ports for number, ports in enumerate(zip(http, transport, strict=True), 1)}, version)
    try:
        yield made
    finally:
        for one in made.nodes.values():
            one.kill()


@contextlib.contextmanager
def running(size: int, folder: Path, *, version: str = VERSION) -> Iterator[Cluster]:
    """As `planned`, green."""
    with planned(size, folder, version=version) as made:
        for name in made.ports:
            made.start(name)
        made.wait()
        yield made


def _free_ports(number: int) -> list[int]:
    with contextlib.ExitStack() as held:
        return [held.enter_context(socket.create_server(("127.0.0.1", 0))).getsockname()[1] for _ in range(number)]
