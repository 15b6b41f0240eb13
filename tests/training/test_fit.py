"""Teaching the encoder: what it is shown, that it learns, that a cut run goes on, and that what it learned is shipped."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from tokenizers import Tokenizer

from nlp_core.adapters import ADAPTER
from nlp_core.assertion import Assertion
from nlp_core.bundle_manifest import BASE_WEIGHTS, FINDING_CENTRES, HEAD_WEIGHTS, TOKENIZER, Precision
from nlp_core.compose_bundle import compose
from nlp_core.head_outputs import HEADS
from nlp_core.model_bundle import Bundle
from nlp_core.onnx_encoder import OnnxEncoder
from nlp_core.sentence_readings import SentenceEncoder
from tests.nlp_core.small_knowledge import small_knowledge
from tests.training.prepared_notes import written_note
from tests.training.tiny_encoders import VOCABULARY, save_encoder, word_pieces
from tests.training.tuning.labelled import texts as labelled_texts
from training.__main__ import main
from training.export_model import base_of, export
from training.model.chinese_vocabulary import characters_by_frequency, extended_tokenizer, first_vectors
from training.model.fit import CHECKPOINT, CURVES, ENCODER, HISTORY, Training
from training.model.measure_training import Measured
from training.model.pair_batches import PairSampler
from training.model.prepared_sentences import PreparedSentences
from training.model.recipe import SHIPPED, LossWeights, Recipe, read_recipe, write_recipe
from training.model.sentence_batches import SentenceSampler
from training.model.tuned_encoder import Tuning
from training.phrases import Phrase, by_entry, clauses_of_nothing, names_of, written_phrases
from training.prepare.prepared_note import BlottedSpan, PreparedNote, PreparedSentence, WeakSpan
from training.tuning.options import TuningOptions
from training.tuning.run import tuned

SMALL = Recipe(steps=6, concepts=8, sentences=4, measure_every=3, measure_sentences=20, resting_sentences=500, seed=5)
TEXTS = ["chest pain", "胸痛", "it hurts when I breathe in", "吸气时胸口痛"]


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


def test_what_the_free_slots_do_not_hold_goes_behind_the_last_row() -> None:
    extended, added = extended_tokenizer(word_pieces().to_str(), list("胸痛闷甲乙丙丁戊己庚辛壬"), range(50, 52))
    assert [added[character] for character in "胸庚辛壬"] == [4, 13, 50, 51]
    assert Tokenizer.from_str(extended).encode("壬痛").ids == [2, 51, 5, 3]
    alone, slots = extended_tokenizer(word_pieces().to_str(), list("胸痛闷甲乙丙丁戊己庚辛壬"))
    assert slots == {character: place for character, place in added.items() if place < 50}
    assert json.loads(alone)["model"]["vocab"].keys() == json.loads(extended)["model"]["vocab"].keys() - {"辛", "壬"}


def test_a_character_that_names_nothing_begins_as_the_mean_of_those_that_do() -> None:
    phrases = {
        "cough": [Phrase("cough", "a b", "en", "name"), Phrase("cough", "咳", "zh", "name")],
        "pain": [Phrase("pain", "m", "en", "name"), Phrase("pain", "痛", "zh", "name")],
    }
    tokenizer = word_pieces()
    embeddings = np.arange(64, dtype=np.float32).reshape(32, 2)
    a, b, m = (embeddings[tokenizer.token_to_id(letter)] for letter in "abm")
    first = first_vectors({"咳": 4, "鑫": 5, "痛": 6}, phrases, tokenizer, embeddings)
    np.testing.assert_allclose(first, [(a + b) / 2, ((a + b) / 2 + m) / 2, m])


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An encoder whose vocabulary has free slots, as the base package's."""
    return save_encoder("bert with free slots", tmp_path_factory.mktemp("base"))


@pytest.fixture(scope="module")
def run(base: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run of six steps over the small knowledge."""
    out = tmp_path_factory.mktemp("run")
    Training(SMALL, small_knowledge(), out, base).run()
    return out


def cut_and_resumed(recipe: Recipe, base: Path, out: Path) -> None:
    """A run that is cut at its first checkpoint and goes on from there."""

    class Cut(RuntimeError):
        pass

    first = Training(recipe, small_knowledge(), out, base)
    keep = first._keep

    def cut(optimizer: object, history: list[Measured], step: int) -> None:
        keep(optimizer, history, step)
        raise Cut

    first._keep = cut  # type: ignore[method-assign]
    with pytest.raises(Cut):
        first.run()
    Training(recipe, small_knowledge(), out, base).run(resume=True)


def test_a_cut_run_goes_on_to_the_same_end(base: Path, run: Path, tmp_path: Path) -> None:
    cut_and_resumed(SMALL, base, tmp_path)
    for name in (ADAPTER, HEAD_WEIGHTS, FINDING_CENTRES, TOKENIZER):
        assert (tmp_path / name).read_bytes() == (run / name).read_bytes(), name


def test_a_cut_run_with_cases_and_grown_rows_goes_on_to_the_same_end(base: Path, run: Path, tmp_path: Path) -> None:
    recipe = SMALL.model_copy(
        update={"grown_rows": 5, "cases": 3, "weights": LossWeights(cases=0.5), "resting_sentences": 0}
    )
    (tmp_path / "whole").mkdir()
    (tmp_path / "cut").mkdir()
    Training(recipe, small_knowledge(), tmp_path / "whole", base).run()
    cut_and_resumed(recipe, base, tmp_path / "cut")
    for name in (ADAPTER, HEAD_WEIGHTS, FINDING_CENTRES, TOKENIZER, HISTORY):
        assert (tmp_path / "cut" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes(), name
    kept = [torch.load(tmp_path / name / CHECKPOINT, weights_only=True)["cases"] for name in ("cut", "whole")]
    assert all(torch.equal(kept[0][name], kept[1][name]) for name in kept[1])
    assert (tmp_path / "whole" / ADAPTER).read_bytes() != (run / ADAPTER).read_bytes()


def test_curves_are_there_for_tensorboard(run: Path) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    curves: Any = EventAccumulator(str(run / CURVES))
    curves.Reload()
    assert [event.step for event in curves.Scalars("loss/finding")] == list(range(SMALL.steps))
    assert {event.step for event in curves.Scalars("held_apart/nearest_english")} == {3, 6}


def test_there_is_nothing_to_resume_in_an_empty_folder(base: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="nothing to resume"):
        Training(SMALL.model_copy(update={"steps": 1}), small_knowledge(), tmp_path, base).run(resume=True)


def test_a_run_of_another_recipe_is_not_resumed(base: Path, run: Path, tmp_path: Path) -> None:
    shutil.copytree(run, tmp_path / "run")
    with pytest.raises(ValueError, match="another recipe"):
        Training(SMALL.model_copy(update={"seed": 6}), small_knowledge(), tmp_path / "run", base).run(resume=True)


def restored(run: Path, recipe: Recipe, model: Path) -> Training:
    """The run as it ended, in torch."""
    training = Training(recipe, small_knowledge(), run, model)
    training._restore(training._optimizer(), [])
    training.heads.load_state_dict(load_file(run / HEAD_WEIGHTS))  # which learned on after the last checkpoint
    return training


def assert_composed_reads_as_torch(bundle: Bundle, trained: Training) -> None:
    """Sentence vectors and every head's answer, ONNX Runtime against torch."""
    encoder = OnnxEncoder.open(bundle)
    np.testing.assert_allclose(encoder.embed(TEXTS), trained.vectors(TEXTS), atol=2e-3)
    sentences = SentenceEncoder(encoder, bundle.tokenizer()).read(TEXTS)
    with torch.no_grad():
        for group in trained.encoder.read(TEXTS):
            answered = trained.heads(group.vectors, group.mask)
            for row, place in enumerate(group.places):
                (piece,) = sentences[place]
                length = int(group.mask[row].sum()) - 2
                np.testing.assert_allclose(piece.evidence, answered.evidence[row].numpy(), atol=5e-3)
                wanted = torch.softmax(answered.finding[row, 1 : 1 + length], dim=-1)
                np.testing.assert_allclose(piece.finding, 1 - wanted[:, 0].numpy(), atol=5e-3)


def test_what_was_learned_is_what_the_composed_bundle_reads(base: Path, run: Path, tmp_path: Path) -> None:
    export(tmp_path / "shipped", model=base, trained=run)
    bundle = Bundle.open(compose(tmp_path / "composed", shipped=tmp_path / "shipped", base=base))
    assert bundle.manifest.heads == HEADS
    assert_composed_reads_as_torch(bundle, restored(run, SMALL, base))
    export(tmp_path / "plain", model=base)
    untrained = Bundle.open(compose(tmp_path / "untrained", shipped=tmp_path / "plain", base=base))
    assert np.abs(OnnxEncoder.open(bundle).embed(TEXTS) - OnnxEncoder.open(untrained).embed(TEXTS)).max() > 1e-3


def test_what_tune_leaves_is_an_encoder_to_begin_with(base: Path, tmp_path: Path) -> None:
    options = TuningOptions(epochs=1, rank=2, longest=16, threads=1)
    labels = ("allergy", "cold", "flu")
    tuned(str(base), labelled_texts(4), [], labels, options, tmp_path / "tuned").save(tmp_path / "tuned")
    begun = tmp_path / "tuned" / ENCODER
    assert (begun / BASE_WEIGHTS).read_bytes() != (base / BASE_WEIGHTS).read_bytes()
    recipe = SMALL.model_copy(update={"steps": 1, "measure_every": 1, "rank": 2})
    Training(recipe, small_knowledge(), tmp_path / "fitted", begun).run()
    export(tmp_path / "shipped", model=begun, trained=tmp_path / "fitted")
    bundle = Bundle.open(compose(tmp_path / "composed", shipped=tmp_path / "shipped", base=begun))
    assert_composed_reads_as_torch(bundle, restored(tmp_path / "fitted", recipe, begun))


@pytest.mark.parametrize("tuning", ["lora", "full", "frozen"])
@pytest.mark.parametrize("kind", ["bert", "roberta", "modernbert"])
def test_any_encoder_trains_exports_and_serves(kind: str, tuning: Tuning, tmp_path: Path) -> None:
    model = save_encoder(kind, tmp_path / "model")
    recipe = SMALL.model_copy(update={"steps": 2, "measure_every": 2, "tuning": tuning, "rank": 2})
    Training(recipe, small_knowledge(), tmp_path, model).run()
    base = tmp_path / ENCODER if tuning == "full" else model
    export(tmp_path / "shipped", model=base, trained=tmp_path)
    bundle = Bundle.open(compose(tmp_path / "composed", shipped=tmp_path / "shipped", base=base))
    assert_composed_reads_as_torch(bundle, restored(tmp_path, recipe, model))


@pytest.mark.parametrize(
    ("tuning", "precision"),
    [("lora", "fp32"), ("lora", "fp16"), ("lora", "int8-rows"), ("full", "fp32"), ("frozen", "fp32")],
)
def test_a_vocabulary_that_grew_trains_exports_and_serves(
    base: Path, tmp_path: Path, tuning: Tuning, precision: Precision
) -> None:
    cases = tmp_path / "cases"
    cases.mkdir()
    said = "鑫" * 900 + "她鼻塞。"
    (cases / "own.jsonl").write_text(f'{{"diagnosis": "influenza", "style": "note", "text": "{said}"}}\n', "utf-8")
    recipe = SMALL.model_copy(
        update={"steps": 2, "measure_every": 2, "resting_sentences": 0, "tuning": tuning, "grown_rows": 12}
    )
    Training(recipe, small_knowledge(), tmp_path, base, cases=cases).run()
    model = tmp_path / ENCODER if tuning == "full" else base
    export(tmp_path / "shipped", model=model, trained=tmp_path, precision=precision)
    bundle = Bundle.open(compose(tmp_path / "composed", shipped=tmp_path / "shipped", base=model))
    assert bundle.manifest.vocabulary == VOCABULARY + 12
    behind = [name for name, place in bundle.tokenizer().get_vocab().items() if place >= VOCABULARY]
    assert len(behind) == 12
    sentence = "".join(behind)
    assert min(bundle.tokenizer().encode(sentence, add_special_tokens=False).ids) >= VOCABULARY
    assert bundle.tokenizer().encode("鑫", add_special_tokens=False).tokens == ["鑫"]
    trained = Training(recipe, small_knowledge(), tmp_path, base, cases=cases)
    trained._restore(trained._optimizer(), [])
    found = OnnxEncoder.open(bundle).embed([sentence, "鑫"])
    np.testing.assert_allclose(
        found, trained.vectors([sentence, "鑫"]), atol=0.05 if precision == "int8-rows" else 2e-3
    )


def test_a_hospitals_prepared_notes_are_learned_beside_invented_ones(base: Path, run: Path, tmp_path: Path) -> None:
    notes = [
        PreparedNote(
            patient="a", note=str(number), split="train", language="en", text=f"Tight band {number} with fever. Has ______ now.",
            spans=(WeakSpan(start=11, end=21, entry="headache", assertion=Assertion.PRESENT),
                   WeakSpan(start=0, end=21, entry="d:migraine", assertion=Assertion.PRESENT),
                   WeakSpan(start=0, end=10, entry="no_such_entry", assertion=Assertion.PRESENT)),
            blotted=(BlottedSpan(start=31, end=37),),
            sentences=(PreparedSentence(start=0, end=23, telling=True),),
        )
        for number in range(3)
    ]  # fmt: skip
    (tmp_path / "train.jsonl").write_text("".join(note.model_dump_json() + "\n" for note in notes))
    more = PreparedSentences(tmp_path, small_knowledge())
    drawn = [example for example, _ in zip(more.stream(), range(4), strict=False)]
    assert [example.text for example in drawn[:2]] == ["Tight band 0 with fever.", "Tight band 1 with fever."]
    assert drawn[3] == drawn[0]
    assert drawn[0].telling
    assert [span.entry for span in drawn[0].spans] == ["d:migraine"]
    mixed = SentenceSampler(small_knowledge(), seed=3, chinese=0.0, more=more.stream(), share=0.5)
    own = [example.text.startswith("Tight band") for batch in mixed.batches(100, 2) for example in batch]
    assert 60 < sum(own) < 140
    training = Training(SMALL, small_knowledge(), tmp_path / "run", base, tmp_path)
    (tmp_path / "run").mkdir()
    training.run()
    assert (tmp_path / "run" / ADAPTER).read_bytes() != (run / ADAPTER).read_bytes()
    (tmp_path / "train.jsonl").write_text(notes[0].model_dump_json() + "\n")
    with pytest.raises(ValueError, match="another recipe"):
        Training(SMALL, small_knowledge(), tmp_path / "run", base, tmp_path).run(resume=True)


@pytest.fixture
def with_bad_lines(tmp_path: Path) -> Path:
    """A prepared folder of two good notes, a bad line before, between and behind them."""
    notes = [written_note(f"Tight band {number} with fever.", "headache=Tight band") for number in range(2)]
    one, two = (note.model_dump_json() for note in notes)
    lines = ['{"text": "Zebulon Quill"}', one, "Zebulon Quill", two, two[:40]]
    (tmp_path / "prepared").mkdir()
    (tmp_path / "prepared" / "train.jsonl").write_text("\n".join(lines))
    return tmp_path / "prepared"


def small_fit(base: Path, prepared: Path, folder: Path, monkeypatch: pytest.MonkeyPatch, *options: str) -> int:
    """The command, by the small knowledge, in two steps."""
    monkeypatch.setattr("training.model.fit.read_knowledge", small_knowledge)
    write_recipe(folder / "two.yaml", SMALL.model_copy(update={"steps": 2, "resting_sentences": 0}))
    given = ["--model", str(base), "--with", str(prepared), "--recipe", str(folder / "two.yaml")]
    return main(["fit", *given, "--out", str(folder / "out"), *options])


def test_lines_that_cannot_be_read_are_named_and_the_good_ones_learned(
    base: Path, with_bad_lines: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    read = PreparedSentences(with_bad_lines, small_knowledge())
    drawn = [example.text for example, _ in zip(read.stream(), range(3), strict=False)]
    assert drawn == ["Tight band 0 with fever.", "Tight band 1 with fever.", "Tight band 0 with fever."]
    assert small_fit(base, with_bad_lines, tmp_path, monkeypatch) == 0
    assert (tmp_path / "out" / "bad-rows.tsv").read_text() == (
        "train.jsonl\t1\tmissing\ntrain.jsonl\t3\tjson_invalid\ntrain.jsonl\t5\tcut-off\n"
    )
    assert (tmp_path / "out" / ADAPTER).is_file()
    said = capsys.readouterr()
    assert "left out: 3 unreadable lines" in said.err
    assert "Zebulon" not in said.out + said.err


def test_a_dry_run_counts_and_writes_nothing(
    base: Path, with_bad_lines: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    assert small_fit(base, with_bad_lines, tmp_path, monkeypatch, "--dry-run") == 0
    said = capsys.readouterr()
    assert "prepared notes   2, 50 % of the sentences; 3 unreadable lines" in said.out
    assert "steps            2 of 8 pairs and 4 sentences" in said.out
    assert "left out: train.jsonl, line 3: json_invalid" in said.err
    assert not (tmp_path / "out").exists()
    assert small_fit(base, with_bad_lines, tmp_path, monkeypatch, "--dry-run", "--resume") == 1
    assert "nothing to resume" in capsys.readouterr().err


def test_a_folder_that_is_not_prepared_is_refused(base: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="dxspan-train prepare"):
        Training(SMALL, small_knowledge(), tmp_path, base, tmp_path)
    (tmp_path / "train.jsonl").write_text('{"text": "Zebulon Quill"}\n')
    with pytest.raises(ValueError, match="line 1") as refused:
        Training(SMALL, small_knowledge(), tmp_path, base, tmp_path)
    assert "Zebulon" not in str(refused.value)


def test_a_recipe_with_an_unknown_entry_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "recipe.yaml").write_text("stepz: 3\n", encoding="utf-8")
    with pytest.raises(ValueError, match="stepz"):
        read_recipe(tmp_path / "recipe.yaml")


def test_cases_without_a_weight_are_refused(tmp_path: Path) -> None:
    for written in ("cases: 3\n", "weights: {cases: 0.3}\n"):
        (tmp_path / "recipe.yaml").write_text(written, encoding="utf-8")
        with pytest.raises(ValueError, match="go together"):
            read_recipe(tmp_path / "recipe.yaml")


def test_the_recipes_can_be_read_and_the_shipped_one_takes_nothing_new() -> None:
    shipped, fuller = read_recipe(SHIPPED), read_recipe(SHIPPED.with_name("fuller.yaml"))
    assert shipped.tuning == "lora"
    assert (shipped.grown_rows, shipped.cases, shipped.weights.cases, shipped.charts) == (0, 0, 0, "first")
    assert (fuller.grown_rows, fuller.cases, fuller.charts) == (600, 12, "fuller")


def test_clauses_of_nothing_are_there_in_both_languages() -> None:
    assert {phrase.language for phrase in clauses_of_nothing()} == {"en", "zh"}
