"""The problem list through everything: what it holds is not suggested, and without it nothing can be added to it."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from cds_hooks.build_cards import EXTENSION
from cds_hooks.demo_requests import sample_charts
from tests.cds_hooks.charts import authorization
from tests.fhir_server import Fault, FhirServer
from tests.journey.test_one_hook import answered

DIABETES = next(chart for chart in sample_charts() if chart.name == "04-diabetes-zh")
ICD_10_CM, SNOMED = "http://hl7.org/fhir/sid/icd-10-cm", "http://snomed.info/sct"
Json = dict[str, Any]


@pytest.fixture(scope="module")
def fhir() -> Iterator[FhirServer]:
    with FhirServer([]) as server:
        yield server


def with_problem(code: Json, **fields: Any) -> Json:
    """The request for a patient with plain type 2 diabetes whose list has one more entry."""
    request = DIABETES.request()
    subject = {"reference": f"Patient/{request['context']['patientId']}"}
    entry = {"resourceType": "Condition", "id": "listed", "subject": subject, "code": code, **fields}
    request["prefetch"]["problems"] = {
        "resourceType": "Bundle",
        "type": "searchset",
        "entry": [{"resource": entry}],
    }
    return request


def suggested(client: httpx.Client, request: Json) -> set[str]:
    """Codes of the diagnoses on the card."""
    cards = answered(client, request)["cards"]
    return {diagnosis["code"] for card in cards for diagnosis in card["extension"][EXTENSION]["diagnoses"]}


def status(code: str) -> Json:
    return {"coding": [{"code": code}]}


def coded(system: str, code: str) -> Json:
    return {"coding": [{"system": system, "code": code}]}


@pytest.mark.parametrize(
    "code",
    [
        coded(ICD_10_CM, "E11.9"),
        coded(ICD_10_CM, "E11.65"),
        coded("http://hl7.org/fhir/sid/icd-10", "E11.900"),
        coded(SNOMED, "44054006"),
        {"text": "T2DM, diet controlled"},
        {"text": "2型糖尿病"},
        {"text": "Diabetes mellitus"},
    ],
    ids=str,
)
def test_d4_what_the_list_holds_is_not_on_the_card(in_process: httpx.Client, code: Json) -> None:
    assert "E11.9" not in suggested(in_process, with_problem(code))


@pytest.mark.parametrize(
    ("fields", "shown"),
    [
        ({"clinicalStatus": status("resolved")}, True),  # by setting; the default shows it
        ({"verificationStatus": status("refuted")}, False),
        ({"verificationStatus": status("entered-in-error")}, True),
        ({"verificationStatus": status("provisional")}, False),
    ],
    ids=str,
)
def test_d5_what_the_list_says_of_it_decides(in_process: httpx.Client, fields: Json, shown: bool) -> None:
    assert ("E11.9" in suggested(in_process, with_problem(coded(ICD_10_CM, "E11.9"), **fields))) is shown


@pytest.mark.parametrize("text", ["Family history of type 2 diabetes", "Screening for diabetes", "Type 1 diabetes"])
def test_d4_words_about_something_else_hide_nothing(in_process: httpx.Client, text: str) -> None:
    assert "E11.9" in suggested(in_process, with_problem({"text": text}))


def without_list(request: Json, fhir: FhirServer) -> Json:
    """The request without the problems' prefetch, but with a token to ask for them."""
    asked = copy.deepcopy(request)
    del asked["prefetch"]["problems"]
    return asked | {"fhirServer": fhir.url, "fhirAuthorization": authorization()}


def says_so_and_offers_nothing(card: Json) -> bool:
    said = any(words in card["detail"] for words in ("未能读取问题列表", "problem list not available"))
    return said and "suggestions" not in card and "selectionBehavior" not in card


@pytest.mark.parametrize("fault", [401, 403, 404, 500, "outcome", "html"])
def test_d6_a_list_that_cannot_be_read_is_said_and_nothing_can_be_added(
    in_process: httpx.Client, fhir: FhirServer, fault: Fault
) -> None:
    fhir.faults["Condition"] = fault
    (card,) = answered(in_process, without_list(DIABETES.request(), fhir))["cards"]
    assert says_so_and_offers_nothing(card)


def test_d6_a_list_that_nobody_gave_and_nobody_may_fetch_is_said(in_process: httpx.Client) -> None:
    request = DIABETES.request()
    del request["prefetch"]["problems"]
    (card,) = answered(in_process, request)["cards"]
    assert says_so_and_offers_nothing(card)


def test_d6_a_list_that_was_read_and_is_empty_offers_to_add(in_process: httpx.Client) -> None:
    (card,) = answered(in_process, DIABETES.request())["cards"]
    assert card["suggestions"]
    assert "问题列表" not in card["detail"]
