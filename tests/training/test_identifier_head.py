"""The trained head that tells identifiers: its tokens, its whole numbers, what it finds, and how it is fitted."""

from __future__ import annotations

import random
import sys
from pathlib import Path

import numpy as np
import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from training.deidentify.identifier_head import head as head_module
from training.deidentify.identifier_head.head import IdentifierHead, Thresholds, ruled_classes, shipped_head
from training.deidentify.identifier_head.network import CLASSES, Floats, probabilities, read_weights
from training.deidentify.identifier_head.tokens import Tokens, tokens_of
from training.deidentify.kinds import Found, Kind
from training.deidentify.notes import NoteCleaner, nobody
from training.deidentify.surrogates import Surrogates
from training.deidentify.text_folding import folded
from training.deidentify.vocabulary import vocabulary
from training.identifier_fit.command import write
from training.identifier_fit.fit import fitted
from training.identifier_fit.substitutes import Substitutes
from training.identifier_fit.training_notes import MarkedText, frames, mixed, written_anew

KEY = b"a key of a test, thirty-two characters or more"


@pytest.fixture(scope="module")
def head() -> IdentifierHead:
    return shipped_head(vocabulary())


@pytest.fixture(scope="module")
def cleaner(head: IdentifierHead) -> NoteCleaner:
    return NoteCleaner(Surrogates(KEY, vocabulary()), head=head)


@settings(max_examples=150, deadline=None)
@given(st.text(alphabet="Zoë Brown's 张伟，。1234567890-/.:@#\nabcABC岁年月日⁹é", max_size=100))
def test_tokens_stand_in_order_and_every_letter_and_digit_is_in_one(text: str) -> None:
    plain = folded(text)
    tokens = tokens_of(plain)
    assert tokens.starts == sorted(tokens.starts)
    assert all(end <= start for end, start in zip(tokens.ends, tokens.starts[1:], strict=False))
    covered = {at for start, end in zip(tokens.starts, tokens.ends, strict=True) for at in range(start, end)}
    assert all(at in covered for at, letter in enumerate(plain) if letter.isalpha() or letter in "0123456789")
    assert len(tokens.forms) == len(tokens.gaps) == len(tokens.starts)


def test_a_chinese_character_knows_its_word_in_either_script() -> None:
    assert tokens_of("护士").forms == tokens_of("護士").forms
    assert [form.rpartition("|")[2] for form in tokens_of("张建国来").forms] == ["张建国"] * 3 + ["来"]


def test_what_the_rules_found_lies_over_the_tokens_it_touches() -> None:
    tokens = tokens_of("Jane Roe on 3/5/2021")
    found = [Found(5, 8, Kind.NAME), Found(12, 20, Kind.DATE)]
    assert ruled_classes(tokens, found).tolist() == [0, CLASSES.index("name"), 0, CLASSES.index("date")]


def test_the_head_counts_in_whole_numbers_so_that_every_machine_says_the_same() -> None:
    weights = read_weights(head_module.WEIGHTS)
    for values in (
        weights.first,
        weights.first_bias,
        weights.second,
        weights.second_bias,
        weights.last,
        weights.last_bias,
    ):
        assert np.array_equal(values, np.rint(values))
    largest = 1_023 * np.abs(weights.first).sum(axis=0).max() + np.abs(weights.first_bias).max()
    assert largest < 2**24
    sums = np.random.default_rng(1).integers(-1_500, 1_500, (300, weights.table.shape[1])).astype(np.float32)
    between = np.zeros(300, np.bool_)
    whole = probabilities(sums, weights, between)
    assert np.array_equal(whole[10:200], probabilities(sums, weights, between)[10:200])
    assert np.array_equal(
        whole[20:200], probabilities(sums[10:], weights, between[10:])[10:190]
    )  # far enough from the cut


def test_the_weights_are_small_and_those_of_their_record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert head_module.WEIGHTS.stat().st_size <= 1_000_000
    changed = tmp_path / "weights.npz"
    changed.write_bytes(head_module.WEIGHTS.read_bytes() + b"\0")
    monkeypatch.setattr(head_module, "WEIGHTS", changed)
    with pytest.raises(ValueError, match="checksum"):
        shipped_head(vocabulary())


@pytest.mark.parametrize(
    "text",
    [
        "Discussed with Ozlemira, who agrees. Will review tomorrow.",
        "Daughter Vintrusha at bedside, lives in Quorntown.",
        "患者由邻居甄桂枝送来，家住青松岭镇。",
    ],
)
def test_names_on_no_list_are_found(cleaner: NoteCleaner, text: str) -> None:
    cleaned = cleaner.clean(text, nobody(None)).text
    assert not any(said in cleaned for said in ("Ozlemira", "Vintrusha", "Quorntown", "甄桂枝", "青松岭"))


@pytest.mark.parametrize(
    "text",
    [
        "Assessment: Acute on chronic heart failure. Continue Furosemide 40 mg, add Spironolactone. No chest pain.",
        "Patient was given the following immunizations: sars-cov-2 (covid-19) vaccine, mrna, spike protein, 30 mcg/0.3ml dose.",
        "Denies fever, chills. GCS 15, BP 118/72, SpO2 97%. Hb 10.4, CRP 44. Not anticoagulated.",
        "Wilson disease was excluded. Foley removed. Parkinson's disease stable on Levodopa 100 mg three times daily.",
        "患者无发热，无咳嗽，血压 132/80mmHg，给予阿司匹林100mg，否认药物过敏史。",
    ],
)
def test_diseases_doses_and_denials_stay(cleaner: NoteCleaner, text: str) -> None:
    assert cleaner.clean(text, nobody(None)).text == text


class Told(IdentifierHead):
    """Thinks of each token what it is told to."""

    def __init__(self, thresholds: Thresholds, **told: float) -> None:
        super().__init__(vocabulary(), read_weights(head_module.WEIGHTS), thresholds)
        self._told = told

    def reviewed(self, plain: str, tokens: Tokens, ruled: NDArray[np.int8], chances: Floats) -> Floats:  # noqa: ARG002
        chance = np.array([self._told.get(form, 0.0) for form in tokens.forms], np.float32)
        given = np.zeros((len(chance), len(CLASSES)), np.float32)
        given[:, 0], given[:, 1] = 1 - chance, chance
        return given


def test_a_word_beside_an_identifier_is_part_of_it_from_a_lower_chance_on() -> None:
    text, told = "Seen with Ozlemira Vintrusha Quorn, near Vintrusha", {"Ozlemira": 0.9, "Vintrusha": 0.5, "Quorn": 0.5}
    alone = Told(Thresholds(0.8, 0.8, 0, 0), **told).judged([(text, [])])
    assert [text[one.start : one.end] for one in alone[0]] == ["Ozlemira"]
    beside = Told(Thresholds(0.8, 0.8, 0, 0, latin_beside=0.4), **told).judged([(text, [])])
    assert [text[one.start : one.end] for one in beside[0]] == ["Ozlemira Vintrusha Quorn"]
    ruled = [Found(41, 50, Kind.PLACE)]
    assert Told(Thresholds(0.95, 0.8, 0, 0, latin_beside=0.4), near=0.5).judged([(text, ruled)])[0][-1].start == 36


@pytest.mark.parametrize("text", ["doses 100-200-3000 mg", "now 88 years", "患者88岁", "Na 4419 mmol"])
def test_a_number_with_its_unit_is_a_measure_whatever_the_head_thinks(text: str) -> None:
    sure = {"100-200-3000": 0.99, "88": 0.99, "4419": 0.99}
    assert Told(Thresholds(0.5, 0.5, 0, 0), **sure).judged([(text, [])]) == [[]]
    assert Told(Thresholds(0.5, 0.5, 0, 0), **sure).judged([(f"bed {text.split()[-1]} 4419", [])])[0]


def test_an_identifier_written_anew_keeps_its_make() -> None:
    substitutes = Substitutes(random.Random(7))
    for old, kind in (
        ("O'Malley, Siobhan", Kind.NAME),
        ("MRS ROE", Kind.NAME),
        ("555-0199", Kind.PHONE),
        ("张建国", Kind.NAME),
    ):
        new = substitutes.of(old, kind)
        assert new != old
        assert new.isupper() == old.isupper()
        assert len(new.split()) == len(old.split())


def test_notes_written_anew_keep_their_other_words_and_know_where_the_new_identifiers_are() -> None:
    drawn = random.Random(3)
    substitutes = Substitutes(drawn)
    for note in frames():
        new = written_anew(note, substitutes, drawn)
        assert len(new.identifiers) == len(note.identifiers)
        between = note.text[note.identifiers[-1].end :] if note.identifiers else note.text
        assert new.text.lower().endswith(between.lower())
    whole = mixed("First words. Last words.", frames()[:3], drawn)
    said = [whole.text[one.start : one.end] for one in whole.identifiers]
    assert sorted(said) == sorted(note.text[one.start : one.end] for note in frames()[:3] for one in note.identifiers)


def test_a_head_is_fitted_rounded_and_written_with_its_checksum(tmp_path: Path) -> None:
    rules = NoteCleaner(Surrogates(KEY, vocabulary()))
    texts = [MarkedText(f"Spoke with {name} today about the rash.", (Found(11, 11 + len(name), Kind.NAME),))
             for name in ("Zorvana", "Bekim", "Tuala", "Oskari") for _ in range(40)]  # fmt: skip
    weights = fitted(texts, rules, rounds=4, seed=1, quiet=True)
    assert sys.float_info.min / 2 > 0  # the arithmetic of the rest of the process is as it was
    write(weights, tmp_path, {"thresholds": Thresholds(0.5, 0.5, 0, 0)._asdict()})
    record = orjson.loads((tmp_path / "weights.json").read_bytes())
    assert len(record["sha256"]) == 64
    kept = read_weights(tmp_path / "weights.npz")
    assert np.array_equal(kept.table, weights.table)
    found = NoteCleaner(
        Surrogates(KEY, vocabulary()), head=IdentifierHead(vocabulary(), kept, Thresholds(0.5, 0.5, 0, 0))
    )
    assert "Melvara" not in found.clean("Spoke with Melvara today about the rash.", nobody(None)).text
