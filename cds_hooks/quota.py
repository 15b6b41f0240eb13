"""How many calls a tenant may make: a bucket of tokens for each, refilled steadily, so that one client's storm is its own.

Per process: with several web processes a tenant may make so many times as much. Knows tenants and time.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable

from cds_hooks.operation_outcome import TooManyRequests
from cds_hooks.watch import QUOTA_REFUSED

_BURST_SECONDS = 5
"""A morning's charts are opened all at once."""


class Quota:
    """Calls per second for each tenant, and a burst of five seconds' worth."""

    def __init__(self, per_second: float, *, clock: Callable[[], float] = time.monotonic) -> None:
        """per_second: 0 = no quota."""
        self._per_second = per_second
        self._most = max(1.0, _BURST_SECONDS * per_second)
        self._clock = clock
        self._buckets: dict[str, tuple[float, float]] = {}
        """Tenant -> (tokens, when they were counted); as many as there are registered tenants."""

    def take(self, tenant: str) -> None:
        """One call of `tenant`. Raises TooManyRequests, which says after how many seconds to come back."""
        if not self._per_second:
            return
        now = self._clock()
        tokens, counted = self._buckets.get(tenant, (self._most, now))
        tokens = min(self._most, tokens + (now - counted) * self._per_second)
        if tokens < 1:
            self._buckets[tenant] = (tokens, now)
            QUOTA_REFUSED.inc()
            raise TooManyRequests.come_back_after(math.ceil((1 - tokens) / self._per_second))
        self._buckets[tenant] = (tokens - 1, now)
