"""Security labels are found wherever FHIR puts them."""

from __future__ import annotations

import pytest

from nlp_core.fhir_restrictions import is_restricted


@pytest.mark.parametrize(
    "code", ["R", "V", "ETH", "HIV", "PSY", "SDV", "STD", "TBOO", "42CFRPart2", "PROCESSINLINELABEL", "hiv"]
)
def test_restricting_codes_count_in_every_place_and_system(code: str) -> None:
    assert is_restricted({"meta": {"security": [{"system": "any", "code": code}]}})
    assert is_restricted({"meta": {"security": {"code": code}}})
    assert is_restricted({"securityLabel": [{"coding": [{"code": "N"}, {"code": code}]}]})
    assert is_restricted({"confidentiality": code})


@pytest.mark.parametrize("code", ["N", "M", "L", "U", "", None, 4])
def test_normal_and_lower_codes_do_not_restrict(code: object) -> None:
    assert not is_restricted({"meta": {"security": [{"code": code}], "tag": [{"code": "R"}]}, "securityLabel": []})
