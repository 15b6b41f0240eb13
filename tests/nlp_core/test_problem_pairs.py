"""Problem lists as people write them, pair by pair: what the list holds is not suggested, and nothing else is hidden."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from nlp_core.chart import Coding, Problem
from nlp_core.knowledge import Knowledge
from nlp_core.known_problems import ProblemMatcher
from nlp_core.mentions import MentionReader
from nlp_core.model_bundle import Bundle, composed_bundle_path

PAIRS = Path(__file__).parent / "problem_pairs.yaml"
SYSTEMS = {
    "cm": "http://hl7.org/fhir/sid/icd-10-cm",
    "who": "http://hl7.org/fhir/sid/icd-10",
    "cn": "http://hl7.org/fhir/sid/icd-10",
    "icd9": "http://hl7.org/fhir/sid/icd-9-cm",
    "sct": "http://snomed.info/sct",
    "bare": "",
}
LEAST = 300


@cache
def bundle() -> Bundle:
    return Bundle.open(composed_bundle_path())


@cache
def knowledge() -> Knowledge:
    return bundle().knowledge()


@cache
def matcher() -> ProblemMatcher:
    return ProblemMatcher(knowledge(), MentionReader(knowledge(), bundle().lexicons(), bundle().spelling()))


def problem(entry: Any) -> Problem:
    """One entry of the table as a problem; what it shows as its text is the text, else the display."""
    written = {"text": entry} if isinstance(entry, str) else dict(entry)
    codings = tuple(
        Coding(system=SYSTEMS[kind], code=written[kind], display=written.get("display", ""))
        for kind in SYSTEMS
        if kind in written
    )
    return Problem(
        reference="Condition/1",
        text=written.get("text") or written.get("display", ""),
        codings=codings,
        clinical_status=written.get("clinical", ""),
        verification_status=written.get("verification", ""),
    )


def pairs() -> Iterator[Any]:
    for group, rows in yaml.safe_load(PAIRS.read_text(encoding="utf-8")).items():
        for entry, diagnosis, expected in rows:
            yield pytest.param(entry, diagnosis, expected, id=f"{group}: {entry} / {diagnosis}")


@pytest.mark.parametrize(("entry", "diagnosis", "expected"), list(pairs()))
def test_d4_d5_what_the_list_says_of_a_diagnosis(entry: Any, diagnosis: str, expected: str) -> None:
    entries = entry if isinstance(entry, list) else [entry]
    assert diagnosis in knowledge().diagnoses
    assert matcher().known(map(problem, entries)).get(diagnosis, "none") == expected


def test_the_table_is_as_long_as_the_specification_asks() -> None:
    rows = [(str(pair.values[0]), pair.values[1]) for pair in pairs()]
    assert len(set(rows)) == len(rows) >= LEAST


def test_d4_every_name_of_the_knowledge_is_known_when_the_list_says_it() -> None:
    unknown = [
        (entry.id, name)
        for entry in knowledge().diagnoses.values()
        for name in (*entry.names.en, *entry.names.zh)
        if matcher().known([Problem(reference="Condition/1", text=name)]).get(entry.id) != "active"
    ]
    assert unknown == []
