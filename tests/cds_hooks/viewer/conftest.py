"""The real web process with a viewer, an EHR's authorization server, and browsers that follow redirects one by one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from cds_hooks.app import create_app
from cds_hooks.http_server import server
from cds_hooks.settings import Settings
from cds_hooks.viewer.viewer_store import ViewerStore
from nlp_core.answers import Answer
from nlp_core.assessment import Assessment, Words
from nlp_core.chart import Chart
from nlp_core.note import Span
from tests.cds_hooks.assessments import assessment, candidate, evidence
from tests.cds_hooks.charts import SERVICE, call, document, prefetch
from tests.cds_hooks.stand_ins import PlainFeedback
from tests.cds_hooks.viewer.smart_server import CLIENT_ID, SignedIn, SmartServer
from tests.server_thread import ServerThread
from worker.client import Answered, Reading
from worker.local_redis import free_port

TEXT = "High fever since Monday. Canary-dry cough and body aches. Denies chest pain."
Answering = Callable[[Chart], Assessment]


def cited(chart: Chart) -> Assessment:
    """Two diagnoses with the words of the newest note."""
    note = chart.notes[0]
    speaks = (evidence("High fever", note=note), evidence("body aches", note=note))
    denies = (evidence("chest pain", share=-0.5, present=False, note=note),)
    one = candidate(evidence_for=speaks, evidence_against=denies)
    other = candidate("Common cold", "J00", evidence_for=speaks[:1], evidence_against=(), probability=0.2)
    return assessment(one, other, notes_read=len(chart.notes), newest_note=note.date)


def twenty(chart: Chart) -> Assessment:
    """Twenty diagnoses, each with eight lines of evidence."""
    given = cited(chart)
    (one, *_) = given.candidates
    many = tuple(
        one.model_copy(
            update={
                "evidence_for": one.evidence_for * 3,
                "evidence_against": one.evidence_against * 2,
                "diagnosis": f"d{n}",
                "names": Words(en=f"Diagnosis number {n}", zh=f"诊断{n}"),
            }
        )
        for n in range(20)
    )
    return given.model_copy(update={"candidates": many})


@dataclass
class CitingClient:
    """A reading client that answers with what it is told."""

    answer: Answering = cited

    async def read(self, chart: Chart, *, tenant: str, deadline: float) -> Reading:
        del tenant, deadline
        return Reading(self.answer(chart))

    async def ask(self, question: str, chart: Chart, *, tenant: str, deadline: float) -> Answered:
        """Quotes the newest note that holds the question's words; `away` has the model away."""
        del tenant, deadline
        if question == "away":
            return Answered(None, "queue-unavailable")
        for note in chart.notes:
            start = note.text.find(question)
            if start >= 0:
                span = Span(start=start, end=start + len(question))
                return Answered(
                    Answer(found_in="chart", quote=question, reference=note.reference, span=span, notes_read=1)
                )
        return Answered(Answer(found_in="nowhere", notes_read=len(chart.notes)))

    async def close(self) -> None:
        return None


@dataclass
class Visitor:
    """A browser without a screen: cookies, and no redirect followed unasked."""

    url: str
    http: httpx.Client = field(default_factory=lambda: httpx.Client(trust_env=False, timeout=20))

    def get(self, url: str, **headers: str) -> httpx.Response:
        return self.http.get(self._absolute(url), headers=headers)

    def post(self, url: str, **headers: str) -> httpx.Response:
        return self.http.post(self._absolute(url), headers=headers)

    def ask(self, page: httpx.Response, question: str, *, language: str = "en", **headers: str) -> httpx.Response:
        """The page that answers, asked as its form asks."""
        address = f"{page.url.path}/questions?lang={language}"
        return self.http.post(self._absolute(address), data={"question": question}, headers=headers)

    def to_callback(self, iss: str, launch: str | None = None) -> str:
        """Launches and signs in; the address that the sign-in sends the browser back to."""
        parameters = {"iss": iss} | ({"launch": launch} if launch else {})
        begun = self.http.get(f"{self.url}/viewer/launch", params=parameters)
        assert begun.status_code == 303, begun.text
        signed_in = self.http.get(begun.headers["location"])
        assert signed_in.status_code == 302, signed_in.text
        return str(signed_in.headers["location"])

    def arrive(self, iss: str, launch: str | None = None) -> httpx.Response:
        """The callback's answer."""
        return self.http.get(self.to_callback(iss, launch))

    def open(self, iss: str, launch: str | None = None) -> httpx.Response:
        """The page."""
        arrived = self.arrive(iss, launch)
        return self.get(arrived.headers["location"]) if arrived.status_code == 303 else arrived

    def _absolute(self, url: str) -> str:
        return url if url.startswith("http") else self.url + url


@dataclass
class Viewing:
    """A web process with a viewer, and the EHR it is registered at."""

    url: str
    smart: SmartServer
    reader: CitingClient
    http: httpx.Client

    def visitor(self) -> Visitor:
        return Visitor(self.url)

    def link(
        self,
        *,
        user: str = "Practitioner/7",
        patient: str = "pat-1",
        documents: Sequence[dict[str, Any]] = (),
        **changes: Any,
    ) -> Any:
        """The viewer's link on a fresh card; None where the card has none."""
        body = call(fhirServer=self.smart.url, context={"userId": user, "patientId": patient})
        body["prefetch"] = prefetch(*(documents or [document(TEXT, of=patient)]))
        body["prefetch"]["patient"]["id"] = patient
        answer = self.http.post(SERVICE, json=body | changes)
        (card,) = answer.json()["cards"]
        return next((link for link in card["links"] if link["type"] == "smart"), None)

    def launch(self, *, user: str = "Practitioner/7", patient: str = "pat-1", app_context: Any = None) -> str:
        """The `launch` of an EHR launch from that link."""
        return self.smart.launch(SignedIn(user, patient, app_context))

    def address(self, **link: Any) -> str:
        """What the EHR opens when the link of a fresh card is clicked."""
        launch = self.launch(app_context=self.link(**link)["appContext"])
        return f"{self.url}/viewer/launch?iss={quote(self.smart.url)}&launch={launch}"

    def opened(self, **link: Any) -> tuple[Visitor, httpx.Response]:
        """A visitor on the page of a fresh card."""
        visitor = self.visitor()
        page = visitor.open(self.smart.url, self.launch(app_context=self.link(**link)["appContext"]))
        assert page.status_code == 200, page.text
        return visitor, page


Serve = Callable[..., Viewing]


@pytest.fixture(scope="module")
def serve_viewer() -> Iterator[Serve]:
    """`serve_viewer(viewer_keep_seconds=1, …)`; everything ends with the module."""
    with ExitStack() as running:

        def start(
            *,
            client: dict[str, Any] | None = None,
            smart: SmartServer | None = None,
            store: ViewerStore | None = None,
            **changes: Any,
        ) -> Viewing:
            port = free_port()
            url = f"http://127.0.0.1:{port}"
            smart = smart or running.enter_context(SmartServer())
            one = {"tenant": "local", "client_id": CLIENT_ID} | (client or {})
            given = {"development": True, "public_base_url": url, "fhir_servers": (smart.url,), "deadline_ms": 30_000}
            settings = Settings(**(given | {"viewer_clients": {smart.url: one}} | changes))
            reader = CitingClient()
            app = create_app(settings, reader, feedback=PlainFeedback(), viewer_store=store)
            running.enter_context(ServerThread(server(app, host="127.0.0.1", port=port)))
            http = running.enter_context(httpx.Client(base_url=url, trust_env=False, timeout=30))
            return Viewing(url, smart, reader, http)

        yield start


@pytest.fixture(scope="module")
def viewing(serve_viewer: Serve) -> Viewing:
    return serve_viewer()
