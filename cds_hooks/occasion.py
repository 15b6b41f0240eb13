"""What the card builder is told and what it gives back: the border between answering a hook and writing cards.

Knows no card's content. cds_hooks.answer calls a CardMaker with each assessment; cds_hooks.build_cards is the one that
ships, tests pass their own.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol
from uuid import UUID

from pydantic import BaseModel

from cds_hooks.memory.suggestion_memory import NOTHING_RECALLED, Recalled
from nlp_core.assessment import Assessment, Language
from nlp_core.chart import Chart


@dataclass(frozen=True, slots=True)
class EarlierReading:
    """When an assessment was made that stands in for a reading that did not come in time."""

    computed: datetime
    newer: Literal["note", "data"] | None
    """What the chart holds now that was not read then; None = nothing."""


@dataclass(frozen=True, slots=True)
class Occasion:
    """One hook call, as far as cards depend on it. The ids are of the client's FHIR server: never log them."""

    tenant: str
    service_id: str
    hook_instance: UUID
    patient_id: str
    user_id: str
    """`Practitioner/7`, `PractitionerRole/7`, `Patient/7` or `RelatedPerson/7`."""
    encounter_id: str | None
    language: Language
    """What the site wants its cards in where the chart does not decide."""
    fhir_server: str = ""
    """Base address of the server that the ids are of; empty where the call names none."""
    recalled: Recalled = NOTHING_RECALLED
    """What became of earlier suggestions to this patient."""
    earlier: EarlierReading | None = None
    """Set where the assessment is an earlier one: the card then says so and proposes no change of the chart."""


@dataclass(frozen=True, slots=True)
class BuiltCards:
    """Cards for one occasion, or the reason why a finished assessment shows none."""

    cards: tuple[BaseModel, ...] = ()
    """Dumped by alias and without None; at most one today."""
    silence: str | None = None
    """A fixed word when there is no card although the assessment has candidates: `already-known`, `no-evidence`,
    or of suppression: `dismissed`, `accepted`, `already-shown`, `muted`."""
    listed: tuple[str, ...] = ()
    """Diagnoses accepted earlier that are now seen on the problem list, to be remembered."""


class CardMaker(Protocol):
    """Writes the cards of one assessment."""

    async def __call__(self, assessment: Assessment, chart: Chart, occasion: Occasion) -> BuiltCards:
        """Any exception becomes a degraded answer (`cards-failed`), never a 5xx; its text is not logged."""
        ...
