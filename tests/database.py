"""Keeps test databases quick: migrated once and copied, and put back to that state after tests that commit."""

import contextlib
import hashlib
import os
import shutil
import sqlite3
from pathlib import Path

import django
from django.core.management import call_command
from django.db import connections, transaction

ROOT = Path(__file__).resolve().parents[1]
CACHE = ROOT / ".cache" / "tests"
#: What decides how a freshly migrated database looks.
SOURCES = ("requirements-test.lock", "*/**/migrations/*.py", "*/*/data/*", "*/*/reference.py")
BATCH = 500


def template() -> Path | None:
    """The file that holds a migrated SQLite database of this version; None in CI, where every run migrates."""
    if os.environ.get("CI") == "true":
        return None
    digest = hashlib.sha256(django.__version__.encode())
    for source in SOURCES:
        for path in sorted(ROOT.glob(source)):
            digest.update(str(path.relative_to(ROOT)).encode() + b"\0" + path.read_bytes())
    return CACHE / f"migrated-{digest.hexdigest()[:16]}.sqlite3"


def copy_template(target: Path) -> bool:
    """Put a migrated database there, if there is one to copy."""
    source = template()
    if source is None or not source.exists():
        return False
    shutil.copyfile(source, target)
    return True


def keep_template(database: Path) -> None:
    """Keep a migrated database for the next run, and drop those of older versions."""
    target = template()
    if target is None or target.exists():
        return
    CACHE.mkdir(parents=True, exist_ok=True)
    for old in CACHE.glob("migrated-*"):
        old.unlink(missing_ok=True)
    draft = target.with_suffix(f".{os.getpid()}")
    with contextlib.closing(sqlite3.connect(database)) as connection:
        connection.execute("VACUUM INTO ?", [str(draft)])
    draft.rename(target)


class Snapshot:
    """The rows that migrations wrote: sectors, places, the root page. A flush takes them away; this brings them back."""

    def __init__(self, alias: str):
        self._alias = alias
        connection = connections[alias]
        self._tables = {}
        with connection.cursor() as cursor:
            for table in connection.introspection.table_names(cursor):
                if table != "django_migrations":
                    self._keep(cursor, table)

    def _keep(self, cursor, table: str) -> None:
        quote = connections[self._alias].ops.quote_name
        if _is_virtual(connections[self._alias], table):
            return
        cursor.execute(f"SELECT * FROM {quote(table)}")  # noqa: S608 - a name that the database itself gave
        columns = [column.name if hasattr(column, "name") else column[0] for column in cursor.description]
        if rows := cursor.fetchall():
            self._tables[table] = (columns, rows)

    def restore(self) -> None:
        """Empty every table, then write the kept rows again, with their old keys."""
        call_command("flush", verbosity=0, interactive=False, database=self._alias, reset_sequences=False, inhibit_post_migrate=True)
        connection = connections[self._alias]
        with transaction.atomic(using=self._alias), connection.constraint_checks_disabled(), connection.cursor() as cursor:
            for table, (columns, rows) in self._tables.items():
                cursor.executemany(self._statement(table, columns), rows)

    def _statement(self, table: str, columns: list[str]) -> str:
        quote = connections[self._alias].ops.quote_name
        names = ", ".join(map(quote, columns))
        places = ", ".join(["%s"] * len(columns))
        return f"INSERT INTO {quote(table)} ({names}) VALUES ({places})"  # noqa: S608 - as above


def _is_virtual(connection, table: str) -> bool:
    """SQLite's full-text tables (Wagtail's page search) keep rows in shadow tables; writing those would break them."""
    return connection.vendor == "sqlite" and "_fts" in table
