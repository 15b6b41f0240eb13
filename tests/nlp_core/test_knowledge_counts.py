"""How much knowledge there is, counted on the small knowledge."""

from __future__ import annotations

from datetime import date

import pytest

from nlp_core import check_knowledge
from nlp_core.check_knowledge import main
from nlp_core.knowledge import Knowledge
from nlp_core.knowledge_counts import counts
from tests.nlp_core.small_knowledge import diagnosis, finding, knowledge_of, small_knowledge


def two_specialties() -> Knowledge:
    """Two entries of one category, one of another; one of the three read a second time."""
    findings = [finding("cough", "cough", "咳嗽"), finding("leukocytosis", "leukocytosis", "白细胞升高", kind="lab")]
    both = {"cough": 0.5, "leukocytosis": 0.2}
    read = date(2026, 11, 23)
    return knowledge_of(
        findings,
        [
            diagnosis("flu", "Flu", "流感", "J11.1", both, specialty="lungs", second_read=read),
            diagnosis("flu_pneumonia", "Flu pneumonia", "流感肺炎", "J11.00", {"cough": 0.9}, specialty="lungs"),
            diagnosis("sepsis", "Sepsis", "脓毒症", "A41.9", both, specialty="blood"),
        ],
    )


def test_diagnoses_are_counted_by_specialty_and_in_all() -> None:
    rows = counts(two_specialties()).splitlines()
    assert rows[2:5] == ["| blood | 1 | 0 | 2 | 1 |", "| lungs | 2 | 1 | 1.5 | 1 |", "| **all** | 3 | 1 | 2 | 2 |"]


def test_findings_are_counted_by_kind_and_in_all() -> None:
    rows = counts(two_specialties()).splitlines()
    assert {"| symptom | 1 |", "| lab | 1 |", "| vital | 0 |", "| **all** | 2 |"} <= set(rows)


def test_every_row_has_as_many_cells_as_its_head() -> None:
    for table in counts(small_knowledge()).split("\n\n"):
        assert len({row.count("|") for row in table.splitlines()}) == 1


def test_the_command_prints_them_and_checks_nothing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(check_knowledge, "read_knowledge", two_specialties)  # its diagnoses have too few findings
    assert main(["--counts"]) == 0
    assert capsys.readouterr().out == counts(two_specialties()) + "\n"
