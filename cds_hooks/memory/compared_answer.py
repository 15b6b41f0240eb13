"""What one model made of one chart, kept to be compared: in the shadow, or shown while another is there.

Input: what an answer showed or would have shown. Output: a row of the feedback database. Ids of diagnoses and a fixed
word; chart, patient and call are keyed marks. A table of its own, so that nobody counts what was not shown as shown.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from cds_hooks.memory.feedback_rows import Row
from cds_hooks.memory.patient_marks import ComparedMarks

COMPARED = "compared_answer"

Seen = Literal["shown", "shadow"]


@dataclass(frozen=True, slots=True)
class ComparedAnswer:
    """One answer."""

    seen: Seen
    model_version: str
    chart_digest: str
    """Equal for equal charts (worker.chart_digest); kept as a mark alone."""
    diagnoses: tuple[str, ...]
    """Ids in the card's order; empty for a silence."""
    reason: str
    """Why it was silent: the assessment's word or the card builder's; empty where diagnoses were named."""


def compared_row(tenant: str, marks: ComparedMarks, answer: ComparedAnswer, answered: datetime) -> Row:
    return Row(
        COMPARED,
        {
            "tenant": tenant,
            "answer": marks.answer,
            "chart": marks.chart,
            "model_version": answer.model_version,
            "seen": answer.seen,
            "reason": answer.reason,
            "diagnoses": list(answer.diagnoses),
            "answered": answered.astimezone(UTC).isoformat(),
        },
    )
