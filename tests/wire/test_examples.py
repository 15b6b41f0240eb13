"""Every JSON example of the specification through our models: read where it concerns us, refused for a named reason."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jwt
import pytest
from pydantic import BaseModel, ValidationError

from cds_hooks import strict_json
from cds_hooks.card import Action, Card, Link, OverrideReason, Source
from cds_hooks.hook_request import FhirAuthorization, PatientViewContext, read_hook_request
from cds_hooks.key_sets import read_key_set
from cds_hooks.memory.feedback import read_feedback
from cds_hooks.operation_outcome import BadRequest, OperationOutcome
from cds_hooks.prefetch import read_value
from cds_hooks.services import PATIENT_VIEW, discovery
from cds_hooks.trust import public_key

EXAMPLES = Path(__file__).with_name("examples")


def example(name: str) -> Any:
    return strict_json.loads((EXAMPLES / f"{name}.json").read_bytes())


def written(model: BaseModel) -> Any:
    """The model as it goes on the wire."""
    return model.model_dump(mode="json", by_alias=True, exclude_none=True, exclude_unset=True)


def complaints(model: type[BaseModel], document: Any) -> set[str]:
    """The paths that `model` refuses in `document`."""
    with pytest.raises(ValidationError) as error:
        model.model_validate(document)
    return {".".join(str(step) for step in fault["loc"]) for fault in error.value.errors()}


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.json")), ids=lambda path: path.stem)
def test_every_example_is_strict_json(path: Path) -> None:
    assert strict_json.loads(path.read_bytes()) == json.loads(path.read_bytes())


@pytest.mark.parametrize("name", ["request-patient-view", "sandbox-patient-view"])
def test_patient_view_requests_are_read_and_written_back(name: str) -> None:
    document = example(name)
    request = read_hook_request(document, "patient-view")
    back = request.model_dump(by_alias=True, exclude_none=True, exclude_unset=True)
    assert back | {"fhirServer": back["fhirServer"].rstrip("/")} == document


def test_a_request_of_another_hook_is_refused_for_its_hook() -> None:
    with pytest.raises(BadRequest) as refused:
        read_hook_request(example("request-order-sign-paged"), "patient-view")
    assert refused.value.expression == ("hook",)


def test_the_extension_example_is_refused_for_its_missing_patient_only() -> None:
    document = example("request-with-extension")
    with pytest.raises(BadRequest) as refused:
        read_hook_request(document, "patient-view")
    assert refused.value.expression == ("context.patientId",)
    document["context"]["patientId"] = "1288992"
    assert read_hook_request(document, "patient-view").hook_instance == document["hookInstance"]


@pytest.mark.parametrize("name", ["context-patient-view", "context-without-encounter"])
def test_contexts_are_read_and_written_back(name: str) -> None:
    context = example(name)["context"]
    assert written(PatientViewContext.model_validate(context)) == context


def test_an_authorization_is_read_and_written_back() -> None:
    given = example("fhir-authorization")["fhirAuthorization"]
    assert written(FhirAuthorization.model_validate(given)) == given


def test_prefetch_values_are_read() -> None:
    prefetch = example("prefetch-data")["prefetch"]
    templates = {template.key: template for template in PATIENT_VIEW.prefetch}
    assert read_value(templates["laboratory"], prefetch["hemoglobin-a1c"]).state == "read"
    snipped = read_value(templates["patient"], prefetch["patient"])
    assert snipped.reason == "malformed", "the example snips the id, without which it might be anybody"
    assert read_value(templates["patient"], prefetch["patient"] | {"id": "1288992"}).state == "read"
    assert read_value(templates["documents"], prefetch["user"]).reason == "malformed", "a key that we did not ask for"


def test_a_paged_prefetch_is_read_with_its_next_link() -> None:
    orders = example("request-order-sign-paged")["prefetch"]["orders"]
    medications = next(template for template in PATIENT_VIEW.prefetch if template.resource_type == "MedicationRequest")
    supply = read_value(medications, orders)
    assert len(supply.entries) == 1
    assert supply.next_url is not None
    assert supply.next_url.endswith("_page=2")


@pytest.mark.parametrize("name", ["discovery", "discovery-with-extension"])
def test_our_discovery_has_what_the_examples_have(name: str) -> None:
    (ours,) = discovery("en")["services"]
    for entry in example(name)["services"]:
        for field, value in entry.items():
            assert field == "extension" or isinstance(ours[field], type(value))


@pytest.mark.parametrize("name", ["feedback-accepted", "feedback-overridden", "feedback-overridden-with-reason"])
def test_feedback_is_read_and_written_back(name: str) -> None:
    document = example(name)
    items = read_feedback(document)
    assert [item.model_dump(mode="json", by_alias=True, exclude_unset=True) for item in items] == document["feedback"]


def test_the_sandboxs_feedback_is_read() -> None:
    (item,) = read_feedback(example("sandbox-feedback"))
    assert item.override_reason is not None
    assert item.override_reason.reason is not None
    assert item.override_reason.reason.code == "cds-not-applicable"


def test_the_operation_outcome_is_read_and_written_back() -> None:
    document = example("operation-outcome")
    del document["id"]
    assert OperationOutcome.model_validate(document).model_dump(exclude_none=True) == document


def test_no_guidance_is_an_empty_list_of_cards() -> None:
    assert example("response-no-guidance") == {"cards": []}


@pytest.mark.parametrize(
    ("model", "name", "field"),
    [
        (Source, "source", "source"),
        (Action, "action-create", None),
        (OverrideReason, "override-reasons", "overrideReasons"),
    ],
)
def test_parts_of_cards_are_read_and_written_back(model: type[BaseModel], name: str, field: str | None) -> None:
    part = example(name)[field] if field else example(name)
    for one in part if isinstance(part, list) else [part]:
        assert written(model.model_validate(one)) == one


def test_links_are_read_and_written_back() -> None:
    links = example("response-two-cards")["cards"][0]["links"]
    assert [written(Link.model_validate(link)) for link in links] == links


def test_cards_of_the_examples_lack_only_what_we_always_send() -> None:
    first, second = example("response-two-cards")["cards"]
    (launching,) = example("response-autolaunchable")["cards"]
    assert complaints(Card, first) == {"source.topic", "overrideReasons"}
    assert complaints(Card, second) == {"source.topic", "uuid", "detail", "links"}
    refused = complaints(Card, launching) - {"links"}
    assert refused == {"source.topic", "overrideReasons", "links.0.autolaunchable"}, "the last is never sent"


@pytest.mark.parametrize(
    ("name", "fields"), [("action-update", {"type"}), ("action-delete", {"type", "resource", "resourceId"})]
)
def test_actions_that_we_never_propose_are_refused(name: str, fields: set[str]) -> None:
    assert complaints(Action, example(name)) == fields


def test_the_examples_token_has_a_good_signature_by_the_examples_key() -> None:
    given = example("jwt")
    keys = read_key_set(json.dumps(given["keys"]).encode())
    decoded = jwt.decode_complete(
        given["token"],
        public_key(keys["example-kid"], "ES384"),
        algorithms=["ES384"],
        audience=given["payload"]["aud"],
        options={"verify_exp": False},
    )
    assert decoded["header"] == given["header"]
    assert decoded["payload"] == given["payload"]
    assert given["payload"]["exp"] - given["payload"]["iat"] > 300, "so it would be refused for its lifetime today"


def test_the_examples_private_key_is_never_taken_for_a_key_set() -> None:
    with pytest.raises(ValueError, match="private"):
        read_key_set(json.dumps({"keys": [example("jwk-private")]}).encode())


def test_system_actions_are_not_ours_to_send() -> None:
    from cds_hooks.outcome import HookResponse

    assert example("response-system-action")["systemActions"]
    assert "systemActions" not in HookResponse.model_fields
