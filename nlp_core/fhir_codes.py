"""CodeableConcept and Coding of FHIR -> codings, a name, a status word.

Knows how FHIR writes codes from DSTU2 to R5 (a status is a bare string in one and a concept in another).
Does not know any code system's content.
"""

from __future__ import annotations

from nlp_core.chart import Coding
from nlp_core.fhir_fields import Json, item, items, words

MOST_CODINGS = 20
_NONE = frozenset[str]()
_NOTHING = frozenset({""})


def concept(value: object) -> Json:
    """One CodeableConcept. A bare string becomes its text, a bare Coding its only coding, the rest an empty one."""
    if value is None:
        return {}
    if isinstance(value, str):
        return {"text": value}
    found = item(value)
    if "coding" not in found and ("code" in found or "display" in found):
        return {"coding": [found]}
    return found


def concepts(value: object) -> list[Json]:
    """The CodeableConcepts in a list, or the one that stands there without a list."""
    if value is None:
        return []
    if isinstance(value, list):
        return [concept(entry) for entry in value if isinstance(entry, str | dict)]
    found = concept(value)
    return [found] if found else []


def codings_of(value: object) -> tuple[Coding, ...]:
    """The codings of a CodeableConcept in their order, without empty ones."""
    found = []
    for entry in items(concept(value).get("coding"))[:MOST_CODINGS]:
        code, display = words(entry.get("code")), words(entry.get("display"))
        if code or display:
            found.append(Coding(system=words(entry.get("system")), code=code, display=display))
    return tuple(found)


def name_of(value: object) -> str:
    """What the chart calls it: the text, else the first display, else the first code, else `""`."""
    found = concept(value)
    text = words(found.get("text"))
    if text:
        return text
    entries = items(found.get("coding"))
    return _first(entries, "display") or _first(entries, "code")


def code_of(value: object) -> str:
    """A status or category word in lower case: the first code, else the text (`Active` -> `active`)."""
    if value is None:
        return ""
    if isinstance(value, str):
        return words(value).lower()
    found = concept(value)
    return (_first(items(found.get("coding")), "code") or words(found.get("text"))).lower()


def all_codes(value: object) -> frozenset[str]:
    """Every code, in lower case, of CodeableConcepts, Codings or bare strings; a display or text where a code lacks."""
    if value is None:
        return _NONE
    if isinstance(value, str):
        return frozenset((words(value).lower(),)) - _NOTHING
    found = set()
    for entry in concepts(value):
        found.add(words(entry.get("text")).lower())
        for coding in items(entry.get("coding")):
            found.add((words(coding.get("code")) or words(coding.get("display"))).lower())
    return frozenset(found - _NOTHING)


def _first(entries: list[Json], name: str) -> str:
    """The first text under `name` in `entries`."""
    for entry in entries:
        text = words(entry.get(name))
        if text:
            return text
    return ""
