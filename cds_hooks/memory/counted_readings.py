"""How many readings fell into which class, hour by hour: what drift is told from, across processes and restarts.

Input: readings of this process. Output: rows for the feedback database, one for each hour and model, and what the rows of all
processes say: the last days against the site's own first ones. Holds numbers of classes alone.
"""

from __future__ import annotations

import secrets
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Protocol

from cds_hooks.drift import OF_ANSWERS, OF_CHARTS, Counts, classes_of, stability_index
from cds_hooks.memory.feedback_rows import Row
from cds_hooks.watch import DRIFT, DRIFT_READINGS
from nlp_core.assessment import Assessment
from nlp_core.chart import Chart

COUNTED = "counted_readings"
REFERENCE_DAYS = 14
"""Two whole weeks: a weekend is no drift."""
RECENT_DAYS = 7
REFERENCE_READINGS, RECENT_READINGS = 500, 200
"""With fewer, chance alone makes an index of 0.1."""
_MOST_HOURS = 48
"""Hours of readings that wait for a database that is away; then the oldest are given up."""


@dataclass(frozen=True, slots=True)
class Population:
    """Readings of some days."""

    readings: int = 0
    counts: Counts = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Populations:
    """What the database holds: of all models' readings, and of the present model's alone."""

    reference: Population = Population()
    recent: Population = Population()
    reference_of_model: Population = Population()
    recent_of_model: Population = Population()
    begun: datetime | None = None
    """Of the first reading counted."""
    begun_of_model: datetime | None = None


class CountedDatabase(Protocol):
    """Where counts are kept."""

    async def write(self, rows: Sequence[Row]) -> None: ...

    async def populations(self, model_version: str, now: datetime) -> Populations: ...


@dataclass(frozen=True, slots=True)
class Drift:
    """What was found at the last comparison."""

    populations: Populations
    indices: dict[str, float]
    """By thing watched; without those that there are too few readings for."""


class CountedReadings:
    """The readings of one process."""

    def __init__(self) -> None:
        self._process = secrets.token_hex(16)
        self._hours: dict[tuple[datetime, str], dict[str, Counter[str]]] = {}
        self.model_version = self.knowledge_version = ""
        """Of the last reading: what is in use; empty before the first."""
        self.drift: Drift | None = None

    def observe(self, read: Assessment, chart: Chart, *, at: datetime | None = None) -> None:
        """Count one reading."""
        hour = (at or datetime.now(UTC)).replace(minute=0, second=0, microsecond=0)
        counts = self._hours.setdefault((hour, read.model_version), defaultdict(Counter))
        for what, which in classes_of(read, chart).items():
            counts[what][which] += 1
        while len(self._hours) > _MOST_HOURS:
            del self._hours[min(self._hours)]
        self.model_version, self.knowledge_version = read.model_version, read.knowledge_version

    async def exchange(self, database: CountedDatabase, now: datetime, *, ending: bool = False) -> None:
        """Hand over the hours that are over, or all when `ending`, and compare what all processes counted.

        Raises Unavailable, and keeps what could not be handed over for the next time.
        """
        over = [key for key in self._hours if ending or key[0] + timedelta(hours=1) <= now]
        if over:
            await database.write([self._row(*key) for key in over])
            for key in over:
                del self._hours[key]
        if not ending:
            self._compare(await database.populations(self.model_version, now))

    def _row(self, hour: datetime, model_version: str) -> Row:
        counts = {what: dict(classes) for what, classes in self._hours[hour, model_version].items()}
        values = {"process": self._process, "hour": hour.isoformat(), "model_version": model_version, "counts": counts}
        return Row(COUNTED, values)

    def _compare(self, found: Populations) -> None:
        indices = {
            **_indices(OF_CHARTS, found.reference, found.recent),
            **_indices(OF_ANSWERS, found.reference_of_model, found.recent_of_model),
        }
        self.drift = Drift(found, indices)
        DRIFT.clear()
        for what, index in indices.items():
            DRIFT.labels(what).set(index)
        DRIFT_READINGS.labels("reference").set(found.reference.readings)
        DRIFT_READINGS.labels("recent").set(found.recent.readings)


def _indices(watched: tuple[str, ...], reference: Population, recent: Population) -> dict[str, float]:
    if reference.readings < REFERENCE_READINGS or recent.readings < RECENT_READINGS:
        return {}
    nothing: Counter[str] = Counter()
    return {
        what: stability_index(reference.counts.get(what, nothing), recent.counts.get(what, nothing)) for what in watched
    }
