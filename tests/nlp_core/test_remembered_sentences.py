"""A memory of sentences changes no answer: what is recalled is what would be read, to the last byte of the assessment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nlp_core.assess import Reader
from nlp_core.bundle_errors import BundleError
from nlp_core.chart import Chart
from nlp_core.concepts import LEAST_FINDING
from nlp_core.model_bundle import composed_bundle_path
from nlp_core.note import Note
from nlp_core.packed_readings import NotPacked, packed, unpacked
from nlp_core.sentence_readings import SentenceReading

SENTENCES = (
    "Fever and cough since Monday.",
    "No chest pain.",
    "It feels like a tight band round my chest when I climb stairs.",
    "Denies dyspnoea, nausea or vomiting.",
    "Lungs clear to auscultation.",
    "The left calf is swollen and sore to touch.",
    "Mother had a stroke at 60.",
    "Takes aspirin 100 mg daily.",
    "胸口像被石头压着一样。",
    "患者否认发热，咳嗽三天。",
    "Her belly hurts low on the right side, worse when she walks.",
    "Review in two weeks if the pain comes back.",
)


class Dictionary:
    """A SentenceMemory that forgets nothing and counts what it did not know."""

    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}
        self.unknown = 0

    def recall(self, texts: Sequence[str]) -> list[bytes | None]:
        found = [self.kept.get(text) for text in texts]
        self.unknown += found.count(None)
        return found

    def keep(self, readings: Mapping[str, bytes]) -> None:
        self.kept |= readings


MEMORY = Dictionary()


@pytest.fixture(scope="module")
def readers() -> tuple[Reader, Reader]:
    """The shipped reader without and with a memory."""
    try:
        path = composed_bundle_path()
        return Reader.load(path, threads=1), Reader.load(path, threads=1, remember=lambda _: MEMORY)
    except BundleError as missing:
        pytest.skip(f"needs the composed bundle: {missing}")


NOTES = st.lists(st.lists(st.sampled_from(SENTENCES), min_size=1, max_size=6), min_size=1, max_size=3)


@settings(max_examples=12, deadline=None)
@given(notes=NOTES)
def test_the_same_chart_gives_the_same_assessment_with_and_without(
    readers: tuple[Reader, Reader], notes: list[list[str]]
) -> None:
    plain, remembering = readers
    chart = Chart(
        as_of=datetime(2026, 11, 23, tzinfo=UTC),
        age_years=61.0,
        sex="female",
        notes=tuple(Note(reference=f"DocumentReference/{n}", text=" ".join(said)) for n, said in enumerate(notes)),
    )
    expected = plain.assess(chart).model_dump_json()
    assert remembering.assess(chart).model_dump_json() == expected
    unknown = MEMORY.unknown
    assert remembering.assess(chart).model_dump_json() == expected
    assert MEMORY.unknown == unknown, "read a second time, nothing is asked of the encoder"


@given(st.lists(st.integers(1, 40), max_size=3), st.integers(0, 2**32 - 1))
def test_packing_keeps_what_serving_asks_for(lengths: list[int], seed: int) -> None:
    random = np.random.default_rng(seed)
    pieces = [_reading(random, length) for length in lengths]
    for before, after in zip(pieces, unpacked(packed(pieces)), strict=True):
        inside = before.finding >= LEAST_FINDING
        for name in ("starts", "ends", "finding", "assertion", "mean"):
            assert np.array_equal(getattr(before, name), getattr(after, name))
            assert getattr(before, name).dtype == getattr(after, name).dtype
        assert before.telling == after.telling
        assert np.array_equal(before.vectors[inside], after.vectors[inside])
        assert np.isnan(after.vectors[~inside]).all()


@given(st.binary(min_size=1, max_size=400))
def test_bytes_of_another_kind_are_not_packed_readings(junk: bytes) -> None:
    whole = packed([_reading(np.random.default_rng(1), 5)])
    with pytest.raises(NotPacked):
        unpacked(whole[:-1])
    with suppress(NotPacked):
        unpacked(junk)


def _reading(random: np.random.Generator, tokens: int) -> SentenceReading:
    return SentenceReading(
        starts=np.arange(tokens, dtype=np.int64),
        ends=np.arange(tokens, dtype=np.int64) + 1,
        vectors=random.normal(size=(tokens, 8)).astype(np.float32),
        mean=random.normal(size=8).astype(np.float32),
        finding=random.random(tokens).astype(np.float32),
        assertion=random.random((tokens, 6)).astype(np.float32),
        telling=round(float(random.random()), 4),
        evidence=np.zeros(128, np.float32),
    )
