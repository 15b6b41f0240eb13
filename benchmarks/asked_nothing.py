"""What the readers of benchmarks share: they read charts and are asked no question."""

from __future__ import annotations

from nlp_core.answers import Answer
from nlp_core.chart import Chart


class AskedNothing:
    """The half of a worker's reader that no benchmark calls."""

    def answer(self, question: str, chart: Chart, *, deadline: float | None = None) -> Answer:
        """Raises NotImplementedError: a benchmark that asks brings its own."""
        raise NotImplementedError("this reader answers no questions")
