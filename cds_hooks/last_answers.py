"""Keeps each patient's last assessment for a while: it may stand in when newer notes could not be read in time.

Knows two places: Redis, sealed (several web processes), and this process's memory (without Redis). Knows when an
earlier assessment still holds: same problem list, and every note and fact it cites is in the chart word for word.
Neither place raises or keeps a caller waiting; nothing found is None.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, Protocol

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import PydanticSerializationError

from cds_hooks.occasion import EarlierReading
from nlp_core.assessment import Assessment
from nlp_core.chart import Chart
from nlp_core.part_digests import part_digest
from worker.answer_cache import AnswerCache
from worker.messages import KEY_PREFIX, MODEL_VERSION_NAME
from worker.payloads import CannotOpen, Sealer

log = logging.getLogger(__name__)

MOST_KEPT = 1000
FIND_SECONDS = 0.1
"""With the 0.3 s after which the queue takes a frozen Redis for dead, less than half a second."""
KEEP_SECONDS = 1.0
_FORM: Literal[1] = 1


class KeptAssessment(BaseModel):
    """An assessment with what tells whether it still holds. The digests are sealed with it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    form: Literal[1] = _FORM
    assessment: Assessment
    computed: datetime
    basis: str
    """Digest of the problem list, of sex and death, and of the notes and facts cited."""
    notes: str
    facts: str
    """Digests of all notes, and of all facts."""


@dataclass(frozen=True, slots=True)
class LastAnswer:
    """An earlier assessment that still holds."""

    assessment: Assessment
    reading: EarlierReading


class LastAnswers(Protocol):
    """Where they are kept."""

    async def keep(self, tenant: str, patient_id: str, kept: KeptAssessment) -> None: ...

    async def find(self, tenant: str, patient_id: str, chart: Chart) -> LastAnswer | None: ...

    async def close(self) -> None: ...


def kept_assessment(assessment: Assessment, chart: Chart, computed: datetime) -> KeptAssessment:
    """What is kept of a reading of `chart`."""
    return KeptAssessment(
        assessment=assessment,
        computed=computed,
        basis=_basis(assessment, chart),
        notes=_of_part(chart.notes),
        facts=_of_part(chart.facts),
    )


def still_holds(kept: KeptAssessment, chart: Chart) -> LastAnswer | None:
    """The kept assessment where it may be shown for `chart` as it is now."""
    nothing_to_show = kept.assessment.silence or not kept.assessment.candidates
    if nothing_to_show or kept.basis != _basis(kept.assessment, chart):
        return None
    newer: Literal["note", "data"] | None = "data" if kept.facts != _of_part(chart.facts) else None
    if kept.notes != _of_part(chart.notes):
        newer = "note"
    return LastAnswer(kept.assessment, EarlierReading(kept.computed, newer))


class MemoryLastAnswers:
    """For one process."""

    def __init__(self, seconds: float) -> None:
        self._kept: AnswerCache[KeptAssessment] = AnswerCache(MOST_KEPT, seconds)

    async def keep(self, tenant: str, patient_id: str, kept: KeptAssessment) -> None:
        self._kept.put((tenant, patient_id), kept)

    async def find(self, tenant: str, patient_id: str, chart: Chart) -> LastAnswer | None:
        kept = self._kept.get((tenant, patient_id))
        return still_holds(kept, chart) if kept else None

    async def close(self) -> None:
        return None


class RedisLastAnswers:
    """For several processes: sealed, under a keyed mark of tenant and patient."""

    def __init__(self, client: Any, sealer: Sealer, seconds: int) -> None:
        """`client`: redis.asyncio.Redis."""
        from redis.exceptions import RedisError

        self._errors = (RedisError, OSError, TimeoutError)
        self._redis = client
        self._sealer = sealer
        self._seconds = seconds

    async def keep(self, tenant: str, patient_id: str, kept: KeptAssessment) -> None:
        mark = self._mark(tenant, patient_id)
        sealed = self._sealer.seal(kept.model_dump_json().encode(), "last", tenant, mark)
        try:
            async with asyncio.timeout(KEEP_SECONDS):
                await self._redis.set(_name(mark), sealed, ex=self._seconds)
        except self._errors as fault:
            log.warning("an assessment was not kept: %s", type(fault).__name__)

    async def find(self, tenant: str, patient_id: str, chart: Chart) -> LastAnswer | None:
        mark = self._mark(tenant, patient_id)
        try:
            async with asyncio.timeout(FIND_SECONDS):
                model, sealed = await self._redis.mget([MODEL_VERSION_NAME, _name(mark)])
            kept = KeptAssessment.model_validate_json(self._sealer.open(sealed or b"", "last", tenant, mark))
        except (*self._errors, CannotOpen, ValidationError):
            return None
        # Another model's answers are not shown; which one is at work, the workers say.
        return still_holds(kept, chart) if model == kept.assessment.model_version.encode() else None

    async def close(self) -> None:
        await self._redis.aclose()

    def _mark(self, tenant: str, patient_id: str) -> str:
        return self._sealer.mark("last", tenant, patient_id)


def _name(mark: str) -> str:
    """Redis key of a patient's last assessment (string)."""
    return f"{KEY_PREFIX}last:{mark}"


def _basis(assessment: Assessment, chart: Chart) -> str:
    cited = {
        evidence.reference
        for candidate in assessment.candidates
        for evidence in (*candidate.evidence_for, *candidate.evidence_against)
    }
    cited |= {item.reference for item in assessment.summary.items} if assessment.summary else set()
    entries: list[BaseModel] = [note for note in chart.notes if note.reference in cited]
    entries += [fact for fact in chart.facts if fact.reference in cited]
    words = (str(sorted(cited)), chart.sex, str(chart.deceased), str(chart.problems_available))
    return _digest(entries, _of_part(chart.problems), *words)


def _of_part(part: Sequence[BaseModel]) -> str:
    try:
        return part_digest(part)
    except PydanticSerializationError:  # a lone surrogate
        return _digest(part)


def _digest(entries: Iterable[BaseModel], *words: str) -> str:
    digest = hashlib.sha256("\0".join(words).encode(errors="replace"))
    for entry in entries:
        digest.update(_bytes(entry))
    return digest.hexdigest()


def _bytes(entry: BaseModel) -> bytes:
    try:
        return entry.model_dump_json().encode()
    except PydanticSerializationError:  # a lone surrogate; repr takes fifty times as long
        return repr(entry).encode(errors="backslashreplace")
