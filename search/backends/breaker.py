"""Keeps a server that does not answer from making every request wait."""

import time
from datetime import UTC, datetime
from threading import Lock
from typing import Literal

#: One slow answer may be chance; two in a row are a state.
FAILURES_TO_OPEN = 2

#: How long nobody is sent to a server that failed. Then one request tries again.
OPEN_SECONDS = 10.0

#: What `Breaker.state` may be: everyone is sent, nobody is, or one request is on its way to try.
State = Literal["closed", "open", "trial"]


class Breaker:
    """Counts failures in a row. While open, `allows()` is False but for one trial each OPEN_SECONDS."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._failures = 0
        self._retry_at = 0.0
        self._state: State = "closed"
        self._since = datetime.now(UTC)

    @property
    def state(self) -> State:
        """Whether requests go out, as this process has seen the server."""
        return self._state

    @property
    def since(self) -> datetime:
        """Since when requests go out, or do not; a trial that fails does not begin the time anew."""
        return self._since

    def allows(self) -> bool:
        """Whether a request may go out now; a True while open is the trial."""
        with self._lock:
            if self._failures < FAILURES_TO_OPEN:
                return True
            now = time.monotonic()
            if now < self._retry_at:
                return False
            self._retry_at = now + OPEN_SECONDS
            self._state = "trial"
            return True

    def succeeded(self) -> None:
        """The server answered."""
        with self._lock:
            self._failures = 0
            self._turn("closed")

    def failed(self) -> None:
        """The server did not answer as a server in health does."""
        with self._lock:
            self._failures += 1
            self._retry_at = time.monotonic() + OPEN_SECONDS
            if self._failures >= FAILURES_TO_OPEN:
                self._turn("open")

    def _turn(self, state: State) -> None:
        if (self._state == "closed") != (state == "closed"):
            self._since = datetime.now(UTC)
        self._state = state
