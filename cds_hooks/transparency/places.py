"""Where each measured figure stands: a file of the repository, and the place in it.

Input: the repository's files as evaluation, calibration and training wrote them. Output: their values as they stand there,
never computed anew; None where a file or a row is missing. Knows JSON, YAML and tables in Markdown; what is said with the
figures is source_attributes'.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import yaml

from cds_hooks.transparency.figures import Value


class Place(Protocol):
    """A place in a file."""

    @property
    def file(self) -> str:
        """Path from the repository's root."""

    @property
    def text(self) -> str:
        """The place in words that a reader can follow."""

    def value(self, text: str) -> Value:
        """What stands there in a file with this text. Raises LookupError."""


@dataclass(frozen=True, slots=True)
class Key:
    """A key of a JSON or YAML file, the steps to it joined by `/`."""

    file: str
    path: str

    @property
    def text(self) -> str:
        return self.path

    def value(self, text: str) -> Value:
        return _walk(yaml.safe_load(text) if self.file.endswith(".yaml") else json.loads(text), self.path)


@dataclass(frozen=True, slots=True)
class LastLine:
    """The same in the last line of a file with one JSON document a line, or in its first."""

    file: str
    path: str
    line: int = -1

    @property
    def text(self) -> str:
        return f"{'last' if self.line else 'first'} line, {self.path}"

    def value(self, text: str) -> Value:
        return _walk(json.loads(text.splitlines()[self.line]), self.path)


@dataclass(frozen=True, slots=True)
class Lines:
    """How many lines a file has."""

    file: str
    text: str = "number of lines"

    def value(self, text: str) -> Value:
        return len(text.splitlines())


@dataclass(frozen=True, slots=True)
class Matches:
    """How many lines of all the files of a folder a pattern matches, from the beginning."""

    file: str
    """The folder."""
    pattern: str

    @property
    def text(self) -> str:
        return f"lines that match {self.pattern}"

    def value(self, text: str) -> Value:
        return sum(bool(re.match(self.pattern, line)) for line in text.splitlines())


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell of a Markdown table: the row that begins with `row`, under the heading `column`."""

    file: str
    row: tuple[str, ...]
    column: str

    @property
    def text(self) -> str:
        return f"row {' | '.join(self.row)}, column {self.column}"

    def value(self, text: str) -> Value:
        for cells in _rows(text):
            if self.column in cells and tuple(list(cells.values())[: len(self.row)]) == self.row:
                return cells[self.column]
        raise LookupError(self.text)


@dataclass(frozen=True, slots=True)
class FirstRows:
    """The first rows of the Markdown table with these columns, each row `a b`, joined by commas."""

    file: str
    columns: tuple[str, ...]
    most: int

    @property
    def text(self) -> str:
        return f"first {self.most} rows, columns {', '.join(self.columns)}"

    def value(self, text: str) -> Value:
        rows = [cells for cells in _rows(text) if all(column in cells for column in self.columns)]
        if not rows:
            raise LookupError(self.text)
        return ", ".join(" ".join(row[column] for column in self.columns) for row in rows[: self.most]).replace(
            "_", " "
        )


@dataclass(frozen=True, slots=True)
class After:
    """The word after `before`, up to a comma, a colon or a blank."""

    file: str
    before: str

    @property
    def text(self) -> str:
        return f"after “{self.before}”"

    def value(self, text: str) -> Value:
        _, found, rest = text.partition(self.before)
        if not found:
            raise LookupError(self.text)
        return rest.split(maxsplit=1)[0].rstrip(",:.")


def _walk(document: Any, path: str) -> Value:
    for step in path.split("/"):
        document = document[int(step) if isinstance(document, list) else step]
    if not isinstance(document, str | int | float):
        raise LookupError(f"{path} is no single value")
    return document


def _rows(text: str) -> Iterator[dict[str, str]]:
    """Rows of every Markdown table, by heading."""
    head: list[str] = []
    for line in text.splitlines():
        if not line.startswith("|"):
            head = []
            continue
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if not head:
            head = cells
        elif set(line) - set("|-: "):
            yield dict(zip(head, cells, strict=False))


_HISTORY, _MANIFEST = "docs/evaluation_history.jsonl", "nlp_core/bundle/manifest.json"
_CALIBRATION, _MEASURED = "nlp_core/bundle/calibration.json", "docs/calibration.md"
_EVALUATION, _SWAPS, _RECIPE = "docs/evaluation.md", "docs/fairness.md", "training/recipes/shipped.yaml"
_TRUST, _SIMULATION = "nlp_core/bundle/reading_trust.json", "docs/simulation.md"
SETS = ("notes_inferred", "notes_whole", "vignettes", "ddxplus")
"""The public texts, as docs/evaluation.md names them."""
_TOP_3 = "top-3 (95 % interval)"
_CHANGED = "leading diagnosis changed"
_CASES, _CASES_TOP_3 = "cases", "all, top-3 (95 % interval)"
_ERROR = "error, leading"

PLACES: Mapping[str, Place] = {
    "bundle": Key(_MANIFEST, "version"),
    "base_package": Key(_MANIFEST, "base/package"),
    "base_version": Key(_MANIFEST, "base/version"),
    "evaluated_model": LastLine(_HISTORY, "model"),
    "evaluated_on": LastLine(_HISTORY, "date"),
    "evaluated_knowledge": LastLine(_HISTORY, "knowledge"),
    "first_evaluated": LastLine(_HISTORY, "date", line=0),
    "evaluations": Lines(_HISTORY),
    "diagnoses": LastLine(_HISTORY, "diagnoses"),
    "findings": LastLine(_HISTORY, "findings"),
    "sex_limited": Matches("nlp_core/knowledge_base/diagnoses", r"  sex: (female|male)\b"),
    "silence_below": Key(_CALIBRATION, "silence_below"),
    "calibrated_on": Key(_CALIBRATION, "fitted_on"),
    "calibration_error": Key(_CALIBRATION, "expected_calibration_error"),
    "leading_error": Key(_CALIBRATION, "leading_calibration_error"),
    "trust_fitted_on": Key(_TRUST, "fitted_on"),
    "judged_clauses": Lines("training/linking/judged.jsonl"),
    "recipe_steps": Key(_RECIPE, "steps"),
    "recipe_tuning": Key(_RECIPE, "tuning"),
    "recipe_rank": Key(_RECIPE, "rank"),
    "recipe_chinese": Key(_RECIPE, "chinese"),
    "recipe_seed": Key(_RECIPE, "seed"),
    "calibration_model": After(_MEASURED, "Model "),
    "fairness_model": After(_SWAPS, "Model "),
    "least_found": FirstRows(_SIMULATION, ("diagnosis", "within three"), 10),
    "simulated_top_3": Cell(_SIMULATION, ("most findings known",), "top-3"),
    "simulated_top_3_few": Cell(_SIMULATION, ("40 % of findings known",), "top-3"),
    "swap_sex": Cell(_SWAPS, ("the other sex, coded and in words", "en and zh"), _CHANGED),
    "swap_age": Cell(_SWAPS, ("two years younger, two years older", "en and zh"), _CHANGED),
    "swap_name": Cell(_SWAPS, ("a name of one of many origins, against none", "en and zh"), _CHANGED),
    **{f"own_{name}_cases": Cell(_EVALUATION, (name,), _CASES) for name in ("en", "zh")},
    **{f"own_{name}": Cell(_EVALUATION, (name,), _CASES_TOP_3) for name in ("en", "zh")},
    **{f"{name}_rows": Cell(_EVALUATION, (name,), "rows") for name in SETS},
    **{f"{name}_in_scope": LastLine(_HISTORY, f"in_scope/{name}") for name in SETS},
    **{f"{name}_1": LastLine(_HISTORY, f"top_1_3_5/{name}/0") for name in SETS},
    **{f"{name}_3": Cell(_EVALUATION, (name,), _TOP_3) for name in SETS},
    **{f"{name}_error": Cell(_MEASURED, (name,), _ERROR) for name in ("notes_whole", "vignettes")},
    **{f"own_{name}_error": Cell(_MEASURED, (f"own cases, {name}",), _ERROR) for name in ("en", "zh")},
    "vignettes_mean": Cell(_MEASURED, ("vignettes",), "mean probability of the leading"),
    "vignettes_right": Cell(_MEASURED, ("vignettes",), "right (95 % interval)"),
}
"""Where each measured figure stands."""


def look_up(root: Path) -> dict[str, Value]:
    """The value of every figure in the repository at `root`; None where there is none."""
    texts: dict[str, str] = {}
    return {name: _value(place, root, texts) for name, place in PLACES.items()}


def _value(place: Place, root: Path, texts: dict[str, str]) -> Value:
    try:
        if place.file not in texts:
            path = root / place.file
            files = sorted(path.iterdir()) if path.is_dir() else [path]
            texts[place.file] = "\n".join(file.read_text(encoding="utf-8") for file in files)
        return place.value(texts[place.file])
    except (OSError, ValueError, LookupError, TypeError):
        return None
