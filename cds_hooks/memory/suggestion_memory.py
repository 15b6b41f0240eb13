"""What is remembered of one patient's suggestions: each time a diagnosis was shown, and what came of it.

Knows neither database nor marks: feedback_store fills it, occasion carries it to the card builder, suppression judges
by it. Every moment has a time zone.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal


@dataclass(frozen=True, slots=True)
class Report:
    """The last word of a user on one diagnosis of one card."""

    outcome: Literal["accepted", "overridden"]
    reason: str
    """Code of the override reason; empty where none was given."""
    at: datetime


@dataclass(frozen=True, slots=True)
class Showing:
    """One diagnosis on one card."""

    diagnosis: str
    card: str
    """The card's uuid."""
    shown: datetime
    evidence: str
    """Its evidence hash, as the card's extension has it."""
    findings: frozenset[str]
    """What spoke for it then: ids of findings, `no `-prefixed where their absence spoke (see `finding_keys`)."""
    floor: float
    """Share of the weakest finding told; 0 where none was left out for want of room."""
    same_user: bool
    """It was shown to the user who asks now."""
    same_encounter: bool | None
    """It was shown in the encounter of now; None where one of both calls named no encounter."""
    report: Report | None = None
    listed: datetime | None = None
    """When the diagnosis was last seen on the problem list, of those times that matter (after it was accepted)."""


@dataclass(frozen=True, slots=True)
class Recalled:
    """What is known of a patient's suggestions when a card is built."""

    showings: tuple[Showing, ...] = ()
    muted: frozenset[str] = frozenset()
    """Diagnoses that this tenant is not shown at present, because hardly anyone there accepts them."""
    available: bool = True
    """False when the memory could not be asked in time: what is missing is then unknown, not absent."""


NOTHING_RECALLED = Recalled()


def finding_key(finding: str, *, present: bool) -> str:
    """A finding that speaks by being there and one that speaks by its absence are two."""
    return finding if present else f"no {finding}"
