"""Each part of the reading can be left out, and the figures say which was."""

from __future__ import annotations

import json
from pathlib import Path

from training.measures.evaluate import SETS
from training.measures.measure_ablations import (
    ENCODER_ALONE,
    LINKER_OFF,
    VARIANTS,
    Ablations,
    Texts,
    lines,
    measure,
    read_texts,
)
from training.measures.own_cases import coded_chart


def test_every_variant_is_measured_on_every_set() -> None:
    text = "Crushing chest pain on exertion for two days, relieved by rest. No fever. His brother had angina."
    texts: Texts = {"one story": [(coded_chart(text), {"I20"})]}
    found = measure(texts, int8=None)
    assert set(found.figures) == {*VARIANTS, LINKER_OFF, ENCODER_ALONE}
    assert all(set(figures) == {"one story"} for figures in found.figures.values())
    assert found.figures["both, as shipped"]["one story"][1] == 100


def test_the_section_names_model_and_variants() -> None:
    found = Ablations(model="3+abc", knowledge="def", figures={"both": {"notes": (12.5, 50.0)}})
    section = "\n".join(lines(found))
    assert "model 3+abc, knowledge def" in section
    assert "| both | 12.5 / 50 |" in section


def test_rows_that_ask_nothing_are_left_out(tmp_path: Path) -> None:
    asked = {"text": "cough", "gold": [{"name": "asthma", "icd10": "J45.909"}]}
    for name in SETS:
        rows = [asked, {"text": "cough", "gold": [{"name": "unknown", "icd10": ""}]}]
        (tmp_path / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    texts = read_texts(tmp_path)
    assert [len(texts[name]) for name in SETS] == [1] * len(SETS)
