"""Discovery: what is offered, and that its prefetch templates stay within what 2.0 clients understand."""

from __future__ import annotations

import re
from typing import Any

import pytest

from cds_hooks.services import PATIENT_VIEW, PrefetchTemplate, discovery
from tests.cds_hooks.charts import SERVICE
from tests.cds_hooks.conftest import Serve, Served

PARAMETERS = {"patient", "category", "_sort", "_count"}
TEMPLATES = PATIENT_VIEW.prefetch


def test_discovery_is_an_object_with_services(web: Served) -> None:
    answer = web.http.get("/cds-services")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    (entry,) = answer.json()["services"]
    assert entry["id"] == "dxspan-patient-view"
    assert entry["hook"] == "patient-view"
    for name in ("title", "description", "usageRequirements"):
        assert isinstance(entry[name], str)
        assert entry[name]
    assert entry["hookVersion"] == "1.0"
    assert re.fullmatch(r"\d+\.\d+\.\d+", entry["version"])


def test_every_service_answers_at_its_own_address(web: Served) -> None:
    for entry in web.http.get("/cds-services").json()["services"]:
        assert web.http.post(f"/cds-services/{entry['id']}").status_code == 415


def test_service_ids_are_distinct() -> None:
    ids = [entry["id"] for entry in discovery("en")["services"]]
    assert len(ids) == len(set(ids))


def test_nothing_sent_is_null_or_empty() -> None:
    def check(value: Any) -> None:
        assert value not in (None, "", [], {})
        for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
            check(inner)

    check(discovery("en"))
    check(discovery("zh"))


def test_the_description_says_that_silence_is_no_reassurance() -> None:
    assert "no reassurance" in PATIENT_VIEW.description.en
    assert "并不代表排除" in PATIENT_VIEW.description.zh


def test_the_description_follows_the_language_setting(serve: Serve) -> None:
    (entry,) = serve(language="zh").http.get("/cds-services").json()["services"]
    assert entry["title"] == PATIENT_VIEW.title.zh


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda template: template.key)
def test_tokens_are_delimited_context_fields(template: PrefetchTemplate) -> None:
    assert re.findall(r"\{\{(.*?)\}\}", template.text) == ["context.patientId"]
    assert "{" not in template.text.replace("{{context.patientId}}", "")


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda template: template.key)
def test_templates_keep_to_the_query_subset_of_2_0(template: PrefetchTemplate) -> None:
    read = re.fullmatch(r"[A-Z][A-Za-z]+/\{\{context\.patientId\}\}", template.text)
    kind, _, query = template.text.partition("?")
    assert read or re.fullmatch(r"[A-Z][A-Za-z]+", kind)
    for parameter in query.split("&") if query else []:
        name, _, value = parameter.partition("=")
        assert name in PARAMETERS, "no modifier, no chaining, no _include"
        assert value
        assert name != "_count" or value.isdigit()


def test_the_required_keys_are_patient_and_documents() -> None:
    assert [template.key for template in TEMPLATES if template.required] == ["patient", "documents"]


def test_no_template_depends_on_an_encounter() -> None:
    assert "encounterId" not in str(discovery("en"))


def test_a_template_becomes_a_url_for_one_patient() -> None:
    assert TEMPLATES[0].relative_url("p-1") == "Patient/p-1"
    assert TEMPLATES[1].relative_url("p-1") == "DocumentReference?patient=p-1&_sort=-date&_count=50"


def test_discovery_comes_back_over_and_over_the_same(web: Served) -> None:
    assert web.http.get("/cds-services").content == web.http.get("/cds-services?x=1").content
    assert SERVICE.endswith(PATIENT_VIEW.id)
