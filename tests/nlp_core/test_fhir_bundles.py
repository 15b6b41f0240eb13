"""Bundles become single resources, each once and in its newest version."""

from __future__ import annotations

from typing import Any

from nlp_core.fhir_bundles import DEEPEST_BUNDLE, gather


def test_versions_are_ordered_by_time_then_number_then_withdrawal() -> None:
    def version(**fields: Any) -> dict[str, Any]:
        return {"resourceType": "Condition", "id": "1", **fields}

    late = version(meta={"lastUpdated": "2026-02-01T00:00:00Z", "versionId": "1"})
    early = version(meta={"lastUpdated": "2026-01-01T00:00:00Z", "versionId": "9"})
    tenth, ninth = version(meta={"versionId": "10"}), version(meta={"versionId": "9"})
    withdrawn, plain = version(status="entered-in-error"), version(status="final")
    for newer, older in ((late, early), (tenth, ninth), (withdrawn, plain)):
        for order in ([newer, older], [older, newer]):
            gathered = gather(order, max_resources=10)
            assert gathered.resources == [newer]
            assert gathered.unread == {("Condition", "superseded"): 1}


def test_the_same_resource_twice_is_one_and_not_counted() -> None:
    gathered = gather(
        [{"resourceType": "Condition", "id": "1"}, {"resourceType": "Condition", "id": "1"}], max_resources=9
    )
    assert (len(gathered.resources), gathered.unread) == (1, {})


def test_resources_without_id_all_stay() -> None:
    assert len(gather([{"resourceType": "Condition"}] * 3, max_resources=9).resources) == 3


def test_only_urns_stand_for_a_resource_and_only_when_one_claims_them() -> None:
    def entry(url: str, identity: str) -> dict[str, Any]:
        return {"fullUrl": url, "resource": {"resourceType": "Patient", "id": identity}}

    entries = [
        entry("urn:uuid:A", "1"),
        entry("urn:uuid:B", "1"),
        entry("urn:uuid:b", "2"),
        entry("http://h/Patient/1", "1"),
    ]
    gathered = gather([{"resourceType": "Bundle", "entry": entries}], max_resources=9)
    assert gathered.aliases == {"urn:uuid:a": "Patient/1", "urn:uuid:b": ""}
    assert gathered.patient_urls == {"http://h/Patient/1"}


def test_bundles_nested_too_deep_are_counted() -> None:
    bundle: dict[str, Any] = {"resourceType": "Condition"}
    for _ in range(DEEPEST_BUNDLE + 1):
        bundle = {"resourceType": "Bundle", "entry": [{"resource": bundle}]}
    gathered = gather([bundle], max_resources=9)
    assert (gathered.resources, gathered.unread) == ([], {("Bundle", "malformed"): 1})


def test_deeply_nested_copies_are_compared_without_error() -> None:
    def nested() -> dict[str, Any]:
        found: dict[str, Any] = {}
        for _ in range(5_000):
            found = {"x": found}
        return {"resourceType": "Condition", "id": "1", "x": found}

    assert len(gather([nested(), nested()], max_resources=9).resources) == 1


def test_a_restriction_of_any_version_stays_with_the_newest() -> None:
    plain = {"resourceType": "Condition", "id": "1", "meta": {"versionId": "2"}}
    inside = {"resourceType": "Condition", "id": "1", "meta": {"versionId": "1"}}
    bundle = {"resourceType": "Bundle", "type": "document", "meta": {"security": [{"code": "R"}]}}
    gathered = gather([plain, {**bundle, "entry": [{"resource": inside}]}], max_resources=9)
    assert gathered.resources == [plain]
    assert gathered.restricted >= {id(plain)}
