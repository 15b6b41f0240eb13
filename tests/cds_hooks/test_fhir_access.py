"""A call that names a FHIR server which is not its own is told, and not repeated."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.cds_hooks import tokens
from tests.cds_hooks.charts import authorization, call
from tests.cds_hooks.conftest import Serve


def test_a24_a_server_that_is_not_registered_is_a_security_event(
    serve: Serve, key_file: Path, log_lines: Callable[[], list[dict[str, Any]]]
) -> None:
    own = {"tenant": "a", "jwks_file": key_file, "fhir_servers": ["https://fhir.a.example/r4"]}
    web = serve(auth=True, trusted_issuers={tokens.ISSUER: own})
    body = call(fhirServer="https://canary.example", fhirAuthorization=authorization())
    assert web.signed(body).status_code == 403
    (event,) = [line for line in log_lines() if line["event"] == "security"]
    assert (event["kind"], event["tenant"]) == ("unregistered-fhir-server", "a")
    assert event["hookInstance"] == body["hookInstance"]
    assert "canary" not in json.dumps(log_lines())
