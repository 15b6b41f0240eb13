"""`dxspan-train prepare`: notes joined with what was coded of them, no answer in the input, nobody's name in the output."""

from __future__ import annotations

import base64
import json
import signal
import subprocess
import sys
import time
from argparse import ArgumentParser
from collections import Counter
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from nlp_core.fhir_fields import Json
from nlp_core.mentions import MentionReader
from tests.nlp_core.small_knowledge import small_knowledge
from training.__main__ import main
from training.bulk_export.folder_source import FolderExport
from training.bulk_export.state import ExportState
from training.prepare.chart_dates import ChartDate, chart_date, order
from training.prepare.command import COMMAND, prepare
from training.prepare.prepared_note import PreparedNote
from training.prepare.splits import Splitter
from training.prepare.write_examples import ExampleWriter

EXPORT = Path(__file__).parents[3] / "shared" / "export"
NOTE = (
    "Chief complaint: cough and shortness of breath since yesterday.\n\n"
    "She has sudden shortness of breath and pleuritic chest pain. No fever. Her mother had a migraine.\n\n"
    "Assessment: {said}."
)
PE = {"system": "http://hl7.org/fhir/sid/icd-10-cm", "code": "I26.99", "display": "Other pulmonary embolism"}


def patient(identity: str = "p1", **fields: Any) -> Json:
    return {"resourceType": "Patient", "id": identity, "gender": "female", "birthDate": "1980", **fields}


def note(
    identity: str = "d1", *, said: str = "anxious", text: str = "", who: str = "p1", encounter: str | None = "e1",
    date: str = "2026-03-02T10:00:00Z", **fields: Any,
) -> Json:  # fmt: skip
    data = base64.b64encode((text or NOTE.format(said=said)).encode()).decode()
    found: Json = {
        "resourceType": "DocumentReference", "id": identity, "status": "current", "date": date,
        "subject": {"reference": f"Patient/{who}"}, "type": {"text": "Progress note"},
        "content": [{"attachment": {"contentType": "text/plain", "data": data}}], **fields,
    }  # fmt: skip
    return {**found, "context": {"encounter": [{"reference": f"Encounter/{encounter}"}]}} if encounter else found


def condition(
    identity: str = "c1", coding: Json | None = None, *, text: str = "", who: str = "p1", encounter: str | None = "e1",
    recorded: str | None = "2026-03-02T11:00:00Z", sure: str = "confirmed",
) -> Json:  # fmt: skip
    found: Json = {
        "resourceType": "Condition", "id": identity, "subject": {"reference": f"Patient/{who}"},
        "code": {"coding": [coding or PE], **({"text": text} if text else {})},
        "verificationStatus": {"coding": [{"code": sure}]},
    }  # fmt: skip
    found |= {"encounter": {"reference": f"Encounter/{encounter}"}} if encounter else {}
    return found | ({"recordedDate": recorded} if recorded else {})


@cache
def small_reader() -> MentionReader:
    return MentionReader(small_knowledge())


class Prepared:
    """One run over resources on disk, by the small knowledge."""

    def __init__(self, folder: Path, resources: Iterable[Json | str], *options: str) -> None:
        self.source, self.out = folder / "in", folder / "out"
        self.source.mkdir(exist_ok=True)
        self.out.mkdir(exist_ok=True)
        lines = (one if isinstance(one, str) else json.dumps(one) for one in resources)
        (self.source / "all.ndjson").write_text("".join(f"{line}\n" for line in lines))
        self.again(*options)

    def again(self, *options: str) -> None:
        parser = ArgumentParser()
        COMMAND.add_arguments(parser)
        (self.out / "split.key").write_bytes(b"k" * 32)
        given = ["--from", str(self.source), "--out", str(self.out), *options]
        assert prepare(parser.parse_args(given), self.out, small_knowledge(), small_reader()) == 0

    @property
    def notes(self) -> list[PreparedNote]:
        lines = [
            line
            for split in ("train", "development", "test")
            for line in (self.out / f"{split}.jsonl").read_text().splitlines()
        ]
        return [PreparedNote.model_validate_json(line) for line in lines]

    @property
    def only(self) -> PreparedNote:
        (found,) = self.notes
        return found

    @property
    def report(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.out / "report.json").read_text())
        return found


def ids(found: PreparedNote) -> list[tuple[str, str]]:
    return [(diagnosis.id, diagnosis.joined) for diagnosis in found.diagnoses]


def test_a_note_gets_the_diagnosis_of_its_encounter_with_weak_labels(tmp_path: Path) -> None:
    potassium = {
        "resourceType": "Observation", "id": "o1", "status": "final", "subject": {"reference": "Patient/p1"},
        "encounter": {"reference": "Encounter/e1"}, "code": {"coding": [{"system": "http://loinc.org", "code": "2823-3"}]},
        "valueQuantity": {"value": 6.0, "code": "mmol/L"},
    }  # fmt: skip
    found = Prepared(tmp_path, [patient(), potassium, note(), condition()]).only
    assert ids(found) == [("pulmonary_embolism", "encounter")]
    assert (found.age_years, found.sex, found.language, found.kind) == (45, "female", "en", "Progress note")
    said = {(found.text[span.start : span.end], span.entry, span.assertion) for span in found.spans}
    assert ("sudden shortness of breath", "sudden_dyspnea", "present") in said
    assert ("fever", "fever", "absent") in said
    telling = [found.text[s.start : s.end] for s in found.sentences if s.telling]
    assert any("pleuritic" in sentence for sentence in telling)
    assert not any("fever" in sentence for sentence in telling)
    assert [(one.finding, one.present) for one in found.coded_findings if one.present] == [("hyperkalemia", True)]


def test_the_answer_does_not_stand_in_the_input(tmp_path: Path) -> None:
    said = "acute PE; pulmonary embolisms (I26.99). Coded as Other Pulmonary Embolism"
    found = Prepared(tmp_path, [patient(), note(said=said), condition()]).only
    assert "embolism" not in found.text.lower()
    assert "I26" not in found.text
    assert "PE" not in found.text
    assert "acute __; _________ _________" in found.text
    assert len(found.text) == len(NOTE.format(said=said))
    assert found.blotted
    assert not any(span.entry == "d:pulmonary_embolism" for span in found.spans)
    assert "migraine" in found.text  # her mother's, and no answer


def test_a_note_that_is_its_diagnosis_alone_is_left_out(tmp_path: Path) -> None:
    run = Prepared(tmp_path, [patient(), note(text="Discharge diagnosis: pulmonary embolism."), condition()])
    assert run.notes == []
    assert run.report["left"] == {"only-the-answer": 1}


@pytest.mark.parametrize(
    ("encounter", "recorded", "joined", "known"),
    [
        ("e1", "2026-03-02T08:00:00Z", "encounter", False),  # the same day: one visit
        ("e1", "2026-03-01", None, True),  # the day before, in the same stay
        ("e1", None, "encounter", False),
        ("e2", "2026-03-05", None, False),  # another visit's
        (None, "2026-03-05", "date", False),
        (None, "2026-03-02", "date", False),
        (None, "2026-03-02T09:59:00Z", None, True),
        (None, "2026-06-05", None, False),  # too late to be of this note
        (None, None, None, False),
        (None, "2026", None, False),  # a year alone says nothing of the order
        ("e1", "2026", "encounter", False),
        ("e1", "2025", None, True),
    ],
)
def test_codes_are_joined_by_encounter_else_by_date(
    tmp_path: Path, encounter: str | None, recorded: str | None, joined: str | None, known: bool
) -> None:
    found = Prepared(tmp_path, [patient(), note(), condition(encounter=encounter, recorded=recorded)]).only
    assert ids(found) == ([("pulmonary_embolism", joined)] if joined else [])
    assert found.known == (("pulmonary_embolism",) if known else ())


def test_an_illness_that_was_over_may_come_again(tmp_path: Path) -> None:
    first = condition("c1", encounter="e0", recorded="2025-01-01")
    again = condition("c2")
    assert Prepared(tmp_path, [patient(), note(), first, again]).only.diagnoses == ()
    run = Prepared(tmp_path, [patient(), note(), {**first, "abatementDateTime": "2025-02-01"}, again])
    assert ids(run.only) == [("pulmonary_embolism", "encounter")]
    assert run.only.known == ()
    assert run.report["conditions"] == {"joined": 1, "with no note": 1}


def test_an_encounter_dates_what_has_no_date_of_its_own(tmp_path: Path) -> None:
    encounter = {
        "resourceType": "Encounter", "id": "e2", "status": "finished", "subject": {"reference": "Patient/p1"},
        "period": {"start": "2025-01-01"},
    }  # fmt: skip
    found = Prepared(tmp_path, [patient(), encounter, note(), condition(encounter="e2", recorded=None)]).only
    assert found.known == ("pulmonary_embolism",)


def test_words_and_status_rule_the_codes(tmp_path: Path) -> None:
    rows = [
        patient(),
        note(),
        condition("c1", text="Rule out pulmonary embolism"),
        condition("c2", {"code": "G43.909", "system": PE["system"]}, sure="provisional"),
        condition("c3", {"code": "J00", "system": PE["system"]}, sure="refuted"),
        condition(
            "c4", {"code": "195662009", "system": "http://snomed.info/sct", "display": "Acute appendicitis (disorder)"}
        ),
        condition("c5", {"code": "N17", "system": PE["system"]}),
    ]
    found = Prepared(tmp_path, rows).only
    assert [(one.id, one.via, one.listed) for one in found.diagnoses] == [
        ("acute_kidney_injury", "code", "same"),
        ("appendicitis", "name", "same"),
    ]


def test_what_cannot_be_learned_from_is_counted_by_reason(tmp_path: Path) -> None:
    withdrawn = note("d5", text=NOTE.format(said="withdrawn"), status="entered-in-error")
    secret = note("d6", text=NOTE.format(said="secret"), securityLabel=[{"coding": [{"code": "R"}]}])
    rows = [
        patient(), patient("p2"), note("d1"), note("d2", date="2026-03-03"), note("d3", who="p2"),
        note("d4", text="La patiente a de la fièvre et elle tousse depuis trois jours avec des douleurs dans les bras."),
        withdrawn, secret, note("d7", text=" "), note("d8", text=NOTE.format(said="x" * 3000)),
    ]  # fmt: skip
    report = Prepared(tmp_path, rows, "--most-bytes", "2000").report
    assert report["left"] == {
        "duplicate": 1, "duplicate-of-another-patient": 1, "other-language": 1, "entered-in-error": 1, "restricted": 1,
        "not-available": 1, "too-large": 1,
    }  # fmt: skip
    assert (report["notes"], report["without_codes"], report["labelled"]) == (8, 1, 0)


def test_copy_forward_is_measured(tmp_path: Path) -> None:
    history = "She was first seen in the autumn and has been coughing ever since that visit."
    rows = [
        patient(),
        note("d1", text=f"{history}\n\nNew today: headache."),
        note("d2", text=f"{history}\n\nShe is well.", date="2026-04-01"),
    ]
    report = Prepared(tmp_path, rows).report
    assert 0.3 < report["copied_share"] < 0.5


def test_bad_rows_are_named_by_file_and_line_and_the_rest_is_kept(tmp_path: Path) -> None:
    rows = [
        '{"resourceType": "Patient", "id": "Zebulon',
        patient(),
        "[]",
        note(),
        {"resourceType": "Condition", "id": "c9"},
        condition(),
    ]
    run = Prepared(tmp_path, rows)
    assert ids(run.only)
    assert (run.out / "bad-rows.tsv").read_text().splitlines() == [
        "all.ndjson\t1\tnot-json", "all.ndjson\t3\tno-object", "all.ndjson\t5\tno-patient",
    ]  # fmt: skip
    assert "Zebulon" not in "".join(
        path.read_text() for path in run.out.glob("*.*") if path.suffix in (".json", ".md", ".tsv")
    )


@pytest.mark.parametrize("key", ["none", "of the folder", "given"])
def test_a_dry_run_counts_and_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], key: str
) -> None:
    """Not even a key; where there is one, splits are counted by it."""
    monkeypatch.setattr("training.prepare.command.read_knowledge", small_knowledge)
    source, out = tmp_path / "in", tmp_path / "out"
    source.mkdir()
    rows = [patient(), note(), condition()]
    (source / "all.ndjson").write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    options = ["--split-key", str(tmp_path / "hospital.key")] if key != "of the folder" else []
    if key == "of the folder":
        out.mkdir()
        (out / "split.key").write_bytes(b"k" * 32)
    elif key == "given":
        (tmp_path / "hospital.key").write_bytes(b"k" * 32)
    before = sorted(tmp_path.rglob("*"))
    assert main(["prepare", "--from", str(source), "--out", str(out), "--dry-run", *options]) == 0
    assert sorted(tmp_path.rglob("*")) == before
    said = capsys.readouterr().out
    assert "dry run: nothing written" in said
    if key != "none":
        split = Splitter(b"k" * 32).split_of("p1")
        assert f"{'split':16} {f'{split} 1':>12}\n" in said


def test_patients_who_are_still_named_are_refused(tmp_path: Path) -> None:
    named = patient(name=[{"family": "Quill", "given": ["Zebulon"]}])
    with pytest.raises(ValueError, match="line 1: the patient is still named") as refused:
        Prepared(tmp_path, [named, note()])
    assert "Quill" not in str(refused.value)
    run = Prepared(tmp_path, [named, note()], "--allow-identified")
    assert len(run.notes) == 1
    assert "Not de-identified" in (run.out / "data_card.md").read_text()


def test_all_notes_of_a_patient_are_in_one_split_whatever_else_there_is() -> None:
    splitter = Splitter(b"k" * 32)
    counts = Counter(splitter.split_of(f"p{n}") for n in range(3000))
    assert 2300 < counts["train"] < 2500
    assert 240 < counts["test"] < 360
    assert splitter.split_of("p1") == Splitter(b"k" * 32).split_of("p1")
    other = Splitter(b"l" * 32)
    assert any(splitter.split_of(f"p{n}") != other.split_of(f"p{n}") for n in range(50))
    assert splitter.mark("patient", "p1") != other.mark("patient", "p1")
    with pytest.raises(ValueError, match="32 bytes"):
        Splitter(b"short")


def test_no_id_of_the_chart_is_in_the_examples(tmp_path: Path) -> None:
    run = Prepared(tmp_path, [patient("pat-777"), note("doc-888", who="pat-777", encounter="enc-999")])
    written = (
        (run.out / "train.jsonl").read_text()
        + (run.out / "development.jsonl").read_text()
        + (run.out / "test.jsonl").read_text()
    )
    assert written
    assert not any(identity in written for identity in ("pat-777", "doc-888", "enc-999"))


def test_a_killed_run_goes_on_and_writes_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [patient(f"p{n}") for n in range(6)]
    rows += [note(f"d{n}", who=f"p{n}", said=f"anxious {n}", encounter=f"e{n}") for n in range(6)]
    rows += [condition(f"c{n}", who=f"p{n}", encounter=f"e{n}") for n in range(6)]
    whole = Prepared(tmp_path / "whole" if (tmp_path / "whole").mkdir() is None else tmp_path, rows)
    (tmp_path / "cut").mkdir()
    monkeypatch.setattr("training.prepare.write_examples.KEPT_EVERY_SECONDS", 0.0)
    kept = ExampleWriter._keep
    calls = []

    def killed(self: ExampleWriter, sink: Any) -> None:
        kept(self, sink)
        calls.append(1)
        if len(calls) == 3:
            sink._files["train"].write(b'{"half a line')
            raise KeyboardInterrupt

    monkeypatch.setattr(ExampleWriter, "_keep", killed)
    with pytest.raises(KeyboardInterrupt):
        Prepared(tmp_path / "cut", rows)
    monkeypatch.setattr(ExampleWriter, "_keep", kept)
    read: list[str] = []
    monkeypatch.setattr("training.prepare.read_notes.NoteReader.read", _spied(read))
    cut = object.__new__(Prepared)
    cut.source, cut.out = tmp_path / "cut" / "in", tmp_path / "cut" / "out"
    cut.again()
    assert len(read) == 3
    for name in ("train.jsonl", "development.jsonl", "test.jsonl", "report.json", "data_card.md"):
        assert (cut.out / name).read_bytes() == (whole.out / name).read_bytes()


ALONE = """
import sys
import training.prepare.write_examples
training.prepare.write_examples.KEPT_EVERY_SECONDS = 0.0
from training.__main__ import main
sys.exit(main(sys.argv[1:]))
"""
"""The command in a process of its own that notes after each patient how far it has come."""


def test_kill_9_and_the_same_command_again_give_the_same_bytes(tmp_path: Path) -> None:
    source = tmp_path / "in"
    source.mkdir()
    rows = [patient(f"p{n}") for n in range(150)]
    rows += [note(f"d{n}", who=f"p{n}", said=f"anxious {n}", encounter=f"e{n}") for n in range(150)]
    rows += [condition(f"c{n}", who=f"p{n}", encounter=f"e{n}") for n in range(150)]
    (source / "all.ndjson").write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    (tmp_path / "key").write_bytes(b"k" * 32)

    def command(out: str) -> list[str]:
        return ["prepare", "--from", str(source), "--out", str(tmp_path / out), "--split-key", str(tmp_path / "key")]

    assert main(command("whole")) == 0
    whole = {path.name: path.read_bytes() for path in (tmp_path / "whole").iterdir() if path.suffix != ".sqlite"}
    train = tmp_path / "killed" / "train.jsonl"
    running = subprocess.Popen([sys.executable, "-c", ALONE, *command("killed")], stderr=subprocess.DEVNULL)
    while running.poll() is None and not (train.is_file() and train.stat().st_size):
        time.sleep(0.002)
    running.send_signal(signal.SIGKILL)
    assert running.wait() == -signal.SIGKILL
    assert 0 < train.stat().st_size < len(whole["train.jsonl"])
    assert main(command("killed")) == 0
    killed = {path.name: path.read_bytes() for path in (tmp_path / "killed").iterdir() if path.suffix != ".sqlite"}
    assert {name: killed[name] for name in whole} == whole


def _spied(read: list[str]) -> Any:
    from training.prepare.read_notes import NoteReader

    real = NoteReader.read

    def spy(self: Any, document: Any, *rest: Any) -> Any:
        read.append(document.reference)
        return real(self, document, *rest)

    return spy


def test_new_files_and_deletions_are_taken_in_by_the_next_run(tmp_path: Path) -> None:
    run = Prepared(tmp_path, [patient(), note()])
    assert ids(run.only) == []
    (run.source / "more.ndjson").write_text(json.dumps(condition()) + "\n")
    run.again()
    assert ids(run.only) == [("pulmonary_embolism", "encounter")]
    (run.source / "deleted").mkdir()
    gone = {"resourceType": "Bundle", "entry": [{"request": {"method": "DELETE", "url": "Condition/c1"}}]}
    (run.source / "deleted" / "Bundle.000.ndjson").write_text(json.dumps(gone) + "\n")
    run.again()
    assert ids(run.only) == []


@pytest.mark.parametrize("url", ["Binary/b1", "https://ehr.example.org/fhir/Binary/b1"])
def test_text_in_a_binary_is_read(tmp_path: Path, url: str) -> None:
    data = base64.b64encode(NOTE.format(said="anxious").encode()).decode()
    binary = {"resourceType": "Binary", "id": "b1", "contentType": "text/plain", "data": data}
    attachment = {"attachment": {"contentType": "text/plain", "url": url}}
    assert Prepared(tmp_path, [patient(), binary, note(content=[attachment])]).only.spans


def test_small_counts_are_not_told_on_the_data_card(tmp_path: Path) -> None:
    run = Prepared(tmp_path, [patient(), note(), condition()])
    assert "| Pulmonary embolism | I26.99 |" in (run.out / "data_card.md").read_text()
    assert "<5" in (run.out / "data_card.md").read_text()


def test_dates_are_compared_as_far_as_they_are_known() -> None:
    def dated(text: str) -> ChartDate:
        found = chart_date(text)
        assert found is not None
        return found

    assert order(dated("2026"), dated("2026-05-01"), by_day=False) == "same"
    assert order(dated("2026-04"), dated("2026-05-01T10:00:00Z"), by_day=False) == "before"
    assert order(dated("2026-05-01T23:30:00-08:00"), dated("2026-05-01"), by_day=True) == "same"
    assert dated("2026-05").text == "2026-05"


def test_a_real_export_is_taken_over_and_prepared(tmp_path: Path) -> None:
    if not EXPORT.is_dir():
        pytest.skip("the export is not beside the project")
    assert main(["export", "--from", str(EXPORT), "--out", str(tmp_path / "in")]) == 0
    for kind in ("Condition", "DocumentReference", "Patient"):
        assert (tmp_path / "in" / f"{kind}.000.ndjson").read_bytes() == (EXPORT / f"{kind}.000.ndjson").read_bytes()
    notes = (tmp_path / "in" / "DocumentReference.000.ndjson").read_text().splitlines(keepends=True)
    (tmp_path / "in" / "DocumentReference.000.ndjson").write_text("".join(notes[::8]))  # what a test has time for
    run = Prepared(tmp_path, [], "--allow-identified")
    assert run.report["notes"] == len(notes[::8])
    assert run.report["bad_rows"] == 0
    assert run.report["sources"]["Condition"] == 555
    assert run.report["copied_share"] > 0.3
    assert not any(span.end > len(found.text) for found in run.notes for span in found.spans)


def test_bundles_packed_rows_and_documents_become_ndjson(tmp_path: Path) -> None:
    import gzip

    source, out = tmp_path / "in", tmp_path / "out"
    (source / "deeper").mkdir(parents=True)
    out.mkdir()
    named = {"fullUrl": "urn:uuid:11111111-2222-3333-4444-555555555555", "resource": {"resourceType": "Patient"}}
    bundle = {"resourceType": "Bundle", "entry": [named, {"resource": condition()}]}
    (source / "bundle.json").write_text(json.dumps(bundle))
    (source / "lines.ndjson.gz").write_bytes(gzip.compress(json.dumps(bundle).encode() + b"\nno json\n"))
    (source / "deeper" / "one.json").write_text(json.dumps(note()))
    (source / "manifest.json").write_text('{"output": []}')
    (source / "broken.json").write_text("{")
    state = ExportState(request="r")
    FolderExport(source, out, state).run()
    assert {file.name: file.rows for file in state.files.values()} == {
        "Condition.000.ndjson": 2, "DocumentReference.000.ndjson": 1, "Patient.000.ndjson": 2,
    }  # fmt: skip
    assert json.loads((out / "Patient.000.ndjson").read_text().splitlines()[0])["id"] == named["fullUrl"][9:]
    assert (out / "bad-rows.tsv").read_text().splitlines() == [
        "broken.json\t1\tnot-json",
        "lines.ndjson.gz\t2\tnot-json",
    ]
