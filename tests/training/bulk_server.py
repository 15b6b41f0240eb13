"""A FHIR server's bulk export over real HTTP on loopback, as the Bulk Data Access guide and SMART Backend Services have it.

Kick-off by GET (STU2) or POST alone (the newer guide), polling, pages of the manifest, files that need a token, tokens for
a signed client assertion whose `jti` is taken once. As strict as the guide lets a server be: headers, media types, parameters that it
does not know and an assertion's claims are refused. What goes wrong is set on `Bulk`; what was asked is in `asked`.
"""

from __future__ import annotations

import json
import threading
import time
import uuid
from collections import defaultdict, deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs

import jwt
import uvicorn
from fastapi import FastAPI, Request, Response

from tests.server_thread import ServerThread

Hiccup = tuple[int, dict[str, str]]
TRANSACTION_TIME = "2026-11-20T10:00:00Z"
FHIR_JSON = "application/fhir+json"
NDJSON = "application/fhir+ndjson"
ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
KNOWN = frozenset({"_outputFormat", "_type", "_since", "_typeFilter", "patient", "allowPartialManifests"})
"""Parameters of a kick-off; others are refused unless the client asks for lenience."""
KNOWN_TYPES = frozenset(
    "Patient Encounter Condition DocumentReference DiagnosticReport Observation MedicationRequest AllergyIntolerance"
    " Procedure FamilyMemberHistory".split()
)


def rows(*resources: Mapping[str, Any]) -> bytes:
    """NDJSON."""
    return b"".join(json.dumps(resource).encode() + b"\n" for resource in resources)


@dataclass
class Bulk:
    """One server's data and manners."""

    files: Mapping[str, Sequence[bytes]]
    """Resource type -> the content of each of its files."""
    newer: bool = False
    """POST alone, `outcome` for `error`."""
    public_key: Any = None
    """The registered client's; None = nobody needs a token."""
    client_id: str = "data-team"
    algorithm: str = "ES384"
    lifetime: int = 300
    busy: int = 0
    """Polls answered 202."""
    files_per_page: int = 0
    errors: bytes = b""
    deleted: bytes = b""
    wrong_counts: bool = False
    signed_files: bool = False
    """Files need a fresh URL and no token."""
    retry_after: str = "0"
    hiccups: dict[str, deque[Hiccup]] = field(default_factory=lambda: defaultdict(deque))
    """`kick-off`, `status`, `file`, `token` -> answers that come first."""
    cut: dict[str, int] = field(default_factory=dict)
    """File -> how often it breaks off half-way."""
    binaries: Mapping[str, bytes] = field(default_factory=dict)
    """Binary id -> its text."""
    held: threading.Event | None = None
    """Files after the first wait for it."""
    asked: list[tuple[str, str]] = field(default_factory=list)
    base: str = ""
    kicked_off: list[dict[str, Any]] = field(default_factory=list)
    tokens: dict[str, float] = field(default_factory=dict)
    jtis: set[str] = field(default_factory=set)
    authorizations: list[str] = field(default_factory=list)
    cancelled: bool = False
    signature: str = "first"
    polled: int = 0

    def expire_urls(self) -> None:
        """URLs handed out so far lead nowhere any more; a fresh manifest has others."""
        self.signature = uuid.uuid4().hex

    def expire_tokens(self) -> None:
        self.tokens.clear()

    def asked_for(self, kind: str) -> list[str]:
        return [path for what, path in self.asked if what == kind]

    def hiccup(self, kind: str) -> Response | None:
        if not self.hiccups[kind]:
            return None
        status, headers = self.hiccups[kind].popleft()
        code = {429: "throttled", 400: "invalid"}.get(status, "transient")
        return outcome(status, code, headers)

    def may(self, request: Request) -> bool:
        sent = request.headers.get("authorization", "")
        self.authorizations.append(sent)
        if self.public_key is None:
            return True
        return time.time() < self.tokens.get(sent.removeprefix("Bearer "), 0)

    def listed(self) -> list[dict[str, Any]]:
        found = []
        for kind, parts in self.files.items():
            for place, content in enumerate(parts):
                count = content.count(b"\n") + (1 if self.wrong_counts else 0)
                url = f"{self.base}/files/{kind}-{place}?signature={self.signature}"
                found.append({"type": kind, "url": url, "count": count})
        return found

    def manifest(self, page: int) -> dict[str, Any]:
        files, size = self.listed(), self.files_per_page
        shown = files[page * size : (page + 1) * size] if size else files

        def extra(name: str, kind: str, content: bytes) -> list[dict[str, Any]]:
            url = f"{self.base}/files/{name}?signature={self.signature}"
            return [{"type": kind, "url": url}] if content and page == 0 else []

        found: dict[str, Any] = {
            "transactionTime": TRANSACTION_TIME,
            "request": f"{self.base}/Patient/$export",
            "requiresAccessToken": self.public_key is not None and not self.signed_files,
            "output": shown,
            "deleted": extra("deleted", "Bundle", self.deleted),
            "outcome" if self.newer else "error": extra("errors", "OperationOutcome", self.errors),
        }
        if size and (page + 1) * size < len(files):
            found["link"] = [{"relation": "next", "url": f"{self.base}/status/1?page={page + 1}"}]
        return found


def outcome(status: int, code: str, headers: Mapping[str, str] | None = None) -> Response:
    """An OperationOutcome that says more than a client may repeat."""
    issue = {"severity": "error", "code": code, "diagnostics": "patient Zebulon Quill, MRN 8005551"}
    body = json.dumps({"resourceType": "OperationOutcome", "issue": [issue]})
    return Response(body, status, dict(headers or {}), media_type=FHIR_JSON)


@contextmanager
def serving(bulk: Bulk) -> Iterator[Bulk]:
    """Serves `bulk`, whose `base` is set."""
    app = FastAPI()
    _add_kick_off(app, bulk)
    _add_status(app, bulk)
    _add_files(app, bulk)
    _add_tokens(app, bulk)
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="critical", lifespan="off"))
    with ServerThread(server):
        port = server.servers[0].sockets[0].getsockname()[1]
        bulk.base = f"http://127.0.0.1:{port}/fhir"
        yield bulk


def _add_kick_off(app: FastAPI, bulk: Bulk) -> None:
    async def begun(request: Request) -> Response:
        bulk.asked.append(("kick-off", f"{request.method} {request.url.path}"))
        if not bulk.may(request):
            return outcome(401, "login")
        if slip := bulk.hiccup("kick-off"):
            return slip
        if bulk.newer and request.method == "GET":
            return outcome(405, "not-supported")
        body = json.loads(await request.body()) if request.method == "POST" else None
        if wrong := not_as_the_guide_says(request, body):
            return wrong
        query = {name: request.query_params.getlist(name) for name in request.query_params}
        bulk.kicked_off.append({"parameters": body["parameter"]} if body else query)
        return Response(status_code=202, headers={"Content-Location": f"{bulk.base}/status/1"})

    for path in ("/fhir/$export", "/fhir/Patient/$export", "/fhir/Group/{group}/$export"):
        app.add_api_route(path, begun, methods=["GET", "POST"])


def not_as_the_guide_says(request: Request, body: Any) -> Response | None:
    """The refusal of a kick-off whose headers or parameters are wrong. body: of a POST."""
    prefer, headers = request.headers.get("prefer", ""), request.headers
    if body is not None:
        asked = {one["name"]: next(str(one[key]) for key in one if key != "name") for one in body["parameter"]}
    else:
        asked = dict(request.query_params)
    unknown = asked.keys() - KNOWN or set(filter(None, asked.get("_type", "").split(","))) - KNOWN_TYPES
    refusals = (
        ("respond-async" not in prefer, 400, "required"),
        (FHIR_JSON not in headers.get("accept", ""), 406, "not-supported"),
        (body is not None and headers.get("content-type") != FHIR_JSON, 415, "not-supported"),
        (unknown and "handling=lenient" not in prefer, 400, "not-supported"),
        (asked.get("_outputFormat", NDJSON) not in (NDJSON, "application/ndjson", "ndjson"), 400, "not-supported"),
    )
    return next((outcome(status, code) for is_wrong, status, code in refusals if is_wrong), None)


def _add_status(app: FastAPI, bulk: Bulk) -> None:
    async def status(request: Request) -> Response:
        bulk.asked.append(("status", f"{request.method} {request.url.query}"))
        if not bulk.may(request):
            return outcome(401, "login")
        if slip := bulk.hiccup("status"):
            return slip
        if request.method == "GET" and "json" not in request.headers.get("accept", ""):
            return outcome(406, "not-supported")
        if bulk.cancelled:
            return outcome(404, "not-found")
        if request.method == "DELETE":
            bulk.cancelled = True
            return Response(status_code=202)
        bulk.polled += 1
        if bulk.polled <= bulk.busy:
            headers = {
                "X-Progress": f"{100 * bulk.polled // (bulk.busy + 1)}% of Zebulon Quill",
                "Retry-After": bulk.retry_after,
            }
            return Response(status_code=202, headers=headers)
        page = int(request.query_params.get("page", 0))
        return Response(
            json.dumps(bulk.manifest(page)),
            headers={"Expires": "Fri, 27 Nov 2026 10:00:00 GMT"},
            media_type="application/json",
        )

    app.add_api_route("/fhir/status/1", status, methods=["GET", "DELETE"])


def _add_files(app: FastAPI, bulk: Bulk) -> None:
    def file(name: str, request: Request) -> Response:  # no coroutine: it may wait
        bulk.asked.append(("file", name))
        if not bulk.signed_files and not bulk.may(request):
            return outcome(401, "login")
        accepts = any(taken in request.headers.get("accept", "") for taken in (NDJSON, "*/*"))
        return bulk.hiccup("file") or (sent(name, request) if accepts else outcome(406, "not-supported"))

    def sent(name: str, request: Request) -> Response:
        if request.query_params.get("signature") != bulk.signature:
            return outcome(404, "not-found")
        if bulk.held and len(bulk.asked_for("file")) > 1:
            bulk.held.wait(30)
        content = {"deleted": bulk.deleted, "errors": bulk.errors}.get(name)
        if content is None:
            kind, _, place = name.partition("-")
            content = bulk.files[kind][int(place)]
        whole = str(len(content))
        if bulk.cut.get(name, 0) > 0:
            bulk.cut[name] -= 1
            content = content[: len(content) // 2]
        return Response(content, headers={"Content-Length": whole}, media_type="application/fhir+ndjson")

    def binary(identity: str, request: Request) -> Response:
        bulk.asked.append(("binary", identity))
        if not bulk.may(request):
            return outcome(401, "login")
        content = bulk.binaries.get(identity)
        return outcome(404, "not-found") if content is None else Response(content, media_type="text/plain")

    app.add_api_route("/fhir/files/{name}", file, methods=["GET"])
    app.add_api_route("/fhir/Binary/{identity}", binary, methods=["GET"])


def wrong_form(form: Mapping[str, str], request: Request) -> str:
    """OAuth's word for what a client's form lacks; "" where it is whole. The assertion's signature and claims are looked at after."""
    if form.get("grant_type") != "client_credentials":
        return "unsupported_grant_type"
    if request.headers.get("content-type") != "application/x-www-form-urlencoded" or not form.get("scope"):
        return "invalid_request"
    if form.get("client_assertion_type") != ASSERTION_TYPE:
        return "invalid_request"
    header = jwt.get_unverified_header(form["client_assertion"])
    return "" if header.get("typ") == "JWT" and header.get("kid") else "invalid_client"


def _add_tokens(app: FastAPI, bulk: Bulk) -> None:
    async def configuration() -> dict[str, Any]:
        return {
            "token_endpoint": f"{bulk.base}/token",
            "token_endpoint_auth_methods_supported": ["private_key_jwt"],
            "token_endpoint_auth_signing_alg_values_supported": [bulk.algorithm],
            "capabilities": ["client-confidential-asymmetric", "permission-v2" if bulk.newer else "permission-v1"],
        }

    async def metadata() -> dict[str, Any]:
        operation = {
            "name": "export",
            "definition": "http://hl7.org/fhir/uv/bulkdata/OperationDefinition/patient-export",
        }
        rest = {"mode": "server", "resource": [{"type": "Patient", "operation": [operation]}]}
        return {"resourceType": "CapabilityStatement", "status": "active", "kind": "instance", "rest": [rest]}

    app.add_api_route("/fhir/.well-known/smart-configuration", configuration, methods=["GET"])
    app.add_api_route("/fhir/metadata", metadata, methods=["GET"])

    def refused(code: str) -> Response:
        return Response(
            json.dumps({"error": code, "error_description": "Zebulon Quill"}), 400, media_type="application/json"
        )

    async def token(request: Request) -> Response:
        form = {name: values[0] for name, values in parse_qs((await request.body()).decode()).items()}
        bulk.asked.append(("token", form.get("scope", "")))
        if wrong := wrong_form(form, request):
            return refused(wrong)
        try:
            claims = jwt.decode(
                form["client_assertion"], bulk.public_key, algorithms=[bulk.algorithm], audience=f"{bulk.base}/token",
                options={"require": ["exp", "jti", "iss", "sub", "aud"]},
            )  # fmt: skip
        except jwt.PyJWTError:
            return refused("invalid_client")
        if {claims["iss"], claims["sub"]} != {bulk.client_id} or claims["exp"] > time.time() + 300:
            return refused("invalid_client")
        if claims["jti"] in bulk.jtis:
            return refused("invalid_grant")
        bulk.jtis.add(claims["jti"])
        if slip := bulk.hiccup("token"):
            return slip
        value = f"secret-{uuid.uuid4().hex}"
        bulk.tokens[value] = time.time() + bulk.lifetime
        answer = {"access_token": value, "token_type": "bearer", "expires_in": bulk.lifetime, "scope": form["scope"]}
        return Response(json.dumps(answer), media_type="application/json")

    app.add_api_route("/fhir/token", token, methods=["POST"])
