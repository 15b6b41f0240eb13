"""How an assessment is kept for the next reading of the same chart: under which mark, and sealed about what.

Shared by the worker, which keeps answers, and the web process, which looks them up.
"""

from __future__ import annotations

from pydantic import ValidationError

from nlp_core.assessment import Assessment
from worker.messages import MESSAGE_VERSION
from worker.payloads import CannotOpen, Sealer


def chart_mark(sealer: Sealer, tenant: str, digest: str) -> str:
    """Keyed fingerprint of a tenant's chart: without the key neither chart nor tenant can be guessed from it."""
    return sealer.mark("chart", tenant, digest)


def answer_mark(sealer: Sealer, chart_mark: str, model_version: str) -> str:
    """Fingerprint of tenant, chart, model and message version: the name of a kept answer."""
    return sealer.mark("answer", chart_mark, model_version, str(MESSAGE_VERSION))


def sealed_answer(sealer: Sealer, tenant: str, mark: str, assessment: Assessment) -> bytes:
    return sealer.seal(assessment.model_dump_json().encode(), "answer", tenant, mark)


def opened_answer(sealer: Sealer, tenant: str, mark: str, sealed: bytes | None) -> Assessment | None:
    """The kept answer, or None where there is none that this key, tenant and version can open."""
    if sealed is None:
        return None
    try:
        return Assessment.model_validate_json(sealer.open(sealed, "answer", tenant, mark))
    except (CannotOpen, ValidationError):
        return None
