"""`dxspan-train evaluate-site`: a hospital's own figures, small groups untold, nothing of a note in the report."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.training.prepared_notes import shipped_knowledge, simulated_notes, write
from training.__main__ import main
from training.site.read_site import SiteReading
from training.site.site_figures import differences, figures_of, groups, reliability
from training.site.site_notes import chart_of

COUNT, FEWEST = 20, 4


def reading(
    number: int, *, patient: str = "", rank: int | None = 1, sex: str = "female", silence: str = ""
) -> SiteReading:
    return SiteReading(
        note=f"n{number}", patient=patient or f"p{number}", groups={"sex": sex}, rank=rank, probability=(0.6, 0.2),
        right=(rank == 1, rank == 2), silence=silence,
    )  # fmt: skip


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with prepared notes, one bad line, and the report made of them."""
    folder = tmp_path_factory.mktemp("site")
    prepared = write(folder / "north", simulated_notes(COUNT, split="test"))
    with (prepared / "test.jsonl").open("a") as file:
        file.write('{"version": 1, "text": "Mrs Rosalind Quist was here"}\n')
    assert run(folder, "--variants", "1") == 1  # one line was bad
    return folder


def run(folder: Path, *options: str) -> int:
    given = ["--prepared", str(folder / "north"), "--out", str(folder / "out"), "--against", "shipped"]
    return main(["evaluate-site", *given, "--fewest", str(FEWEST), *options])


def report(site: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((site / "out" / "report.json").read_text())
    return found


def test_a_site_is_measured_beside_the_shipped_model(site: Path) -> None:
    found = report(site)
    ours = found["ours"]["figures"]
    assert (ours["notes"], ours["patients"]) == (COUNT, COUNT)
    assert ours["top3"]["low"] < ours["top3"]["value"] <= 1
    assert ours["top3"]["value"] > 0.4  # notes that list findings are read
    assert found["differences"]["top3"]["value"] == 0  # the same model beside itself
    assert len(found["written"]) == 15
    assert {one["name"] for one in found["told"]} >= {"the other sex, coded and in words"}


def test_the_page_is_one_small_file_without_script_or_address(site: Path) -> None:
    page = (site / "out" / "report.html").read_text()
    assert len(page.encode()) < 500_000
    assert page.count("<svg") == 2
    assert "<script" not in page
    assert "http://" not in page
    assert "https://" not in page
    assert "too few" in page


def test_neither_note_nor_mark_stands_in_a_report(site: Path) -> None:
    notes = simulated_notes(COUNT, split="test")
    for name in ("report.json", "report.html", "bad-rows.tsv"):
        written = (site / "out" / name).read_text()
        assert "Quist" not in written
        for note in notes:
            assert note.patient not in written
            assert note.note not in written
            assert not any(line in written for line in note.text.splitlines() if len(line) > 20)
    assert (site / "out" / "bad-rows.tsv").read_text() == f"test.jsonl\t{COUNT + 1}\tmissing\n"


def test_a_second_run_reads_nothing_twice(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = report(site)
    readings = site / "out" / "readings.jsonl"
    assert oct(readings.stat().st_mode)[-3:] == "600"

    def loaded(*_: object) -> None:
        raise AssertionError("a model was loaded though every reading was kept")

    monkeypatch.setattr("training.site.measured_model.remembering_reader", loaded)
    assert run(site, "--variants", "1") == 1
    assert {**report(site), "date": ""} == {**before, "date": ""}


def test_a_dry_run_counts_and_writes_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(tmp_path / "north", simulated_notes(6, split="test"))
    assert run(tmp_path, "--dry-run") == 0
    assert "6 coded notes of 6 patients" in capsys.readouterr().out
    assert not (tmp_path / "out").exists()


def test_too_few_patients_are_not_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(tmp_path / "north", simulated_notes(6, split="test", patients=2))
    assert run(tmp_path) == 1
    assert "2 patients with coded notes; below 4 nothing is told" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("given", "said"),
    [(["nowhere"], "holds no test.jsonl"), (["a=nowhere", "a=elsewhere"], "have the same name")],
)
def test_folders_that_cannot_be_measured_are_named(
    given: list[str], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = [option for one in given for option in ("--prepared", one)]
    assert main(["evaluate-site", *options, "--out", str(tmp_path / "out")]) == 1
    assert said in capsys.readouterr().err


def test_a_small_group_cannot_be_had_by_subtraction() -> None:
    sexes = ["female"] * 10 + ["male"] * 5 + ["unknown"] * 2
    told = {group.name: group.figures for group in groups([reading(i, sex=s) for i, s in enumerate(sexes)], 4)}
    assert told["female"] is not None
    assert told["male"] is None  # the whole less female and male would be the two unknown ones
    assert told["unknown"] is None


def test_many_notes_of_one_patient_are_one_patient() -> None:
    told = groups([reading(number, patient="same") for number in range(50)], 4)
    assert [group.figures for group in told] == [None]


def test_a_difference_is_as_sure_as_there_are_patients() -> None:
    better, worse = [1] * 40, [None] * 20 + [1] * 20
    of_many = differences(
        [reading(i, rank=r) for i, r in enumerate(better)], [reading(i, rank=r) for i, r in enumerate(worse)]
    )
    assert of_many["top3"].value == 0.5
    assert 0.3 < of_many["top3"].low < 0.5 < of_many["top3"].high < 0.7
    of_one = [
        [reading(i, rank=r, patient="one" if i < 20 else "two") for i, r in enumerate(ranks)]
        for ranks in (better, worse)
    ]
    assert differences(*of_one)["top3"].low == 0  # drawn alone, the second patient shows no difference


def test_two_models_that_read_other_notes_are_not_compared() -> None:
    with pytest.raises(ValueError, match="did not read the same notes"):
        differences([reading(1)], [reading(2)])


def test_figures_count_silence_and_promises() -> None:
    found = figures_of(
        [reading(1), reading(2, rank=2), reading(3, rank=None, silence="weak_evidence"), reading(4, rank=4)]
    )
    assert (found.top1.value, found.top3.value, found.top5.value, found.silent.value) == (0.25, 0.5, 0.75, 0.25)
    assert found.leading_calibration_error == pytest.approx(0.35)
    (point,) = reliability([reading(number) for number in range(10)])
    assert np.allclose([point.promised, point.right.value], [0.6, 1.0])


def test_what_was_known_before_stands_on_the_problem_list() -> None:
    (note,) = simulated_notes(1, split="test")
    chart = chart_of(note.model_copy(update={"known": ("asthma", "no-such-diagnosis")}), shipped_knowledge())
    assert [problem.codings[0].code for problem in chart.problems] == [shipped_knowledge().diagnoses["asthma"].icd10cm]
