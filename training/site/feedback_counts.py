"""Feedback in counts: outcomes, reasons, and how often each diagnosis was accepted where it was shown.

Knows when too few cards stand behind a figure: then it is not told.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict

from training.site.feedback_rows import Suggestion
from training.site.site_figures import Share

_STRICT = ConfigDict(frozen=True, extra="forbid")


class OfDiagnosis(BaseModel):
    """What came of one diagnosis."""

    model_config = _STRICT

    diagnosis: str
    shown: int
    accepted: int
    overridden: int
    silent: int
    acceptance: Share
    """Accepted among shown."""


class FeedbackReport(BaseModel):
    """The whole store in counts; None stands for too few."""

    model_config = _STRICT

    fewest: int
    """Patients below which a count is not told."""
    suggestions: int
    outcomes: dict[str, int | None]
    reasons: dict[str, int | None]
    diagnoses: tuple[OfDiagnosis, ...]
    untold: int
    """Diagnoses shown to too few patients."""
    left: dict[str, int] = {}
    """Suggestions that are not up for review, by reason."""
    review: int = 0


def feedback_report(suggestions: Sequence[Suggestion], fewest: int) -> FeedbackReport:
    by_diagnosis: dict[str, list[Suggestion]] = {}
    for one in suggestions:
        by_diagnosis.setdefault(one.shown.diagnosis, []).append(one)
    told = {name: own for name, own in by_diagnosis.items() if _patients(own) >= fewest}
    return FeedbackReport(
        fewest=fewest,
        suggestions=len(suggestions),
        outcomes=_told([(one.outcome, one) for one in suggestions], fewest),
        reasons=_told([(one.reason or "none given", one) for one in suggestions if one.outcome == "overridden"], fewest),
        diagnoses=tuple(_of(name, own) for name, own in sorted(told.items(), key=lambda pair: (-len(pair[1]), pair[0]))),
        untold=len(by_diagnosis) - len(told),
    )  # fmt: skip


def _of(name: str, own: Sequence[Suggestion]) -> OfDiagnosis:
    counts = Counter(one.outcome for one in own)
    return OfDiagnosis(
        diagnosis=name, shown=len(own), accepted=counts["accepted"], overridden=counts["overridden"], silent=counts["silent"],
        acceptance=Share.of(counts["accepted"], len(own)),
    )  # fmt: skip


def _told(pairs: Sequence[tuple[str, Suggestion]], fewest: int) -> dict[str, int | None]:
    by_name: dict[str, list[Suggestion]] = {}
    for name, one in pairs:
        by_name.setdefault(name, []).append(one)
    return {name: len(own) if _patients(own) >= fewest else None for name, own in sorted(by_name.items())}


def _patients(own: Sequence[Suggestion]) -> int:
    return len({(one.shown.tenant, one.shown.patient) for one in own})
