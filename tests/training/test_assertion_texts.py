"""Our own assertion texts are whole, cover every assertion in both languages, and are measured by part."""

from __future__ import annotations

from collections import Counter
from itertools import product
from pathlib import Path

import pytest

from nlp_core.assertion import Assertion
from training.__main__ import main
from training.measures.assertion_texts import (
    LANGUAGES,
    PARTS,
    AssertionText,
    Judged,
    Part,
    judge_texts,
    lines,
    read_texts,
)
from training.measures.judge_assertions import score_of


@pytest.mark.parametrize("part", ["development", "test"])
def test_both_halves_cover_every_assertion_in_both_languages(part: Part) -> None:
    texts = read_texts(part)
    assert len({text.text for text in texts}) >= 250
    found = Counter((text.language, text.assertion) for text in texts)
    assert all(found[pair] >= 15 for pair in product(LANGUAGES, Assertion))


def test_the_further_part_tells_what_was_from_what_is_in_both_languages() -> None:
    found = Counter((text.language, text.assertion) for text in read_texts("further"))
    asked = product(LANGUAGES, (Assertion.PAST, Assertion.PRESENT, Assertion.ABSENT))
    assert all(found[pair] >= 8 for pair in asked)


def test_no_text_stands_in_two_parts() -> None:
    texts = [text for part in PARTS for text in {text.text for text in read_texts(part)}]
    assert len(texts) == len(set(texts))


def test_the_rules_read_most_of_the_development_part() -> None:
    judged = judge_texts(read_texts("development"))
    assert sum(one.said is one.text.assertion for one in judged) > 0.9 * len(judged)


def test_a_span_that_marks_no_words_is_refused_with_its_line(tmp_path: Path) -> None:
    line = '{"id": "a", "language": "en", "text": "No fever.", "span": [0, 3], "assertion": "absent"}'
    (tmp_path / "test.jsonl").write_text(line, "utf-8")
    with pytest.raises(ValueError, match=r"line 1: .*marks no words"):
        read_texts("test", tmp_path)


def test_the_table_counts_what_was_said() -> None:
    texts = [
        AssertionText(id=str(start), language="en", text="No fever", span=(start, 8), assertion=Assertion.ABSENT)
        for start in (0, 3)
    ]
    judged = [Judged(texts[0], Assertion.PRESENT), Judged(texts[1], Assertion.ABSENT)]
    table = list(lines("test", judged))
    assert "| en | absent | 2 | 1.000 | 0.500 | 0.667 |" in table
    assert any("50.0 % right" in line for line in table)


def test_errors_of_the_test_part_are_not_shown(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["measure-assertions", "--part", "test", "--errors"]) == 1
    assert "measuring alone" in capsys.readouterr().err


def test_a_score_counts_pairs() -> None:
    score = score_of([(True, True), (True, False), (False, True), (False, False)])
    assert (score.precision, score.recall, score.f1) == (0.5, 0.5, 0.5)
