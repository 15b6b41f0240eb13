"""What the web process asks of a reader: a chart in, a reading out by a deadline.

Knows neither queue nor model. Two clients answer it: in_process_client reads in this process, queue_client hands the
chart to a worker. Neither raises for a fault of the infrastructure: the fault becomes the word in `Reading.degraded`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

from nlp_core.answers import Answer
from nlp_core.assessment import Assessment
from nlp_core.chart import Chart

Degraded = Literal["deadline", "queue-unavailable", "reader-failed", "loading", "overloaded"]


@dataclass(frozen=True, slots=True)
class Reading:
    """The assessment, or the reason why there is none. Exactly one of the two is set."""

    assessment: Assessment | None
    degraded: Degraded | None = None
    """`deadline` not read in time · `queue-unavailable` Redis is down and this process cannot read · `reader-failed`
    the reader failed on this chart · `loading` the model is still being loaded · `overloaded` too many charts wait."""
    cached: bool = False
    """True when an earlier reading of the same chart answered."""

    def __post_init__(self) -> None:
        if (self.assessment is None) == (self.degraded is None):
            raise ValueError("a reading holds either an assessment or the reason why there is none")


@dataclass(frozen=True, slots=True)
class Answered:
    """The answer to a question, or the reason why there is none, which never means "not in the chart". Exactly one of the
    two is set."""

    answer: Answer | None
    degraded: Degraded | None = None

    def __post_init__(self) -> None:
        if (self.answer is None) == (self.degraded is None):
            raise ValueError("either an answer or the reason why there is none")


class AskingClient(Protocol):
    """Hands questions about a chart over."""

    async def ask(self, question: str, chart: Chart, *, tenant: str, deadline: float) -> Answered:
        """Answer `question` from `chart` by `deadline` (`time.monotonic()` seconds of this process).

        Returns no later than the deadline, give or take the event loop's delay; never raises for an infrastructure
        fault. Nothing is kept.
        """
        ...


class ReadingClient(Protocol):
    """Hands a chart over for reading."""

    async def read(self, chart: Chart, *, tenant: str, deadline: float) -> Reading:
        """Read `chart` for `tenant` by `deadline` (`time.monotonic()` seconds of this process).

        Returns no later than the deadline, give or take the event loop's delay; never raises for an infrastructure
        fault. Work begun in time goes on after the deadline and answers the next call for the same chart.
        """
        ...

    async def precompute(self, chart: Chart, *, tenant: str) -> bool:
        """Ask for a reading that nobody waits for yet; True when it is on its way or known already.

        The first to be shed when there is much to do; never raises for an infrastructure fault.
        """
        ...

    async def close(self) -> None:
        """Let go of connections and threads; does not wait for readings under way."""
        ...


class SpareClient(ReadingClient, AskingClient, Protocol):
    """A client that another one can fall back to."""

    @property
    def ready(self) -> bool:
        """True when the model is loaded."""
        ...

    def start_loading(self) -> None:
        """Begin loading in the background; safe to call again."""
        ...
