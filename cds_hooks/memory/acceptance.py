"""How often each diagnosis is accepted where it is shown, and which a tenant is therefore not shown for now.

Input: counts from the feedback database. Output: the muted diagnoses of a tenant, gauges for Prometheus, and a log line
whenever one is muted or heard again. Counts are of a sliding time (`acceptance_days`): a muted diagnosis is not shown,
so its old showings run out and it gets another chance.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from cds_hooks.watch import MUTED, SUGGESTIONS
from worker.json_log import log_event

log = logging.getLogger("dxspan.acceptance")


@dataclass(frozen=True, slots=True)
class Acceptance:
    """Cards of one tenant that showed a diagnosis, and what came of them."""

    tenant: str
    diagnosis: str
    shown: int
    accepted: int
    """Cards on which this very diagnosis was accepted."""
    overridden: int


class Muting:
    """Knows which diagnoses are muted for which tenant, as of the last counts it was given."""

    def __init__(self, *, below: float, after_shows: int) -> None:
        """`below`: share of showings that must be accepted, 0 mutes nothing; judged from `after_shows` on."""
        self._below = below
        self._after_shows = after_shows
        self._muted: dict[tuple[str, str], Acceptance] = {}

    def of(self, tenant: str) -> frozenset[str]:
        """Diagnoses muted for `tenant`."""
        return frozenset(diagnosis for muted_for, diagnosis in self._muted if muted_for == tenant)

    def count(self, counts: Iterable[Acceptance]) -> None:
        """Judge anew."""
        counts = list(counts)
        muted = {(one.tenant, one.diagnosis): one for one in counts if self._is_muted(one)}
        for key in muted.keys() - self._muted.keys():
            _say("diagnosis muted", muted[key])
        for key in self._muted.keys() - muted.keys():
            _say("diagnosis heard again", self._muted[key])
        self._muted = muted
        _export(counts, muted)

    def _is_muted(self, one: Acceptance) -> bool:
        return one.shown >= self._after_shows and one.accepted < self._below * one.shown


def _say(event: str, one: Acceptance) -> None:
    log_event(
        log,
        event,
        level=logging.WARNING,
        tenant=one.tenant,
        diagnosis=one.diagnosis,
        shown=one.shown,
        accepted=one.accepted,
        overridden=one.overridden,
    )


def _export(counts: Iterable[Acceptance], muted: Iterable[tuple[str, str]]) -> None:
    """Over all tenants: metrics name none."""
    SUGGESTIONS.clear()
    for one in counts:
        SUGGESTIONS.labels(one.diagnosis, "shown").inc(one.shown)
        SUGGESTIONS.labels(one.diagnosis, "accepted").inc(one.accepted)
        SUGGESTIONS.labels(one.diagnosis, "overridden").inc(one.overridden)
    MUTED.clear()
    for diagnosis, tenants in Counter(diagnosis for _, diagnosis in muted).items():
        MUTED.labels(diagnosis).set(tenants)
