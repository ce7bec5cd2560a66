"""Bytes of other programs in the daemon's store: shared, bounded, and checked; never a failure."""

from __future__ import annotations

import hashlib
import logging
import threading
import time
from dataclasses import dataclass

from granary.client import Client
from granary.errors import GranaryError

_log = logging.getLogger("granary")
_told: set[str] = set()
# A daemon that failed is left alone for so long, so that a hung one costs one deadline.
_patience = 10.0


@dataclass
class ForeignCounters:
    """What this process asked the daemon to keep and to give back."""

    hits: int = 0
    misses: int = 0
    kept: int = 0
    failures: int = 0


class Foreign:
    """What one kind of program keeps; every failure is a miss. For any thread.

    Args:
        kind: begins the names; `triton`, for example.
        socket: of the daemon; by default where the environment says.
        timeout: seconds for one exchange.
    """

    def __init__(self, kind: str, socket: str | None = None, timeout: float = 10) -> None:
        self.counters = ForeignCounters()
        self._kind = kind
        self._client = Client(socket, timeout)
        self._lock = threading.Lock()
        self._alone_until = 0.0

    def get(self, name: str) -> bytes | None:
        """The bytes under a name of any characters and length; None without them."""
        if time.monotonic() < self._alone_until:
            return None
        try:
            found = self._client.foreign(self._digested(name))
        except GranaryError as error:
            self._note(error)
            return None
        with self._lock:
            if found is None:
                self.counters.misses += 1
            else:
                self.counters.hits += 1
        return found

    def keep(self, name: str, content: bytes) -> bool:
        """Keeps bytes under a name; says whether the daemon did."""
        if time.monotonic() < self._alone_until:
            return False
        try:
            self._client.keep_foreign(self._digested(name), content)
        except GranaryError as error:
            self._note(error)
            return False
        with self._lock:
            self.counters.kept += 1
        return True

    def _digested(self, name: str) -> str:
        return f"{self._kind}.{hashlib.sha256(name.encode()).hexdigest()}"

    def _note(self, error: GranaryError) -> None:
        message = f"{self._kind} runs without Granary's store: {error}"
        with self._lock:
            self.counters.failures += 1
            self._alone_until = time.monotonic() + _patience
            if message not in _told:
                _told.add(message)
                _log.warning("%s", message)
