"""Whole marketplaces for tests: each with a PostgreSQL database, an index and a web server of its own, talking over HTTP on loopback.

    @pytest.mark.postgresql
    def test_two_marketplaces(nodes):
        a, b = nodes(2)
        b.python("from marketplace.listings.models import Listing; print(Listing.objects.count())")
        answer = a.get("/api/v1/listings/")

They are made from the migrated test database, so that one more takes some seconds. Nothing of them outlives the test.
"""

import contextlib
import json as json_library
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
import pytest
import urllib3
from django.conf import settings
from django.db import connections

START_SECONDS = 60
#: Ends a server when this process dies without a chance to stop it.
_WITH_US = ["setpriv", "--pdeathsig", "KILL"] if shutil.which("setpriv") else []
_SET_UP = "import os, signal, django; django.setup()\n"


@dataclass
class Node:
    """One marketplace. `env` holds what its programs are started with; change it before `start`."""

    name: str
    port: int
    folder: Path
    database_url: str
    env: dict[str, str] = field(default_factory=dict)
    server: subprocess.Popen | None = None

    @property
    def host(self) -> str:
        """With the port, as in OUTGOING_ALLOWED_HOSTS."""
        return f"127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        """Its SITE_URL."""
        return f"http://{self.host}"

    # --- Its programs ------------------------------------------------------------------------------------------------

    def python(self, program: str, *, is_killed: bool = False, seconds: float = 120, **env: str) -> str:
        """Run `program` (Django is set up) to its end, which has to be a kill -9 or none; what it printed."""
        done = subprocess.run(
            [sys.executable, "-c", _SET_UP + program], env=self.env | env, cwd=settings.BASE_DIR, capture_output=True, text=True, timeout=seconds, check=False
        )
        assert done.returncode == (-signal.SIGKILL if is_killed else 0), done.stderr[-6000:]
        return done.stdout

    def json(self, program: str, **env: str) -> object:
        """What the last line that `program` prints means as JSON."""
        return json_library.loads(self.python(program, **env).strip().splitlines()[-1])

    def manage(self, *arguments: str, seconds: float = 120) -> str:
        """Run a command of manage.py; what it printed."""
        return self.python(f"from django.core.management import call_command; call_command(*{list(arguments)!r})", seconds=seconds)

    def work(self) -> None:
        """All that the worker would do now."""
        self.python("from marketplace import worker; worker.drain()")

    @contextlib.contextmanager
    def worker(self) -> Iterator[subprocess.Popen]:
        """A worker beside the web server for as long as the block lasts."""
        with (self.folder / "worker.log").open("ab") as log:
            process = subprocess.Popen([*_WITH_US, sys.executable, "manage.py", "worker"], env=self.env, cwd=settings.BASE_DIR, stdout=log, stderr=log)
        try:
            yield process
        finally:
            _end(process)

    def start(self) -> None:
        """Start the web server and wait until it answers."""
        self.launch()
        self.wait()

    def launch(self) -> None:
        """Start the web server: several come up at the same time."""
        # Gunicorn's own advice: a heartbeat file in memory.
        options = ["--bind", self.host, "--workers", "1", "--threads", "4", "--worker-tmp-dir", "/dev/shm"]  # noqa: S108
        command = [sys.executable, "-m", "gunicorn", "marketplace.wsgi", *options]
        with (self.folder / "web.log").open("ab") as log:
            self.server = subprocess.Popen([*_WITH_US, *command], env=self.env, cwd=settings.BASE_DIR, stdout=log, stderr=log)

    def wait(self) -> None:
        """Until the web server answers."""
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and self.server.poll() is None:
            with contextlib.suppress(OSError, urllib3.exceptions.HTTPError):
                urllib3.request("GET", f"{self.url}/health/", timeout=30, retries=False)
                return
            time.sleep(0.1)
        raise AssertionError(f"{self.name} did not start:\n{self.log[-4000:]}")

    def stop(self) -> None:
        """Stop the web server; its data stay."""
        if self.server is not None:
            _end(self.server)
            self.server = None

    @property
    def log(self) -> str:
        """What its web server and workers have written to their logs."""
        return "".join(file.read_text(errors="replace") for file in sorted(self.folder.glob("*.log")))

    # --- Its data and pages ------------------------------------------------------------------------------------------

    def sql(self, query: str, *parameters: object) -> list[tuple]:
        """The rows of a query in its database, [] for a statement without."""
        with psycopg.connect(self.database_url, autocommit=True) as connection:
            cursor = connection.execute(query, parameters)
            return cursor.fetchall() if cursor.description else []

    def request(
        self, method: str, path: str, *, key: str = "", json: object = None, body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> urllib3.BaseHTTPResponse:
        """Ask it over HTTP; no redirect is followed. `path` may be a whole address."""
        sent = dict(headers or {}) | ({"Authorization": f"Bearer {key}"} if key else {})
        if json is not None:
            body, sent["Content-Type"] = json_library.dumps(json).encode(), "application/json"
        return urllib3.request(method, path if "://" in path else self.url + path, body=body, headers=sent, timeout=60, retries=False, redirect=False)

    def get(self, path: str, **options: object) -> urllib3.BaseHTTPResponse:
        """As `request`."""
        return self.request("GET", path, **options)

    def mails(self) -> list[str]:
        """What its worker has sent, oldest first."""
        return [file.read_text(errors="replace") for file in sorted((self.folder / "mail").glob("*"))]


@pytest.fixture
def nodes(transactional_db, tmp_path) -> Iterator[Callable[..., list[Node]]]:
    """Start so many marketplaces that may call each other; `allow` names further hosts that they may call.

    `nodes(2, start=False)` makes them without a web server.
    """
    made: list[Node] = []
    with contextlib.ExitStack() as stack:

        def make(number: int, *, start: bool = True, allow: tuple[str, ...] = (), **env: str) -> list[Node]:
            new = [stack.enter_context(_node(f"node{len(made) + place}", tmp_path)) for place in range(1, number + 1)]
            made.extend(new)
            for node in new:
                node.env |= {"OUTGOING_ALLOWED_HOSTS": ",".join([*(one.host for one in made), *allow]), **env}
                if start:
                    stack.callback(node.stop)
                    node.launch()
            for node in new if start else ():
                node.wait()
            return new

        yield make


@contextlib.contextmanager
def _node(name: str, parent: Path) -> Iterator[Node]:
    default = connections["default"].settings_dict
    database = f"{name}_{os.getpid()}_{time.monotonic_ns()}"
    server = f"postgres://{default['USER']}:{default['PASSWORD']}@{default['HOST']}:{default['PORT']}"
    folder = Path(tempfile.mkdtemp(prefix=f"{name}-", dir=parent))
    # A template may have no visitors.
    connections.close_all()
    with psycopg.connect(f"{server}/postgres", autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{database}" TEMPLATE "{default["NAME"]}"')
        try:
            yield _described(Node(name, _free_port(), folder, f"{server}/{database}"))
        finally:
            connection.execute(f'DROP DATABASE "{database}" WITH (FORCE)')


def _described(node: Node) -> Node:
    node.env = {name: value for name, value in os.environ.items() if not name.startswith(("TEST_", "PYTEST_"))} | {
        "DJANGO_SETTINGS_MODULE": "marketplace.settings",
        "DATABASE_URL": node.database_url,
        "SITE_URL": node.url,
        "SITE_NAME": f"Marketplace {node.name}",
        "SECRET_KEY": f"only-for-tests-{node.name}",
        "EMBEDDED_INDEX_PATH": str(node.folder / "index"),
        "OPEN_DATA_PATH": str(node.folder / "open-data"),
        "MEDIA_ROOT": str(node.folder / "media"),
        "EMAIL_URL": f"filemail:///{node.folder / 'mail'}",
        "CACHE_URL": "dbcache://cache?max_entries=100000",
        "PAGE_CACHE_URL": "dummycache://",
        "ELASTICSEARCH_URL": "",
        "SEMANTIC_ENCODER": "",
        "PYTHONWARNINGS": "ignore",
    }
    return node


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _end(process: subprocess.Popen) -> None:
    process.terminate()
    try:
        process.wait(15)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
