"""Invented charts: their gold is where it says, they are varied, they are valid FHIR that serving reads back."""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from nlp_core.assertion import Assertion
from nlp_core.fhir_notes import chart_from_resources
from nlp_core.knowledge import Knowledge
from nlp_core.knowledge_files import read_knowledge
from training.__main__ import main
from training.measures.measure_styles import Transfer, measure_transfer
from training.model.sentence_batches import SentenceSampler
from training.phrases import names_of, written_phrases
from training.synthetic_charts.charts import ChartWriter, WrittenChart
from training.synthetic_charts.distortions import traditional, with_slips
from training.synthetic_charts.fhir_bundle import fhir_bundle
from training.synthetic_charts.identities import with_identity
from training.synthetic_charts.styles import Patterns, patterns, styles
from training.write_charts import BUNDLES, GOLD


@pytest.fixture(scope="module")
def knowledge() -> Knowledge:
    return read_knowledge()


@pytest.fixture(scope="module")
def charts(knowledge: Knowledge) -> list[WrittenChart]:
    return list(ChartWriter(knowledge, seed=11).charts(120))


def test_every_gold_span_is_a_wording_of_its_entry(knowledge: Knowledge, charts: list[WrittenChart]) -> None:
    wordings: dict[str, set[str]] = {}
    for phrase in [*names_of(knowledge), *written_phrases(knowledge)]:
        wordings.setdefault(phrase.entry, set()).add(phrase.text.rstrip(".。!！").lower())
    exact = total = 0
    for chart in charts:
        for note in chart.notes:
            for span in note.spans:
                total += 1
                exact += note.text[span.start : span.end].lower() in wordings[span.entry]
    assert total > 2000
    assert exact > 0.85 * total  # the others have a slip of the keyboard or stand in the traditional script


def test_all_styles_assertions_and_both_languages_occur(charts: list[WrittenChart]) -> None:
    notes = [note for chart in charts for note in chart.notes]
    assert {note.style for note in notes} == set(styles())
    assert {note.language for note in notes} == {"en", "zh"}
    assert {span.assertion for note in notes for span in note.spans} == set(Assertion)


def test_the_diagnosis_itself_is_never_named(charts: list[WrittenChart]) -> None:
    for chart in charts:
        told = {span.entry for note in chart.notes for span in note.spans if span.assertion is Assertion.POSSIBLE}
        assert f"d:{chart.story.diagnosis.id}" not in told


def test_equal_seeds_write_equal_charts_and_others_differ(knowledge: Knowledge) -> None:
    def texts(seed: int) -> list[str]:
        return [note.text for chart in ChartWriter(knowledge, seed=seed).charts(10) for note in chart.notes]

    assert texts(3) == texts(3)
    assert texts(3) != texts(4)


def test_some_notes_are_copied_forward(knowledge: Knowledge) -> None:
    charts = ChartWriter(knowledge, seed=2, chinese=0.0).charts(60)
    copied = 0
    for chart in charts:
        said = Counter(
            s for note in chart.notes for s in {sentence.text for sentence in note.sentences if len(sentence.text) > 25}
        )
        copied += max(said.values(), default=0) > 1
    assert copied > 5


def test_a_bundle_is_read_back_as_the_same_notes(knowledge: Knowledge, charts: list[WrittenChart]) -> None:
    for chart in charts[:20]:
        bundle = fhir_bundle(chart, knowledge)
        read = chart_from_resources(
            [bundle], patient_id=f"synthetic-{chart.number}", as_of=datetime(2026, 1, 16, tzinfo=UTC)
        )
        assert sorted(note.text for note in read.notes) == sorted(note.text for note in chart.notes)
        assert read.sex == chart.story.sex
        assert read.age_years == pytest.approx(chart.story.age_years, abs=0.02)


def test_named_charts_name_their_patient_in_every_note_and_the_gold_moves_along(
    knowledge: Knowledge, charts: list[WrittenChart]
) -> None:
    random = np.random.default_rng(1)
    for plain in charts[:40]:
        named = with_identity(plain, random)
        bundle = fhir_bundle(named, knowledge, coded=True)
        (who,) = (entry["resource"] for entry in bundle["entry"] if entry["resource"]["resourceType"] == "Patient")
        for before, after in zip(plain.notes, named.notes, strict=True):
            assert who["name"][0]["given"][0] in after.text
            assert who["identifier"][0]["value"] in after.text
            words = [before.text[span.start : span.end] for span in before.spans]
            assert [after.text[span.start : span.end] for span in after.spans] == words
        coded = [entry["resource"] for entry in bundle["entry"] if entry["resource"]["resourceType"] == "Condition"]
        assert coded[-1]["code"]["coding"][0]["code"] == named.story.diagnosis.icd10cm


def test_the_command_writes_bundles_and_gold_a_line_each(tmp_path: Path) -> None:
    assert main(["write-charts", "--out", str(tmp_path), "--count", "4", "--seed", "9"]) == 0
    bundles = [json.loads(line) for line in (tmp_path / BUNDLES).read_text("utf-8").splitlines()]
    gold = [json.loads(line) for line in (tmp_path / GOLD).read_text("utf-8").splitlines()]
    assert [bundle["resourceType"] for bundle in bundles] == ["Bundle"] * 4
    documents = [e for b in bundles for e in b["entry"] if e["resource"]["resourceType"] == "DocumentReference"]
    assert len(gold) == len(documents)
    for line in gold:
        assert all(0 <= span["start"] < span["end"] <= len(line["text"]) for span in line["spans"])


@given(st.text(max_size=200))
@settings(max_examples=50, deadline=None)
def test_the_traditional_script_moves_no_offset(text: str) -> None:
    assert len(traditional(text)) == len(text)


def test_slips_leave_short_words_and_numbers_alone() -> None:
    text = "BP 120 80 and severe crushing chest pain since yesterday"
    slipped = with_slips(text, np.random.default_rng(1), rate=1.0)
    assert slipped.split()[:4] == ["BP", "120", "80", "and"]
    assert slipped != text


def test_a_pattern_with_an_unknown_slot_is_refused() -> None:
    written = patterns("en").model_dump()
    written["tones"]["full"]["present"] = ("{nonsense}",)
    with pytest.raises(ValidationError, match="nonsense"):
        Patterns.model_validate(written)


def test_one_style_does_not_give_away_another(knowledge: Knowledge) -> None:
    """A doctor's notes and a patient's message: what words teach of the one is half lost on the other."""
    few = {d.id: d for d in sorted(knowledge.diagnoses.values(), key=lambda d: d.id)[:12]}
    writer = ChartWriter(knowledge.model_copy(update={"diagnoses": few}), seed=5, chinese=0.0, most_notes=1)
    samples = {
        style: [(chart.notes[0].text, chart.story.diagnosis.id) for chart in writer.charts(240, styles_used=[style])]
        for style in ("admission_note", "message")
    }
    transfer: Transfer = measure_transfer(samples)
    assert transfer.others() < transfer.own - 0.15


def test_sentences_keep_their_gold_and_move_diagnoses_as_the_knowledge_says(knowledge: Knowledge) -> None:
    sampler = SentenceSampler(knowledge, seed=4, chinese=0.0)
    batch = next(sampler.batches(64, 1))
    targets = sampler.targets(batch)
    assert targets.sum(axis=1) == pytest.approx(np.ones(64), abs=1e-4)
    for example, target in zip(batch, targets, strict=True):
        assert all(0 <= span.start < span.end <= len(example.text) for span in example.spans)
        if not any(span.assertion in (Assertion.PRESENT, Assertion.ABSENT) for span in example.spans):
            assert target.max() == pytest.approx(target.min())
