"""Keeps calls away from a service that has just failed, and lets one through from time to time to see if it is back.

Knows failures and the clock, not what is being called. Not for use from several threads.
"""

from __future__ import annotations

import time
from collections.abc import Callable

OPEN_SECONDS = 5.0


class CircuitBreaker:
    """Closed: calls pass. Open: none does for `open_seconds`. Half open: one passes, and its outcome decides."""

    def __init__(self, open_seconds: float = OPEN_SECONDS, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._open_seconds = open_seconds
        self._clock = clock
        self._closed = True
        self._next_trial = 0.0

    @property
    def closed(self) -> bool:
        return self._closed

    def lets_pass(self) -> bool:
        """True when a call may be made now; while open, True for one caller per `open_seconds`."""
        if self._closed:
            return True
        if self._clock() < self._next_trial:
            return False
        # Counted from now, so that a trial that never reports back cannot keep the breaker open for ever.
        self._next_trial = self._clock() + self._open_seconds
        return True

    def succeeded(self) -> None:
        """A call worked: close."""
        self._closed = True

    def failed(self) -> None:
        """A call failed: open, or stay open, for `open_seconds` from now."""
        self._closed = False
        self._next_trial = self._clock() + self._open_seconds
