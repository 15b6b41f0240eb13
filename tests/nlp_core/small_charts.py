"""Charts of one line, and a reader of the small knowledge to read them with."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from nlp_core.assess import Reader
from nlp_core.chart import Chart, Coding, Fact, Problem
from nlp_core.chart_reading import ChartReader
from nlp_core.findings import ChartFindings, Observed, Source
from nlp_core.note import Note
from tests.nlp_core.small_knowledge import small_knowledge

AS_OF = datetime(2026, 11, 20, 12, tzinfo=UTC)
INFLUENZA = "Fever 39.5 °C, cough and body aches for two days. No runny nose."
COLD = "Runny nose and cough since Monday. Her daughter has a cold, too."
EMBOLISM = "Sudden shortness of breath and pleuritic chest pain. HR 120 bpm. History of DVT."
LOINC = "http://loinc.org"
ICD10CM = "http://hl7.org/fhir/sid/icd-10-cm"


def days_ago(days: float) -> datetime:
    return AS_OF - timedelta(days=days)


def note(text: str, *, age_days: float | None = 0, reference: str = "") -> Note:
    """A note of so many days ago; None = undated."""
    place = reference or f"DocumentReference/{age_days}"
    return Note(reference=place, text=text, date=None if age_days is None else days_ago(age_days))


def chart_of(*notes: Note | str, **fields: Any) -> Chart:
    """Notes newest first, as a chart has them; a bare text is a note of today."""
    written = tuple(
        entry if isinstance(entry, Note) else note(entry, reference=f"DocumentReference/{place}")
        for place, entry in enumerate(notes)
    )
    return Chart(as_of=AS_OF, notes=written, **fields)


def laboratory(loinc: str, text: str, value: float | None = None, unit: str = "", **fields: Any) -> Fact:
    """A result of today, unless `fields` say otherwise."""
    usual: dict[str, Any] = {"kind": "laboratory", "reference": f"Observation/{loinc}", "date": AS_OF}
    return Fact(codings=(Coding(system=LOINC, code=loinc),), text=text, value=value, unit=unit, **{**usual, **fields})


def potassium(value: float, unit: str = "mmol/L", **fields: Any) -> Fact:
    return laboratory("2823-3", "Potassium", value, unit, **fields)


def problem(text: str = "", *, icd10cm: str = "", **fields: Any) -> Problem:
    codings = (Coding(system=ICD10CM, code=icd10cm),) if icd10cm else ()
    return Problem(reference=f"Condition/{icd10cm or 'text'}", text=text, codings=codings, **fields)


@cache
def small_chart_reader() -> ChartReader:
    """Reads by names alone: no encoder."""
    return ChartReader(small_knowledge(), None)


@cache
def small_reader() -> Reader:
    return Reader(small_knowledge(), small_chart_reader(), calibration=None, model_version="test")


def probabilities(*notes: Note | str) -> dict[str, float]:
    """What each diagnosis of the small knowledge is given, best first."""
    return {ranked.diagnosis.id: probability for ranked, probability in small_reader().rank(chart_of(*notes))}


def observed(*notes: Note | str, **fields: Any) -> dict[str, bool]:
    """What the chart says of each finding: present or absent."""
    found = small_chart_reader().read(chart_of(*notes, **fields)).found
    return {finding: answer.present for finding, answer in found.observed.items()}


def found_of(present: Iterable[str] = (), absent: Iterable[str] = ()) -> ChartFindings:
    """Findings as if a note had said them, each by its own id."""
    answers = [*((finding, True) for finding in present), *((finding, False) for finding in absent)]
    source = "DocumentReference/1"
    return ChartFindings({f: Observed(f, answer, (Source(source, None, f, "note"),)) for f, answer in answers}, {})
