"""How long a reading may take, and whether time cut it short.

Knows clocks and assessments; the worker and the in-process client share it, so that both treat a half-read chart alike.
"""

from __future__ import annotations

import logging
import time
from collections import Counter
from contextlib import nullcontext

from nlp_core.assessment import Assessment
from nlp_core.chart import MAX_CHARACTERS, Chart
from nlp_core.model_faults import ModelFault
from nlp_core.stages import stages_told_to
from worker.loaded_model import ChartReader
from worker.tracing import span, tracing_on
from worker.watch import MODEL_FAULTS, PARTLY_READ

log = logging.getLogger(__name__)

COMPLETE_SECONDS = 10.0
"""Time for a reading that nobody waits for."""
LEAST_RESERVE_SECONDS = 0.04
RESERVE_SHARE = 0.1
"""Kept back from a caller's time: a reader ends the note it is at, and reasons after the last one."""


def reading_seconds(left: float) -> float:
    """What of the `left` seconds until a caller's deadline goes into reading; 0 or less when it is too late."""
    return left - max(LEAST_RESERVE_SECONDS, RESERVE_SHARE * left)


def read_within(reader: ChartReader, chart: Chart, seconds: float) -> tuple[Assessment, bool]:
    """The assessment made within `seconds`, and whether time cut it short of the whole chart. Counts what it lacks."""
    begun = time.monotonic()
    try:
        with stages_told_to(span) if tracing_on() else nullcontext():
            assessment = reader.assess(chart, deadline=begun + seconds)
    except ModelFault as fault:
        MODEL_FAULTS.labels(type(fault).__name__).inc()
        raise
    reasons = Counter(note.why for note in assessment.partly_read)
    for why, count in reasons.items():
        PARTLY_READ.labels(why).inc(count)
    if reasons["model"]:
        log.error("%d notes were read by names alone: the encoder's answers cannot be used", reasons["model"])
    return assessment, _cut_by_time(assessment, chart) or reasons["time"] > 0


def _cut_by_time(assessment: Assessment, chart: Chart) -> bool:
    """Whether notes were left unread though there was room for more characters: then the clock left them."""
    read = sum(len(note.text) for note in chart.notes[: assessment.notes_read])
    return assessment.notes_unread > 0 and read < MAX_CHARACTERS


def says_something(assessment: Assessment) -> bool:
    """False when time ran out before the first note: such an assessment would look like "no findings"."""
    return assessment.notes_read > 0 or assessment.notes_unread == 0


def worth_keeping(assessment: Assessment) -> bool:
    """False where the model failed on a note: the next reading of the same chart may fare better."""
    return all(note.why != "model" for note in assessment.partly_read)
