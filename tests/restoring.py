"""The test's database saved, and put back into another PostgreSQL cluster, by the very lines of docs/operations.md.

keep(folder)                                   # the lines of "Backup"
with cluster() as restored:
    node = restored(folder, tmp_path)          # the line with pg_restore
    node.does(lines("Recovery"))               # all of them
"""

import contextlib
import os
import re
import secrets
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
from django.conf import settings
from django.db import connection

from tests import postgresql, processes
from tests.nodes import Node

OPERATIONS = Path(__file__).parents[1] / "docs/operations.md"
#: As many as a database has had that was in use for a day: a new cluster begins far below, restoring takes some thousand of its own.
TRANSACTIONS = 30_000


def lines(section: str) -> list[str]:
    """The commands of the first shell block behind the words `section` in bold; those that need Docker are left out."""
    block = OPERATIONS.read_text(encoding="utf-8").partition(f"**{section}**")[2].partition("```sh\n")[2].partition("```")[0]
    return [line for line in block.splitlines() if line.strip() and not re.match(r"(docker|#)", line)]


@dataclass
class Restored(Node):
    """A marketplace whose database is there again."""

    def does(self, commands: list[str]) -> str:
        """Run them one after the other, until one fails; what they printed. Those of manage.py, which come last, in one process: to start takes longer."""
        for_django = [line.partition("#")[0].split()[2:] for line in commands if line.startswith("python manage.py ")]
        assert not any(line.startswith("python") for line in commands[: len(commands) - len(for_django)])
        told = bash(commands[: len(commands) - len(for_django)], self.env)
        if for_django:
            told += self.python(f"from django.core.management import call_command\nfor line in {for_django!r}:\n    call_command(*line)")
        return told


def bash(commands: list[str], env: dict[str, str]) -> str:
    """As a shell does with `set -e`, with PostgreSQL's programs and our Python before all others; what they printed."""
    path = os.pathsep.join([str(postgresql.binaries()), str(Path(sys.executable).parent), os.environ["PATH"]])
    done = subprocess.run(
        ["bash", "-euc", "\n".join(commands)], env=env | {"PATH": path}, cwd=settings.BASE_DIR, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def use_up() -> None:
    """Let the database spend transactions, as one in use does."""
    with connection.cursor() as cursor:
        cursor.execute(f"DO $$ BEGIN FOR n IN 1..{TRANSACTIONS} LOOP PERFORM pg_current_xact_id(); COMMIT; END LOOP; END $$")


def keep(folder: Path) -> None:
    """Make a backup."""
    settings.MEDIA_ROOT.mkdir(parents=True, exist_ok=True)
    bash(lines("Backup"), processes.environment(BACKUP=str(folder), MEDIA_ROOT=str(settings.MEDIA_ROOT)))


@contextlib.contextmanager
def cluster() -> Iterator[Callable[..., Restored]]:
    """Another PostgreSQL cluster, and what puts a backup into a database of its own there."""
    with postgresql.running() as url:

        def restored(backup: Path, folder: Path, *, is_filled: bool = True, **env: str) -> Restored:
            name = f"restored_{secrets.token_hex(4)}"
            with psycopg.connect(url, autocommit=True) as server:
                server.execute(f"CREATE DATABASE {name}")
            node = Restored(name, 0, folder, url.rpartition("/")[0] + f"/{name}")
            node.env = processes.environment(
                DATABASE_URL=node.database_url,
                BACKUP=str(backup),
                MEDIA_ROOT=str(folder / "media"),
                EMAIL_URL=f"filemail:///{folder / 'mail'}",
                PAGE_CACHE_URL="dummycache://",
                **env,
            )
            if is_filled:
                node.does([line for line in lines("Recovery") if line.startswith("pg_restore")])
            return node

        yield restored
