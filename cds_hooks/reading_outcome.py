"""What comes of a reading: whether it failed, why it is silent, and the outcome of the cards built from it.

Input: a reading or built cards, and the chart. Output: a word or an Outcome. Knows the service's own reasons to be silent; neither
reads nor builds.
"""

from __future__ import annotations

from cds_hooks.memory.suggestion_memory import Recalled
from cds_hooks.occasion import BuiltCards, Occasion
from cds_hooks.outcome import Outcome
from cds_hooks.services import RECORD_SUMMARY
from nlp_core.assessment import Assessment, Silence
from nlp_core.chart import Chart
from worker.client import Reading

MEMORY_UNAVAILABLE = "memory-unavailable"


def has_failed(reading: Reading, occasion: Occasion) -> bool:
    """Is there nothing that a card could rest on?"""
    return reading.assessment is None or fell_short(reading.assessment, occasion)


def unread_outcome(reading: Reading, chart: Chart) -> Outcome:
    """What comes of a reading that failed."""
    reason = reading.degraded or ("partly-read" if reading.assessment else "reader-failed")
    return Outcome("degraded", reason, unread=chart.unread, assessment=reading.assessment)


def fell_short(assessment: Assessment, occasion: Occasion) -> bool:
    """Time or the encoder failed a note, and nothing was found without: that is a failure, no "nothing found"."""
    return silence_of(assessment, occasion) == "partly_read" and assessment.fell_short


def silence_of(assessment: Assessment, occasion: Occasion) -> Silence | None:
    """Why the service called has nothing to say: each has its own reasons."""
    if occasion.service_id == RECORD_SUMMARY.id:
        return assessment.summary.silence if assessment.summary else None
    return assessment.silence


def built_outcome(built: BuiltCards, chart: Chart, recalled: Recalled, assessment: Assessment) -> Outcome:
    """What comes of built cards, or of none."""
    if built.cards:
        reason = "" if recalled.available else MEMORY_UNAVAILABLE
        return Outcome("answered", reason, built.cards, chart.unread, built.listed, assessment)
    return Outcome("silent", built.silence or "no-card", (), chart.unread, built.listed, assessment)
