"""`dxspan-train from-feedback`: what users said becomes a list for a person, and only what a person confirmed an example."""

from __future__ import annotations

import asyncio
import base64
import csv
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import create_engine

from cds_hooks.memory.feedback import FeedbackItem
from cds_hooks.memory.feedback_rows import SUGGESTED, Row, reported_rows
from cds_hooks.memory.feedback_store import SqlFeedbackStore
from cds_hooks.memory.patient_marks import PatientMarks
from cds_hooks.occasion import Occasion
from nlp_core.knowledge import Knowledge
from nlp_core.mentions import MentionReader
from tests.nlp_core.small_knowledge import small_knowledge
from tests.training.prepared_notes import write, written_note
from training.__main__ import main
from training.deidentify.surrogates import Surrogates
from training.deidentify.vocabulary import vocabulary
from training.prepare.prepared_note import PreparedNote
from training.prepare.splits import Splitter
from training.site import from_feedback, reviewed_notes
from training.site.feedback_marks import MarkKeys, feedback_mark, joined_marks

KEY, SPLIT_KEY = b"f" * 32, b"k" * 32
SERVER = "https://ehr.example.org/fhir"
SHOWN = datetime(2026, 3, 2, 10, tzinfo=UTC)
TEXT = "She has sudden shortness of breath and pleuritic chest pain since two days, pulmonary embolism was thought of."
FINDINGS = ("pleuritic_chest_pain", "sudden_dyspnea")


@pytest.fixture(autouse=True)
def _small_knowledge(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(from_feedback, "read_knowledge", small_knowledge)


def marks() -> PatientMarks:
    return PatientMarks(KEY)


def occasion(patient: str) -> Occasion:
    return Occasion("north", "s", uuid4(), patient, "Practitioner/7", "e1", "en", SERVER)


class Store:
    """The service's own store with what cards showed, a card for each patient."""

    def __init__(self, folder: Path) -> None:
        self.url = f"sqlite:///{folder / 'feedback.db'}"
        self._rows: list[Row] = []

    def shown(
        self, patient: str, diagnosis: str = "pulmonary_embolism", findings: Sequence[str] = FINDINGS
    ) -> dict[str, Any]:
        own = marks().of(occasion(patient))
        values = {
            "tenant": "north", "card": str(uuid4()), "diagnosis": diagnosis, "patient": own.patient, "user": own.user,
            "encounter": own.encounter, "suggestion": str(uuid4()), "evidence": "e", "findings": list(findings), "floor": 0.0,
            "shown": SHOWN.isoformat(),
        }  # fmt: skip
        self._rows.append(Row(SUGGESTED, values))
        return values

    def accepted(self, shown: dict[str, Any], minute: int = 1) -> None:
        self._report(shown, minute, outcome="accepted", acceptedSuggestions=[{"id": shown["suggestion"]}])

    def overridden(self, shown: dict[str, Any], reason: str, minute: int = 1) -> None:
        said = {"reason": {"code": reason}, "userComment": "Mrs Quist has no embolism"}
        self._report(shown, minute, outcome="overridden", overrideReason=said)

    def _report(self, shown: dict[str, Any], minute: int, **fields: Any) -> None:
        at = SHOWN.replace(minute=minute)
        item = FeedbackItem.model_validate({"card": shown["card"], "outcomeTimestamp": at.isoformat(), **fields})
        self._rows += reported_rows("north", "s", item, at, None)

    def kept(self) -> str:
        async def write_rows() -> None:
            store = SqlFeedbackStore(create_engine(self.url))
            await store.write(self._rows)
            await store.close()

        asyncio.run(write_rows())
        return self.url

    def exported(self, path: Path) -> str:
        lines = (json.dumps({"table": row.table, **row.values}) for row in self._rows)
        path.write_text("".join(f"{line}\n" for line in lines))
        return str(path)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path)


def prepared(folder: Path, *notes: PreparedNote) -> Path:
    return write(folder / "prepared", notes)


def note_of(patient: str, name: str = "b" * 16, **fields: Any) -> PreparedNote:
    made = written_note(
        TEXT, "sudden_dyspnea=sudden shortness of breath", "pleuritic_chest_pain=pleuritic chest pain", note=name
    )
    return made.model_copy(update={"patient": Splitter(SPLIT_KEY).mark("patient", patient), **fields})


def joined(folder: Path, feedback: str, *options: str, patients: Sequence[str] = ("p1",)) -> int:
    (folder / "patients.txt").write_text("\n".join(patients))
    (folder / "feedback.key").write_text(base64.b64encode(KEY).decode())
    (folder / "split.key").write_bytes(SPLIT_KEY)
    return main([
        "from-feedback", "--feedback", feedback, "--prepared", str(folder / "prepared"), "--patients", str(folder / "patients.txt"),
        "--feedback-key", str(folder / "feedback.key"), "--tenant", "north", "--fhir-server", SERVER, "--split-key",
        str(folder / "split.key"), "--out", str(folder / "out"), "--fewest", "1", *options,
    ])  # fmt: skip


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_the_site_computes_the_marks_of_the_service() -> None:
    keys = MarkKeys(KEY, "north", f"{SERVER}/", SPLIT_KEY, b"d" * 32)
    own = marks().of(occasion("p1")).patient
    assert feedback_mark(keys, "p1") == own
    surrogate = Surrogates(b"d" * 32, vocabulary()).id("p1")
    assert joined_marks(keys, ["p1"]) == {own: Splitter(SPLIT_KEY).mark("patient", surrogate)}


def test_an_answered_suggestion_stands_beside_the_note_that_holds_its_findings(tmp_path: Path, store: Store) -> None:
    store.overridden(store.shown("p1"), "recipient-disagrees-evidence")
    other = written_note("She feels well and has no complaint at all today, she says.", note="c" * 16)
    own = Splitter(SPLIT_KEY).mark("patient", "p1")
    prepared(tmp_path, other.model_copy(update={"patient": own}), note_of("p1"))
    assert joined(tmp_path, store.kept()) == 0
    (row,) = rows(tmp_path / "out" / "review.csv")
    assert (row["diagnosis"], row["outcome"], row["reason"]) == (
        "pulmonary_embolism",
        "overridden",
        "recipient-disagrees-evidence",
    )
    assert (row["note"], row["found"], row["decision"], row["reviewer"]) == ("b" * 16, "2 of 2", "", "")
    page = (tmp_path / "out" / "review.html").read_text()
    assert "pleuritic chest pain since two days" in page
    assert "<script" not in page
    for name in ("review.csv", "review.html"):
        assert oct((tmp_path / "out" / name).stat().st_mode)[-3:] == "600"
        assert "Quist" not in (tmp_path / "out" / name).read_text()
    assert "pleuritic chest pain since" not in (tmp_path / "out" / "review.csv").read_text()


def test_silence_and_want_of_time_say_nothing_of_a_diagnosis(tmp_path: Path, store: Store) -> None:
    store.shown("p1")
    store.overridden(store.shown("p1"), "limited-time")
    store.accepted(store.shown("nobody-we-know"))
    prepared(tmp_path, note_of("p1"))
    assert joined(tmp_path, store.kept()) == 0
    assert rows(tmp_path / "out" / "review.csv") == []
    report = json.loads((tmp_path / "out" / "feedback-report.json").read_text())
    assert report["left"] == {"no-mark": 1, "of-the-moment": 1, "silent": 1}


def test_the_last_word_counts_and_an_export_says_what_the_database_says(tmp_path: Path, store: Store) -> None:
    changed = store.shown("p1")
    store.overridden(changed, "need-more-info", minute=1)
    store.accepted(changed, minute=5)
    store.overridden(store.shown("p2"), "cds-not-applicable")
    reports = []
    for number, source in enumerate((store.kept(), store.exported(tmp_path / "feedback.ndjson"))):
        out = tmp_path / f"out{number}"
        assert main(["from-feedback", "--feedback", source, "--out", str(out), "--fewest", "1"]) == 0
        reports.append((out / "feedback-report.json").read_text())
    assert reports[0] == reports[1]
    report = json.loads(reports[0])
    assert report["outcomes"] == {"accepted": 1, "overridden": 1}
    assert report["reasons"] == {"cds-not-applicable": 1}
    (of,) = report["diagnoses"]
    assert (of["shown"], of["accepted"], of["acceptance"]["value"]) == (2, 1, 0.5)


def test_few_patients_are_not_told(tmp_path: Path, store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    for _ in range(9):
        store.accepted(store.shown("p1"))
    out = tmp_path / "out"
    assert main(["from-feedback", "--feedback", store.kept(), "--out", str(out), "--fewest", "3"]) == 0
    report = json.loads((out / "feedback-report.json").read_text())
    assert (report["outcomes"], report["diagnoses"], report["untold"]) == ({"accepted": None}, [], 1)
    assert "accepted too few" in capsys.readouterr().out


def test_bad_lines_are_named_and_the_good_ones_count(tmp_path: Path, store: Store) -> None:
    store.accepted(store.shown("p1"))
    source = store.exported(tmp_path / "feedback.ndjson")
    with Path(source).open("a") as file:
        file.write('Mrs Quist\n{"table": "feedback", "card": "x"}\n{"table": "listed_problem"}\n')
    out = tmp_path / "out"
    assert main(["from-feedback", "--feedback", source, "--out", str(out), "--fewest", "1"]) == 1
    assert (out / "bad-rows.tsv").read_text() == "feedback.ndjson\t3\tnot-json\nfeedback.ndjson\t4\tno-feedback\n"
    assert json.loads((out / "feedback-report.json").read_text())["outcomes"] == {"accepted": 1}


def test_a_list_with_decisions_is_not_overwritten(
    tmp_path: Path, store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    store.accepted(store.shown("p1"))
    prepared(tmp_path, note_of("p1"))
    source = store.kept()
    assert joined(tmp_path, source) == 0
    decided(tmp_path, ("confirmed", "ab"))
    before = (tmp_path / "out" / "review.csv").read_bytes()
    assert joined(tmp_path, source) == 1
    assert "holds decisions; it is left as it is" in capsys.readouterr().err
    assert (tmp_path / "out" / "review.csv").read_bytes() == before


def test_a_dry_run_of_either_run_writes_nothing(
    tmp_path: Path, store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    store.accepted(store.shown("p1"))
    prepared(tmp_path, note_of("p1"))
    source = store.kept()
    assert joined(tmp_path, source, "--dry-run") == 0
    assert "to review: 1" in capsys.readouterr().out
    assert not (tmp_path / "out").exists()
    assert joined(tmp_path, source) == 0
    reviewed = decided(tmp_path, ("confirmed", "ab"))
    before = sorted(tmp_path.rglob("*"))
    given = ["--prepared", str(tmp_path / "prepared"), "--reviewed", str(reviewed), "--out", str(tmp_path / "learn")]
    assert main(["from-feedback", *given, "--dry-run"]) == 0
    assert "confirmed 1" in capsys.readouterr().out
    assert sorted(tmp_path.rglob("*")) == before


def decided(folder: Path, *decisions: tuple[str, str]) -> Path:
    """The list filled in by somebody, a decision for each row."""
    path = folder / "out" / "review.csv"
    found = rows(path)
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(found[0]))
        writer.writeheader()
        for row, (decision, reviewer) in zip(found, decisions, strict=True):
            writer.writerow({**row, "decision": decision, "reviewer": reviewer})
    return path


def examples(folder: Path, reviewed: Path, status: int = 0) -> dict[str, list[PreparedNote]]:
    given = ["--prepared", str(folder / "prepared"), "--reviewed", str(reviewed), "--out", str(folder / "learn")]
    assert main(["from-feedback", *given]) == status
    splits = ("train", "development", "test")
    return {
        split: [
            PreparedNote.model_validate_json(line)
            for line in (folder / "learn" / f"{split}.jsonl").read_text().splitlines()
        ]
        for split in splits
    }


def test_what_a_person_confirmed_becomes_an_example_without_its_answer(tmp_path: Path, store: Store) -> None:
    store.accepted(store.shown("p1"))
    untouched = note_of("p3", "d" * 16)
    prepared(tmp_path, note_of("p1"), untouched)
    assert joined(tmp_path, store.kept()) == 0
    found = examples(tmp_path, decided(tmp_path, ("confirmed", "ab")))["train"]
    changed, same = found
    assert same == untouched
    assert [(one.id, one.via) for one in changed.diagnoses] == [("pulmonary_embolism", "review")]
    assert "embolism" not in changed.text
    assert len(changed.text) == len(TEXT)
    assert [sentence.telling for sentence in changed.sentences] == [True]


def test_nothing_is_learned_that_nobody_decided(tmp_path: Path, store: Store) -> None:
    store.accepted(store.shown("p1"))
    store.accepted(store.shown("p2"))
    first, second = note_of("p1"), note_of("p2", "e" * 16)
    prepared(tmp_path, first, second)
    assert joined(tmp_path, store.kept(), patients=("p1", "p2")) == 0
    assert examples(tmp_path, decided(tmp_path, ("", ""), ("unsure", "ab")))["train"] == [first, second]


def test_who_is_measured_on_is_not_learned_from(tmp_path: Path, store: Store) -> None:
    store.accepted(store.shown("p1"))
    prepared(tmp_path, note_of("p1", split="test"))
    assert joined(tmp_path, store.kept()) == 0
    found = examples(tmp_path, decided(tmp_path, ("confirmed", "ab")))
    assert found["train"] == []
    assert len(found["test"][0].diagnoses) == 1


def test_a_refuted_diagnosis_leaves_its_note(tmp_path: Path, store: Store) -> None:
    coded = reviewed_notes.Reviewer(small_knowledge(), small_reader()).changed(
        note_of("p1"), {"pulmonary_embolism"}, set()
    )
    assert coded is not None
    store.overridden(store.shown("p1"), "cds-not-applicable")
    prepared(tmp_path, coded)
    assert joined(tmp_path, store.kept()) == 0
    (found,) = examples(tmp_path, decided(tmp_path, ("refuted", "ab")))["train"]
    assert found.diagnoses == ()
    assert not any(sentence.telling for sentence in found.sentences)


@pytest.mark.parametrize(
    ("decision", "reviewer", "why"),
    [("yes", "ab", "unknown-decision"), ("confirmed", "", "no-reviewer")],
)
def test_a_decision_of_nobody_or_of_another_word_is_named(
    decision: str, reviewer: str, why: str, tmp_path: Path, store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    store.accepted(store.shown("p1"))
    prepared(tmp_path, note_of("p1"))
    assert joined(tmp_path, store.kept()) == 0
    found = examples(tmp_path, decided(tmp_path, (decision, reviewer)), status=1)["train"]
    assert found == [note_of("p1")]
    assert f"review.csv, line 2: {why}" in capsys.readouterr().out


def test_two_people_who_disagree_decide_nothing(tmp_path: Path, store: Store) -> None:
    shown = store.shown("p1")
    store.accepted(shown)
    store.accepted(store.shown("p1"))
    prepared(tmp_path, note_of("p1"))
    assert joined(tmp_path, store.kept()) == 0
    found = examples(tmp_path, decided(tmp_path, ("confirmed", "ab"), ("refuted", "cd")), status=1)["train"]
    assert found == [note_of("p1")]
    assert UUID(shown["card"])


@pytest.mark.parametrize(
    ("source", "said"),
    [("no-such.ndjson", "No such file"), ("sqlite:///no-such-folder/f.db", "no such database"),
     ("postgresql+psycopg://u:hunter2@127.0.0.1:9/x", "cannot be read")],
)  # fmt: skip
def test_feedback_that_cannot_be_read_is_said_without_a_password(
    source: str, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["from-feedback", "--feedback", source, "--out", str(tmp_path / "out")]) == 1
    told = capsys.readouterr().err
    assert said in told
    assert "hunter2" not in told
    assert not (tmp_path / "out").exists()


def test_joining_without_the_keys_says_which_are_missing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "f.ndjson").write_text("")
    given = ["--feedback", str(tmp_path / "f.ndjson"), "--prepared", str(tmp_path), "--tenant", "north"]
    assert main(["from-feedback", *given, "--out", str(tmp_path / "out")]) == 1
    assert "--patients, --feedback-key, --fhir-server, --split-key too" in capsys.readouterr().err


def small_reader(knowledge: Knowledge | None = None) -> MentionReader:
    return MentionReader(knowledge or small_knowledge())
