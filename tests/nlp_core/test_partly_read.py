"""D13, C3: a note that was not read wholly is said to be so, and what it lacks is never "nothing found"."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import numpy as np
import pytest

from nlp_core import note_groups
from nlp_core.assess import Reader
from nlp_core.assessment import Assessment
from nlp_core.batches import Batch
from nlp_core.chart_reading import ChartReader
from nlp_core.concepts import ConceptReader, NameIndex
from nlp_core.encoder import Encoder, HeadAnswers, Vectors, check_answers
from nlp_core.model_bundle import Bundle, composed_bundle_path
from nlp_core.model_faults import NotFinite
from nlp_core.note import Note
from nlp_core.second_reader import SecondReader
from nlp_core.sentence_readings import SentenceEncoder
from tests.nlp_core.small_charts import EMBOLISM, chart_of, note
from tests.nlp_core.small_knowledge import small_knowledge
from tests.nlp_core.test_concepts import WordAxes

REWORDED = "Her ribcage hurts."
"""The small knowledge names none of it: the encoder alone sees a chest pain."""
WELL = "The patient feels well today."


class BrokenAxes(WordAxes):
    """Gives NaN for every text."""

    def embed(self, texts: Sequence[str]) -> Vectors:
        return super().embed(texts) * np.float32(np.nan)


class BrokenForOneText(WordAxes):
    """Gives NaN for every text of a run that a certain word stands in."""

    def __init__(self, word: str) -> None:
        super().__init__()
        self._word = word

    def embed(self, texts: Sequence[str]) -> Vectors:
        vectors = super().embed(texts)
        return vectors * np.float32(np.nan) if any(self._word in text for text in texts) else vectors


def assess(encoder: Encoder, *notes: Note | str, deadline: float | None = None) -> Assessment:
    """Read with a second reader over `encoder`."""
    index = NameIndex.build(small_knowledge(), WordAxes())
    second = SecondReader(ConceptReader(encoder, index, {"en": 0.6, "zh": 0.6}))
    charts = ChartReader(small_knowledge(), second)
    reader = Reader(small_knowledge(), charts, calibration=None, model_version="test")
    return reader.assess(chart_of(*notes), deadline=deadline)


def partly(assessment: Assessment) -> list[tuple[str, str]]:
    return [(part.reference, part.why) for part in assessment.partly_read]


def test_d13_where_the_encoder_gives_no_numbers_names_are_read_and_that_is_said() -> None:
    assessment = assess(BrokenAxes(), f"{EMBOLISM} {REWORDED}")
    assert assessment.candidates[0].diagnosis == "pulmonary_embolism"
    assert assessment.silence is None
    assert partly(assessment) == [("DocumentReference/0", "model")]
    assert assessment.fell_short
    assert not assess(WordAxes(), f"{EMBOLISM} {REWORDED}").partly_read


def test_d13_a_note_at_which_the_encoder_fails_costs_the_notes_read_with_it_nothing() -> None:
    older = note("His kneecap aches and throbs.", age_days=2)
    newest = f"Sudden shortness of breath. History of DVT. {REWORDED}"
    assessment = assess(BrokenForOneText("kneecap"), newest, older)
    assert partly(assessment) == [(older.reference, "model")]
    quotes = {said.quote for candidate in assessment.candidates for said in candidate.evidence_for}
    assert any("ribcage hurts" in quote for quote in quotes)


@pytest.mark.parametrize("text", [REWORDED, "Cough. " + REWORDED])
def test_d13_what_only_the_encoder_could_have_seen_is_no_silence_of_nothing_found(text: str) -> None:
    assert assess(WordAxes(), text).silence in ("weak_evidence", None)
    broken = assess(BrokenAxes(), text)
    assert broken.silence == "partly_read"
    assert broken.fell_short


def test_after_the_deadline_the_newest_note_is_read_by_names_alone_and_that_is_said() -> None:
    assessment = assess(WordAxes(), f"{EMBOLISM} {REWORDED}", deadline=time.monotonic())
    assert assessment.candidates[0].diagnosis == "pulmonary_embolism"
    assert partly(assessment) == [("DocumentReference/0", "time")]
    late = assess(WordAxes(), WELL, deadline=time.monotonic())
    assert (late.silence, late.fell_short) == ("partly_read", True)
    assert assess(WordAxes(), WELL).silence == "no_finding"


def test_c3_the_note_that_was_cut_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(note_groups, "MAX_CHARACTERS", len(EMBOLISM) + 20)
    long = Note(reference="DocumentReference/long", text=EMBOLISM + " Well." * 20, kind="Clinic note")
    assessment = assess(WordAxes(), long)
    (part,) = assessment.partly_read
    assert (part.reference, part.kind, part.why) == ("DocumentReference/long", "Clinic note", "length")
    assert assessment.silence is None
    assert not assessment.fell_short, "a limit of ours is no failure"


def test_c3_notes_that_were_not_read_may_hold_what_is_missing() -> None:
    late = assess(WordAxes(), note(WELL), note(EMBOLISM, age_days=2), deadline=time.monotonic())
    assert (late.notes_unread, late.silence) == (1, "partly_read")


class BrokenHead:
    """The shipped encoder with one head broken, checked as the encoder itself checks it."""

    def __init__(self, encoder: Encoder, head: str) -> None:
        self._encoder, self._head = encoder, head
        self.width, self.longest, self.has_heads = encoder.width, encoder.longest, True

    def encode(self, batch: Batch) -> Vectors:
        return self._encoder.encode(batch)

    def embed(self, texts: Sequence[str]) -> Vectors:
        return self._encoder.embed(texts)

    def read(self, batch: Batch) -> tuple[Vectors, HeadAnswers]:
        vectors, answers = self._encoder.read(batch)
        getattr(answers, self._head)[:] = np.nan
        return vectors, check_answers(answers)


@pytest.fixture(scope="module")
def with_broken() -> Callable[[str], SecondReader]:
    if not composed_bundle_path().is_dir():
        pytest.skip("no composed bundle: run make setup-test")
    from nlp_core.onnx_encoder import OnnxEncoder

    bundle = Bundle.open(composed_bundle_path())
    encoder = OnnxEncoder.open(bundle)

    def reader(head: str) -> SecondReader:
        broken = BrokenHead(encoder, head)
        concepts = ConceptReader(broken, NameIndex.build(small_knowledge(), encoder))
        return SecondReader(concepts, SentenceEncoder(broken, bundle.tokenizer()))

    return reader


@pytest.mark.parametrize("head", ["finding", "assertion", "salience", "evidence"])
def test_d13_each_head_that_gives_no_numbers_leaves_the_names(
    with_broken: Callable[[str], SecondReader], head: str
) -> None:
    charts = ChartReader(small_knowledge(), with_broken(head))
    assessment = Reader(small_knowledge(), charts, calibration=None, model_version="test").assess(chart_of(EMBOLISM))
    assert assessment.candidates[0].diagnosis == "pulmonary_embolism"
    assert partly(assessment) == [("DocumentReference/0", "model")]


def test_d13_a_likeness_that_is_no_number_is_a_fault() -> None:
    index = NameIndex(["cough"], np.array([[np.nan, 1.0]], np.float32))
    with pytest.raises(NotFinite, match="likeness"):
        index.nearest(np.array([[0.0, 1.0]], np.float32))
