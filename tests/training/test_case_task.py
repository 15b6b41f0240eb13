"""Whole cases teach the encoder: they are cut as serving cuts, one of each diagnosis is never learned, and what is learned tells them apart."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tokenizers import Tokenizer

from nlp_core.bundle_manifest import HEAD_WEIGHTS
from nlp_core.compose_bundle import compose
from nlp_core.model_bundle import Bundle
from nlp_core.onnx_encoder import OnnxEncoder
from nlp_core.sentence_readings import SentenceEncoder
from nlp_core.words import blank_pipeline
from tests.nlp_core.small_knowledge import small_knowledge
from tests.training.tiny_encoders import LONGEST, save_encoder, word_pieces
from training.export_model import export
from training.matching.cases import FOLDER, read_cases
from training.matching.fit_matcher import is_apart
from training.model.case_batches import CaseBatches, CaseCutter
from training.model.case_task import CaseNetwork
from training.model.chinese_vocabulary import extended_tokenizer
from training.model.fit import CHECKPOINT, CURVES, HISTORY, Training
from training.model.measure_training import Measured
from training.model.recipe import LossWeights, Recipe

PLACES = {diagnosis: place for place, diagnosis in enumerate(small_knowledge().diagnoses)}
RECIPE = Recipe(
    steps=2, concepts=8, sentences=4, cases=4, weights=LossWeights(cases=0.3), measure_every=2, measure_sentences=20,
    resting_sentences=0, seed=5, head_learning_rate=0.02, learning_rate=0.004,
)  # fmt: skip


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_encoder("bert with free slots", tmp_path_factory.mktemp("base"))


def drawn(seed: int = 1) -> CaseBatches:
    return CaseBatches(FOLDER, PLACES, word_pieces(), longest=LONGEST, seed=seed)


def test_a_case_is_cut_into_sentences_without_words_of_one_sex() -> None:
    tokenizer = word_pieces()
    rows = list(CaseCutter(tokenizer, 12).rows("Chest pain a.\n \nDad, b m.", blank_pipeline()))
    assert rows == [tuple(tokenizer.encode(text).ids) for text in ("chest pain a.", "parent, b m.")]


def test_traditional_characters_are_seen_as_simplified_ones() -> None:
    extended, added = extended_tokenizer(word_pieces().to_str(), ["头", "痛"])
    (row,) = CaseCutter(Tokenizer.from_str(extended), 12).rows("頭痛", blank_pipeline())
    assert row == (2, added["头"], added["痛"], 3)


def test_a_sentence_too_long_for_a_row_becomes_several_and_nothing_is_lost() -> None:
    rows = list(CaseCutter(word_pieces(), 12).rows("a b c " * 9, blank_pipeline()))
    assert [len(row) for row in rows] == [12, 12, 9]
    assert [token for row in rows for token in row[1:-1]] == word_pieces().encode("a b c " * 9).ids[1:-1]


def test_one_case_of_each_diagnosis_is_never_drawn_and_the_others_are_all_in_turn() -> None:
    cases = drawn()
    known = read_cases(known=PLACES)
    assert len(cases.apart) == sum(map(is_apart, known)) > 0
    assert len(cases.taught) + len(cases.apart) == len(known)
    once = [case for batch in cases.batches(1, len(cases.taught)) for case in batch]
    assert {id(case) for case in once} == {id(case) for case in cases.taught}
    assert all(LONGEST >= len(row) > 2 for case in once for row in case.sentences)


def test_equal_seeds_draw_equal_cases() -> None:
    one, other, another = ([b[0].sentences for b in drawn(seed).batches(2, 9)] for seed in (4, 4, 5))
    assert one == other != another


def test_cases_of_unknown_diagnoses_alone_are_refused() -> None:
    with pytest.raises(ValueError, match="no case to learn from"):
        CaseBatches(FOLDER, {"no_such_diagnosis": 0}, word_pieces(), longest=LONGEST, seed=1)


def test_the_loss_falls_and_the_encoder_learns(base: Path, tmp_path: Path) -> None:
    training = Training(RECIPE, small_knowledge(), tmp_path, base)
    task: Any = training.cases
    task.begin(training.vectors)
    before = float(task.loss(task.cases.taught).detach())
    vectors = training.vectors(["chest pain"])
    optimizer = training._optimizer()
    for batch in task.batches(40):
        optimizer.zero_grad()
        task.loss(batch).backward()
        optimizer.step()
    training.encoder.eval()
    assert float(task.loss(task.cases.taught).detach()) < before - 0.5
    assert np.abs(training.vectors(["chest pain"]) - vectors).max() > 1e-3


def test_diagnoses_begin_where_texts_about_them_lie() -> None:
    own = np.eye(3, 4, dtype=np.float32)
    network = CaseNetwork(3, 4)
    network.begin(np.concatenate([own, own], axis=1))
    said = torch.from_numpy(own[[0, 1, 1, 2]])
    with torch.no_grad():
        odds = network(said, torch.tensor([0, 1, 1, 2]), 3)
        alone = network(said[:1], torch.tensor([0]), 1)
    assert odds.argmax(dim=1).tolist() == [0, 1, 2]
    np.testing.assert_allclose(network.diagnosis.detach().norm(dim=1), 1, atol=1e-6)
    np.testing.assert_allclose(alone, odds[:1], atol=1e-5)


def test_how_many_kept_apart_are_told_is_measured(base: Path, tmp_path: Path) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    Training(RECIPE, small_knowledge(), tmp_path, base).run()
    (measured,) = map(Measured.model_validate_json, (tmp_path / HISTORY).read_text().splitlines())
    assert measured.losses["cases"] > 0
    assert measured.case_first is not None
    assert measured.case_within_three is not None
    assert 0 <= measured.case_first <= measured.case_within_three <= 1
    curves: Any = EventAccumulator(str(tmp_path / CURVES))
    curves.Reload()
    tags = curves.Tags()["scalars"]
    assert {"loss/cases", "held_apart/case_first", "held_apart/case_within_three"} <= set(tags)


def test_without_cases_nothing_of_them_is_read_or_kept(base: Path, tmp_path: Path) -> None:
    recipe = RECIPE.model_copy(update={"cases": 0, "weights": LossWeights()})
    Training(recipe, small_knowledge(), tmp_path, base, cases=tmp_path / "not there").run()
    assert "case" not in (tmp_path / HISTORY).read_text()
    assert torch.load(tmp_path / CHECKPOINT, weights_only=True)["cases"] == {}


def test_sentences_are_read_as_serving_tells_them_and_the_bundle_holds_nothing_more(base: Path, tmp_path: Path) -> None:
    training = Training(RECIPE, small_knowledge(), tmp_path, base)
    training.run()
    export(tmp_path / "shipped", model=base, trained=tmp_path)
    assert (tmp_path / "shipped" / HEAD_WEIGHTS).is_file()
    bundle = Bundle.open(compose(tmp_path / "composed", shipped=tmp_path / "shipped", base=base))
    texts = ["chest pain", "a b c d e f g", "a man"]
    pieces = [piece for (piece,) in SentenceEncoder(OnnxEncoder.open(bundle), bundle.tokenizer()).read(texts)]
    cutter, nlp = CaseCutter(training.encoder.tokenizer, LONGEST), blank_pipeline()
    task: Any = training.cases
    training.encoder.eval()
    with torch.no_grad():
        found = task._vectors([row for text in texts for row in cutter.rows(text, nlp)])
    wanted = np.stack([piece.mean / np.linalg.norm(piece.mean) for piece in pieces])
    np.testing.assert_allclose(found, wanted, atol=2e-3)
