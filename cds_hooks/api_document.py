"""What /openapi.json says of our routes: every status each can answer, and the bodies.

Knows OpenAPI. The handlers read bodies themselves, strictly, so FastAPI is told here what it cannot see. Only served
where the setting `docs` is on.
"""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema
from starlette.responses import Response

from cds_hooks.hook_request import HookRequest
from cds_hooks.memory.feedback import FeedbackBody
from cds_hooks.operation_outcome import OperationOutcome
from cds_hooks.outcome import HookResponse

_REFERENCE = "#/components/schemas/{model}"
_MEANINGS = {
    400: "The body or a field in it is not acceptable",
    403: "The FHIR server is not registered for this client",
    404: "No such service",
    408: "The body did not arrive in time",
    412: "Required data is neither in the prefetch nor to be had from the FHIR server",
    413: "The body is too large",
    415: "The body is not plain application/json in UTF-8",
    429: "The tenant calls too often; Retry-After says after how many seconds to come back",
    500: "The service failed",
    503: "A store that has to answer does not",
}


class ServiceEntry(BaseModel):
    """One service in discovery."""

    hook: str
    id: str
    title: str
    description: str
    usageRequirements: str
    prefetch: dict[str, str]
    version: str
    hookVersion: str


class Discovery(BaseModel):
    """The body of discovery."""

    services: list[ServiceEntry]


class Status(BaseModel):
    """The body of a health check; /readyz also says how the workers and the switches file are, where there are any."""

    status: str
    workers: str | None = None
    switches: str | None = None


def _described(summary: str, success: Any, *statuses: int, token: bool = True, body: str = "") -> dict[str, Any]:
    """Keyword arguments of `add_api_route`. `success`: model of the 200, None for an empty one."""
    responses: dict[int, Any] = {200: {"description": "Success"} | ({"model": success} if success else {})}
    if token:
        responses[401] = {"description": "No acceptable token; the body is empty"}
    for status in statuses:
        responses[status] = {"description": _MEANINGS[status], "model": OperationOutcome}
    described: dict[str, Any] = {"summary": summary, "responses": responses, "response_class": Response}
    if body:
        content = {"application/json": {"schema": {"$ref": _REFERENCE.format(model=body)}}}
        described["openapi_extra"] = {"requestBody": {"required": True, "content": content}}
    return described


_BODY_FAULTS = (400, 404, 408, 413, 415, 429, 500, 503)
DISCOVERY = _described("Discovery: the services offered", Discovery, 429, 500, 503)
CALL = _described("Call the service for a patient-view", HookResponse, 403, 412, *_BODY_FAULTS, body="HookRequest")
FEEDBACK = _described("Report what became of cards", None, *_BODY_FAULTS, body="FeedbackBody")
NOTIFICATION = _described("Tell of an event in a patient's chart, which is then read ahead", None, *_BODY_FAULTS)
HEALTH = _described("Health", Status, 500, 503, token=False)


def describe(app: FastAPI) -> None:
    """Make `app`'s OpenAPI document complete: the bodies that handlers read themselves are added to its schemas."""

    def document() -> dict[str, Any]:
        if not app.openapi_schema:
            schema = get_openapi(title=app.title, version=app.version, routes=app.routes)
            bodies = [(HookRequest, "validation"), (FeedbackBody, "validation")]
            _, definitions = models_json_schema(bodies, by_alias=True, ref_template=_REFERENCE)  # type: ignore[arg-type]
            schema["components"]["schemas"].update(definitions["$defs"])
            _drop_fastapi_validation(schema)
            app.openapi_schema = schema
        return app.openapi_schema

    app.openapi = document  # type: ignore[method-assign]  # FastAPI's own way of replacing it


def _drop_fastapi_validation(schema: dict[str, Any]) -> None:
    """FastAPI promises a 422 wherever a path has a parameter; we never answer one."""
    for path in schema["paths"].values():
        for operation in path.values():
            operation["responses"].pop("422", None)
    for unused in ("HTTPValidationError", "ValidationError"):
        schema["components"]["schemas"].pop(unused, None)
