"""A reader that is told its findings, and web processes with real cards and a real feedback database around it.

`python -m tests.cds_hooks.spelled_out PORT`: the same alone in a process that can be killed; settings by environment.
"""

from __future__ import annotations

import sys
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx

from cds_hooks.app import create_app
from cds_hooks.build_cards import EXTENSION
from cds_hooks.http_server import server
from cds_hooks.outcome import STATUS_EXTENSION
from cds_hooks.settings import Settings
from nlp_core.assessment import Assessment, Candidate, Evidence, Words
from nlp_core.chart import Chart
from nlp_core.note import Note, Span
from tests.cds_hooks.charts import SERVICE, call, document, prefetch
from tests.fhir_server import searchset
from tests.server_thread import ServerThread
from worker.client import Reading
from worker.json_log import set_up_log
from worker.local_redis import free_port


class SpelledOutClient:
    """Reads `influenza: high fever, body aches` as a diagnosis and what speaks for it, one a line."""

    ready = True

    def __init__(self, model_version: str = "spelled-out+0", *, backwards: bool = False) -> None:
        """`backwards`: the last line first."""
        self._model_version = model_version
        self._step = -1 if backwards else 1

    async def read(self, chart: Chart, *, tenant: str, deadline: float) -> Reading:
        del tenant, deadline
        note = chart.notes[0]
        lines = [line.split(": ") for line in note.text.splitlines()][:: self._step]
        return Reading(
            Assessment(
                language="en",
                candidates=tuple(_candidate(name, findings, note, chart) for name, findings in lines),
                notes_read=1,
                model_version=self._model_version,
                knowledge_version="0",
            )
        )

    async def close(self) -> None:
        return None


def _candidate(name: str, findings: str, note: Note, chart: Chart) -> Candidate:
    return Candidate(
        diagnosis=name,
        names=Words(en=name, zh=name),
        icd10cm="J11.1",
        probability=0.6,
        urgency="soon",
        problem_list="active" if any(problem.text == name for problem in chart.problems) else None,
        evidence_for=tuple(_evidence(finding, note) for finding in findings.split(", ")),
    )


def _evidence(finding: str, note: Note) -> Evidence:
    start = note.text.index(finding)
    return Evidence(
        finding=finding,
        names=Words(en=finding, zh=finding),
        present=True,
        share=1.5,
        reference=note.reference,
        span=Span(start=start, end=start + len(finding)),
        quote=finding,
    )


class Ehr:
    """A client that opens charts and reports what became of cards."""

    def __init__(self, url: str) -> None:
        self.http = httpx.Client(base_url=url, trust_env=False, timeout=30)

    def opens(self, note: str, *, user: str = "doc-7", encounter: str | None = "e-1", **more: Any) -> Answer:
        """Opens the chart with one note; `problems` are names on the problem list, `instance` repeats a call."""
        context = {"userId": f"Practitioner/{user}", "patientId": "pat-1"}
        if encounter:
            context["encounterId"] = encounter
        listed = [
            {"resourceType": "Condition", "id": f"c-{number}", "subject": {"reference": "Patient/pat-1"},
             "code": {"text": name}, "clinicalStatus": {"coding": [{"code": "active"}]}}
            for number, name in enumerate(more.get("problems", ()))
        ]  # fmt: skip
        body = call(
            context=context,
            prefetch=prefetch(document(note), problems=searchset(listed)),
            hookInstance=more.get("instance", str(uuid.uuid4())),
        )
        if "fhir_server" in more:
            body["fhirServer"] = more["fhir_server"]
        response = self.http.post(SERVICE, json=body)
        assert response.status_code == 200, response.text
        return Answer(response)

    def reports(self, answer: Answer, outcome: str = "overridden", **more: Any) -> httpx.Response:
        """Feedback about the card: overridden with `reason`, or `accepted` for the diagnosis named `what`."""
        item: dict[str, Any] = {
            "card": answer.card["uuid"],
            "outcome": outcome,
            "outcomeTimestamp": more.get("at", time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())),
        }
        if "reason" in more:
            item["overrideReason"] = {"reason": {"code": more["reason"]}, "userComment": more.get("comment", "")}
        if "what" in more:
            place = answer.names.index(more["what"])
            item["acceptedSuggestions"] = [{"id": answer.card["suggestions"][place]["uuid"]}]
        return self.http.post(f"{SERVICE}/feedback", json={"feedback": [item]})


class Answer:
    """What came back for one call."""

    def __init__(self, response: httpx.Response) -> None:
        self.content = response.content
        body = response.json()
        self.cards: list[dict[str, Any]] = body["cards"]
        self.status: dict[str, Any] = body["extension"][STATUS_EXTENSION]

    @property
    def card(self) -> dict[str, Any]:
        return self.cards[0]

    @property
    def names(self) -> list[str]:
        """Of the diagnoses shown."""
        return [one["id"] for card in self.cards for one in card["extension"][EXTENSION]["diagnoses"]]

    @property
    def reason(self) -> str:
        return str(self.status.get("reason", ""))


def eventually(holds: Callable[[], Any], seconds: float = 15) -> None:
    until = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < until
        time.sleep(0.02)


@contextmanager
def hospital(database: str, reader: SpelledOutClient | None = None, **changes: Any) -> Iterator[Ehr]:
    """A web process on `database` (its URL), in a thread; leaving it is stopping the process in order."""
    port = free_port()
    settings = Settings(development=True, feedback_database_url=database, repeat_seconds=0, **changes)
    app = create_app(settings, reader or SpelledOutClient())
    with ServerThread(server(app, host="127.0.0.1", port=port)):
        yield Ehr(f"http://127.0.0.1:{port}")


if __name__ == "__main__":
    set_up_log()
    server(create_app(Settings(), SpelledOutClient()), host="127.0.0.1", port=int(sys.argv[1])).run()
