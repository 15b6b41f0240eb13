"""How many calls a tenant may make: buckets of tokens, refilled steadily, so that one client's storm is its own.

One bucket for each kind of call, so that a storm of hooks costs no feedback. Per process: with several web processes a
tenant may make so many times as much. Knows tenants and time.
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
    """Calls of one kind per second for each tenant, and a burst of five seconds' worth."""

    def __init__(self, per_second: float, *, clock: Callable[[], float] = time.monotonic) -> None:
        """per_second: 0 = no quota."""
        self._per_second = per_second
        self._most = max(1.0, _BURST_SECONDS * per_second)
        self._clock = clock
        self._buckets: dict[tuple[str, str], tuple[float, float]] = {}
        """Tenant and kind -> (tokens, when they were counted); as many as there are registered tenants and kinds."""

    def take(self, tenant: str, kind: str) -> None:
        """One call of `tenant`, whose token has been checked; `kind` is one of our words.

        Raises TooManyRequests, which says after how many seconds to come back.
        """
        if not self._per_second:
            return
        now = self._clock()
        tokens, counted = self._buckets.get((tenant, kind), (self._most, now))
        tokens = min(self._most, tokens + (now - counted) * self._per_second)
        if tokens < 1:
            self._buckets[tenant, kind] = (tokens, now)
            QUOTA_REFUSED.labels(kind).inc()
            raise TooManyRequests.come_back_after(math.ceil((1 - tokens) / self._per_second))
        self._buckets[tenant, kind] = (tokens - 1, now)
