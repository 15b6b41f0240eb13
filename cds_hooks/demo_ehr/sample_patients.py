"""The sample charts as one visitor of the demo EHR sees them.

Each visit has patients of its own (the ids carry the visit), so that what one visitor dismisses is hidden from nobody
else, and a page loaded anew starts afresh. Within a visit there is one user, and one encounter for each patient.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from uuid import uuid4

from cds_hooks.demo_requests import SampleChart, sample_charts


def sample_patients(fhir_server: str) -> list[dict[str, Any]]:
    """`{title, request}` for each chart: `request` a complete `patient-view` request with prefetch, from `fhir_server`."""
    visit = uuid4().hex[:12]
    charts = [(chart.title, _of_visit(chart, visit)) for chart in sample_charts()]
    return [{"title": title, "request": {**request, "fhirServer": fhir_server}} for title, request in charts]


def _of_visit(chart: SampleChart, visit: str) -> dict[str, Any]:
    patient = {**chart.content["patient"], "id": f"{chart.content['patient']['id']}-{visit}"}
    request = replace(chart, content={**chart.content, "patient": patient}).request()
    request["context"] |= {"userId": f"Practitioner/demo-{visit}", "encounterId": f"demo-{visit}"}
    return request
