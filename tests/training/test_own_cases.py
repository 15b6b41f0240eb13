"""Our own cases are whole, apart from one another, and do not name what they ask for."""

from __future__ import annotations

import simple_icd_10_cm as icd

from training.measures.own_cases import (
    ENCOUNTERS_DEVELOPMENT,
    ENCOUNTERS_TEST,
    FOLDER,
    STYLES,
    TEST,
    CaseRank,
    lines,
    read_cases,
)


def test_every_case_is_whole_and_told_once() -> None:
    test, development = read_cases(TEST), read_cases(FOLDER / "development.jsonl")
    encounters, encounters_test = read_cases(ENCOUNTERS_DEVELOPMENT), read_cases(ENCOUNTERS_TEST)
    assert len(test) >= 200
    assert {case.style for case in (*encounters, *encounters_test)} == {"encounter"}
    cases = [*test, *development, *encounters, *encounters_test]
    assert (
        len({case.id for case in cases})
        == len({case.zh for case in cases})
        == len({case.en for case in cases})
        == len(cases)
    )
    assert {case.style for case in (*test, *development)} == set(STYLES)


def test_every_gold_has_a_code_and_is_not_named() -> None:
    files = (TEST, FOLDER / "development.jsonl", ENCOUNTERS_DEVELOPMENT, ENCOUNTERS_TEST)
    for case in (case for file in files for case in read_cases(file)):
        for gold in case.gold:
            assert icd.is_valid_item(gold.icd10), case.id
            assert gold.name.lower() not in case.en.lower(), case.id


def test_the_table_shows_both_languages() -> None:
    ranks = [CaseRank("note", 1), CaseRank("vignette", 4), CaseRank("message", None)]
    table = list(lines({"en": ranks, "zh": ranks}, {"en": ranks[:1]}))
    assert "| en | 1 | 100 / 100 / 100 | 100.0 (21–100) |" in table
    assert any(
        line.startswith("| en | 3 | 33.3 (")
        and line.endswith("| 33 / 33 / 67 | 100 / 100 / 100 | 0 / 0 / 100 | 0 / 0 / 0 |")
        for line in table
    )
