"""Starts and stops a real Elasticsearch node from the libraries its makers publish.

The node is the stock server (same engine, same wire format) started by a small main class, plus the
stock modules that are not published as libraries, in java/modules/. It needs Java 17 and Maven.
What it has not: scripts, percolator, _reindex, _update_by_query, _delete_by_query, _rank_eval.
"""

import atexit
import contextlib
import fcntl
import hashlib
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
import zipfile
from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).resolve().parent
JAVA = HERE / "java"
CACHE = HERE.parents[1] / ".cache" / "elasticsearch"

#: Measured: 8 s on 2 idle cores; a loaded CI machine needs several times that.
START_SECONDS = 180
STOP_SECONDS = 20


class NodeError(RuntimeError):
    """The node could not be built or did not start; the message says why."""


@dataclass
class Node:
    """A running node. `stop()` ends its process, and no other."""

    url: str
    process: subprocess.Popen
    home: Path
    _temporary: list[Path] = field(default_factory=list)

    def stop(self):
        """Close the node's input, which it takes as the request to end; force it when it lingers."""
        atexit.unregister(self.stop)
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.close()
        try:
            self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        for folder in self._temporary:
            shutil.rmtree(folder, ignore_errors=True)


def missing() -> str:
    """Name what this machine lacks to run a node; empty when nothing."""
    lacks = [name for name in ("java", "javac", "mvn") if not shutil.which(name)]
    if lacks:
        return f"not installed: {', '.join(lacks)} (Java 17 and Maven)"
    version = _run(["javac", "-version"])
    found = re.search(r"javac (\d+)", version)
    if not found or int(found[1]) < 17:
        return f"Java 17 or later is needed, found: {version.strip()}"
    return ""


def start(home: Path | None = None, port: int = 0, data: Path | None = None, *, heap: str = "512m") -> Node:
    """Start a node on 127.0.0.1 and wait until it serves.

    home: its folder, made when it is not there; without one a temporary folder, removed by `stop()`.
    port: 0 takes a free one. data: where indices are kept, HOME/data unless given.
    """
    if lack := missing():
        raise NodeError(lack)
    if port and _taken(port):
        raise NodeError(f"port {port} is taken by another program; stop it or choose another port")
    lib, modules, main = _built()
    temporary = []
    if home is None:
        home = Path(tempfile.mkdtemp(prefix="elasticsearch-"))
        temporary.append(home)
    home = Path(home).resolve()
    _lay_out(home, modules)
    process = _launch(home, port, data or home / "data", classpath=[main, *sorted(lib.glob("*.jar"))], heap=heap)
    node = Node(url="", process=process, home=home, _temporary=temporary)
    atexit.register(node.stop)
    try:
        node.url = _wait(node)
    except BaseException:
        node.stop()
        raise
    return node


def _taken(port: int) -> bool:
    with socket.socket() as attempt:
        attempt.settimeout(1)
        return attempt.connect_ex(("127.0.0.1", port)) == 0


def _lay_out(home: Path, modules: Path) -> None:
    for folder in ("config", "plugins"):
        (home / folder).mkdir(parents=True, exist_ok=True)
    link = home / "modules"
    if link.is_symlink():
        link.unlink()
    link.symlink_to(modules, target_is_directory=True)
    (home / "port").unlink(missing_ok=True)


def _launch(home: Path, port: int, data: Path, *, classpath: list[Path], heap: str) -> subprocess.Popen:
    command = [
        "java",
        f"-Xmx{heap}",
        f"-Djava.io.tmpdir={home}",
        "-cp",
        os.pathsep.join(map(str, classpath)),
        "Main",
        str(home),
        str(port),
        str(data),
    ]
    with (home / "node.log").open("wb") as log:
        # A session of its own: Ctrl-C reaches the Python side only, which then ends the node in order.
        return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=log, stderr=log, cwd=home, start_new_session=True)


def _wait(node: Node) -> str:
    """Wait until the node listens and its cluster is healthy; return its URL."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if node.process.poll() is not None:
            raise NodeError(f"Elasticsearch ended at once (code {node.process.returncode}):\n{_tail(node.home)}")
        if (node.home / "port").exists():
            url = f"http://127.0.0.1:{(node.home / 'port').read_text()}"
            if _healthy(url):
                return url
        time.sleep(0.1)
    raise NodeError(f"Elasticsearch did not start within {START_SECONDS} s:\n{_tail(node.home)}")


def _healthy(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/_cluster/health", timeout=5) as answer:  # noqa: S310 - our own loopback address
            return json.load(answer)["status"] in {"green", "yellow"}
    except (urllib.error.URLError, TimeoutError, ConnectionError):
        return False


def _tail(home: Path, lines: int = 40) -> str:
    return "\n".join((home / "node.log").read_text(errors="replace").splitlines()[-lines:])


def _built() -> tuple[Path, Path, Path]:
    """Return the folders (libraries, modules) and the main jar, made once for these sources."""
    CACHE.mkdir(parents=True, exist_ok=True)
    pom = JAVA / "pom.xml"
    sources = sorted(JAVA.rglob("*.java"))
    jars = CACHE / f"jars-{_digest([pom])}"
    build = CACHE / f"build-{_digest([pom, HERE / 'node.py', *sources])}"
    with (CACHE / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not jars.exists():
            _make(jars, _download)
        if not build.exists():
            _make(build, lambda folder: _compile(folder, jars))
    return build / "lib", build / "modules", build / "main.jar"


def _digest(paths: list[Path]) -> str:
    digest = hashlib.sha256()
    for path in paths:
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:16]


def _make(folder: Path, fill) -> None:
    """Fill a folder aside and rename it, so that an interrupted build is never taken for a whole one."""
    with tempfile.TemporaryDirectory(dir=CACHE) as draft:
        content = Path(draft) / "content"
        content.mkdir()
        fill(content)
        content.rename(folder)


def _download(folder: Path) -> None:
    _run(
        [
            *("mvn", "--quiet", "--batch-mode", "--file", str(JAVA / "pom.xml")),
            *("dependency:copy-dependencies", f"-DoutputDirectory={folder}"),
        ]
    )
    if not list(folder.glob("elasticsearch-*.jar")):
        raise NodeError("Maven reported success but copied no libraries")


def _compile(folder: Path, jars: Path) -> None:
    """Lay out lib/ (class path), modules/ (each with its descriptor) and main.jar."""
    transport = folder / "modules" / "transport-netty4"
    lib = folder / "lib"
    for target in (transport, lib):
        target.mkdir(parents=True)
    for jar in jars.glob("*.jar"):
        # The transport is a module: the server refuses jars that are on the class path as well.
        is_transport = jar.name.startswith(("netty-", "transport-netty4-"))
        (transport if is_transport else lib).joinpath(jar.name).hardlink_to(jar)
    _describe_transport(transport)
    _jar(JAVA / "node", folder / "main.jar", jars)
    ours = folder / "modules" / "stock-modules"
    ours.mkdir()
    _jar(JAVA / "modules", ours / "stock-modules.jar", jars)
    _describe_ours(ours, version=next(jars.glob("transport-netty4-*.jar")).stem.removeprefix("transport-netty4-"))


def _describe_transport(folder: Path) -> None:
    """Copy the module's own descriptor, less the Java module name: here it loads without Java modules."""
    with zipfile.ZipFile(next(folder.glob("transport-netty4-*.jar"))) as jar:
        text = jar.read("META-INF/es-plugins/transport-netty4/plugin-descriptor.properties").decode()
    kept = [line for line in text.splitlines() if not line.startswith(("#", "modulename")) and line.strip()]
    (folder / "plugin-descriptor.properties").write_text("\n".join(kept) + "\n")


def _describe_ours(folder: Path, *, version: str) -> None:
    (folder / "plugin-descriptor.properties").write_text(
        "name=stock-modules\n"
        "description=Stock modules that are not published as libraries\n"
        f"version={version}\n"
        f"elasticsearch.version={version}\n"
        "java.version=17\n"
        "classname=StockModules\n"
    )


def _jar(sources: Path, target: Path, jars: Path) -> None:
    with tempfile.TemporaryDirectory() as classes:
        _run(
            [
                *("javac", "-nowarn", "-proc:none", "--release", "17", "-d", classes, "-cp", f"{jars}/*"),
                *map(str, sorted(sources.glob("*.java"))),
            ]
        )
        with zipfile.ZipFile(target, "w") as jar:
            for path in sorted(Path(classes).rglob("*.class")):
                jar.write(path, path.relative_to(classes))


def _run(command: list[str]) -> str:
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if done.returncode:
        raise NodeError(f"{command[0]} failed ({done.returncode}):\n{done.stdout[-4000:]}")
    return done.stdout


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
        raise NodeError(f"Elasticsearch ended (code {node.process.returncode}):\n{_tail(node.home)}")
    finally:
        node.stop()
