"""Row F10: of the texts that a run is trained on, nothing can be read in what it leaves behind."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import pytest
from safetensors import safe_open
from tokenizers import Tokenizer

from nlp_core.base_package import base_files
from nlp_core.bundle_manifest import HEAD_WEIGHTS, TOKENIZER
from nlp_core.compose_bundle import compose
from nlp_core.knowledge import Knowledge
from nlp_core.model_bundle import SHIPPED_BUNDLE
from tests.journey.canaries import files_under, spellings
from tests.nlp_core.small_knowledge import small_knowledge
from tests.training.tiny_encoders import save_encoder
from training import model_card
from training.export_model import base_of, export
from training.model import fit
from training.model.fit import Training
from training.model.recipe import Recipe
from training.phrases import Phrase

PERSONAL = ("Zq7Mustermann", "zq7mrn0048151623", "Zq7strasse")
SMALL = Recipe(steps=2, concepts=8, sentences=2, measure_every=2, measure_sentences=5, resting_sentences=0, seed=5)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, int]:
    """A folder with the run, its export and the composed bundle; and how many marked phrases the run was given."""
    folder = tmp_path_factory.mktemp("run")

    def with_personal_words(knowledge: Knowledge) -> list[Phrase]:
        texts = [f"{' '.join(PERSONAL)} says number {number}" for number in range(5)]
        return [Phrase(entry, text, "en", "phrase") for entry in sorted(knowledge.findings)[:6] for text in texts]

    base = save_encoder("bert with free slots", folder / "base")
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(fit, "written_phrases", with_personal_words)
        training = Training(SMALL, small_knowledge(), folder / "run", base)
        training.run()
    given = sum(PERSONAL[0] in phrase.text for phrases in training.phrases.values() for phrase in phrases)
    export(folder / "shipped", model=base, trained=folder / "run")
    compose(folder / "composed", shipped=folder / "shipped", base=base)
    return folder, given


def test_f10_no_word_of_the_texts_is_in_any_file_that_training_leaves(trained: tuple[Path, int]) -> None:
    folder, given = trained
    assert given
    written = files_under(folder) | unpacked(folder)
    assert {Path(name).name for name in written} >= {"checkpoint.pt", "history.jsonl", HEAD_WEIGHTS, TOKENIZER}
    for word in PERSONAL:
        assert not [name for name, content in written.items() if any(one in content for one in spellings(word))]


def unpacked(folder: Path) -> dict[str, bytes]:
    """What is inside archives: checkpoints and arrays may be packed."""
    found: dict[str, bytes] = {}
    for path in folder.rglob("*"):
        if path.is_file() and zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                found |= {f"{path.name}!{name}": archive.read(name) for name in archive.namelist()}
    return found


def test_f10_weights_hold_numbers_and_the_names_of_layers_alone(trained: tuple[Path, int]) -> None:
    folder, _ = trained
    for path in folder.rglob("*.safetensors"):
        with safe_open(path, "np") as tensors:
            said = tensors.metadata() or {}
        assert set(said) <= {"format", "adapter", "findings"}, path.name
        assert set(said.get("findings", "").split()) <= set(small_knowledge().findings)  # what it was trained on


def test_f10_the_tokenizer_learns_no_words_but_single_characters(trained: tuple[Path, int]) -> None:
    folder, _ = trained
    base = set(Tokenizer.from_file(str(folder / "base" / TOKENIZER)).get_vocab())
    added = set(Tokenizer.from_file(str(folder / "composed" / TOKENIZER)).get_vocab()) - base
    assert added, "the run added the characters of the knowledge's names"
    assert all(len(one.removeprefix("##")) == 1 for one in added)


def test_f10_the_shipped_tokenizers_characters_are_those_of_our_own_writing() -> None:
    """A tokenizer can tell a rare name by the character it took in; what ships was made of this repository's texts."""
    shipped = Tokenizer.from_file(str(SHIPPED_BUNDLE / TOKENIZER)).get_vocab()
    base = Tokenizer.from_file(str(base_files(base_of(None))[TOKENIZER])).get_vocab()
    root = Path(model_card.__file__).parents[1]
    ours = "".join(
        path.read_text("utf-8")
        for folder in ("nlp_core", "training")
        for path in (root / folder).rglob("*")
        if path.suffix in (".yaml", ".jsonl", ".txt")
    )
    added = set(shipped) - set(base)
    assert added
    assert all(len(one.removeprefix("##")) == 1 and one.removeprefix("##") in ours for one in added)


def test_f10_the_history_and_the_model_card_hold_figures_and_no_example(trained: tuple[Path, int]) -> None:
    folder, _ = trained
    for line in (folder / "run" / "history.jsonl").read_text("utf-8").splitlines():
        assert not texts_in(json.loads(line)), "numbers, and names of measures"
    evaluations = Path(model_card.__file__).parents[1] / "docs" / "evaluation_history.jsonl"
    card = "\n".join(model_card.card(SHIPPED_BUNDLE, folder / "run", evaluations))
    assert "2 steps of 8 pairs" in card, "it is this run's card"
    assert not any(word.lower() in card.lower() for word in PERSONAL)


def texts_in(value: object) -> list[str]:
    """Every string among the values of a JSON document; keys do not count."""
    if isinstance(value, dict):
        return [text for one in value.values() for text in texts_in(one)]
    if isinstance(value, list):
        return [text for one in value for text in texts_in(one)]
    return [value] if isinstance(value, str) else []
