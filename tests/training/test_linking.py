"""Linkers learn what was judged, say in serving what they said in training, and are told apart by the heads they belong to."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import torch

from nlp_core.assessment import Language
from nlp_core.concept_linker import FIGURES, MIDDLE, ConceptLinker, LinkedClause
from nlp_core.knowledge_files import read_knowledge
from training.__main__ import main
from training.linking.fit_linker import Linked, by_linker, unseen
from training.linking.judged_clauses import Example, JudgedClause, read_judged
from training.linking.networks import Batch, LinkerNetwork, learned, losses

WIDTH = 6


def example(note: int, *, right: bool, random: np.random.Generator, chinese: bool = False) -> Example:
    """The clause's first component tells whether it means the first of its two findings."""
    vector = random.normal(size=WIDTH).astype(np.float32)
    vector[0] = 3.0 if right else -3.0
    vector /= np.linalg.norm(vector)
    centres = random.normal(size=(2, WIDTH)).astype(np.float32)
    centres /= np.linalg.norm(centres, axis=1, keepdims=True)
    figures = random.random(len(FIGURES)).astype(np.float32)
    figures[:2] = 1, chinese
    language: Language = "zh" if chinese else "en"
    judged = JudgedClause(
        case=f"note-{note}", language=language, sentence="a", start=0, end=1, near=("cough", "fever"), right=()
    )
    return Example(
        judged,
        LinkedClause(language, vector, vector, figures),
        judged.near,
        np.array([MIDDLE + 0.1, MIDDLE], np.float32),
        centres,
        np.array([right, False]),
    )


def some_examples(count: int = 240) -> list[Example]:
    random = np.random.default_rng(3)
    return [example(place % 40, right=place % 3 == 0, random=random, chinese=place % 2 == 0) for place in range(count)]


def test_every_judged_clause_is_words_of_its_sentence_and_right_findings_were_shown() -> None:
    knowledge = read_knowledge()
    judged = read_judged()
    assert len(judged) > 9_000
    for one in judged:
        assert one.sentence[one.start : one.end].strip()
        assert set(one.right) <= set(one.near)
        assert len(set(one.near)) == len(one.near)
        assert set(one.near) <= knowledge.findings.keys()
    languages = Counter(one.language for one in judged)
    assert min(languages.values()) > 4_000


def test_serving_says_what_training_said() -> None:
    seen = some_examples(20)
    torch.manual_seed(1)
    network = LinkerNetwork(WIDTH).eval()
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter)
    with torch.no_grad():
        batch = Batch.of(seen)
        said = torch.softmax(torch.cat([torch.zeros(len(seen), 1), network(batch)], 1), 1)[:, 1:]
    assert by_linker(seen, network.linker("")) == pytest.approx(said.numpy(), abs=1e-5)


def test_a_clause_that_means_nothing_costs_what_its_findings_are_given() -> None:
    log_odds = torch.zeros(2, 3)
    right = torch.tensor([[False, False, False], [True, True, False]])
    assert torch.exp(-losses(log_odds, right)).tolist() == pytest.approx([0.25, 0.5])


def test_what_can_be_learned_is_learned_for_notes_that_were_not_seen() -> None:
    seen = some_examples()
    right, chinese = np.stack([one.right for one in seen]), np.zeros(len(seen), bool)
    before = Linked(by_linker(seen, LinkerNetwork(WIDTH).eval().linker("")), right, chinese)
    after = Linked(unseen(seen, seed=1), right, chinese)
    assert after.loss < 0.7 * before.loss
    assert after.ranked > 0.95
    assert abs(after.told - after.real) < abs(before.told - before.real)


def test_the_same_seed_learns_the_same() -> None:
    seen = some_examples(60)
    first, again = (by_linker(seen, learned(seen, seed=5).linker("")) for _ in range(2))
    assert np.array_equal(first, again)


def test_fit_linker_writes_a_linker_of_the_bundles_heads_and_a_page(tmp_path: Path) -> None:
    from nlp_core.bundle_manifest import HEAD_WEIGHTS
    from nlp_core.model_bundle import Bundle, composed_bundle_path

    if not composed_bundle_path().is_dir():
        pytest.skip("no composed bundle: run make setup-test")
    few, out, page = tmp_path / "few.jsonl", tmp_path / "linker", tmp_path / "linking.md"
    judged = read_judged()
    chosen = [*judged[:60], *judged[4700:4760]]
    few.write_text("".join(one.model_dump_json() + "\n" for one in chosen), encoding="utf-8")
    assert main(["fit-linker", "--judged", str(few), "--out", str(out), "--write", str(page)]) == 0
    heads = Bundle.open(composed_bundle_path()).manifest.files[HEAD_WEIGHTS].sha256
    assert ConceptLinker.load(out).heads == heads
    assert "| Chinese, linker |" in page.read_text("utf-8")
    assert page.with_suffix(".svg").is_file()
