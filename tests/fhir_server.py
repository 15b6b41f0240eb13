"""A small FHIR server on loopback: searches with paging, reads, Binary, a token to check, and faults on demand.

Serves plain JSON resources from a list. Records every request, so that a test can say what was asked and with what.
"""

from __future__ import annotations

import asyncio
import base64
import gzip
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import Route

from tests.server_thread import LoopbackServer
from worker.local_redis import free_port

Resource = dict[str, Any]
Fault = (
    Literal[
        "slow",
        "drip",
        "endless",
        "huge",
        "gzip",
        "html",
        "outcome",
        "other-patient",
        "redirect",
        "next-elsewhere",
        "not-json",
        "a-list",
    ]
    | int
    | Response
)
"""A status, a way to misbehave, or exactly this answer."""
FHIR_JSON = "application/fhir+json"
TOKEN = "canary-fhir-token-5f1d"


@dataclass(frozen=True)
class Asked:
    """One request that came in."""

    path: str
    query: str
    authorization: str
    accept: str
    accept_encoding: str


@dataclass
class FhirServer(LoopbackServer):
    """`with FhirServer([...]) as fhir:` serves at `fhir.url`."""

    resources: Sequence[Resource]
    faults: dict[str, Fault] = field(default_factory=dict)
    """By resource type."""
    page_size: int = 1000
    slow_seconds: float = 3.0
    asked: list[Asked] = field(default_factory=list)
    port: int = field(default_factory=free_port)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/fhir"

    def paths(self) -> list[str]:
        return [asked.path for asked in self.asked]

    def routes(self) -> list[Route]:
        return [
            Route("/fhir/{type}", self._search),
            Route("/fhir/{type}/{id}", self._read),
            Route("/{rest:path}", self._none),
        ]

    async def _search(self, request: Request) -> Response:
        refused = self._note(request)
        if refused:
            return refused
        kind = request.path_params["type"]
        if kind in self.faults:
            return await self._misbehave(self.faults[kind], kind)
        patient, category = request.query_params.get("patient"), request.query_params.get("category")
        found = [one for one in self.resources if one["resourceType"] == kind and _about(one, patient, category)]
        start = int(request.query_params.get("page", "0")) * self.page_size
        bundle = searchset(found[start : start + self.page_size])
        if start + self.page_size < len(found):
            page = start // self.page_size + 1
            bundle["link"] = [{"relation": "next", "url": f"{self.url}/{kind}?patient={patient}&page={page}"}]
        return JSONResponse(bundle, media_type=FHIR_JSON)

    async def _read(self, request: Request) -> Response:
        refused = self._note(request)
        if refused:
            return refused
        kind, identifier = request.path_params["type"], request.path_params["id"]
        if kind in self.faults:
            return await self._misbehave(self.faults[kind], kind)
        for one in self.resources:
            if one["resourceType"] == kind and one["id"] == identifier:
                if kind == "Binary" and "json" not in request.headers.get("accept", "").split(",")[0]:
                    return Response(base64.b64decode(one["data"]), media_type=one["contentType"])
                return JSONResponse(one, media_type=FHIR_JSON)
        return JSONResponse({"resourceType": "OperationOutcome", "issue": []}, 404)

    async def _none(self, request: Request) -> Response:
        self._note(request)
        return Response(status_code=404)

    def _note(self, request: Request) -> Response | None:
        headers = request.headers
        said = (headers.get("authorization", ""), headers.get("accept", ""), headers.get("accept-encoding", ""))
        self.asked.append(Asked(request.url.path, request.url.query, *said))
        return None if said[0] == f"Bearer {TOKEN}" else Response(status_code=401)

    async def _misbehave(self, fault: Fault, kind: str) -> Response:
        if isinstance(fault, Response):
            return fault
        if isinstance(fault, int):
            return _of_status(fault)
        if fault == "slow":
            await asyncio.sleep(self.slow_seconds)
        if fault in ("drip", "endless"):
            return StreamingResponse(_trickle(0.2 if fault == "drip" else 0.0), media_type=FHIR_JSON)
        if fault == "html":
            return Response("<html>sign in</html>", media_type="text/html")
        if fault == "redirect":
            return RedirectResponse(f"http://127.0.0.1:{self.port}/elsewhere")
        if fault == "gzip":
            headers = {"content-encoding": "gzip"}
            return Response(gzip.compress(b" " * 20_000_000), media_type=FHIR_JSON, headers=headers)
        if fault == "huge":
            return Response(b'{"a":"' + b"x" * 8_000_000 + b'"}', media_type=FHIR_JSON)
        if fault in ("not-json", "a-list"):
            return Response(b"[]" if fault == "a-list" else b'{"canary": NaN', media_type=FHIR_JSON)
        return JSONResponse(self._odd(fault, kind), media_type=FHIR_JSON)

    def _odd(self, fault: str, kind: str) -> Resource:
        """A well-formed answer that is not the one asked for."""
        other = {"resourceType": "Patient", "id": "someone-else", "birthDate": "1950-01-01"}
        issue = {"severity": "error", "code": "exception", "diagnostics": "canary-diagnostics"}
        same = searchset([one for one in self.resources if one["resourceType"] == kind])
        elsewhere = {"relation": "next", "url": f"http://127.0.0.1:{self.port}/fhirevil/{kind}"}
        answers: dict[str, Resource] = {
            "outcome": {"resourceType": "OperationOutcome", "issue": [issue]},
            "other-patient": other if kind == "Patient" else searchset([other]),
            "next-elsewhere": same | {"link": [elsewhere]},
        }
        return answers.get(fault, searchset([]))


async def _trickle(pause: float) -> AsyncIterator[bytes]:
    yield b'{"resourceType":"Bundle","x":"'
    for _ in range(100_000):
        await asyncio.sleep(pause)
        yield b"x" * (1 if pause else 65_536)


def _about(resource: Resource, patient: str | None, category: str | None) -> bool:
    subject = resource.get("subject") or resource.get("patient") or {}
    codes = [coding["code"] for one in resource.get("category", []) for coding in one.get("coding", [])]
    return subject.get("reference") == f"Patient/{patient}" and (category is None or category in codes)


def searchset(resources: Sequence[Resource]) -> Resource:
    """A Bundle as a search answers it."""
    return {"resourceType": "Bundle", "type": "searchset", "entry": [{"resource": resource} for resource in resources]}


def _of_status(status: int) -> Response:
    """204 and 304 have no body: with one, the connection would be worth nothing to the next request."""
    if status in (204, 304):
        return Response(status_code=status)
    return JSONResponse({"resourceType": "OperationOutcome", "issue": []}, status)
