"""Teaching the encoder: what it is shown, that it learns, that a cut run goes on, and that what it learned is shipped."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tokenizers import Tokenizer

from nlp_core.adapters import ADAPTER
from nlp_core.compose_bundle import compose
from nlp_core.model_bundle import Bundle
from nlp_core.onnx_encoder import OnnxEncoder
from tests.nlp_core.small_knowledge import small_knowledge
from training.chinese_vocabulary import characters_by_frequency, extended_tokenizer
from training.concept_batches import PairSampler
from training.export import base_of, export
from training.phrases import Phrase, by_entry, clauses_of_nothing, names_of, written_phrases
from training.train_concepts import ConceptTraining, Recipe

SMALL = Recipe(steps=6, concepts=8, measure_every=3, seed=5)


def sampler(seed: int = 1, concepts: int = 8) -> PairSampler:
    phrases = by_entry(names_of(small_knowledge()))
    vectors = np.random.default_rng(0).normal(size=(len(phrases), 4)).astype(np.float32)
    return PairSampler(phrases, small_knowledge(), vectors, concepts=concepts, seed=seed)


def test_pairs_mean_the_same_and_relatives_are_no_rivals() -> None:
    owner = {p.text: p.entry for p in names_of(small_knowledge())}
    for batch in sampler().batches(20):
        entries = [owner[text] for text in batch.left]
        assert entries == [owner[text] for text in batch.right]
        assert len(set(entries)) == len(entries)
        for i, one in enumerate(entries):
            assert batch.rival[i, i]
            for j, other in enumerate(entries):
                related = one in small_knowledge().findings and other in small_knowledge().ancestors(one)
                assert not (i != j and related and batch.rival[i, j])


def test_equal_seeds_draw_equal_batches() -> None:
    one, two = list(sampler(4).batches(5)), list(sampler(4).batches(5))
    assert [batch.left for batch in one] == [batch.left for batch in two]


def test_held_apart_phrases_are_a_tenth_and_never_names() -> None:
    phrases = [Phrase("cough", f"coughing {number}", "en", "phrase") for number in range(1000)]
    held = sum(phrase.split == "held_apart" for phrase in phrases)
    assert 60 < held < 150
    assert all(phrase.split == "train" for phrase in names_of(small_knowledge()))


def test_a_faulty_line_is_named(tmp_path: Path) -> None:
    (tmp_path / "skin.jsonl").write_text('{"finding": "cough", "en": [], "zh": []}\nnonsense\n', encoding="utf-8")
    with pytest.raises(ValueError, match=r"skin\.jsonl, line 2"):
        list(written_phrases(small_knowledge(), tmp_path))


def test_free_slots_become_characters_and_nothing_else_moves() -> None:
    base = base_of(None)
    from nlp_core.base_package import base_files

    written = base_files(base)["tokenizer.json"].read_text("utf-8")
    characters = characters_by_frequency(["胸痛胸闷", "胸痛", "鑫"])
    extended, added = extended_tokenizer(written, characters)
    before, after = json.loads(written)["model"]["vocab"], json.loads(extended)["model"]["vocab"]
    assert sorted(before.values()) == sorted(after.values())
    assert {name: place for name, place in after.items() if name not in added}.items() <= before.items()
    tokenizer = Tokenizer.from_str(extended)
    tokenizer.no_padding()
    assert "[UNK]" not in tokenizer.encode("胸闷").tokens
    assert "闷" in added


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run of six steps over the small knowledge."""
    out = tmp_path_factory.mktemp("run")
    ConceptTraining(SMALL, small_knowledge(), out).run()
    return out


def test_a_cut_run_goes_on_to_the_same_end(run: Path, tmp_path: Path) -> None:
    class Cut(RuntimeError):
        pass

    first = ConceptTraining(SMALL, small_knowledge(), tmp_path)
    keep = first._keep

    def cut(optimizer: object, history: list[dict[str, float]], step: int) -> None:
        keep(optimizer, history, step)
        raise Cut

    first._keep = cut  # type: ignore[method-assign]
    with pytest.raises(Cut):
        first.run()
    ConceptTraining(SMALL, small_knowledge(), tmp_path).run(resume=True)
    assert (tmp_path / ADAPTER).read_bytes() == (run / ADAPTER).read_bytes()


def test_there_is_nothing_to_resume_in_an_empty_folder(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="nothing to resume"):
        ConceptTraining(replace(SMALL, steps=1), small_knowledge(), tmp_path).run(resume=True)


def test_a_run_of_another_recipe_is_not_resumed(run: Path, tmp_path: Path) -> None:
    shutil.copytree(run, tmp_path / "run")
    with pytest.raises(ValueError, match="another recipe"):
        ConceptTraining(replace(SMALL, seed=6), small_knowledge(), tmp_path / "run").run(resume=True)


def test_what_was_learned_is_what_the_composed_bundle_reads(run: Path, tmp_path: Path) -> None:
    """The torch model with its adapter and the composed ONNX graph give the same vectors."""
    export(tmp_path / "shipped", trained=run)
    bundle = Bundle.open(compose(tmp_path / "composed", shipped=tmp_path / "shipped"))
    trained = ConceptTraining(replace(SMALL, steps=0), small_knowledge(), tmp_path)
    trained._restore_from(run)
    texts = ["chest pain", "胸痛", "it hurts when I breathe in", "吸气时胸口痛"]
    read = OnnxEncoder.open(bundle).embed(texts)
    np.testing.assert_allclose(read, trained.vectors(texts), atol=2e-3)
    base = OnnxEncoder.open(Bundle.open(_composed_base(tmp_path))).embed(texts)
    assert np.abs(read - base).max() > 1e-3


def _composed_base(tmp_path: Path) -> Path:
    export(tmp_path / "shipped-base")
    return compose(tmp_path / "composed-base", shipped=tmp_path / "shipped-base")


def test_clauses_of_nothing_are_there_in_both_languages() -> None:
    assert {phrase.language for phrase in clauses_of_nothing()} == {"en", "zh"}
