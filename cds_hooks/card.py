"""The card as CDS Hooks defines it: what may be sent, and nothing else.

Source: CDS Hooks 2.0, "CDS Service Response"; names in Python are snake_case, on the wire camelCase. Optional
attributes without value are left out of the JSON (`exclude_none`), never sent empty.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator
from pydantic.alias_generators import to_camel

NonEmpty = Annotated[str, StringConstraints(min_length=1)]
AbsoluteUrl = Annotated[str, StringConstraints(pattern=r"^https?://\S+$")]
SUMMARY_LIMIT = 139
"""Unicode code points: the specification says *fewer than* 140."""


class WireModel(BaseModel):
    """Strict outwards: an unknown attribute is our bug."""

    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=to_camel, populate_by_name=True)


class Coding(WireModel):
    """A code with its system."""

    code: NonEmpty
    system: NonEmpty
    display: NonEmpty | None = None


class OverrideReason(WireModel):
    """A reason offered for dismissing the card; its display is required."""

    code: NonEmpty
    system: NonEmpty
    display: NonEmpty


class Source(WireModel):
    """Whose advice it is."""

    label: NonEmpty
    url: AbsoluteUrl | None = None
    icon: AbsoluteUrl | None = None
    topic: Coding


class Action(WireModel):
    """One change of the chart: here only the creation of a new resource is ever proposed."""

    type: Literal["create"]
    description: NonEmpty
    resource: dict[str, Any]


class Suggestion(WireModel):
    """A change the user may accept with one click."""

    label: NonEmpty
    uuid: UUID
    actions: Annotated[tuple[Action, ...], Field(min_length=1)]


class Link(WireModel):
    """Where to read on. `app_context` belongs to SMART links alone."""

    label: NonEmpty
    url: AbsoluteUrl
    type: Literal["absolute", "smart"]
    app_context: str | None = None

    @model_validator(mode="after")
    def _context_only_for_smart(self) -> Self:
        if self.app_context is not None and self.type != "smart":
            raise ValueError("appContext is not valid for absolute links")
        return self


class Card(WireModel):
    """One card. Never `critical`: dxspan suggests, it does not alarm."""

    uuid: UUID
    summary: Annotated[str, StringConstraints(min_length=1, max_length=SUMMARY_LIMIT)]
    detail: NonEmpty
    indicator: Literal["info", "warning"] = "info"
    source: Source
    suggestions: Annotated[tuple[Suggestion, ...], Field(min_length=1)] | None = None
    selection_behavior: Literal["at-most-one"] | None = None
    override_reasons: Annotated[tuple[OverrideReason, ...], Field(min_length=1)]
    links: Annotated[tuple[Link, ...], Field(min_length=1)]
    extension: dict[str, Any] | None = None

    @model_validator(mode="after")
    def _selection(self) -> Self:
        if (self.suggestions is None) != (self.selection_behavior is None):
            raise ValueError("selectionBehavior goes with suggestions")
        return self
