"""How long a reading may take, and whether time cut it short.

Knows clocks and assessments; the worker and the in-process client share it, so that both treat a half-read chart alike.
"""

from __future__ import annotations

import time

from nlp_core.assessment import Assessment
from nlp_core.chart import Chart
from worker.loaded_model import ChartReader

COMPLETE_SECONDS = 10.0
"""Time for a reading that nobody waits for."""
LEAST_RESERVE_SECONDS = 0.04
RESERVE_SHARE = 0.1
"""Kept back from a caller's time: a reader begins no note after its deadline, but ends the one it is at."""
SHARE_OF_A_CUT = 0.7
"""A reader that left notes unread after this share of its time was stopped by the clock, not by its token budget: it
may stop a little early when the next batch would not fit."""


def reading_seconds(left: float) -> float:
    """What of the `left` seconds until a caller's deadline goes into reading; 0 or less when it is too late."""
    return left - max(LEAST_RESERVE_SECONDS, RESERVE_SHARE * left)


def read_within(reader: ChartReader, chart: Chart, seconds: float) -> tuple[Assessment, bool]:
    """The assessment made within `seconds`, and whether time cut it short of the whole chart."""
    begun = time.monotonic()
    assessment = reader.assess(chart, deadline=begun + seconds)
    used = time.monotonic() - begun
    return assessment, assessment.notes_unread > 0 and used >= SHARE_OF_A_CUT * seconds


def says_something(assessment: Assessment) -> bool:
    """False when time ran out before the first note: such an assessment would look like "no findings"."""
    return assessment.notes_read > 0 or assessment.notes_unread == 0
