"""A clinical note and a stretch of its words.

Knows text and character offsets. Does not know where a note came from (see fhir_notes) nor what it means.
Every offset in dxspan counts Unicode code points of `Note.text`, and `note.quote(span)` is always that slice.
"""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field


class Span(BaseModel):
    """A half-open stretch `[start, end)` of a note's text, in code points."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    start: int = Field(ge=0)
    end: int = Field(ge=0)


class Note(BaseModel):
    """One document of the chart as plain text.

    `text` is the decoded original for plain-text documents and the extracted text for HTML, RTF and C-CDA.
    It may hold control or zero-width characters; readers skip them without moving any offset.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    reference: str
    """FHIR reference of the source, e.g. `DocumentReference/123`."""
    text: str
    kind: str = ""
    """Type of note as the chart names it, e.g. `Discharge summary`; empty when unknown."""
    author_role: str = ""
    """Role of the author, never a name, e.g. `Emergency physician`; empty when unknown."""
    date: datetime | None = None
    """When the note was written, always with a time zone; None = undated."""

    def quote(self, span: Span) -> str:
        """The exact words at `span`.

        Raises ValueError when the span is empty or lies outside the text.
        """
        if not 0 <= span.start < span.end <= len(self.text):
            raise ValueError(f"span {span.start}:{span.end} lies outside a note of {len(self.text)} characters")
        return self.text[span.start : span.end]
