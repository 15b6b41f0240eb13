"""FHIR Patient -> age, sex, deceased.

Knows gender, recorded sex extensions and both ways of saying that someone died. Takes no name, identifier or address.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from nlp_core.chart import Sex
from nlp_core.fhir_dates import age_in_years
from nlp_core.fhir_fields import Json, is_true, items, words

_SEXES: dict[str, Sex] = {
    "female": "female", "f": "female", "248152002": "female", "女": "female",
    "male": "male", "m": "male", "248153007": "male", "男": "male",
}  # fmt: skip
_SEX_EXTENSIONS = ("us-core-birthsex", "us-core-sex", "patient-birthSex")


@dataclass(frozen=True)
class Person:
    """What reasoning needs of the patient; the defaults are those of a chart without Patient."""

    age_years: float | None = None
    sex: Sex = "unknown"
    deceased: bool = False


def person_of(resource: Json, as_of: datetime) -> Person:
    """Age at `as_of`, sex, and whether the patient is recorded as dead."""
    died = resource.get("deceasedDateTime")
    return Person(
        age_years=age_in_years(resource.get("birthDate"), as_of),
        sex=_sex(resource),
        deceased=is_true(resource.get("deceasedBoolean")) or bool(words(died)),
    )


def _sex(resource: Json) -> Sex:
    """Administrative gender; `unknown` where a recorded sex contradicts it, so that no diagnosis is ruled out by it."""
    said = {_SEXES.get(words(resource.get("gender")).lower())}
    for extension in items(resource.get("extension")):
        if words(extension.get("url")).rpartition("/")[2] in _SEX_EXTENSIONS:
            said.add(_SEXES.get(words(extension.get("valueCode")).lower()))
    known = said - {None}
    sex = known.pop() if len(known) == 1 else None
    return sex or "unknown"
