"""Numbers written in a note ("T 39.2 °C", "BP 180/110", "血钾 6.2 mmol/L") as values of analytes, with their place.

Knows how values are written. What a value means is analytes' business.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from nlp_core.analytes import Analyte, Thresholds

_DIGITS = r"\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?"
_DIGIT = re.compile(r"\d")
_END = r"(?!\d|[/,.]\d|-(?:phosph|磷酸))"  # glucose-6-phosphate is no glucose of 6
_NUMBER = rf"(?P<number>{_DIGITS}){_END}(?:\s?(?:-|–|—|~|～|至|到|to\b)\s?(?P<upper>{_DIGITS}){_END})?"
# What may not follow a number without a unit: "Ca 12 years ago", "potassium 10 mEq", "ALT 3 times the limit".
_NO_OTHER_UNIT = (
    r"(?!(?:[-–~～至到][\d.]+|\s(?:to|or)\s[\d.]+)?\s*-?(?:"
    r"(?:years?|yrs?|months?|weeks?|wks?|days?|hours?|hrs?|mls?|cm|mEq|mcg|tablets?|tabs?|times|daily|a day)(?![A-Za-z/])|"
    r"[μµ]g(?![A-Za-z/])|[x×]\s*ULN|/\s*LPF|/低倍|倍|岁|年|个月|周|天|小时|片|粒|支))"
)
# 钾 alone is potassium in 血清钾, 低钾 and after a comma, not in 氯化钾 or 补钾.
_NOT_IN_A_DRUG = "(?:(?<![\u4e00-\u9fff])|(?<=[血清浆低高总质气正示测查及和为]))"
_BETWEEN = (
    r"(?:\s{0,3}(?:\([a-z]{1,8}\)|level|count|was|is|of|at|to|:|：|=|-|reading|measured|found|elevated|raised|up|"
    r"为|约|达|升至|高达|在|是|~|≈|>|<|↑|↓|highest|recorded|over|above|only|low|high|around|about|approximately)){0,4}\s{0,3}"
)
_PRESSURE = re.compile(
    r"(?:\bBP\b|blood pressure|血压)[^\d\n]{0,25}(?P<systolic>\d{2,3})\s*/\s*(?P<diastolic>\d{2,3})", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Measurement:
    """A value in its analyte's unit, at characters `[start, end)` of the text."""

    analyte: Analyte
    value: float
    start: int
    end: int


class MeasurementReader:
    """Finds written values; built once from the known analytes."""

    def __init__(self, thresholds: Thresholds) -> None:
        self._analytes = thresholds.analytes
        self._owners: dict[str, list[Analyte]] = {}
        for analyte in self._analytes.values():
            for name in (*analyte.names.en, *analyte.names.zh):
                self._owners.setdefault(_folded(name), []).append(analyte)
        units = sorted(
            {unit for a in self._analytes.values() for unit in a.units if unit != "1"}, key=len, reverse=True
        )
        names = sorted(self._owners, key=len, reverse=True)
        short = [re.escape(name) for name in names if len(name) == 1 and name.isascii()]
        chinese = [_NOT_IN_A_DRUG + re.escape(name) for name in names if len(name) == 1 and not name.isascii()]
        long = [re.escape(name) for name in names if len(name) > 1] + chinese
        # One-letter names (T, P, K) count only in capitals and right before their number.
        name = rf"(?:(?<![A-Za-z])(?:{'|'.join(long)})(?![A-Za-z]))"
        unit = rf"\s*(?:(?P<unit>{'|'.join(map(re.escape, units))})(?![A-Za-z])|(?![A-Za-z]){_NO_OTHER_UNIT})"
        self._value = re.compile(rf"(?P<name>{name}){_BETWEEN}{_NUMBER}{unit}", re.IGNORECASE)
        self._short = re.compile(
            rf"(?<![A-Za-z])(?P<name>{'|'.join(s.upper() for s in short)})\s?[:=]?\s?{_NUMBER}{unit}"
        )

    def find(self, text: str) -> Iterator[Measurement]:
        """Every value in `text`, blood pressures as two."""
        if not _DIGIT.search(text):
            return  # most sentences: looking for a hundred names at each of their letters takes long
        for pattern in (self._value, self._short):
            for match in pattern.finditer(text):
                end = match.end("unit" if match["unit"] else "upper" if match["upper"] else "number")
                for analyte in self._owners[
                    _folded(match["name"])
                ]:  # "eosinophils" are 12% or 1,200/uL: the unit tells
                    value = _value(analyte, match)
                    if value is not None:
                        yield Measurement(analyte, value, match.start(), end)
                        break
        for match in _PRESSURE.finditer(text):
            for side in ("systolic", "diastolic"):
                analyte = self._analytes[f"{side}_pressure"]
                value = analyte.convert(float(match[side]), "mmHg")
                if value is not None:
                    yield Measurement(analyte, value, match.start(), match.end())


def _value(analyte: Analyte, match: re.Match[str]) -> float | None:
    """The number in the analyte's unit; of a range ("30-40/HP") its middle, of a fall ("15 to 8") the first number."""
    lower, unit = _number(match["number"]), match["unit"] or ""
    upper = _number(match["upper"]) if match["upper"] else lower
    middle = analyte.convert((lower + upper) / 2, unit) if upper > lower else None
    return analyte.convert(lower, unit) if middle is None else middle


def _number(written: str) -> float:
    return float(written.replace(",", ""))


def _folded(name: str) -> str:
    return name.lower()
