"""What the commands that draw pictures of the docs share: a sample chart as it was called for, two shots side by side."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

from PIL import Image

from cds_hooks.demo_requests import SampleChart
from cds_hooks.occasion import Occasion
from nlp_core.chart import Chart
from nlp_core.fhir_notes import chart_from_resources

_GAP, _BACKGROUND = 24, "#8b98a5"


def opened(sample: SampleChart) -> tuple[Chart, Occasion]:
    """The chart of a sample and the call that opens it."""
    request = sample.request()
    patient = request["prefetch"]["patient"]
    bundles = [value for value in request["prefetch"].values() if value and "entry" in value]
    resources = [patient, *(entry["resource"] for bundle in bundles for entry in bundle["entry"])]
    chart = chart_from_resources(resources, patient_id=patient["id"], as_of=datetime(2026, 11, 23, tzinfo=UTC))
    occasion = Occasion(
        tenant="local", service_id="dxspan-patient-view", hook_instance=UUID(request["hookInstance"]),
        patient_id=patient["id"], user_id="Practitioner/demo", encounter_id=None, language="en",
    )  # fmt: skip
    return chart, occasion


def beside(wide: Image.Image, narrow: Image.Image, *, colours: int) -> Image.Image:
    """Both of one height; so many colours that the file stays small."""
    both = Image.new("RGB", (wide.width + _GAP + narrow.width, wide.height), _BACKGROUND)
    both.paste(wide, (0, 0))
    both.paste(narrow, (wide.width + _GAP, 0))
    return both.quantize(colours)
