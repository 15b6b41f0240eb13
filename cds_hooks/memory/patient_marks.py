"""Names patient, user and encounter so that the same one is known again and none can be read.

Input: the ids of an occasion. Output: keyed fingerprints (HMAC-SHA-256, 64 hex digits). Without the key nobody can try
out patient numbers against them; with it anyone can: they are few enough to guess. A key that lies in the database
itself (`feedback_key` not set) therefore hides nothing from whoever takes the whole database; it only keeps clear ids
out of rows, logs and single-table exports. A new key makes every mark a new one: what was dismissed is shown again.
"""

from __future__ import annotations

from dataclasses import dataclass

from cds_hooks.occasion import Occasion
from worker.payloads import Sealer


@dataclass(frozen=True, slots=True)
class OccasionMarks:
    """Who, whose and when, unreadable."""

    patient: str
    user: str
    encounter: str
    """Empty where the call names no encounter."""


@dataclass(frozen=True, slots=True)
class ComparedMarks:
    """Which chart and which answer, unreadable."""

    chart: str
    """Equal for the same chart of the same patient, whichever model reads it."""
    answer: str
    """Equal for the same call answered again by the same model in the same way."""


class PatientMarks:
    """Marks under one key."""

    def __init__(self, key: bytes) -> None:
        """`key`: 32 bytes."""
        self._sealer = Sealer([key])

    def of(self, occasion: Occasion) -> OccasionMarks:
        # Two servers of one tenant may both have a patient `7`.
        server = (occasion.tenant, occasion.fhir_server)
        patient = self._sealer.mark("suggested to patient", *server, occasion.patient_id)
        return OccasionMarks(
            patient=patient,
            user=self._sealer.mark("suggested to user", *server, occasion.user_id),
            encounter=self._sealer.mark("suggested in", patient, occasion.encounter_id)
            if occasion.encounter_id
            else "",
        )

    def of_compared(self, occasion: Occasion, chart_digest: str, *how: str) -> ComparedMarks:
        """`how`: what tells two answers to the same call about the same chart apart."""
        server = (occasion.tenant, occasion.fhir_server)
        chart = self._sealer.mark("compared chart", *server, occasion.patient_id, chart_digest)
        return ComparedMarks(chart, self._sealer.mark("compared answer", chart, str(occasion.hook_instance), *how))
