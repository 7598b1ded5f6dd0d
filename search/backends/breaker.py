"""Keeps a server that does not answer from making every request wait."""

import contextlib
import os
import time
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock
from typing import Literal

#: One slow answer may be chance; two in a row are a state.
FAILURES_TO_OPEN = 2

#: How long nobody is sent to a server that failed. Then one request tries again.
OPEN_SECONDS = 10.0

#: What `Breaker.state` may be: everyone is sent, nobody is, or one request is on its way to try.
State = Literal["closed", "open", "trial"]


class Breaker:
    """Counts failures in a row. While open, `allows()` is False but for one trial each OPEN_SECONDS.

    With a `flag`, a file that is there while the server is away, what one process of this machine found out holds for all of
    them. The worker looks at the server all the time: most often it is the one that finds out, and the one that tries again,
    while nobody waits.
    """

    def __init__(self, flag: Path | None = None) -> None:
        self._lock = Lock()
        self._flag = flag
        self._failures = 0
        self._retry_at = 0.0
        self._state: State = "closed"
        self._since = datetime.now(UTC)

    @property
    def state(self) -> State:
        """Whether requests go out, as this process has seen the server, or heard of it."""
        with self._lock:
            self._hear()
            return self._state

    @property
    def since(self) -> datetime:
        """Since when requests go out, or do not; a trial that fails does not begin the time anew."""
        with self._lock:
            self._hear()
            return self._since

    def allows(self) -> bool:
        """Whether a request may go out now; a True while open is the trial."""
        with self._lock:
            self._hear()
            if self._failures < FAILURES_TO_OPEN:
                return True
            if time.monotonic() < self._retry_at:
                return False
            self._wait()
            self._state = "trial"
            return True

    def succeeded(self) -> None:
        """The server answered."""
        with self._lock:
            self._failures = 0
            if self._state != "closed" and self._flag:
                with contextlib.suppress(OSError):
                    self._flag.unlink(missing_ok=True)
            self._turn("closed")

    def failed(self) -> None:
        """The server did not answer as a server in health does."""
        with self._lock:
            self._failures += 1
            if self._failures >= FAILURES_TO_OPEN:
                self._wait()
                self._turn("open")

    def _wait(self) -> None:
        """Let OPEN_SECONDS pass before the next trial, here and in the other processes."""
        self._retry_at = time.monotonic() + OPEN_SECONDS
        if self._flag:
            try:
                self._flag.parent.mkdir(parents=True, exist_ok=True)
                self._flag.touch()
            except OSError:
                self._flag = None  # Where nothing can be written, each process finds out for itself.

    def _hear(self) -> None:
        """Take over what another process found out."""
        if not self._flag:
            return
        try:
            told = os.stat(self._flag).st_mtime  # noqa: PTH116 - half the time of Path.stat, before every search
        except OSError:
            if self._state != "closed":
                self._failures = 0
                self._turn("closed")
            return
        self._failures = max(self._failures, FAILURES_TO_OPEN)
        self._retry_at = time.monotonic() + min(told + OPEN_SECONDS - time.time(), OPEN_SECONDS)
        if self._state == "closed":
            self._turn("open")

    def _turn(self, state: State) -> None:
        if (self._state == "closed") != (state == "closed"):
            self._since = datetime.now(UTC)
        self._state = state
