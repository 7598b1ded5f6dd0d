"""The embedded engine's own table of vectors: in which direction each document points, and which ones point most one way.

A file beside tantivy's, which has no vectors. All of a kind are compared, in one multiplication: 50,000 take some milliseconds.
"""

import json
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from search import encoding, meaning
from search.documents import Write

if TYPE_CHECKING:
    import numpy as np

_FILE = "directions.sqlite3"
_PATIENCE_SECONDS = 10.0
_TABLE = "CREATE TABLE IF NOT EXISTS direction (uid TEXT PRIMARY KEY, kind TEXT NOT NULL, vector BLOB, revision INTEGER NOT NULL)"
_BY_REVISION = "CREATE INDEX IF NOT EXISTS direction_revision ON direction (revision)"


class Directions:
    """The table in the directory of an index. One process writes at a time, under the index's own lock."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self._lock = threading.Lock()
        self._revision = 0
        self._vectors: dict[str, dict[str, np.ndarray]] = {}
        self._stacked: dict[str, tuple[list[str], np.ndarray]] = {}

    def write(self, writes: Iterable[Write]) -> None:
        """Keep the direction of each document; a tombstone or a document without vectors has none."""
        rows = [(write.uid, *_direction(write)) for write in writes]
        if not any(vector for _, _, vector in rows) and not (self.home / _FILE).exists():
            return
        with self._connection() as connection, connection:
            revision = connection.execute("SELECT coalesce(max(revision), 0) + 1 FROM direction").fetchone()[0]
            connection.executemany("INSERT OR REPLACE INTO direction VALUES (?, ?, ?, ?)", [(*row, revision) for row in rows])

    def nearest(self, kind: str, direction: Sequence[float], count: int) -> list[str]:
        """The uids of the `count` documents of `kind` that point most in this direction, the nearest first."""
        import numpy as np  # noqa: PLC0415 - comes with the encoder that made the direction

        with self._lock:  # Of two threads that catch up at once, one could keep a stack that lacks what the other has just read.
            self._catch_up()
            uids, vectors = self._stack(kind)
        if not uids or vectors.shape[1] != len(direction):
            return []
        scores = vectors @ np.asarray(direction, dtype=np.float32)
        count = min(count, len(uids))
        best = np.argpartition(-scores, count - 1)[:count]
        return [uids[number] for number in sorted(best.tolist(), key=lambda number: (-float(scores[number]), uids[number]))]

    def known(self, uids: Iterable[str]) -> set[str]:
        """Those of the uids that have a direction."""
        if not (self.home / _FILE).exists():
            return set()
        with self._connection() as connection:
            asked = "SELECT uid FROM direction WHERE vector IS NOT NULL AND uid IN (SELECT value FROM json_each(?))"
            return {uid for (uid,) in connection.execute(asked, (json.dumps(list(uids)),))}

    @contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        try:
            with closing(sqlite3.connect(self.home / _FILE, timeout=_PATIENCE_SECONDS)) as connection:
                connection.execute(_TABLE)
                connection.execute(_BY_REVISION)
                yield connection
        except sqlite3.Error as error:
            raise OSError(str(error)) from error

    def _catch_up(self) -> None:
        """Read what was written since the last time."""
        import numpy as np  # noqa: PLC0415 - comes with the encoder that made the vectors

        if not (self.home / _FILE).exists():
            return
        with self._connection() as connection:
            rows = connection.execute("SELECT uid, kind, vector, revision FROM direction WHERE revision > ?", (self._revision,)).fetchall()
        for uid, kind, vector, revision in rows:
            self._revision = max(self._revision, revision)
            for name, own in self._vectors.items():
                if name != kind or vector is None:
                    own.pop(uid, None)
            if vector is not None:
                self._vectors.setdefault(kind, {})[uid] = np.frombuffer(vector, dtype=np.float32)
        if rows:
            self._stacked = {}

    def _stack(self, kind: str) -> "tuple[list[str], np.ndarray | None]":
        import numpy as np  # noqa: PLC0415 - as above

        if kind not in self._stacked:
            own = self._vectors.get(kind, {})
            self._stacked[kind] = (list(own), np.stack(list(own.values())) if own else None)
        return self._stacked[kind]


def _direction(write: Write) -> tuple[str, bytes | None]:
    own = meaning.of(write.document) if write.document else None
    if own is None or own.encoder != encoding.name():
        return write.document.kind if write.document else "", None
    return write.document.kind, own.direction.astype("float32").tobytes()
