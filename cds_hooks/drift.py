"""Have charts or answers changed? Two populations of readings, compared class by class.

Input: readings as they come, and counts of their classes. Output: one population stability index for each thing watched. Only
classes are told, so many and no more: nothing of a chart, a tenant or a patient. Below 0.1 nothing is said to have changed, above
0.25 much (the usual rule of thumb for this index). Knows neither where counts are kept nor which days are compared.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections import Counter
from collections.abc import Mapping

from nlp_core.assessment import Assessment
from nlp_core.chart import Chart

SOME_DRIFT, MUCH_DRIFT = 0.1, 0.25
OF_CHARTS = ("language", "length", "notes")
"""What is watched of the patients' charts, whatever model reads them."""
OF_ANSWERS = ("silence", "leading_probability", "findings", "chapter")
"""What is watched of answers; another model's are another population."""
_PROBABILITIES = tuple(tenth / 10 for tenth in range(1, 10))
_FINDINGS = (1, 2, 4, 8, 16, 32)
_CHARACTERS = (200, 500, 1000, 2000, 5000, 10_000, 20_000, 50_000, 100_000)
_NOTES = (1, 2, 3, 5, 10, 20, 50)
_SMOOTHING = 0.5
"""Added to each class's count, so that an empty one makes no infinite index."""

Counts = Mapping[str, Counter[str]]
"""By thing watched: how many readings fell into each of its classes."""


def classes_of(read: Assessment, chart: Chart) -> dict[str, str]:
    """The class of one reading, by thing watched."""
    leading = read.candidates[0] if read.candidates else None
    spoken = {e.finding for one in read.candidates for e in (*one.evidence_for, *one.evidence_against)}
    return {
        "language": read.language,
        "length": str(bisect_right(_CHARACTERS, sum(len(note.text) for note in chart.notes))),
        "notes": str(bisect_right(_NOTES, len(chart.notes))),
        "silence": read.silence or "none",
        "leading_probability": str(bisect_right(_PROBABILITIES, leading.probability)) if leading else "none",
        "findings": str(bisect_right(_FINDINGS, len(spoken))),
        # The chapter of ICD-10, by its letter.
        "chapter": leading.icd10cm[:1] if leading else "none",
    }


def stability_index(before: Counter[str], after: Counter[str]) -> float:
    """Population stability index of two distributions over the same classes; 0 where they are alike."""
    classes = before.keys() | after.keys()
    if not classes:
        return 0.0
    old, new = (
        {one: (count[one] + _SMOOTHING) / (count.total() + _SMOOTHING * len(classes)) for one in classes}
        for count in (before, after)
    )
    return sum((new[one] - old[one]) * math.log(new[one] / old[one]) for one in classes)
