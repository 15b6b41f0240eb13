"""A real `dxspan-serve` with the demo, and so with every page, as browsers meet it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from cds_hooks.demo_requests import SampleChart, sample_charts
from tests.browser import missing
from tests.journey.conftest import served
from tests.page_checks import Framing, framing_server

TOKEN = "operators-token-of-these-tests"
CHART = "05-chest-pain-en"


@dataclass
class Site:
    """A service with every page, and browsers' ways into it."""

    base: str
    framing: Framing
    http: httpx.Client

    def card_and_launch(self, chart: SampleChart) -> tuple[dict[str, Any], str]:
        """A fresh card of that chart, and the address by which the demo EHR launches the viewer from its link."""
        request = chart.request() | {"fhirServer": f"{self.base}/demo/fhir"}
        (card,) = self.http.post("/cds-services/dxspan-patient-view", json=request).json()["cards"]
        link = next(link for link in card["links"] if link["type"] == "smart")
        context = request["context"]
        opened = {"userId": context["userId"], "patientId": context["patientId"], "appContext": link["appContext"]}
        return card, str(self.http.post("/demo/smart/launch", data=opened).headers["location"])

    def session(self) -> str:
        """The address that opens the viewer on a fresh card of one sample chart."""
        return self.card_and_launch(next(chart for chart in sample_charts() if chart.name == CHART))[1]

    def card_and_page(self, chart: SampleChart) -> tuple[dict[str, Any], str]:
        """A fresh card of that chart, and the viewer's page, in the card's language."""
        card, launch = self.card_and_launch(chart)
        with httpx.Client(trust_env=False, timeout=60, follow_redirects=True) as visitor:
            return card, visitor.get(launch).text


@pytest.fixture(scope="package")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    if missing():
        pytest.skip(missing())
    folder = tmp_path_factory.mktemp("demo")
    given = {"DXSPAN_DEMO_PAGE": "true", "DXSPAN_OPERATORS_TOKEN": TOKEN, "DXSPAN_AUDIT_FOLDER": str(folder / "audit")}
    with served(given) as client, framing_server() as framing:
        yield Site(str(client.base_url).rstrip("/"), framing, client)
