"""The messages between web process and worker, and the names under which Redis keeps them.

Knows form and names; does not know how anything is sent. Change MESSAGE_VERSION with every change of a field here or in
nlp_core.chart or nlp_core.assessment: queues, sealed things and cache keys carry it, so that two versions at work side
by side during an update never read each other's messages.
"""

from __future__ import annotations

from typing import Final, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from nlp_core.answers import LONGEST_QUESTION, Answer
from nlp_core.assessment import Assessment
from nlp_core.chart import Chart
from worker.client import Degraded

MESSAGE_VERSION: Final = 7
"""1 (November 2026): first. 2 (November 2026): Chart.setting. 3 (November 2026): silences about untrusted notes.
4 (November 2026): Assessment.partly_read and the silence of that name, NextStep.diagnoses, Assessment.silence_below.
5 (November 2026): Assessment.summary. 6 (November 2026): questions about a chart.
7 (November 2026): Assessment.calibrated_on_site."""

READ_TASK = "dxspan.read_chart"
QUESTION_TASK = "dxspan.answer_question"
CANARY_TASK = "dxspan.canary"
KEY_PREFIX = "dxspan:"
FRESH_QUEUE = f"fresh.v{MESSAGE_VERSION}"
"""Somebody waits for the answer."""
LATER_QUEUE = f"later.v{MESSAGE_VERSION}"
"""Nobody waits any more, or not yet: taken only when no fresh chart is there."""

TENANT_LENGTH = 200


class ReadRequest(BaseModel):
    """Asks a worker to read the chart sealed under `chart_name(reading)`. Holds no word of the chart."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    version: Literal[7] = MESSAGE_VERSION
    reading: str = Field(pattern=r"^[0-9a-f]{32}$")
    """Random id of this reading."""
    tenant: str = Field(min_length=1, max_length=TENANT_LENGTH)
    chart_mark: str = Field(pattern=r"^[0-9a-f]{64}$")
    """Keyed fingerprint of tenant and chart: equal for equal charts."""
    wait_ms: int = Field(ge=0)
    """How long the caller waits from the moment of sealing, in milliseconds; 0 = nobody waits."""
    life_ms: int = Field(gt=0)
    """Life the sealed chart was given: what is left of it tells its age by Redis's own clock."""


class ReadReply(BaseModel):
    """A worker's answer, sealed."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: Literal[7] = MESSAGE_VERSION
    assessment: Assessment | None = None
    degraded: Degraded | None = None
    cached: bool = False

    @model_validator(mode="after")
    def _either(self) -> ReadReply:
        if (self.assessment is None) == (self.degraded is None):
            raise ValueError("a reply holds either an assessment or the reason why there is none")
        return self


class QuestionRequest(BaseModel):
    """Asks a worker for the question and the chart sealed under `question_name(reading)`. Holds no word of either."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    version: Literal[7] = MESSAGE_VERSION
    reading: str = Field(pattern=r"^[0-9a-f]{32}$")
    """Random id of this question."""
    tenant: str = Field(min_length=1, max_length=TENANT_LENGTH)


class AskedChart(BaseModel):
    """A question and the chart it is asked of, sealed; lives as long as the person who asks waits."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    question: str = Field(max_length=LONGEST_QUESTION)
    chart: Chart


class QuestionReply(BaseModel):
    """A worker's answer to a question, sealed."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: Literal[7] = MESSAGE_VERSION
    answer: Answer | None = None
    degraded: Degraded | None = None

    @model_validator(mode="after")
    def _either(self) -> QuestionReply:
        if (self.answer is None) == (self.degraded is None):
            raise ValueError("a reply holds either an answer or the reason why there is none")
        return self


class Canary(BaseModel):
    """Asks a worker to show that it still takes tasks."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    version: Literal[7] = MESSAGE_VERSION
    reading: str = Field(pattern=r"^[0-9a-f]{32}$")


Message = ReadRequest | QuestionRequest | Canary

MODEL_VERSION_NAME = f"{KEY_PREFIX}model"
"""Version of the model that the worker started last reads with."""


def chart_name(reading: str) -> str:
    """Redis key of a sealed chart (string, at most 120 s)."""
    return f"{KEY_PREFIX}chart:{reading}"


def question_name(reading: str) -> str:
    """Redis key of a sealed question with its chart (string, as long as somebody waits)."""
    return f"{KEY_PREFIX}question:{reading}"


def reply_name(reading: str) -> str:
    """Redis key of a sealed reply (list of one, REPLY_SECONDS)."""
    return f"{KEY_PREFIX}reply:{reading}"


def answer_name(answer_mark: str) -> str:
    """Redis key of a sealed assessment kept for the next reading of the same chart (string)."""
    return f"{KEY_PREFIX}answer:{answer_mark}"


def sentence_name(place: int) -> str:
    """Redis key of a sealed reading of a sentence, by its place in the memory that workers share (string)."""
    return f"{KEY_PREFIX}sentence:{place}"


def attempts_name(chart_mark: str) -> str:
    """Redis key that counts the readings of a chart begun and not finished (string)."""
    return f"{KEY_PREFIX}attempts:{chart_mark}"


DEAD_LETTERS_NAME = f"{KEY_PREFIX}dead-letters"
"""Redis key of the marks of charts that are not read any more, newest first (list); holds no chart."""

REPLY_SECONDS = 30
"""Life of a reply that nobody fetched."""
