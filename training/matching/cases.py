"""The cases that the case matcher learns on: one a line in training/cases, a file for each specialty.

Knows the files and their fields. Not to be confused with training/case_texts, which are for measuring and never learned from.
"""

from __future__ import annotations

from collections.abc import Container
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

FOLDER = Path(__file__).parents[1] / "cases"
Style = Literal["vignette", "note", "message", "chart", "intake", "chinese"]
STYLES: tuple[Style, ...] = ("vignette", "note", "message", "chart", "intake", "chinese")


class TrainingCase(BaseModel):
    """One invented patient, told without the name of the diagnosis."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    diagnosis: str
    """Its id in the knowledge."""
    style: Style
    text: str


def read_cases(folder: Path = FOLDER, known: Container[str] | None = None) -> list[TrainingCase]:
    """All cases, by file and line. known: ids of diagnoses; cases of others are left out (None = all are kept).

    Raises OSError, or ValueError naming file and line of what is no case.
    """
    cases = []
    for path in sorted(folder.glob("*.jsonl")):
        for number, line in enumerate(path.read_text("utf-8").splitlines(), start=1):
            try:
                cases.append(TrainingCase.model_validate_json(line))
            except ValidationError as error:
                raise ValueError(f"{path}, line {number}: {error.errors()[0]['msg']}") from error
    if not cases:
        raise ValueError(f"{folder} holds no cases (*.jsonl)")
    return [case for case in cases if known is None or case.diagnosis in known]
