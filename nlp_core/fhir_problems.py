"""FHIR Condition -> Problem.

Knows problem-list entries and encounter diagnoses from DSTU2 to R5. Does not know which of them are current.
"""

from __future__ import annotations

from nlp_core.chart import Problem
from nlp_core.fhir_codes import code_of, codings_of, name_of
from nlp_core.fhir_dates import first_moment
from nlp_core.fhir_fields import Json, item, reference_to
from nlp_core.unreadable import Unreadable


def problem_of(resource: Json) -> Problem:
    """The problem that a Condition states. Raises Unreadable `not-available` for one without code and text."""
    name = name_of(resource.get("code"))
    if not name:
        raise Unreadable("not-available")
    return Problem(
        reference=reference_to(resource),
        codings=codings_of(resource.get("code")),
        text=name,
        clinical_status=code_of(resource.get("clinicalStatus")) or _status_of_abatement(resource),
        verification_status=code_of(resource.get("verificationStatus")),
        date=first_moment(
            resource.get("onsetDateTime"),
            item(resource.get("onsetPeriod")).get("start"),
            resource.get("recordedDate"),
            resource.get("assertedDate"),
            resource.get("dateRecorded"),
        ),
    )


def _status_of_abatement(resource: Json) -> str:
    """`resolved` where a Condition states an end instead of a status, as older versions may; "" where it states none."""
    ends = (
        "abatementDateTime",
        "abatementPeriod",
        "abatementAge",
        "abatementRange",
        "abatementString",
        "abatementBoolean",
    )
    return "resolved" if any(resource.get(end) for end in ends) else ""
