"""Entries say what they are, refuse what they are not, and know how they hang together."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from nlp_core.knowledge import Finding, Knowledge, Names
from tests.nlp_core.small_knowledge import diagnosis, finding, knowledge_of, small_knowledge


def test_the_first_name_of_each_language_is_the_one_to_display() -> None:
    shown = Names(en=("dyspnea", "SOB"), zh=("呼吸困难", "气短")).display
    assert (shown.en, shown.zh) == ("dyspnea", "呼吸困难")


@pytest.mark.parametrize("missing", ["en", "zh"])
def test_both_languages_need_a_name(missing: str) -> None:
    with pytest.raises(ValidationError):
        Names.model_validate({"en": ["cough"], "zh": ["咳嗽"], missing: []})


@pytest.mark.parametrize(
    "wrong",
    [
        {"background": 0},
        {"background": 1},
        {"id": "Chest pain"},
        {"kind": "feeling"},
        {"backgruond": 0.1},
        {"measured": [{"unit": "mmol/L", "abvoe": 5}]},
    ],
)
def test_an_entry_of_the_wrong_shape_is_refused(wrong: dict[str, Any]) -> None:
    right = finding("cough", "cough", "咳嗽").model_dump()
    with pytest.raises(ValidationError):
        Finding.model_validate({**right, **wrong})


@pytest.mark.parametrize("share", [0, 1, -0.1, 1.5])
def test_a_share_lies_between_never_and_always(share: float) -> None:
    with pytest.raises(ValidationError):
        diagnosis("flu", "flu", "流感", "J11.1", {"cough": share})


def test_shares_join_findings_risks_and_what_speaks_against() -> None:
    entry = diagnosis(
        "flu", "flu", "流感", "J11.1", {"cough": 0.8}, against={"rash": 0.01}, risk_factors={"winter": 0.6}
    )
    assert entry.shares == {"cough": 0.8, "rash": 0.01, "winter": 0.6}


def test_a_finding_listed_twice_has_the_share_of_findings() -> None:
    entry = diagnosis(
        "flu", "flu", "流感", "J11.1", {"cough": 0.8}, against={"cough": 0.01}, risk_factors={"cough": 0.5}
    )
    assert entry.shares == {"cough": 0.8}


def test_ancestors_come_nearest_first_and_once() -> None:
    knowledge = knowledge_of(
        [
            finding("pain", "pain", "痛"),
            finding("chest_pain", "chest pain", "胸痛", is_a=["pain"]),
            finding("thoracic_sign", "thoracic sign", "胸部体征", is_a=["pain"]),
            finding("pleuritic_pain", "pleuritic pain", "胸膜痛", is_a=["chest_pain", "thoracic_sign"]),
        ],
        [],
    )
    assert list(knowledge.ancestors("pleuritic_pain")) == ["chest_pain", "thoracic_sign", "pain"]
    assert list(knowledge.ancestors("pain")) == []


def test_a_cycle_ends() -> None:
    knowledge = knowledge_of([finding("egg", "egg", "蛋", is_a=["hen"]), finding("hen", "hen", "鸡", is_a=["egg"])], [])
    assert list(knowledge.ancestors("egg")) == ["hen"]


def test_written_and_loaded_it_is_the_same(tmp_path: Path) -> None:
    path = tmp_path / "knowledge.json"
    path.write_text(small_knowledge().model_dump_json(exclude_defaults=True), encoding="utf-8")
    assert Knowledge.load(path) == small_knowledge()


def test_a_missing_file_and_a_file_of_something_else_are_errors(tmp_path: Path) -> None:
    path = tmp_path / "knowledge.json"
    with pytest.raises(OSError, match=r"knowledge\.json"):
        Knowledge.load(path)
    path.write_text('{"findings": {}}')
    with pytest.raises(ValidationError):
        Knowledge.load(path)
