"""What a changed vector does to decisions is counted, not guessed."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from nlp_core.compose_bundle import compose
from nlp_core.knowledge_files import read_knowledge
from nlp_core.model_bundle import Bundle
from nlp_core.onnx_encoder import OnnxEncoder
from training.measures.precision_measures import Outcome, Texts, compare, decisions, outcome, speed, texts_of

NAMES = np.array([[1, 0], [0.9, np.sqrt(0.19)], [0, 1], [0, 1]], np.float32)
TEXTS = Texts([], ["a", "b", "c", "d"], np.array([0, 0, 1, 1]))


def test_a_decision_is_the_finding_of_the_nearest_other_name_or_none() -> None:
    found = Outcome(NAMES, NAMES)
    assert decisions(found, TEXTS, 0.6).tolist() == [0, 0, 1, 1]
    assert decisions(found, TEXTS, 0.95).tolist() == [-1, -1, 1, 1]


def test_the_same_vectors_change_nothing() -> None:
    found = Outcome(NAMES, NAMES)
    assert compare(found, found, TEXTS) == ["1.00000", "1.0000"] * 2 + ["0.00 %", "100.00 %"] * 2


def test_changed_vectors_change_decisions() -> None:
    swapped = Outcome(NAMES, NAMES[[0, 2, 1, 3]])
    assert compare(Outcome(NAMES, NAMES), swapped, TEXTS)[4] == "100.00 %"


def test_the_measured_texts_are_the_projects_own(tmp_path: Path) -> None:
    bundle = Bundle.open(compose(tmp_path / "bundle"))
    encoder = OnnxEncoder.open(bundle)
    texts = texts_of(read_knowledge(), bundle, names=20)
    assert len(texts.names) == 20
    assert {batch.ids.shape[0] for batch in texts.windows} == {1}
    short = Texts(texts.windows[:1], texts.names, texts.findings)
    assert outcome(encoder.encode, short, bundle).sentences.shape == (20, 384)
    assert speed(encoder.encode, 4, 30522) > 0
