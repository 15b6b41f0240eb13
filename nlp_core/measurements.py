"""Numbers written in a note ("T 39.2 °C", "BP 180/110", "血钾 6.2 mmol/L") as values of analytes, with their place.

Knows how values are written. What a value means is analytes' business.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from nlp_core.analytes import Analyte, Thresholds

_NUMBER = r"(?P<number>\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?)"
_BETWEEN = (
    r"(?:\s*(?:\([a-z]{1,8}\)|level|count|was|is|of|at|to|:|：|=|-|reading|measured|found|elevated|raised|up|"
    r"为|约|达|升至|高达|在|是|~|≈|>|<|↑|↓|highest|recorded|over|above|only|low|high|around|about|approximately)\s*){0,4}\s*"
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
        self._owner: dict[str, Analyte] = {}
        for analyte in self._analytes.values():
            for name in (*analyte.names.en, *analyte.names.zh):
                self._owner.setdefault(_folded(name), analyte)
        units = sorted(
            {unit for a in self._analytes.values() for unit in a.units if unit != "1"}, key=len, reverse=True
        )
        names = sorted(self._owner, key=len, reverse=True)
        short = [re.escape(name) for name in names if len(name) == 1 and name.isascii()]
        long = [re.escape(name) for name in names if len(name) > 1 or not name.isascii()]
        # One-letter names (T, P, K) count only in capitals and right before their number.
        name = rf"(?:(?<![A-Za-z])(?:{'|'.join(long)})(?![A-Za-z]))"
        self._value = re.compile(
            rf"(?P<name>{name}){_BETWEEN}{_NUMBER}(?!\d|[/,.]\d)\s*(?P<unit>{'|'.join(map(re.escape, units))})?(?![A-Za-z])",
            re.IGNORECASE,
        )
        self._short = re.compile(
            rf"(?<![A-Za-z])(?P<name>{'|'.join(s.upper() for s in short)})\s?[:=]?\s?{_NUMBER}(?!\d|[/,.]\d)"
            rf"\s*(?P<unit>{'|'.join(map(re.escape, units))})?(?![A-Za-z])"
        )

    def find(self, text: str) -> Iterator[Measurement]:
        """Every value in `text`, blood pressures as two."""
        for pattern in (self._value, self._short):
            for match in pattern.finditer(text):
                analyte = self._owner[_folded(match["name"])]
                value = analyte.convert(float(match["number"].replace(",", "")), match["unit"] or "")
                if value is not None:
                    yield Measurement(analyte, value, match.start(), match.end("unit" if match["unit"] else "number"))
        for match in _PRESSURE.finditer(text):
            for side in ("systolic", "diastolic"):
                analyte = self._analytes[f"{side}_pressure"]
                value = analyte.convert(float(match[side]), "mmHg")
                if value is not None:
                    yield Measurement(analyte, value, match.start(), match.end())


def _folded(name: str) -> str:
    return name.lower()
