"""A question from the page to its answer: the form read within limits, the view's notes as a chart, the model asked.

A question goes to the model in the body of a request and comes back on the page alone: never into an address, a log, the
audit trail or a store of ours in clear. Knows no template.
"""

from __future__ import annotations

import time

from starlette.requests import Request

from cds_hooks.operation_outcome import Refusal
from cds_hooks.request_body import BodyLimits, read_form
from cds_hooks.viewer.kept_views import KeptView
from nlp_core.answers import LONGEST_QUESTION
from nlp_core.chart import Chart
from worker.client import Answered, AskingClient

ASKING_SECONDS = 5.0
"""A person waits for the page."""
FORM_LIMITS = BodyLimits(size=12 * LONGEST_QUESTION + 100, seconds=10)
"""A character outside ASCII takes up to twelve bytes in a form."""


async def question_of(request: Request) -> str | None:
    """The form's question without blanks around it; None where there is none, or too much."""
    try:
        question = " ".join((await read_form(request, FORM_LIMITS)).get("question", "").split())
    except Refusal:
        return None
    return question if 0 < len(question) <= LONGEST_QUESTION else None


async def answer_to(question: str, view: KeptView, asking: AskingClient | None) -> Answered:
    """The answer from the notes that are kept with the view."""
    if asking is None:
        return Answered(None, "queue-unavailable")
    notes = tuple(kept.note for kept in view.notes if not kept.left_out)
    chart = Chart(as_of=view.kept, notes=notes)
    return await asking.ask(question, chart, tenant=view.tenant, deadline=time.monotonic() + ASKING_SECONDS)
