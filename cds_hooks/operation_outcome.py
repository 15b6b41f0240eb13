"""How a call is refused: the tree of refusals, each knowing its status, and the FHIR OperationOutcome they become.

Knows HTTP statuses and FHIR issue codes. Never holds a piece of the input: every text here is written by us, so an
error body, a log line or the EHR's error store can repeat it.

    Refusal
    ├── BadRequest 400        malformed, or not what the service serves
    │   └── WrongPatient 400  data of another patient
    ├── NotTrusted 401        no body at all
    ├── Forbidden 403         a FHIR server that is not this tenant's
    ├── NotFound 404
    ├── BodyTooSlow 408
    ├── MissingData 412       required data neither supplied nor to be fetched
    ├── TooLarge 413
    ├── UnsupportedMedia 415
    └── Unavailable 503       a store that must answer does not
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Literal, Self

import orjson
from pydantic import BaseModel, ConfigDict
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from cds_hooks.audit.notes import audit_notes

NO_STORE = {"cache-control": "no-store"}


class Details(BaseModel):
    """The human-readable part of an issue (FHIR CodeableConcept, text only)."""

    text: str


class Issue(BaseModel):
    """One thing that was wrong."""

    severity: Literal["fatal", "error"] = "error"
    code: str
    """FHIR issue-type code."""
    details: Details
    diagnostics: str | None = None
    expression: list[str] | None = None
    """Paths into the request, e.g. `context.patientId`."""


class OperationOutcome(BaseModel):
    """What every answer outside 2xx carries, 401 excepted."""

    model_config = ConfigDict(json_schema_extra={"description": "Why the call was refused; holds none of its input."})

    resourceType: Literal["OperationOutcome"] = "OperationOutcome"
    issue: list[Issue]


class Refusal(Exception):
    """A call that is not answered with cards. Subclasses fix the status and the FHIR issue code."""

    status: ClassVar[int] = 500
    code: ClassVar[str] = "exception"

    def __init__(
        self, text: str, *, diagnostics: str | None = None, expression: Sequence[str] = (), close: bool = False
    ) -> None:
        """`text` and `diagnostics` are shown to the caller; `close` ends the connection after the answer."""
        super().__init__(text)
        self.text = text
        self.diagnostics = diagnostics
        self.expression = tuple(expression)
        self.close = close


class BadRequest(Refusal):
    status = 400
    code = "invalid"


class WrongPatient(BadRequest):
    code = "conflict"


class NotTrusted(Refusal):
    """`text` is for the log; the caller gets an empty body."""

    status = 401
    code = "login"


class Forbidden(Refusal):
    status = 403
    code = "forbidden"


class NotFound(Refusal):
    status = 404
    code = "not-found"


class BodyTooSlow(Refusal):
    status = 408
    code = "timeout"


class MissingData(Refusal):
    status = 412
    code = "processing"


class TooLarge(Refusal):
    status = 413
    code = "too-long"


class UnsupportedMedia(Refusal):
    status = 415
    code = "not-supported"


class TooManyRequests(Refusal):
    status = 429
    code = "throttled"

    retry_after = 1
    """Seconds after which to come back."""

    @classmethod
    def come_back_after(cls, seconds: int) -> Self:
        refusal = cls("Too many requests; come back later.")
        refusal.retry_after = seconds
        return refusal


class Unavailable(Refusal):
    status = 503
    code = "transient"


class CannotKeep(Exception):
    """A store is there and refuses something for what is in it; trying again would not help. Holds none of it."""


def outcome(
    code: str, text: str, *, diagnostics: str | None = None, expression: Sequence[str] = ()
) -> OperationOutcome:
    """An OperationOutcome with one issue of severity `error`."""
    details = Details(text=text)
    return OperationOutcome(
        issue=[Issue(code=code, details=details, diagnostics=diagnostics, expression=list(expression) or None)]
    )


def outcome_bytes(body: OperationOutcome) -> bytes:
    """Its JSON; attributes without a value are left out."""
    return orjson.dumps(body.model_dump(exclude_none=True))


def refusal_response(refusal: Refusal) -> Response:
    """The HTTP answer for a refusal."""
    headers = dict(NO_STORE)
    if refusal.close:
        headers["connection"] = "close"
    if refusal.status == 401:
        headers["www-authenticate"] = "Bearer"
        return Response(status_code=401, headers=headers)
    if isinstance(refusal, TooManyRequests):
        headers["retry-after"] = str(refusal.retry_after)
    body = outcome(refusal.code, refusal.text, diagnostics=refusal.diagnostics, expression=refusal.expression)
    return Response(outcome_bytes(body), refusal.status, headers, "application/json")


async def on_refusal(_: Request, error: Exception) -> Response:
    """Starlette's handler for Refusal."""
    if not isinstance(error, Refusal):
        raise error
    audit_notes().refusal = error.text
    return refusal_response(error)


_ROUTING_CODES = {404: "not-found", 405: "not-supported"}


async def on_http_exception(_: Request, error: Exception) -> Response:
    """Starlette's handler for its own errors (no such path, wrong method): the same shape, `Allow` kept."""
    if not isinstance(error, HTTPException):
        raise error
    code = _ROUTING_CODES.get(error.status_code, "invalid")
    text = {404: "There is nothing at this address.", 405: "This address does not serve that method."}
    body = outcome(code, text.get(error.status_code, "The request could not be understood."))
    headers = {**NO_STORE, **(error.headers or {})}
    return Response(outcome_bytes(body), error.status_code, headers, "application/json")
