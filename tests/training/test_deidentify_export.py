"""`dxspan-train deidentify` on whole exports: nothing leaks, nothing is lost, references lead on, a kill changes no byte."""

from __future__ import annotations

import base64
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.training.deidentify_runs import KEY, arguments, everything, note, resources
from training.__main__ import main
from training.deidentify import clean_part
from training.deidentify.command import LEAKED
from training.deidentify.export_parts import plan, resources_of
from training.deidentify.kinds import Found
from training.deidentify.notes import NoteCleaner, Person
from training.measures.planted_notes import SETS, planted_notes

PLANTED = Path(__file__).parent / "planted"
# The notes held apart are measured, not exported: their people's names are such that an export of them is refused as leaking.
# The large sets of further authors add minutes and no kind of thing.
EXPORTED = tuple(
    name
    for name in SETS
    if name != "held" and not name.startswith(("development4", "development5", "development6", "development7"))
)
REAL_EXPORT = Path(__file__).parents[2].parent / "shared" / "export"
CONTAINED = {"resourceType": "Practitioner", "id": "c1", "name": [{"family": "Szymanski"}]}


@pytest.fixture
def export(tmp_path: Path) -> Path:
    """The planted patients and notes as an export, with what real ones hold besides: traps and broken lines."""
    folder = tmp_path / "export"
    folder.mkdir()
    lines = (PLANTED / "patients.ndjson").read_text().splitlines(keepends=True)
    people = "".join(line for line in lines if '"id":"held-' not in line)
    (folder / "Patient.000.ndjson").write_text(people + "this is no JSON of Okonkwo\n\n[1]\n")
    notes = [one for name in EXPORTED for one in planted_notes(PLANTED / f"{name}.txt")]
    lines = [json.dumps(note(number, one.patient, one.text)) for number, one in enumerate(notes)]
    (folder / "DocumentReference.000.ndjson").write_text("\n".join(lines))
    rest = [
        {"resourceType": "Observation", "id": "o1", "status": "final", "subject": {"reference": "https://ehr.example.org/fhir/Patient/dev-1/_history/2"},
         "effectiveDateTime": "2021-03-05", "code": {"coding": [{"system": "http://loinc.org", "code": "718-7", "display": "Hemoglobin"}]},
         "valueQuantity": {"value": 7.5, "unit": "g/dL"}, "note": [{"text": "Rang Theodora on 413-555-0142."}], "Okonkwo": "00482913",
         "performer": [{"reference": "Practitioner?identifier=http://hl7.org/fhir/sid/us-npi|1790012345", "display": "Dr. Halina Szymanski"}, {"reference": "#c1"}], "contained": [CONTAINED]},
        {"resourceType": "Condition", "id": "c9", "subject": {"identifier": {"value": "00482913"}}, "code": {"text": "Gout, says Theodora"}, "recordedDate": 20210305},
        {"resourceType": "Device", "id": "d1", "patient": {"reference": "Patient/dev-1"}, "serialNumber": "PZK601887S", "type": {"text": "Pacemaker"}},
        {"resourceType": "NoSuchThing", "id": "x", "name": "Theodora"},
        {"resourceType": "Bundle", "type": "collection", "entry": [
            {"fullUrl": "urn:uuid:11111111-2222-4333-8444-555555555555", "resource": {"resourceType": "Patient", "id": "b-1", "name": [{"family": "Quattlebaum"}], "birthDate": "1921-04-01"}},
            {"fullUrl": "urn:uuid:11111111-2222-4333-8444-666666666666", "resource": {"resourceType": "DiagnosticReport", "id": "r1", "status": "final",
             "subject": {"reference": "urn:uuid:11111111-2222-4333-8444-555555555555"}, "conclusion": "Quattlebaum has pneumonia.",
             "presentedForm": [{"contentType": "text/html", "data": base64.b64encode(b"<p>quattlebaum <b>coughs</b></p>").decode()}, {"contentType": "image/png", "data": "iVBORw0KGgo="}]}}]},
    ]  # fmt: skip
    (folder / "okonkwo_theodora.ndjson").write_text("\n".join(map(json.dumps, rest)))
    (tmp_path / "key").write_text(KEY)
    return folder


def read(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


@pytest.mark.parametrize("profile", ["safe-harbor", "expert-shift"])
def test_no_identifier_of_the_record_leaves_and_every_resource_does_or_is_listed(
    export: Path, tmp_path: Path, profile: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments(export, tmp_path / "out", profile=profile)) == 0
    words = everything(resources(tmp_path / "out")).lower()
    for identifier in (
        "okonkwo",
        "theodora",
        "00482913",
        "413-555-01",
        "szymanski",
        "1790012345",
        "沈国栋",
        "13867180042",
        "quattlebaum",
        "pzk601887s",
        "ehr.example.org",
    ):
        assert identifier not in words, identifier
    report = json.loads((tmp_path / "out.work" / "report.json").read_text())
    lines_in = sum(bool(line.strip()) for path in export.iterdir() for line in path.read_text().splitlines())
    assert lines_in == len(resources(tmp_path / "out")) + len(report["rejected"])
    assert [(one["file"], one["line"], one["reason"]) for one in report["rejected"]] == [
        ("Patient.000.ndjson", 9, "not JSON"), ("Patient.000.ndjson", 11, "no object"), ("resources.002.ndjson", 4, "a type that no rule knows"),
    ]  # fmt: skip
    assert report["identifiers"]["photograph"] >= 1


def test_the_report_and_the_screen_say_no_identifier(
    export: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments(export, tmp_path / "out")) == 0
    said = capsys.readouterr()
    report = (tmp_path / "out.work" / "report.json").read_text()
    assert not any(
        word in text.lower()
        for word in ("okonkwo", "theodora", "00482913", KEY)
        for text in (said.out, said.err, report)
    )


def test_the_report_calls_a_file_as_the_output_does_and_its_number_leads_to_it(export: Path, tmp_path: Path) -> None:
    (export / "Encounter.000.ndjson").write_text("")
    (export / "log.ndjson").write_text("")
    assert main(arguments(export, tmp_path / "out")) == 0
    files = sorted(path.name for path in export.iterdir() if path.name != "log.ndjson")
    assert files[3] == "okonkwo_theodora.ndjson"
    assert [path.name for path in sorted((tmp_path / "out").iterdir())][-1] == "resources.003.ndjson"
    report = json.loads((tmp_path / "out.work" / "report.json").read_text())
    assert report["rejected"][-1]["file"] == "resources.003.ndjson"


def test_a_packed_file_that_is_none_is_named_by_its_place(
    export: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (export / "okonkwo.ndjson.gz").write_bytes(b"no gzip")
    assert main(arguments(export, tmp_path / "out")) == 1
    said = capsys.readouterr().err
    assert "file 2 by name, counted from 0, cannot be unpacked" in said
    assert "okonkwo" not in said


def test_references_of_every_form_lead_to_the_same_resource(export: Path, tmp_path: Path) -> None:
    assert main(arguments(export, tmp_path / "out")) == 0
    found = {one["resourceType"]: one for one in resources(tmp_path / "out")}
    patients = [one for one in resources(tmp_path / "out") if one["resourceType"] == "Patient"]
    notes = [one for one in resources(tmp_path / "out") if one["resourceType"] == "DocumentReference"]
    assert {one["subject"]["reference"] for one in notes if "subject" in one} <= {
        f"Patient/{one['id']}" for one in patients
    }
    assert found["Observation"]["subject"]["reference"] == f"Patient/{patients[0]['id']}"
    assert found["Condition"]["subject"]["identifier"]["value"] == patients[0]["identifier"][0]["value"]
    practitioner = next(
        one for one in resources(tmp_path / "out") if one["resourceType"] == "Practitioner" and one["identifier"]
    )
    performers = found["Observation"]["performer"]
    assert performers[0]["reference"].endswith(practitioner["identifier"][0]["value"])
    assert practitioner["name"][0]["family"] in performers[0]["display"]
    assert performers[1]["reference"] == "#" + found["Observation"]["contained"][0]["id"]
    bundle = found["Bundle"]["entry"]
    assert bundle[1]["resource"]["subject"]["reference"] == bundle[0]["fullUrl"]


def test_dates_keep_their_distances_or_only_their_years_and_high_ages_are_one(export: Path, tmp_path: Path) -> None:
    assert main(arguments(export, tmp_path / "shifted")) == 0
    assert main(arguments(export, tmp_path / "years", profile="safe-harbor")) == 0
    years = {one["resourceType"]: one for one in resources(tmp_path / "years")}
    assert years["Observation"]["effectiveDateTime"] == "2021"
    assert years["Bundle"]["entry"][0]["resource"]["birthDate"] == "1936"
    shifted = {one["resourceType"]: one for one in resources(tmp_path / "shifted")}
    assert len(shifted["Observation"]["effectiveDateTime"]) == 10
    assert shifted["Observation"]["effectiveDateTime"] != "2021-03-05"
    assert "recordedDate" not in shifted["Condition"]


def test_offsets_are_kept_apart_from_the_output(export: Path, tmp_path: Path) -> None:
    assert main(arguments(export, tmp_path / "out")) == 0
    offsets = [
        json.loads(line)
        for path in (tmp_path / "out.work" / "offsets").iterdir()
        for line in path.read_text().splitlines()
    ]
    before = {
        f"DocumentReference/note-{number}": one.text
        for number, one in enumerate(one for name in EXPORTED for one in planted_notes(PLANTED / f"{name}.txt"))
    }
    after = {
        f"DocumentReference/{one['id']}": base64.b64decode(one["content"][0]["attachment"]["data"]).decode()
        for one in resources(tmp_path / "out")
        if one["resourceType"] == "DocumentReference"
    }
    checked = 0
    for entry in (one for one in offsets if one["element"] == "attachment" and one["before"] in before):
        old, new, at, new_at = before[entry["before"]], after[entry["after"]], 0, 0
        for start, end, new_start, new_end, _kind in entry["moved"]:
            assert old[at:start] == new[new_at:new_start]
            at, new_at, checked = end, new_end, checked + 1
        assert old[at:] == new[new_at:]
    assert checked > 200


def test_something_that_gets_through_stops_the_run_and_leaves_no_output(
    export: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    found = NoteCleaner.find

    def misses_names(self: NoteCleaner, text: str, person: Person) -> list[Found]:
        return [one for one in found(self, text, person) if "theodora" not in text[one.start : one.end].lower()]

    monkeypatch.setattr(NoteCleaner, "find", misses_names)
    assert main(arguments(export, tmp_path / "out")) == LEAKED
    said = capsys.readouterr().err
    assert not (tmp_path / "out").exists()
    assert not (tmp_path / "out.work" / "parts").exists()
    assert "DocumentReference.000.ndjson:1: name" in said
    assert "theodora" not in said.lower()


def test_a_number_that_gets_through_in_somebody_elses_note_stops_the_run(
    export: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = NoteCleaner.find
    monkeypatch.setattr(
        NoteCleaner,
        "find",
        lambda self, text, person: [
            one for one in found(self, text, person) if "13867180042" not in text[one.start : one.end]
        ],
    )
    (export / "Binary.000.ndjson").write_text(
        json.dumps(
            {
                "resourceType": "Binary",
                "id": "b",
                "contentType": "text/plain",
                "data": base64.b64encode("电话13867180042".encode()).decode(),
            }
        )
    )
    assert main(arguments(export, tmp_path / "out")) == LEAKED
    assert not (tmp_path / "out").exists()


def test_killed_and_begun_again_the_bytes_are_the_same(export: Path, tmp_path: Path) -> None:
    assert main(arguments(export, tmp_path / "whole", "--part-bytes", "3000")) == 0
    command = [sys.executable, "-m", "training", *arguments(export, tmp_path / "killed", "--part-bytes", "3000")]
    running = subprocess.Popen(
        command, cwd=Path(__file__).parents[2], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    until = time.monotonic() + 90
    while (
        not list((tmp_path / "killed.work" / "parts").glob("*.done"))
        and running.poll() is None
        and time.monotonic() < until
    ):
        time.sleep(0.005)
    running.send_signal(signal.SIGKILL)
    running.wait()
    assert not (tmp_path / "killed").exists()
    done = {path.name: path.stat().st_mtime_ns for path in (tmp_path / "killed.work" / "parts").glob("*.done")}
    assert done
    assert main(arguments(export, tmp_path / "killed", "--part-bytes", "3000", "--workers", "2")) == 0
    assert read(tmp_path / "whole") == read(tmp_path / "killed")


def test_a_work_folder_of_another_run_and_a_used_output_are_refused(
    export: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments(export, tmp_path / "out", "--dry-run")) == 0
    assert not (tmp_path / "out").exists()
    assert main(arguments(export, tmp_path / "out")) == 0
    assert main(arguments(export, tmp_path / "out")) == 1
    assert "exists already" in capsys.readouterr().err
    assert main(arguments(export, tmp_path / "other", "--work", str(tmp_path / "out.work"), profile="safe-harbor")) == 1
    assert "another run (other profile)" in capsys.readouterr().err


def test_the_work_that_holds_identifiers_is_removed_and_its_folder_is_private(export: Path, tmp_path: Path) -> None:
    assert main(arguments(export, tmp_path / "out")) == 0
    work = tmp_path / "out.work"
    assert sorted(path.name for path in work.iterdir()) == ["lock", "offsets", "report.json", "run.json"]
    assert work.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("size", [1, 7, 100, 10_000])
def test_parts_hold_every_line_once_whatever_their_size(export: Path, tmp_path: Path, size: int) -> None:
    files = sorted(export.iterdir())
    parts = plan(files, tmp_path, size)
    lines = sum(1 for part in parts for _ in resources_of(part))
    assert lines == sum(bool(line.strip()) for path in files for line in path.read_text().splitlines())


def test_a_line_too_long_is_rejected_and_the_rest_is_read(
    export: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("training.deidentify.export_parts.LONGEST_LINE", 200)
    read_lines = [
        line for part in plan([export / "DocumentReference.000.ndjson"], tmp_path) for line in resources_of(part)
    ]
    assert {line.rejection for line in read_lines} == {"line too long"}
    assert len(read_lines) == len({line.number for line in read_lines})


def test_people_are_forgotten_so_that_memory_stays_flat(
    export: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clean_part, "_PEOPLE_REMEMBERED", 1)
    assert main(arguments(export, tmp_path / "out")) == 0


@pytest.mark.skipif(not REAL_EXPORT.is_dir(), reason=f"no export of synthetic patients at {REAL_EXPORT.name}")
def test_a_real_bulk_export_runs_through(tmp_path: Path) -> None:
    source = tmp_path / "export"
    source.mkdir()
    for path in REAL_EXPORT.glob("*.ndjson"):
        lines = path.read_bytes().splitlines(keepends=True)
        (source / path.name).write_bytes(b"".join(lines[:: 1 if len(lines) < 100 else 10]))
    (tmp_path / "key").write_text(KEY)
    assert main(arguments(source, tmp_path / "out")) == 0
    report = json.loads((tmp_path / "out.work" / "report.json").read_text())
    assert report["rejected"] == []
    assert os.listdir(tmp_path / "out")


def test_what_comes_out_can_be_prepared_though_its_patients_have_other_names(tmp_path: Path, export: Path) -> None:
    key = tmp_path / "split.key"
    key.write_text("a key to split patients by, long enough")
    assert main(arguments(export, tmp_path / "out")) in (0, 1)  # 1: some rows were rejected
    patients = [one for one in resources(tmp_path / "out") if one["resourceType"] == "Patient"]
    assert all("PSEUDED" in {label["code"] for label in one["meta"]["security"]} for one in patients)
    command = ["prepare", "--from", str(tmp_path / "out"), "--out", str(tmp_path / "prepared"), "--split-key", str(key)]
    assert main(command) == 0
    assert main([*command[:2], str(export), *command[3:]]) == 1
