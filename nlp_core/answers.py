"""What asking the chart answers: words of a note or of the knowledge, word for word, or nothing.

Knows no way of finding them (questions does). Crosses the queue as JSON; `MESSAGE_VERSION` in worker.messages changes
whenever a field here does.
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from nlp_core.note import Span

LONGEST_QUESTION = 400
"""Characters; whoever asks more asks more than one thing."""


class Answer(BaseModel):
    """What was found, word for word."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    found_in: Literal["chart", "knowledge", "nowhere", "not_understood"]
    """`nowhere` means not in the notes that were read; it says nothing of the patient. `not_understood`: the question
    names nothing that could be looked for, or is in neither language; the notes were not searched."""
    quote: str = ""
    reference: str = ""
    """FHIR reference of the note; for the knowledge the diagnosis's id with the field, `influenza.treatment`."""
    span: Span | None = None
    """`note.text[start:end] == quote`; None outside the chart."""
    kind: str = ""
    date: datetime | None = None
    source: str = ""
    """Of the knowledge's words."""
    notes_read: int = Field(default=0, ge=0)
    notes_unread: int = Field(default=0, ge=0)
    """Notes that were not searched, or not wholly, for want of time."""
    model_version: str = ""


NOWHERE = Answer(found_in="nowhere")
NOT_UNDERSTOOD = Answer(found_in="not_understood")
