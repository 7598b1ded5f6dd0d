"""What a node runs: the libraries its makers publish, our main class and the stock modules, made once a version and kept.

Needs Java 17 and Maven. What is missing of the stock distribution is said in node.py.
"""

import fcntl
import hashlib
import json
import os
import re
import shutil
import subprocess
import tempfile
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
JAVA = HERE / "java"
CACHE = HERE.parents[1] / ".cache" / "elasticsearch"

#: As in docker-compose.yml.
VERSION = "8.19.5"
#: The last one of the minor version before: what an upgrade begins with.
FORMER_VERSION = "8.18.8"


class NodeError(RuntimeError):
    """The node could not be built or did not start; the message says why."""


@dataclass(frozen=True)
class Distribution:
    """Where the parts are: class path, folder of modules, and the classes as the virtual machine keeps them."""

    classpath: str
    modules: Path
    archive: Path

    def command(self, home: Path, *options: str) -> list[str]:
        """The program of a node whose settings are in `home`."""
        return ["java", *options, f"-Djava.io.tmpdir={home}", "-cp", self.classpath, "Main", str(home)]

    def lay_out(self, home: Path, settings: Mapping[str, object]) -> None:
        """Make a node's folder as the server expects it."""
        for folder in ("config", "plugins"):
            (home / folder).mkdir(parents=True, exist_ok=True)
        link = home / "modules"
        if link.is_symlink():
            link.unlink()
        link.symlink_to(self.modules, target_is_directory=True)
        ours = {
            "cluster.name": "marketplace-tests",
            "node.name": "node-1",
            "network.host": "127.0.0.1",
            "path.data": str(home / "data"),
            # A nearly full disk of a development machine must not turn the indices read-only.
            "cluster.routing.allocation.disk.threshold_enabled": False,
        }
        # JSON is YAML too.
        (home / "config" / "elasticsearch.yml").write_text(json.dumps(ours | dict(settings), indent=1))


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


def built(version: str = VERSION) -> Distribution:
    """The parts of that version; the first call downloads and compiles them (about 20 s)."""
    CACHE.mkdir(parents=True, exist_ok=True)
    pom = JAVA / "pom.xml"
    jars = CACHE / f"jars-{version}-{_digest([pom])}"
    build = CACHE / f"build-{version}-{_digest([pom, Path(__file__), *sorted(JAVA.rglob('*.java'))])}"
    with (CACHE / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not jars.exists():
            _make(jars, lambda folder: _download(folder, version))
        if not build.exists():
            _make(build, lambda folder: _compile(folder, jars, version))
        classpath = os.pathsep.join(map(str, [build / "main.jar", *sorted((build / "lib").glob("*.jar"))]))
        parts = Distribution(classpath, build / "modules", build / "classes.jsa")
        if not parts.archive.exists():
            _archive(parts)
    return parts


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


def _download(folder: Path, version: str) -> None:
    _run(
        [
            *("mvn", "--quiet", "--batch-mode", "--file", str(JAVA / "pom.xml")),
            *("dependency:copy-dependencies", f"-Delasticsearch.version={version}", f"-DoutputDirectory={folder}"),
        ]
    )
    if not list(folder.glob("elasticsearch-*.jar")):
        raise NodeError("Maven reported success but copied no libraries")


def _compile(folder: Path, jars: Path, version: str) -> None:
    """Lay out lib/ (class path), modules/ (each with its descriptor) and main.jar."""
    transport = folder / "modules" / "transport-netty4"
    lib = folder / "lib"
    for target in (transport, lib):
        target.mkdir(parents=True)
    for jar in jars.glob("*.jar"):
        # The transport is a module: the server refuses jars that are on the class path as well.
        is_transport = jar.name.startswith(("netty-", "transport-netty4-"))
        (transport if is_transport else lib).joinpath(jar.name).hardlink_to(jar)
    _describe(transport, version, "org.elasticsearch.transport.netty4.Netty4Plugin")
    _jar(JAVA / "node", folder / "main.jar", jars)
    ours = folder / "modules" / "stock-modules"
    ours.mkdir()
    _jar(JAVA / "modules", ours / "stock-modules.jar", jars)
    _describe(ours, version, "StockModules")


def _describe(folder: Path, version: str, classname: str) -> None:
    """What the server asks of a module. The transport's own names a Java module; here it loads without."""
    (folder / "plugin-descriptor.properties").write_text(
        f"name={folder.name}\ndescription={classname}\nversion={version}\nelasticsearch.version={version}\njava.version=17\nclassname={classname}\n"
    )


def _archive(parts: Distribution) -> None:
    """Keep the classes of a start as the virtual machine reads them best: a start costs 2 s of CPU then instead of 9."""
    with tempfile.TemporaryDirectory(dir=CACHE) as folder:
        home, draft = Path(folder) / "home", Path(folder) / "classes.jsa"
        parts.lay_out(home, {"discovery.type": "single-node", "http.port": 0, "transport.port": 0})
        # Its input ends at once, so the node does too.
        _run(parts.command(home, "-Xmx320m", f"-XX:ArchiveClassesAtExit={draft}"))
        draft.rename(parts.archive)


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
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if done.returncode:
        raise NodeError(f"{command[0]} failed ({done.returncode}):\n{done.stdout[-4000:]}")
    return done.stdout
