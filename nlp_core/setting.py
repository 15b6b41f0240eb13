"""Where the patient is seen: by the class of the encounter of today, else as the newest note says.

Knows the encounter classes of FHIR from DSTU2 to R5 and phrases such as "presents to the emergency department".
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime, timedelta

from nlp_core.chart import Setting
from nlp_core.fhir_codes import codings_of, concepts
from nlp_core.fhir_dates import first_moment
from nlp_core.fhir_fields import Json, item, words

_CLASSES: dict[str, Setting] = {
    **dict.fromkeys(("AMB", "VR", "HH", "FLD", "OUTPATIENT", "AMBULATORY", "VIRTUAL", "HOME", "FIELD"), "ambulatory"),
    **dict.fromkeys(("EMER", "EMERGENCY"), "emergency"),
    **dict.fromkeys(("IMP", "ACUTE", "NONAC", "OBSENC", "SS", "INPATIENT", "DAYTIME"), "inpatient"),
}
_WORDS: tuple[tuple[Setting, re.Pattern[str]], ...] = (
    (
        "emergency",
        re.compile(
            r"(?i:\bemergency (?:department|room|physician|medicine|note|visit)|ambulance)"
            r"|\b(?:in|to|from|the|via) (?:ED|ER)\b|\bED (?:note|visit|course|physician)\b|急诊|急救|救护车"
        ),
    ),
    (
        "ambulatory",
        re.compile(
            r"(?i:\b(?:outpatient|clinic\b|(?:physician|doctor)['’]?s? office|family (?:doctor|physician)|general practi"
            r"|primary care|urgent care)|\b(?:comes|presents|came|presented) to the (?:physician|doctor|office)\b)|\bGP\b|门诊|诊所"
        ),
    ),
    ("inpatient", re.compile(r"(?i:\b(?:inpatient|hospitali[sz]ed|admitted to|hospital day))\b|住院|入院")),
)
_SKEW = timedelta(days=1)
"""An encounter that ended this long ago, or begins this soon, is still today's."""
_LONGEST_STAY = timedelta(days=60)
"""An encounter without an end that began longer ago was never closed."""
_NOT_HAPPENING = frozenset({"planned", "cancelled", "entered-in-error", "discontinued", "noshow"})
_HEAD = 900
"""Characters at the start of a note in which it says where it was written."""


def setting_of_encounters(encounters: Iterable[Json], as_of: datetime) -> Setting | None:
    """Of the encounter that began last and is not over; None where none is open, or its class is not known.

    An encounter to come, and one that ended or (without an end) began long before `as_of`, says nothing of today.
    """
    dated = [(moment, encounter) for encounter in encounters if (moment := _began(encounter, as_of)) is not None]
    dated.sort(key=lambda pair: pair[0], reverse=True)
    return next((found for _, encounter in dated if (found := _class_of(encounter)) is not None), None)


def _began(encounter: Json, as_of: datetime) -> datetime | None:
    """When it began, where it is of today."""
    start, end = (first_moment(_period(encounter).get(edge)) for edge in ("start", "end"))
    if start is None or start > as_of + _SKEW or words(encounter.get("status")) in _NOT_HAPPENING:
        return None
    return start if as_of - (end or start) <= (_SKEW if end else _LONGEST_STAY) else None


def setting_of(text: str) -> Setting | None:
    """What the opening of a note, or its title, says; the first phrase decides."""
    head = text[:_HEAD]
    found = [(match.start(), setting) for setting, pattern in _WORDS if (match := pattern.search(head))]
    return min(found)[1] if found else None


def _period(encounter: Json) -> Json:
    return item(encounter.get("period") or encounter.get("actualPeriod"))


def _class_of(encounter: Json) -> Setting | None:
    """`class` is a code in DSTU2, a Coding in R4 and a list of CodeableConcepts in R5."""
    written = encounter.get("class")
    codes = [words(written)] if isinstance(written, str) else []
    codes += [coding.code for entry in concepts(written) for coding in codings_of(entry)]
    return next((_CLASSES[code.upper()] for code in codes if code.upper() in _CLASSES), None)
