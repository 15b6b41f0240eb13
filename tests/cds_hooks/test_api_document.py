"""The OpenAPI document tells every status and body; it is served only where set."""

from __future__ import annotations

from typing import Any

import pytest

from tests.cds_hooks.charts import SERVICE
from tests.cds_hooks.conftest import Serve, Served

PATHS = {
    ("/cds-services", "get"): {"200", "401", "429", "500", "503"},
    ("/cds-services/{service_id}", "post"): {
        "200", "400", "401", "403", "404", "408", "412", "413", "415", "429", "500", "503",
    },
    ("/cds-services/{service_id}/feedback", "post"): {
        "200", "400", "401", "404", "408", "413", "415", "429", "500", "503",
    },
    ("/healthz", "get"): {"200", "500", "503"},
    ("/readyz", "get"): {"200", "500", "503"},
}  # fmt: skip


@pytest.fixture(scope="module")
def document(web: Served) -> dict[str, Any]:
    found: dict[str, Any] = web.http.get("/openapi.json").json()
    return found


def test_every_address_and_status_is_described(document: dict[str, Any]) -> None:
    described = {(path, method) for path, methods in document["paths"].items() for method in methods}
    assert described == set(PATHS)
    for (path, method), statuses in PATHS.items():
        assert set(document["paths"][path][method]["responses"]) == statuses


def test_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    def check(value: Any) -> None:
        if isinstance(value, dict):
            if "$ref" in value:
                assert value["$ref"].removeprefix("#/components/schemas/") in document["components"]["schemas"]
            for inner in value.values():
                check(inner)
        elif isinstance(value, list):
            for inner in value:
                check(inner)

    check(document)


def test_errors_are_operation_outcomes_and_401_is_empty(document: dict[str, Any]) -> None:
    responses = document["paths"]["/cds-services/{service_id}"]["post"]["responses"]
    assert "content" not in responses["401"]
    for status in ("400", "404", "412", "429", "503"):
        schema = responses[status]["content"]["application/json"]["schema"]
        assert schema == {"$ref": "#/components/schemas/OperationOutcome"}


def test_the_request_body_is_described_by_its_wire_names(document: dict[str, Any]) -> None:
    body = document["paths"]["/cds-services/{service_id}"]["post"]["requestBody"]
    assert body["required"]
    schema = document["components"]["schemas"]["HookRequest"]
    assert set(schema["required"]) == {"hook", "hookInstance", "context"}


def test_f7_it_is_not_served_unless_set(serve: Serve) -> None:
    production = serve(development=False, auth=False)
    for path in ("/openapi.json", "/docs", "/redoc", "/metrics"):
        assert production.http.get(path).status_code == 404
    assert production.http.post(SERVICE).status_code == 415
