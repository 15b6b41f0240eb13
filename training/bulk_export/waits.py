"""How long to wait before asking again: as the server says, else longer each time.

Owns sleep and clock, so that tests may. Knows the two forms of Retry-After; a server cannot make us wait for ever or
hammer it.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from email.utils import parsedate_to_datetime

LONGEST_SECONDS = 3600.0
FIRST_SECONDS, LONGEST_BACKOFF_SECONDS = 1.0, 120.0


@dataclass(frozen=True, slots=True)
class Waits:
    """Sleeps; every method's seconds are real ones only where `sleep` is time's own."""

    sleep: Callable[[float], None] = time.sleep
    now: Callable[[], float] = time.time

    def wait(self, retry_after: str | None, attempt: int) -> float:
        """Sleeps before asking again and returns the seconds. `attempt`: 0 for the first time."""
        seconds = self._said(retry_after)
        if seconds is None:
            most = min(FIRST_SECONDS * 2.0 ** min(attempt, 10), LONGEST_BACKOFF_SECONDS)
            seconds = most * random.uniform(0.5, 1.0)  # noqa: S311  # so that many clients do not come back together
        self.sleep(seconds)
        return seconds

    def _said(self, retry_after: str | None) -> float | None:
        text = (retry_after or "").strip()
        if text.isdecimal() and text.isascii():
            return min(float(text[:9]), LONGEST_SECONDS)
        try:
            moment = parsedate_to_datetime(text) if text else None
        except (ValueError, TypeError):
            return None
        return None if moment is None else min(max(moment.timestamp() - self.now(), 0.0), LONGEST_SECONDS)
