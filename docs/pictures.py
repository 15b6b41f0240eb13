"""What the commands that draw pictures of the docs share: a sample chart as it was called for, shots of pages, two side by side."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
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


@contextmanager
def served(site: Path) -> Iterator[str]:
    """The address of a folder's files meanwhile."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(SimpleHTTPRequestHandler, directory=str(site)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


def shot(url: str, width: int, height: int, folder: Path) -> Image.Image:
    """The page in a frame of that width: a window of Chromium is never narrower than 500. Its file lies in `folder`/site."""
    framed = folder / "site" / f"frame-{width}.html"
    frame = f'<iframe src="{url}" width="{width}" height="{height}" style="border:0"></iframe>'
    framed.write_text(f'<!doctype html><body style="margin:0">{frame}</body>', encoding="utf-8")
    file = folder / f"{width}.png"
    subprocess.run(
        ["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", f"--screenshot={file}",
         f"--window-size={max(width, 600)},{height}", f"--user-data-dir={folder}/profile",
         url.rpartition("/")[0] + f"/{framed.name}"],
        check=True, capture_output=True, timeout=300,
    )  # fmt: skip
    return Image.open(file).convert("RGB").crop((0, 0, width, height))


def beside(wide: Image.Image, narrow: Image.Image, *, colours: int) -> Image.Image:
    """Both of one height; so many colours that the file stays small."""
    both = Image.new("RGB", (wide.width + _GAP + narrow.width, wide.height), _BACKGROUND)
    both.paste(wide, (0, 0))
    both.paste(narrow, (wide.width + _GAP, 0))
    return both.quantize(colours)
