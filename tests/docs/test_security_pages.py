"""The pages on security are complete and true: no requirement is missing, every test and file they name exists."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "docs" / "security"
PAGES = [
    ROOT / "SECURITY.md",
    *(FOLDER / f"{name}.md" for name in ("asvs", "threat-model", "phi-data-flow", "retention", "fuzzing")),
]

LEVELS_1_AND_2 = {
    "1.1": [1, 2], "1.2": range(1, 10), "1.3": range(1, 12), "1.4": [1, 2, 3], "1.5": [1, 2],
    "2.1": [1, 2, 3], "2.2": [1, 2, 3], "2.3": [1, 2, 3, 4], "2.4": [1],
    "4.1": [1, 2, 3], "4.2": [1], "4.3": [1, 2], "4.4": [1, 2, 3, 4],
    "9.1": [1, 2, 3], "9.2": [1, 2, 3, 4],
    "10.1": [1, 2], "10.2": [1, 2], "10.3": [1, 2, 3, 4], "10.4": range(1, 12), "10.5": range(1, 6), "10.6": [1, 2],
    "10.7": [1, 2, 3],
    "13.1": [1], "13.2": range(1, 6), "13.3": [1, 2], "13.4": range(1, 6),
    "14.1": [1, 2], "14.2": [1, 2, 3, 4], "14.3": [1, 2, 3],
    "16.1": [1], "16.2": range(1, 6), "16.3": [1, 2, 3, 4], "16.4": [1, 2, 3], "16.5": [1, 2, 3],
}  # fmt: skip
"""Requirements of levels 1 and 2 in ASVS 5.0.0, by section."""
ANSWERS = {"met", "in part", "operator", "not applicable"}

Line = tuple[str, str, str, str]


def asvs_lines() -> list[Line]:
    """(id, level, answer, shown by) of every line of the tables."""
    text = (FOLDER / "asvs.md").read_text(encoding="utf-8")
    return re.findall(r"^\| ([\d.]+) \| (\d) \| [^|]+ \| ([^|]+) \| ([^|]+) \|$", text, re.MULTILINE)


def test_every_requirement_of_levels_1_and_2_is_answered() -> None:
    wanted = [f"{section}.{number}" for section, numbers in LEVELS_1_AND_2.items() for number in numbers]
    assert len(wanted) == 122
    assert [number for number, level, _, _ in asvs_lines() if level != "3"] == wanted


def test_every_answer_is_one_of_four_and_shows_something_or_says_why() -> None:
    for number, _, answer, shown in asvs_lines():
        assert answer in ANSWERS, number
        if answer == "met":
            assert re.search(r"`[^`]+\.\w+(?:::test_\w+)?`", shown), f"{number} shows neither a test nor a file"
        else:
            assert len(re.sub(r"`[^`]*`", "", shown)) >= 15, f"{number} gives no reason"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_test_and_file_named_exists(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    for file, name in re.findall(r"`([\w/]+\.py)::(test_\w+)`", text):
        source = (ROOT / "tests" / file).read_text(encoding="utf-8")
        assert re.search(rf"^(?:async )?def {name}\(", source, re.MULTILINE), f"tests/{file} has no {name}"
    named = re.findall(r"`((?:[\w.-]+/)+[\w.-]+\.\w+|[A-Z][\w.-]*\.md|pyproject\.toml)`", text)
    missing = [file for file in named if not (ROOT / file).exists() and not file.startswith("var/")]
    assert not missing


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_link_leads_somewhere(page: Path) -> None:
    targets = re.findall(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8"))
    assert not [target for target in targets if not (page.parent / target).exists()]
