"""Where findings lie is learned from what they are called: away from what others are called, and as far off as before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from nlp_core.bundle_manifest import Manifest, read_manifest, write_manifest
from nlp_core.model_bundle import SHIPPED_BUNDLE
from nlp_core.name_index import KINDS, NameIndex
from tests.nlp_core.small_knowledge import small_knowledge
from tests.nlp_core.test_concepts import WordAxes
from training.linking.fit_centres import embedded, found_shares, put_into
from training.model.learned_centres import Wordings, learned_centres, plain_centres, wordings
from training.phrases import Phrase

COUGH, WHEEZE = 0, 1


def drawn(seed: int = 0, count: int = 60) -> Wordings:
    """Two findings whose wordings agree in one direction by which nothing is told, and differ in another."""
    random = np.random.default_rng(seed)
    owners = random.integers(0, 2, count)
    vectors = random.normal(0, 0.3, (count, 8))
    vectors[:, 0] += 1
    vectors[:, 1] += np.where(owners == COUGH, 0.3, -0.3)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return Wordings(
        ("cough", "wheeze"),
        vectors.astype(np.float32),
        owners.astype(np.int64),
        named=np.arange(count) < 6,
        apart=(np.arange(count) % 5 == 4) & (np.arange(count) >= 6),
    )


def right(given: Wordings, centres: np.ndarray) -> float:
    return float(((given.vectors @ centres.T).argmax(axis=1) == given.owners).mean())


def test_wordings_that_were_not_learned_find_their_finding_oftener_than_by_means() -> None:
    learned = np.stack(list(learned_centres(drawn(count=400), seed=1, epochs=60).by_finding().values()))
    others = drawn(seed=1, count=2000)
    assert right(others, learned) >= right(others, plain_centres(drawn(count=400)))
    assert learned[COUGH, 1] > 0 > learned[WHEEZE, 1]


def test_equal_seeds_learn_equal_centres() -> None:
    one, two, other = (learned_centres(drawn(count=1500), seed=seed, epochs=3) for seed in (3, 3, 4))
    assert np.array_equal(one.centres, two.centres)
    assert not np.array_equal(one.centres, other.centres)


def test_held_apart_wordings_are_as_like_their_centre_as_they_were_to_the_mean_and_teach_nothing() -> None:
    given = drawn()
    centres = np.stack(list(learned_centres(given, seed=1, epochs=20).by_finding().values()))
    vectors, owners = given.vectors[given.apart], given.owners[given.apart]
    before, after = ((vectors * of[owners]).sum(axis=1).mean() for of in (plain_centres(given), centres))
    assert after == pytest.approx(before, abs=1e-2)
    turned = replace(given, vectors=np.where(given.apart[:, None], -given.vectors, given.vectors))
    others = np.stack(list(learned_centres(turned, seed=1, epochs=20).by_finding().values()))
    assert (centres / np.linalg.norm(centres, axis=1, keepdims=True)) == pytest.approx(
        others / np.linalg.norm(others, axis=1, keepdims=True), abs=2e-3
    )


def test_no_passes_leave_the_means() -> None:
    centres = np.stack(list(learned_centres(drawn(), seed=1, epochs=0).by_finding().values()))
    assert centres == pytest.approx(plain_centres(drawn()), abs=1e-3)


def test_only_findings_told_in_words_are_placed() -> None:
    phrases = [Phrase("chest_pain", "my chest hurts", "en", "phrase"), Phrase("hyperkalemia", "high K", "en", "phrase")]
    phrases += [Phrase("d:angina", "angina", "en", "name")]
    given = wordings(phrases, small_knowledge(), lambda texts: np.ones((len(texts), 4), np.float32) / 2)
    assert len(given.vectors) == 1
    assert given.findings[given.owners[0]] == "chest_pain"
    assert {small_knowledge().findings[finding].kind for finding in given.findings} <= set(KINDS)


def test_of_each_finding_no_more_wordings_are_taken_than_asked_for() -> None:
    phrases = [
        Phrase("chest_pain", text, language, source)
        for text, language, source in (
            ("chest pain", "en", "name"), ("pain in the chest", "en", "name"), ("胸痛", "zh", "name"),
            ("my chest hurts", "en", "phrase"), ("it aches right here", "en", "phrase"),
        )
    ]  # fmt: skip
    asked: list[str] = []

    def embed(texts: Sequence[str]) -> np.ndarray:
        asked.extend(texts)
        return np.ones((len(texts), 4), np.float32) / 2

    given = wordings(phrases, small_knowledge(), embed, most=1)
    assert len(given.vectors) == len(asked) < len(phrases)
    assert {"chest pain", "胸痛"} <= set(asked)
    assert "pain in the chest" not in asked


def test_texts_are_embedded_in_their_order_whatever_their_length() -> None:
    encoder = WordAxes()
    texts = ["coughing at night for a week", "cough", "wheezes when it is cold"]
    assert np.array_equal(embedded(texts, encoder), encoder.embed(texts))


def test_shares_are_of_each_language_and_a_relative_is_right_too() -> None:
    encoder = WordAxes()
    index = NameIndex(["chest_pain", "nausea"], encoder.embed(["chest pain", "nausea"]))
    asked = [
        Phrase("chest_pain", "chest pain", "en", "phrase"),
        Phrase("nausea", "chest pain", "en", "phrase"),
        Phrase("nausea", "nausea", "zh", "phrase"),
    ]
    told = found_shares(index, encoder.embed([phrase.text for phrase in asked]), asked, small_knowledge())
    assert list(told) == ["en: 50.0 % of 2", "zh: 100.0 % of 1"]


def test_the_manifest_names_the_new_file(tmp_path: Path, plain_manifest: Manifest) -> None:
    write_manifest(tmp_path, plain_manifest)
    (tmp_path / "finding_centres.safetensors").write_bytes(b"four")
    put_into(tmp_path, "finding_centres.safetensors")
    assert read_manifest(tmp_path).files["finding_centres.safetensors"].size == 4
    assert read_manifest(tmp_path).files.keys() == plain_manifest.files.keys() | {"finding_centres.safetensors"}


@pytest.fixture
def plain_manifest() -> Manifest:
    return read_manifest(SHIPPED_BUNDLE)
