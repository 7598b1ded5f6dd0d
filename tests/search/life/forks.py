"""Many short-lived processes of a marketplace: a parent that has everything loaded forks them, so that a start costs a fraction of a second.

The parent opens no connection and starts no thread, so a child is as a process of its own; each is told which marketplace it belongs
to. The parent is told what to do over its standard input, and ends its children when that is closed, as when the tests die.
"""

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
import traceback
from pathlib import Path

import urllib3
from django.conf import settings
from django.db import connection

from tests.nodes import Node

START_SECONDS = 120
_RUNS = 1_000


class Parent:
    """The process that forks. Several tests may ask it, one after another or at once."""

    def __init__(self, env: dict[str, str], log: Path) -> None:
        self._lock, self._log = threading.Lock(), log
        with log.open("wb") as stream:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.search.life.forks"],
                env=env,
                cwd=settings.BASE_DIR,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=stream,
                text=True,
            )
        self._process.stdout.readline()

    def ask(self, **request: object) -> int:
        """What it answers to a request (see `main`)."""
        with self._lock:
            print(json.dumps(request), file=self._process.stdin, flush=True)
            answer = self._process.stdout.readline()
        assert answer, self._log.read_text()[-4000:]
        return int(answer)

    def close(self) -> None:
        """End it and all its children."""
        self._process.stdin.close()
        self._process.wait(60)
        self._process.stdout.close()


class Forks:
    """The processes of one marketplace, with its settings; they write into its log."""

    def __init__(self, node: Node, parent: Parent, changed: dict[str, object]) -> None:
        self.node = node
        self._parent, self._changed = parent, changed
        self._running: set[int] = set()

    def start(self, what: str, **options: object) -> int:
        """Start a function of `children`; the process's id."""
        database = self.node.database_url.rpartition("/")[2]
        pid = self._parent.ask(start=what, options=options, folder=str(self.node.folder), database=database, changed=self._changed)
        self._running.add(pid)
        return pid

    def serve(self, *, processes: int, port: int = 0) -> int:
        """Start a web server, on the marketplace's own port unless one is given, and wait until it answers."""
        address = f"127.0.0.1:{port or self.node.port}"
        pid, deadline = self.start("serve", bind=address, processes=processes), time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            with contextlib.suppress(OSError, urllib3.exceptions.HTTPError):
                urllib3.request("GET", f"http://{address}/health/", timeout=30, retries=False)
                return pid
            time.sleep(0.05)
        raise AssertionError(f"{address} did not start:\n{self.node.log[-4000:]}")

    def kill(self, pid: int) -> None:
        """kill -9, and wait until it is dead; that it ended by itself before is an error."""
        self._running.discard(pid)
        assert self._parent.ask(kill=pid) == -signal.SIGKILL, self.node.log[-4000:]

    def end(self, pid: int) -> None:
        """Ask a process to end, and wait until it has."""
        os.kill(pid, signal.SIGTERM)
        self.wait(pid)

    def wait(self, pid: int, seconds: float = 300) -> None:
        """Wait until a process has ended as it should."""
        code = self._ended(pid, seconds)
        assert code == 0, f"{code}: {self.node.log[-4000:]}"

    def _ended(self, pid: int, seconds: float) -> int:
        deadline = time.monotonic() + seconds
        while (code := self._parent.ask(look=pid)) == _RUNS and time.monotonic() < deadline:
            time.sleep(0.02)
        if code != _RUNS:
            self._running.discard(pid)
        return code

    def python(self, program: str) -> str:
        """Run a program to its end; what it printed."""
        pid = self.start("run", program=program)
        self.wait(pid)
        return self.printed(pid)

    def printed(self, pid: int) -> str:
        """What a process has written to its standard output."""
        return (self.node.folder / f"{pid}.out").read_text()

    def close(self) -> None:
        """End all of them: a web server ends its own processes when it is asked to."""
        for pid in self._running:
            os.kill(pid, signal.SIGTERM)
        for pid in list(self._running):
            if self._ended(pid, 10) == _RUNS:
                self.kill(pid)


def below(pid: int) -> list[int]:
    """The ids of a process's own children, as of those that answer a web server's requests."""
    with contextlib.suppress(FileNotFoundError):
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return []


# --- The parent ----------------------------------------------------------------------------------------------------------


def main() -> None:
    """Fork and kill as told, one request a line: {"start": …}, {"kill": id} or {"look": id}; each is answered by a number."""
    import django  # noqa: PLC0415 - only in the parent, and before what follows

    django.setup()
    from marketplace import urls  # noqa: F401, PLC0415 - loaded once for all
    from search import analysis  # noqa: PLC0415 - as above
    from search.backends import elastic  # noqa: F401, PLC0415 - as above
    from tests.search.life import children  # noqa: F401, PLC0415 - as above

    for language in analysis.LANGUAGES:
        analysis.analyse("Pantalles facials de PET", language)
    running: set[int] = set()
    print(0, flush=True)
    for line in sys.stdin:
        request = json.loads(line)
        if "start" in request:
            running.add(pid := _fork(**request))
            print(pid, flush=True)
        else:
            print(_look(running, request), flush=True)
    for pid in running:
        os.kill(pid, signal.SIGKILL)


def _look(running: set[int], request: dict[str, int]) -> int:
    pid = request.get("kill") or request["look"]
    if "kill" in request:
        os.kill(pid, signal.SIGKILL)
    ended, status = os.waitpid(pid, 0 if "kill" in request else os.WNOHANG)
    if not ended:
        return _RUNS
    running.discard(pid)
    return os.waitstatus_to_exitcode(status)


def _fork(*, start: str, options: dict[str, object], folder: str, database: str, changed: dict[str, object]) -> int:
    sys.stdout.flush()
    if child := os.fork():
        return child
    code = 1
    try:
        _belong_to(Path(folder), database, changed)
        from tests.search.life import children  # noqa: PLC0415 - the parent has loaded it

        getattr(children, start)(**options)
        code = 0
    except SystemExit as error:
        code = int(error.code or 0)
    except BaseException:  # noqa: BLE001 - told by the child's end
        traceback.print_exc()
    sys.stdout.flush()
    os._exit(code)


def _belong_to(folder: Path, database: str, changed: dict[str, object]) -> None:
    """Become a process of the marketplace that has its files in `folder`."""
    for number, path, flags in ((0, os.devnull, os.O_RDONLY), (1, folder / f"{os.getpid()}.out", os.O_CREAT | os.O_WRONLY)):
        os.dup2(os.open(path, flags), number)
    os.dup2(os.open(folder / "forks.log", os.O_CREAT | os.O_APPEND | os.O_WRONLY), 2)
    connection.settings_dict["NAME"] = database
    paths = {"EMBEDDED_INDEX_PATH": "index", "MEDIA_ROOT": "media", "OPEN_DATA_PATH": "open-data", "EMAIL_FILE_PATH": "mail"}
    for name, value in (changed | {name: folder / path for name, path in paths.items()}).items():
        setattr(settings, name, value)


if __name__ == "__main__":
    main()
