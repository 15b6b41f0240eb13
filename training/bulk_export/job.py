"""One `$export` at a server: begun, waited for, its pages read, cancelled.

Knows both kick-offs, the GET of STU2 and the POST of Parameters that newer servers take, and what a status answer says.
Does not fetch files (download).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import urlencode

import orjson

from training.bulk_export.failures import ExportFailure, Refused, codes_of
from training.bulk_export.manifest import MOST_PAGES, ManifestReader, Page
from training.bulk_export.server import TRIES, Answer, Server, refusal

KickOff = Literal["auto", "get", "post"]
_PERCENT = re.compile(r"(\d{1,3})(?:\.\d+)?\s*%")
_ID = re.compile(r"[A-Za-z0-9.-]{1,64}")
_OTHER_WAY = (404, 405, 501)
"""Answers to a GET that mean that only POST begins an export."""


@dataclass(frozen=True, slots=True)
class ExportRequest:
    """What is asked for. `level`: `system`, `patient`, or the id of a Group."""

    level: str = "patient"
    types: tuple[str, ...] = ()
    since: str = ""
    filters: tuple[str, ...] = ()
    """FHIR queries, `Condition?category=encounter-diagnosis`."""
    patients: tuple[str, ...] = ()
    """Ids; they can be named in a POST alone."""
    lenient: bool = False
    partial: bool = False
    """The server may split its manifest."""

    def path(self) -> str:
        """Raises ExportFailure for a Group id that is none."""
        if self.level in ("system", "patient"):
            return {"system": "$export", "patient": "Patient/$export"}[self.level]
        if not _ID.fullmatch(self.level):
            raise ExportFailure("the Group is named by its FHIR id: letters, digits, `-` and `.`, up to 64")
        return f"Group/{self.level}/$export"

    def query(self) -> str:
        pairs = [("_outputFormat", "application/fhir+ndjson")]
        pairs += [("_type", ",".join(self.types))] if self.types else []
        pairs += [("_since", self.since)] if self.since else []
        pairs += [("_typeFilter", one) for one in self.filters]
        pairs += [("allowPartialManifests", "true")] if self.partial else []
        return urlencode(pairs)

    def parameters(self) -> bytes:
        listed: list[dict[str, Any]] = [{"name": "_outputFormat", "valueString": "application/fhir+ndjson"}]
        listed += [{"name": "_type", "valueString": ",".join(self.types)}] if self.types else []
        listed += [{"name": "_since", "valueInstant": self.since}] if self.since else []
        listed += [{"name": "_typeFilter", "valueString": one} for one in self.filters]
        listed += [{"name": "patient", "valueReference": {"reference": f"Patient/{one}"}} for one in self.patients]
        listed += [{"name": "allowPartialManifests", "valueBoolean": True}] if self.partial else []
        return orjson.dumps({"resourceType": "Parameters", "parameter": listed})


def kick_off(server: Server, request: ExportRequest, how: KickOff = "auto") -> str:
    """Begins the export; returns its status URL. Raises ExportFailure."""
    if request.patients and how == "get":
        raise ExportFailure("single patients can be named in a POST alone")
    url = f"{server.base}/{request.path()}"
    if how == "get" or (how == "auto" and not request.patients):
        try:
            return _begun(server, "GET", f"{url}?{request.query()}", request, None)
        except Refused as refused:
            if how == "get" or refused.status not in _OTHER_WAY:
                raise
    return _begun(server, "POST", url, request, request.parameters())


def _begun(server: Server, method: str, url: str, request: ExportRequest, content: bytes | None) -> str:
    prefer = "respond-async, handling=lenient" if request.lenient else "respond-async"
    headers = {"accept": "application/fhir+json", "prefer": prefer}
    if content:
        headers["content-type"] = "application/fhir+json"
    answer = server.ask(
        method, url, "the kick-off", headers=headers, content=content, accepted=lambda answer: answer.status == 202
    )
    status_url: str = answer.headers.get("content-location", "")
    if not status_url:
        raise ExportFailure(
            "the kick-off was taken, but the answer has no Content-Location: the export cannot be followed"
        )
    return status_url


@dataclass(frozen=True, slots=True)
class Waiting:
    """`percent` None where the server names none."""

    percent: int | None
    seconds: float


def finished(
    server: Server, url: str, tell: Callable[[Waiting], None], *, until: float = float("inf")
) -> tuple[Any, str]:
    """Asks for the status until the export is finished; returns the manifest's JSON and the `Expires` header.

    `until`: the server's clock of waits after which this ends. Raises Gone, Refused, Unreachable, ExportFailure.
    """
    asked = transient = 0
    while True:
        answer = server.ask(
            "GET", url, "the export's status", headers={"accept": "application/json"}, accepted=lambda _: True
        )
        if answer.status == 200:
            return answer.value, answer.headers.get("expires", "")
        if answer.status != 202:
            transient += 1
            if transient >= TRIES or not _may_pass(answer):
                raise refusal("the export's status", answer.status, answer.value)
        if server.waits.now() > until:
            raise ExportFailure("the server is still at work; run the same command again to go on waiting")
        tell(Waiting(_percent(answer), server.waits.wait(answer.headers.get("retry-after"), asked)))
        asked += 1


def pages(server: Server, first: Any, tell: Callable[[Waiting], None]) -> Iterator[Page]:
    """The manifest and every page after it, each waited for."""
    reader = ManifestReader()
    value, seen = first, set[str]()
    while True:
        page = reader.page(value)
        yield page
        if not page.next_url:
            return
        if page.next_url in seen or len(seen) >= MOST_PAGES:
            raise ExportFailure("the server's manifest pages lead in a circle")
        seen.add(page.next_url)
        value, _ = finished(server, page.next_url, tell)


def cancel(server: Server, status_url: str) -> None:
    """Tells the server to stop and to delete what it made. Raises Gone where it knows of no such export."""
    server.ask(
        "DELETE", status_url, "the cancellation", headers={"accept": "application/fhir+json"},
        accepted=lambda answer: answer.status in (200, 202, 204),
    )  # fmt: skip


def _may_pass(answer: Answer) -> bool:
    """Does the server say that this failure is not the export's?"""
    return answer.status == 429 or "transient" in codes_of(answer.value)


def _percent(answer: Answer) -> int | None:
    """Of `X-Progress`, whose other words are not repeated."""
    match = _PERCENT.search(answer.headers.get("x-progress", "")[:200])
    return min(int(match[1]), 100) if match else None
