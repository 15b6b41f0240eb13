"""A patient-view service as HealthChain's own template writes it: `python serve_healthchain.py PORT [--fhir]`.

Runs under the peers' Python and imports nothing of ours. The handler answers with a fixed card; with --fhir it first
converts the prefetch into FHIR objects, by the function HealthChain has for that. Its `Bundle` is FHIR R5 by default,
which refuses R4 resources, so R4B is chosen as its docs say for such data; a conversion that fails ends in a 500.
"""

from __future__ import annotations

import logging
import sys

import uvicorn
from healthchain.fhir import convert_prefetch_to_fhir_objects
from healthchain.fhir.version import FHIRVersion, set_default_version
from healthchain.gateway import HealthChainAPI
from healthchain.gateway.cds import CDSHooksService
from healthchain.models.requests.cdsrequest import CDSRequest
from healthchain.models.responses.cdsresponse import CDSResponse

port, to_fhir = int(sys.argv[1]), "--fhir" in sys.argv
logging.disable(logging.INFO)
set_default_version(FHIRVersion.R4B)
app = HealthChainAPI(title="Benchmark")
cds = CDSHooksService()
converted = {"all": True}


@cds.hook("patient-view", id="patient-view", title="Benchmark")
def patient_view(request: CDSRequest) -> CDSResponse:
    if to_fhir:
        objects = convert_prefetch_to_fhir_objects({key: value for key, value in request.prefetch.items() if value})
        converted["all"] = converted["all"] and not any(isinstance(value, dict) for value in objects.values())
    return CDSResponse(
        cards=[
            {
                "summary": "Consider common cold",
                "detail": "A sore throat and a cough for three days.",
                "indicator": "info",
                "source": {"label": "Benchmark"},
            }
        ]
    )


app.register_service(cds)


@app.get("/all-converted")
def all_converted() -> dict[str, bool]:
    """False when a resource could not be converted, which HealthChain only logs."""
    return {"all": converted["all"]}


if __name__ == "__main__":
    uvicorn.run(app, host="127.0.0.1", port=port, log_level="error", access_log=False)
