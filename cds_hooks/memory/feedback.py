"""What clients report about cards: accepted, overridden, and why.

Knows the feedback body of CDS Hooks 2.0. Does not keep it (feedback_store) and does not know which cards exist: an
unknown card is the store's to ignore. `userComment` is free text and may hold PHI.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, Literal, Protocol, Self
from uuid import UUID

from pydantic import AwareDatetime, BeforeValidator, StringConstraints, ValidationError, model_validator

from cds_hooks.hook_request import LenientModel, UuidText, refusal, rule
from cds_hooks.memory.suggestion_memory import Recalled

if TYPE_CHECKING:
    from cds_hooks.memory.compared_answer import ComparedAnswer
    from cds_hooks.occasion import Occasion

MAX_COMMENT_CHARACTERS = 4000
MAX_CODE_CHARACTERS = 256
FEEDBACK_AWAY = "Feedback cannot be kept at the moment; send it again."
"""What a client is told whose feedback is on no disk."""

Code = Annotated[str, StringConstraints(max_length=MAX_CODE_CHARACTERS)]


def _cut(comment: Any) -> Any:
    """A comment longer than anyone types is cut, not refused: the outcome beside it still counts."""
    return comment[:MAX_COMMENT_CHARACTERS] if isinstance(comment, str) else comment


def _as_text(moment: Any) -> Any:
    """RFC 3339 only; pydantic would also take a number for seconds since 1970."""
    if not isinstance(moment, str):
        raise ValueError("not a timestamp")
    return moment


class OverrideCode(LenientModel):
    """The Coding of an override reason; clients are seen to leave out display and system."""

    code: Code
    system: Code = ""
    display: Code = ""


class OverrideReason(LenientModel):
    """Why a card was overridden."""

    reason: OverrideCode | None = None
    user_comment: Annotated[str, BeforeValidator(_cut)] = ""


class AcceptedSuggestion(LenientModel):
    """The uuid of a suggestion that was accepted."""

    id: Code


class FeedbackItem(LenientModel):
    """One thing that a user did with one card."""

    card: UuidText
    outcome: Literal["accepted", "overridden"]
    outcome_timestamp: Annotated[AwareDatetime, BeforeValidator(_as_text)]
    accepted_suggestions: tuple[AcceptedSuggestion, ...] = ()
    override_reason: OverrideReason | None = None

    @model_validator(mode="after")
    def _accepted_what(self) -> Self:
        if self.outcome == "accepted" and not self.accepted_suggestions:
            raise rule("acceptedSuggestions", "an accepted card names the suggestions that were accepted")
        return self

    @property
    def card_uuid(self) -> UUID:
        return UUID(self.card)


class FeedbackBody(LenientModel):
    """The body of a feedback call."""

    feedback: tuple[FeedbackItem, ...]

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not self.feedback:
            raise rule("feedback", "the list of feedback is empty")
        return self


def read_feedback(document: Any) -> tuple[FeedbackItem, ...]:
    """The items in a JSON `document`. Raises BadRequest naming the first that are wrong."""
    try:
        return FeedbackBody.model_validate(document).feedback
    except ValidationError as error:
        raise refusal(error) from None


class FeedbackStore(Protocol):
    """Where feedback and shown cards are kept; append-only, and the same item twice counts once."""

    async def record(self, tenant: str, service_id: str, items: Sequence[FeedbackItem], received: datetime) -> None:
        """Keep `items`; those of cards that this tenant was never shown have no effect.

        Raises cds_hooks.operation_outcome.Unavailable when they cannot be kept.
        """
        ...

    async def remember(self, occasion: Occasion, cards: Sequence[Any], listed: Sequence[str], shown: datetime) -> None:
        """Keep what `cards` showed, so that feedback about them can be understood, and the accepted diagnoses `listed`
        that were seen on the problem list. Quick: nothing waits for a transaction. Raises Unavailable."""
        ...

    async def remember_compared(self, occasion: Occasion, answer: ComparedAnswer, answered: datetime) -> None:
        """Keep what a model made of a chart, for a bounded time, to be laid beside another's. Raises Unavailable."""
        ...

    async def recall(self, occasion: Occasion, *, by: float) -> Recalled:
        """What is remembered of the patient, at the latest by `by` (`time.monotonic()` seconds); never raises."""
        ...

    async def ready(self) -> bool:
        """True when it could keep something now."""
        ...

    async def run(self) -> None:
        """Its work beside serving; runs until cancelled."""
        ...

    async def close(self) -> None: ...
