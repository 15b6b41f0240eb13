"""Every measured figure is what its file says, and one that is not is found."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from cds_hooks.settings import Settings
from cds_hooks.transparency.__main__ import main
from cds_hooks.transparency.figures import LEAST_SHOWN, MEASURED, all_figures
from cds_hooks.watch import SUGGESTIONS

ROOT = Path(__file__).parents[3]
FIGURES = json.loads(MEASURED.read_text(encoding="utf-8"))["figures"]


def found(file: Path, place: str) -> Any:
    """What a reader finds who goes to the file and follows the words that say where."""
    if file.is_dir():
        pattern = place.removeprefix("lines that match ")
        return sum(len(re.findall(rf"^{pattern}", one.read_text("utf-8"), re.MULTILINE)) for one in file.iterdir())
    text = file.read_text(encoding="utf-8")
    if place == "number of lines":
        return text.count("\n")
    if row := re.fullmatch(r"row (.+), column (.+)", place):
        return cell(text, row[1], row[2])
    if first := re.fullmatch(r"first (\d+) rows, columns (.+), (.+)", place):
        return first_rows(text, int(first[1]), first[2], first[3])
    if after := re.fullmatch(r"after “(.+)”", place):
        return re.search(rf"{after[1]}([^\s,:]+)", text)[1]
    if line := re.fullmatch(r"(first|last) line, (.+)", place):
        return inside(json.loads(text.splitlines()[0 if line[1] == "first" else -1]), line[2])
    if file.suffix == ".yaml":
        return next(value for value in re.findall(rf"^{place}: (.+)$", text, re.MULTILINE))
    return inside(json.loads(text), place)


def inside(document: Any, path: str) -> Any:
    for step in path.split("/"):
        document = document[int(step)] if isinstance(document, list) else document[step]
    return document


def cell(text: str, row: str, column: str) -> str:
    head: list[str] = []
    for line in text.splitlines():
        cells = line.split(" | ")
        if column in [one.strip("| ") for one in cells]:
            head = [one.strip("| ") for one in cells]
        if line.startswith(f"| {row} |") and column in head:
            return cells[head.index(column)].strip("| ")
    raise AssertionError(f"no row {row} with {column}")


def first_rows(text: str, count: int, one: str, other: str) -> str:
    table = text[text.index(f"| {one} |") :].splitlines()
    place = [part.strip() for part in table[0].strip("|").split("|")].index(other)
    rows = [[part.strip() for part in line.strip("|").split("|")] for line in table[2 : 2 + count]]
    return ", ".join(f"{row[0]} {row[place]}" for row in rows).replace("_", " ")


@pytest.mark.parametrize("name", FIGURES)
def test_each_measured_figure_is_what_its_file_says(name: str) -> None:
    figure = FIGURES[name]
    assert figure["value"] is not None, f"{figure['file']} no longer says it"
    assert str(found(ROOT / figure["file"], figure["place"])) == str(figure["value"]), (
        "stale: run `python -m cds_hooks.transparency`"
    )


def test_nothing_is_stale() -> None:
    assert main(["--check"]) == 0, "run `python -m cds_hooks.transparency`"


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A copy of every file that figures come from."""
    for file in {figure["file"] for figure in FIGURES.values()}:
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        copy = shutil.copytree if (ROOT / file).is_dir() else shutil.copy
        copy(ROOT / file, tmp_path / file)
    return tmp_path


@pytest.mark.parametrize(
    ("file", "old", "new", "stale"),
    [
        ("nlp_core/bundle/calibration.json", r'"silence_below": [\d.]+', '"silence_below": 0.123', "silence_below"),
        ("docs/evaluation.md", r"\| vignettes \| \d+", "| vignettes | 7", "vignettes_rows"),
        ("docs/evaluation_history.jsonl", r"\Z", '{"model": "99+f"}\n', "evaluated_model"),
        ("docs/fairness.md", r"Model \S+,", "Model 99+f,", "fairness_model"),
        ("docs/simulation.md", r"\| diagnosis \| patients \| within three \|", "", "least_found"),
        ("training/recipes/shipped.yaml", r"seed: \d+", "seed: 77", "recipe_seed"),
        ("nlp_core/knowledge_base/diagnoses/dental.yaml", r"\Z", "  sex: female\n", "sex_limited"),
    ],
)
def test_a_stale_figure_is_named(
    repository: Path, capsys: pytest.CaptureFixture[str], file: str, old: str, new: str, stale: str
) -> None:
    assert main(["--check", "--root", str(repository)]) == 0
    path = repository / file
    path.write_text(re.sub(old, new, path.read_text("utf-8"), count=1), encoding="utf-8")
    assert main(["--check", "--root", str(repository)]) == 1
    assert re.search(rf"^{stale}: .*run `python -m cds_hooks.transparency`", capsys.readouterr().err, re.MULTILINE)


def test_a_file_that_is_gone_makes_its_figures_stale(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (repository / "nlp_core/bundle/calibration.json").unlink()
    assert main(["--check", "--root", str(repository)]) == 1
    assert "says None" in capsys.readouterr().err


@pytest.mark.parametrize(("shown", "told"), [(LEAST_SHOWN - 1, False), (LEAST_SHOWN, True)])
def test_acceptance_here_is_told_from_some_showings_on(shown: int, told: bool) -> None:
    SUGGESTIONS.clear()
    SUGGESTIONS.labels("gout", "shown").set(shown)
    SUGGESTIONS.labels("gout", "accepted").set(5)
    try:
        figures = all_figures(Settings(development=True))
    finally:
        SUGGESTIONS.clear()
    assert figures["shown"].value == (shown if told else None)
    assert figures["accepted_share"].value == ("25 % (11–47)" if told else None)
