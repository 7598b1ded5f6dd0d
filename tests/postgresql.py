"""A PostgreSQL cluster of our own for tests, from the binaries that Debian installs.

    with running() as database_url: …
    python -m tests.postgresql -- python manage.py migrate

Nothing of it outlives the block: its data sit in a temporary folder and it listens on loopback only.
"""

import argparse
import contextlib
import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

BINARIES = Path("/usr/lib/postgresql")
USER = DATABASE = "marketplace"
START_SECONDS = 60
STOP_SECONDS = 20


class PostgresqlError(RuntimeError):
    """The cluster could not be made or started; the message says why."""


def binaries() -> Path | None:
    """Return the folder of the newest installed server's programs; None when there is none."""
    found = [folder.parent for folder in BINARIES.glob("*/bin/initdb")]
    return max(found, key=lambda folder: int(folder.parent.name), default=None)


def missing() -> str:
    """Name what this machine lacks; empty when nothing."""
    if binaries() is None:
        return f"not installed: PostgreSQL (no server programs under {BINARIES})"
    if os.geteuid() == 0 and _account() is None:
        return "PostgreSQL does not run as root, and there is no user named postgres"
    return ""


@contextlib.contextmanager
def running() -> Iterator[str]:
    """Run a new, empty cluster; give the DATABASE_URL of an empty database whose owner may create others."""
    if lack := missing():
        raise PostgresqlError(lack)
    folder = Path(tempfile.mkdtemp(prefix="postgresql-"))
    try:
        if (account := _account()) is not None:
            os.chown(folder, account.pw_uid, account.pw_gid)
        password = _initialise(folder)
        port = _free_port()
        with _server(folder, port):
            _call("createdb", f"--host={folder}", f"--port={port}", f"--username={USER}", DATABASE, PGPASSWORD=password)
            yield f"postgres://{USER}:{password}@127.0.0.1:{port}/{DATABASE}"
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _account() -> pwd.struct_passwd | None:
    """The user to become: initdb and postgres refuse to run as root."""
    if os.geteuid() != 0:
        return None
    with contextlib.suppress(KeyError):
        return pwd.getpwnam("postgres")
    return None


def _identity() -> dict:
    account = _account()
    if account is None:
        return {}
    return {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}


def _initialise(folder: Path) -> str:
    """Make the cluster's files; return the owner's password (other users of the machine reach loopback too)."""
    password = secrets.token_urlsafe(16)
    note = folder / "password"
    note.touch(0o600)
    note.write_text(f"{password}\n")
    if (account := _account()) is not None:
        os.chown(note, account.pw_uid, account.pw_gid)
    _call(
        *("initdb", f"--pgdata={folder / 'data'}", f"--username={USER}", "--auth=scram-sha-256", f"--pwfile={note}"),
        *("--encoding=UTF8", "--locale=C.UTF-8", "--no-sync"),
    )
    note.unlink()
    return password


@contextlib.contextmanager
def _server(folder: Path, port: int) -> Iterator[None]:
    command = [
        *(str(binaries() / "postgres"), "-D", str(folder / "data"), "-p", str(port), "-k", str(folder)),
        *("-c", "listen_addresses=127.0.0.1", "-c", "max_connections=50"),
        # The data are thrown away, so nothing needs to survive a crash.
        *("-c", "fsync=off", "-c", "synchronous_commit=off", "-c", "full_page_writes=off"),
    ]
    if shutil.which("setpriv"):
        # Ends the server when this process dies without a chance to stop it.
        command = ["setpriv", "--pdeathsig", "QUIT", *command]
    with (folder / "server.log").open("wb") as log:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=folder, start_new_session=True, **_identity())
    try:
        _wait(process, folder, port)
        yield
    finally:
        _stop(process)


def _wait(process: subprocess.Popen, folder: Path, port: int) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            break
        ready = subprocess.run([binaries() / "pg_isready", "-q", "-h", "127.0.0.1", "-p", str(port)], check=False)
        if ready.returncode == 0:
            return
        time.sleep(0.1)
    log = (folder / "server.log").read_text(errors="replace")
    raise PostgresqlError(f"PostgreSQL did not start:\n{log[-4000:]}")


def _stop(process: subprocess.Popen) -> None:
    """Fast shutdown (open sessions are ended), then an immediate one."""
    for request in (signal.SIGINT, signal.SIGQUIT):
        if process.poll() is None:
            process.send_signal(request)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(STOP_SECONDS)
    process.wait()


def _call(program: str, *arguments: str, **environment: str) -> None:
    done = subprocess.run(
        [binaries() / program, *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        cwd="/",
        env=os.environ | environment,
        **_identity(),
    )
    if done.returncode:
        raise PostgresqlError(f"{program} failed ({done.returncode}):\n{done.stdout[-4000:]}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def main() -> int:
    """Run a command with DATABASE_URL set to a cluster of its own; return its exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.postgresql", description=main.__doc__)
    parser.add_argument("command", nargs="+", help="after --: the command and its arguments")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with running() as url:
            return subprocess.run(options.command, env=os.environ | {"DATABASE_URL": url}, check=False).returncode
    except PostgresqlError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
