"""Keeps a server that does not answer from making every request wait."""

import time
from threading import Lock

#: One slow answer may be chance; two in a row are a state.
FAILURES_TO_OPEN = 2

#: How long nobody is sent to a server that failed. Then one request tries again.
OPEN_SECONDS = 10.0


class Breaker:
    """Counts failures in a row. While open, `allows()` is False but for one trial each OPEN_SECONDS."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._failures = 0
        self._retry_at = 0.0

    def allows(self) -> bool:
        """Whether a request may go out now; a True while open is the trial."""
        with self._lock:
            if self._failures < FAILURES_TO_OPEN:
                return True
            now = time.monotonic()
            if now < self._retry_at:
                return False
            self._retry_at = now + OPEN_SECONDS
            return True

    def succeeded(self) -> None:
        """The server answered."""
        with self._lock:
            self._failures = 0

    def failed(self) -> None:
        """The server did not answer as a server in health does."""
        with self._lock:
            self._failures += 1
            self._retry_at = time.monotonic() + OPEN_SECONDS
