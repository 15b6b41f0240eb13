"""The value of an Observation: number, text and unit, reference range, interpretation.

Knows FHIR's value types and how laboratories write ranges and flags. Does not judge any value.
"""

from __future__ import annotations

import re

from nlp_core.fhir_codes import code_of, codings_of, concepts, name_of
from nlp_core.fhir_fields import Json, item, items, number, words

_TEXT_LIMIT = 1000
_NUMBER = r"([+-]?\d{1,30}(?:\.\d{1,30})?)"
_COMPARED = re.compile(rf"\s*([<>]=?|≤|≥)?\s*{_NUMBER}\s*")
_RANGE = re.compile(rf"\s*{_NUMBER}\s*(?:--?|[–—~～]|to)\s*{_NUMBER}(?![\d.]).*", re.DOTALL)
_FLAG_WORDS = {
    "high": "H", "low": "L", "normal": "N", "abnormal": "A", "positive": "POS", "negative": "NEG", "detected": "POS",
    "not detected": "NEG", "critical high": "HH", "critically high": "HH", "critical low": "LL", "critically low": "LL",
    "↑": "H", "↓": "L", "偏高": "H", "偏低": "L", "阳性": "POS", "阴性": "NEG", "正常": "N", "异常": "A",
}  # fmt: skip
_FLAG = re.compile(r"[A-Z<>*^]{1,4}|A[<>]")
_NO_NORMAL_RANGE = frozenset({"treatment", "therapeutic", "recommended", "pre", "post", "critical", "absolute"})


def value_of(part: Json) -> tuple[float | None, str, str]:
    """(number, text, unit) of an Observation or component. A number with a comparator keeps it as text too: `<0.01`."""
    quantity = item(part.get("valueQuantity"))
    if quantity:
        return _quantity(quantity)
    for name in ("valueInteger", "valueDecimal"):
        if (plain := number(part.get(name))) is not None:
            return plain, "", ""
    for name in ("valueString", "valueDateTime", "valueTime"):
        text = words(part.get(name), _TEXT_LIMIT)
        if text:
            return _compared(text)
    if isinstance(part.get("valueBoolean"), bool):
        return None, "yes" if part["valueBoolean"] else "no", ""
    coded = "; ".join(filter(None, map(name_of, concepts(part.get("valueCodeableConcept")))))
    return None, words(coded, _TEXT_LIMIT) or _pair(part), ""


def _quantity(quantity: Json) -> tuple[float | None, str, str]:
    value, unit = number(quantity.get("value")), _unit(quantity)
    if value is None:
        text = words(quantity.get("value"))
        compared = _compared(text) if text else (None, "", "")
        return compared[0], compared[1], unit
    comparator = words(quantity.get("comparator"), 8)
    return value, f"{comparator}{value:g}" if comparator else "", unit


def _unit(quantity: Json) -> str:
    """The UCUM code where there is one or nothing else, else the unit as it is written."""
    unit = words(quantity.get("unit"))
    code = words(quantity.get("code"))
    if not code or not unit:
        return code or unit
    return code if "unitsofmeasure" in words(quantity.get("system")) else unit


def _compared(text: str) -> tuple[float | None, str, str]:
    match = _COMPARED.fullmatch(text)
    if match is None:
        return None, text, ""
    return number(match[2]), f"{match[1]}{match[2]}" if match[1] else "", ""


def _pair(part: Json) -> str:
    """A Ratio as `1:80`, a Range as `2-4 mg`."""
    for name, first, second, sign in (
        ("valueRatio", "numerator", "denominator", ":"),
        ("valueRange", "low", "high", "-"),
    ):
        found = item(part.get(name))
        ends = [item(found.get(first)), item(found.get(second))]
        values = [number(end.get("value")) for end in ends]
        if any(value is not None for value in values):
            shown = sign.join("" if value is None else f"{value:g}" for value in values)
            return f"{shown} {_unit(ends[-1]) or _unit(ends[0])}".strip()
    return ""


def interpretation_of(value: object) -> str:
    """The first interpretation as a code in capitals; words such as `High` or `阳性` become theirs."""
    for found in concepts(value):
        code = next((coding.code.upper() for coding in codings_of(found) if _FLAG.fullmatch(coding.code.upper())), "")
        code = code or _FLAG_WORDS.get(name_of(found).lower(), "")
        if code:
            return code
    return ""


def range_of(value: object, unit: str) -> tuple[float | None, float | None]:
    """Ends of the one normal range in the value's unit; (None, None) where several (by sex or age) disagree."""
    found = {
        ends
        for entry in items(value)
        if code_of(entry.get("type")) not in _NO_NORMAL_RANGE and (ends := _ends(entry, unit)) != (None, None)
    }
    return found.pop() if len(found) == 1 else (None, None)


def _ends(entry: Json, unit: str) -> tuple[float | None, float | None]:
    low, high = item(entry.get("low")), item(entry.get("high"))
    ends = _end(low, unit), _end(high, unit)
    if ends != (None, None) or low or high:
        return ends
    text = words(entry.get("text"), 100)
    both, one = _RANGE.fullmatch(text), _COMPARED.match(text)
    if both:
        return number(both[1]), number(both[2])
    if one is None or not one[1]:
        return None, None
    return (None, number(one[2])) if one[1] in ("<", "<=", "≤") else (number(one[2]), None)


def _end(quantity: Json, unit: str) -> float | None:
    """The number of one end of a range, when it is in the value's unit or in none."""
    return number(quantity.get("value")) if _unit(quantity) in ("", unit) else None
