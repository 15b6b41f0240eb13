"""A patient's birth date: cleaned however it is written, searched for in the output, and no other date taken for it."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.training.deidentify_runs import KEY, arguments, everything, note, resources, write_lines
from training.__main__ import main
from training.deidentify import elements
from training.deidentify.command import LEAKED
from training.deidentify.kinds import Kind
from training.deidentify.known_identifiers import Known, KnownIdentifiers
from training.deidentify.notes import NoteCleaner, Person
from training.deidentify.surrogates import Surrogates
from training.deidentify.vocabulary import vocabulary

BORN = date(1958, 7, 4)
WRITTEN = (
    "1958-07-04", "1958/7/4", "DOB1958.07.04", "19580704", "7/4/1958", "07-04-1958", "(07 / 04 / 1958)", "4.7.1958", "04/07/1958",
    "1958年7月4日", "１９５８年０７月０４日", "July 4, 1958", "JUL 4TH 1958", "4 July 1958", "4th of July, 1958", "04-JUL-1958", "04/Jul/1958",
    "1958-07-04T06:30:00+01:00",
)  # fmt: skip
NO_BIRTH_DATE = ("1958", "July 1958", "1958-07-05", "12307041958", "4 mg in 1958", "on 1958 7.4 kg", "7/4/2021")


def whose(forth: bool) -> tuple[str, int]:
    """The id of a patient whose dates are moved forth or back, and by how many days."""
    surrogates = Surrogates(KEY.encode(), vocabulary())
    shifts = {f"p{number}": surrogates.shift(f"Patient/p{number}") for number in range(50)}
    return next((patient, shift) for patient, shift in shifts.items() if (shift > 0) is forth)


def run(tmp_path: Path, patient: str, born: date, found: list[dict[str, Any]], profile: str) -> int:
    """Exit status of a run on a patient and resources of theirs, into `tmp_path`/out."""
    (tmp_path / "export").mkdir()
    (tmp_path / "key").write_text(KEY)
    person = {
        "resourceType": "Patient",
        "id": patient,
        "birthDate": born.isoformat(),
        "name": [{"family": "Okparaebo"}],
    }
    write_lines(tmp_path / "export" / "Patient.ndjson", [person])
    write_lines(tmp_path / "export" / "DocumentReference.ndjson", found)
    return main(arguments(tmp_path / "export", tmp_path / "out", profile=profile))


def leave(monkeypatch: pytest.MonkeyPatch, *written: str) -> None:
    """What is so written gets through; without any, everything."""
    found = NoteCleaner.find
    monkeypatch.setattr(
        NoteCleaner,
        "find",
        lambda self, text, person: [
            one for one in found(self, text, person) if written and text[one.start : one.end] not in written
        ],
    )


@pytest.mark.parametrize("written", WRITTEN)
@pytest.mark.parametrize("shift", [None, 30])
def test_the_birth_date_of_the_record_is_found_in_a_note_whatever_touches_it(written: str, shift: int | None) -> None:
    known = KnownIdentifiers([Known(Kind.DATE, BORN.isoformat())], vocabulary())
    cleaner = NoteCleaner(Surrogates(KEY.encode(), vocabulary()))
    cleaned = cleaner.clean(f"Old records say {written} and no more.", Person("Patient/1", known, shift)).text
    assert written not in cleaned
    assert "1958" in cleaned or shift is not None
    assert cleaned.startswith("Old records say ")
    assert cleaned.endswith(" and no more.")


@pytest.mark.parametrize("profile", ["safe-harbor", "expert-shift"])
def test_a_birth_date_that_gets_through_stops_the_run_in_every_usual_form(
    tmp_path: Path, profile: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    leave(monkeypatch)
    notes = [note(number, "p1", f"Old records say {text}.") for number, text in enumerate((*WRITTEN, *NO_BIRTH_DATE))]
    somebody_elses = note(99, "p2", f"Old records say {BORN}.")
    assert run(tmp_path, "p1", BORN, [*notes, somebody_elses], profile) == LEAKED
    said = capsys.readouterr().err
    told = [line.split(": ")[1:] for line in said.splitlines() if "LEAKED" in line]
    assert told == [[f"DocumentReference.ndjson:{number}", "date"] for number in range(1, len(WRITTEN) + 1)]
    assert "1958" not in said
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("profile", ["safe-harbor", "expert-shift"])
def test_a_birth_date_that_a_coded_field_keeps_stops_the_run(
    tmp_path: Path, profile: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(elements, "birth_date", lambda value, _: value)
    assert run(tmp_path, "p1", BORN, [], profile) == LEAKED


@pytest.mark.parametrize("forth", [True, False])
def test_another_date_that_is_moved_onto_the_birth_date_is_no_leak(tmp_path: Path, forth: bool) -> None:
    (patient, shift), born = whose(forth), date(2020, 3, 5)
    other = born - timedelta(days=shift)
    page = f"<p>Seen {other.month}/{other.day}/{other.year}, born 03/05/2020; again <b>{other:%B} {other.day}, {other.year}</b>.</p>"
    seen = note(0, patient, page, date=other.isoformat())
    seen["content"][0]["attachment"]["contentType"] = "text/html"
    visit = {"resourceType": "Encounter", "id": "e", "subject": {"reference": f"Patient/{patient}"}, "period": {"start": f"{other}T10:00:00Z"}}  # fmt: skip
    assert run(tmp_path, patient, born, [seen, visit], "expert-shift") == 0
    words = everything(resources(tmp_path / "out"))
    assert [words.count(text) for text in ("3/5/2020", "March 5, 2020", "2020-03-05T10")] == [1, 1, 1], words


def test_a_birth_date_beside_a_date_that_is_moved_onto_it_is_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (patient, shift), born = whose(forth=False), date(2020, 3, 5)
    other = born - timedelta(days=shift)
    leave(monkeypatch, born.isoformat())
    assert run(tmp_path, patient, born, [note(0, patient, f"Seen {other}, born {born}.")], "expert-shift") == LEAKED
