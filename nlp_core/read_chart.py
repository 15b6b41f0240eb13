"""A chart that was read, told once more for a later moment without reading it again.

Input: the chart, and what of the resources moves with the clock alone: the birth date, the times and classes of encounters, and
the first date that lies in the future. Output: the chart as it would be read at that later moment, or None where only a new
reading can tell. Holds no name and no identifier of the patient.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from nlp_core.chart import Chart
from nlp_core.fhir_dates import age_in_years
from nlp_core.fhir_fields import Json
from nlp_core.newest_first import CLOCK_SLACK, Dated, is_future
from nlp_core.setting import setting_of_encounters

_OF_ENCOUNTERS = ("status", "class", "period", "actualPeriod")


@dataclass(frozen=True, slots=True)
class ReadChart:
    """A chart, and how it goes on."""

    chart: Chart
    birth_date: object = None
    """As the Patient has it."""
    encounters: tuple[Json, ...] = ()
    """What of them tells the setting, in the order of the resources."""
    until: datetime | None = None
    """From then on something dated in the future comes into its place among the rest; None = nothing is."""

    def at(self, as_of: datetime) -> Chart | None:
        """The chart as it would be read at `as_of`; None where its order may have changed."""
        if as_of < self.chart.as_of or (self.until is not None and as_of >= self.until):
            return None
        moved = {
            "as_of": as_of,
            "age_years": age_in_years(self.birth_date, as_of),
            "setting": setting_of_encounters(self.encounters, as_of),
        }
        return self.chart.model_copy(update=moved)


def of_encounter(encounter: Json) -> Json:
    """The fields of an Encounter that tell where the patient is seen."""
    return {name: encounter[name] for name in _OF_ENCOUNTERS if name in encounter}


def ordered_until(found: Iterable[Dated], as_of: datetime) -> datetime | None:
    """Until when the order that `newest_first` gives at `as_of` holds; None = for ever."""
    ahead = [entry.date for entry in found if entry.date is not None and is_future(entry.date, as_of)]
    return min(ahead) - CLOCK_SLACK if ahead else None
