"""The web process with a reader that answers at once, so that only the protocol's own cost is left."""

from __future__ import annotations

import sys

from cds_hooks.app import create_app
from cds_hooks.http_server import server
from cds_hooks.settings import Settings
from nlp_core.assessment import Assessment, Candidate, Evidence, Words
from nlp_core.chart import Chart
from nlp_core.note import Span
from worker.client import Reading
from worker.json_log import set_up_log


class InstantClient:
    """Suggests the common cold for the newest note's first word."""

    async def read(self, chart: Chart, *, tenant: str, deadline: float) -> Reading:
        del tenant, deadline
        note = chart.notes[0]
        span = Span(start=1, end=12)
        evidence = Evidence(
            finding="cough", names=Words(en="cough", zh="咳嗽"), present=True, share=1.5, reference=note.reference,
            span=span, quote=note.quote(span), kind=note.kind, date=note.date,
        )  # fmt: skip
        candidate = Candidate(
            diagnosis="common_cold", names=Words(en="Common cold", zh="普通感冒"), icd10cm="J00", probability=0.5,
            urgency="routine", evidence_for=(evidence,),
        )  # fmt: skip
        assessment = Assessment(
            language="en", candidates=(candidate,), notes_read=len(chart.notes), newest_note=note.date,
            model_version="instant+0", knowledge_version="0",
        )  # fmt: skip
        return Reading(assessment, None)

    async def precompute(self, chart: Chart, *, tenant: str) -> bool:
        del chart, tenant
        return True

    async def close(self) -> None:
        return None


if __name__ == "__main__":
    set_up_log()
    settings = Settings(
        development=True, feedback_database_url="sqlite://"
    )  # whether tokens are asked for: DXSPAN_AUTH
    server(create_app(settings, InstantClient()), host="127.0.0.1", port=int(sys.argv[1])).run()
