"""Scopes of SMART v1 and v2 are both understood."""

from __future__ import annotations

import pytest

from cds_hooks.smart_scopes import allows


@pytest.mark.parametrize(
    ("scope", "read", "search"),
    [
        ("user/Patient.read", True, True),
        ("patient/*.read", True, True),
        ("system/Patient.*", True, True),
        ("user/*.*", True, True),
        ("user/Patient.rs", True, True),
        ("user/Patient.r", True, False),
        ("user/Patient.s", False, True),
        ("user/Patient.cruds", True, True),
        ("user/Patient.cud", False, False),
        ("user/Patient.rs?category=x", True, True),
        ("launch openid user/Observation.read patient/Patient.read", True, True),
        ("user/Patient.write", False, False),
        ("user/Observation.read", False, False),
        ("launch openid fhirUser", False, False),
        ("user/Patient", False, False),
        ("other/Patient.read", False, False),
        ("user/PatientX.read", False, False),
        ("user/Patient.readx", False, False),
        ("", False, False),
    ],
)
def test_scopes(scope: str, read: bool, search: bool) -> None:
    assert allows(scope, "Patient", "read") is read
    assert allows(scope, "Patient", "search") is search
