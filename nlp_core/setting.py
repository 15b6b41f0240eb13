"""Where the patient is seen: by the class of the newest encounter, else as the newest note says.

Knows the encounter classes of FHIR from DSTU2 to R5 and phrases such as "presents to the emergency department".
"""

from __future__ import annotations

import re
from collections.abc import Iterable

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
        re.compile(r"\bemergency (?:department|room|physician|medicine)|\b(?:ED|ER)\b|ambulance|急诊|急救|救护车"),
    ),
    (
        "ambulatory",
        re.compile(
            r"\b(?:outpatient|clinic\b|(?:physician|doctor)['’]?s? office|family (?:doctor|physician)|general practi"
            r"|primary care|urgent care|GP\b)|(?:comes|presents|came|presented) to the (?:physician|doctor|office)\b|门诊|诊所"
        ),
    ),
    ("inpatient", re.compile(r"\b(?:inpatient|hospitali[sz]ed|admitted to|hospital day)\b|住院|入院")),
)
_HEAD = 900
"""Characters at the start of a note in which it says where it was written."""


def setting_of_encounters(encounters: Iterable[Json]) -> Setting | None:
    """Of the encounter that began last, the one without a date last of all; None where no class is known."""
    dated = [(first_moment(_period(encounter).get("start")), encounter) for encounter in encounters]
    dated.sort(key=lambda pair: pair[0].timestamp() if pair[0] else float("-inf"), reverse=True)
    return next((found for _, encounter in dated if (found := _class_of(encounter)) is not None), None)


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
