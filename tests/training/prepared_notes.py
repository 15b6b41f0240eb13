"""A small prepared folder written from simulated patients, as `dxspan-train prepare` would have left it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path

from nlp_core.assertion import Assertion
from nlp_core.knowledge import Knowledge
from nlp_core.language import language_of
from nlp_core.model_bundle import Bundle, composed_bundle_path
from training.prepare.prepared_note import CodedDiagnosis, PreparedNote, PreparedSentence, Split, WeakSpan
from training.simulated_patients import simulated_patients


@cache
def shipped_knowledge() -> Knowledge:
    """As set-up compiled it, which is read in a moment."""
    return Bundle.open(composed_bundle_path()).knowledge()


def coded(diagnosis: str) -> CodedDiagnosis:
    code = shipped_knowledge().diagnoses[diagnosis].icd10cm
    return CodedDiagnosis(id=diagnosis, icd10cm=code, listed="same", via="code", joined="encounter")


def simulated_notes(count: int, *, split: Split, seed: int = 5, patients: int | None = None) -> list[PreparedNote]:
    """`count` notes of `patients` patients (default: one each)."""
    found = []
    for place, drawn in enumerate(simulated_patients(shipped_knowledge(), count, seed=seed)):
        text = drawn.chart.notes[0].text
        found.append(
            PreparedNote(
                patient=f"{place % (patients or count):016x}", note=f"{seed * 1000 + place:016x}", split=split,
                language="zh" if language_of(text) == "zh" else "en", kind="Progress note",
                age_years=int(drawn.chart.age_years or 0), sex=drawn.chart.sex, text=text, diagnoses=(coded(drawn.diagnosis.id),),
            )
        )  # fmt: skip
    return found


def written_note(
    text: str, *findings: str, patient: str = "a" * 16, note: str = "b" * 16, split: Split = "train"
) -> PreparedNote:
    """One English note of one sentence; `findings`: `id=words in the text`."""
    pairs = [one.split("=") for one in findings]
    spans = tuple(
        WeakSpan(start=text.index(words), end=text.index(words) + len(words), entry=entry, assertion=Assertion.PRESENT)
        for entry, words in pairs
    )
    return PreparedNote(
        patient=patient, note=note, split=split, language="en", age_years=50, sex="female", text=text, spans=spans,
        sentences=(PreparedSentence(start=0, end=len(text), telling=False),),
    )  # fmt: skip


def write(folder: Path, notes: Sequence[PreparedNote]) -> Path:
    """The three files of a prepared folder."""
    folder.mkdir(exist_ok=True)
    for split in ("train", "development", "test"):
        lines = (one.model_dump_json() + "\n" for one in notes if one.split == split)
        (folder / f"{split}.jsonl").write_text("".join(lines), encoding="utf-8")
    return folder
