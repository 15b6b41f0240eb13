"""`dxspan-switch` edits the switches file in one piece, and refuses what would switch nothing."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from cds_hooks.switch_command import main
from cds_hooks.switches import Switches
from cds_hooks.switches_file import read_switches

PAGE = Path(__file__).parents[2] / "docs" / "switches.md"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "switches.yaml"


def run(path: Path, *words: str) -> int:
    return main(["--file", str(path), *words])


def test_the_file_says_why_and_since_when(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(path, "off", "--diagnosis", "J11.1", "--tenant", "a", "--reason", "流感误报", "--unchecked") == 0
    (entry,) = yaml.safe_load(path.read_text())["switches"]
    assert (entry["reason"], entry["tenant"], entry["diagnosis"]) == ("流感误报", "a", "J11.1")
    assert run(path, "show") == 0
    assert "off: tenant a, diagnosis J11.1 since" in capsys.readouterr().out
    assert run(path, "on", "--diagnosis", "J11.1", "--tenant", "a") == 0
    assert "nothing is switched off" in capsys.readouterr().out
    assert read_switches(path) == Switches()


def test_the_same_again_is_one_switch_and_on_wants_exactly_the_same(path: Path) -> None:
    for reason in ("first", "second"):
        assert run(path, "off", "--tenant", "x", "--reason", reason) == 0
    assert [switch.reason for switch in read_switches(path).switches] == ["second"]
    assert run(path, "on", "--tenant", "y") == 2
    assert run(path, "on", "--tenant", "x", "--diagnosis", "I26") == 2
    assert len(read_switches(path).switches) == 1


def test_shadow_by_model_version(path: Path) -> None:
    assert run(path, "shadow", "--model-version", "4+cccccccccccc", "--reason", "compare first") == 0
    assert read_switches(path).in_shadow("any", "4+cccccccccccc")
    assert not read_switches(path).in_shadow("any", "3+aaaaaaaaaaaa")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--diagnosis", "pulmonary_emblism"), "is it pulmonary_embolism"),
        (("--diagnosis", "Q99.9X"), "no diagnosis of the knowledge has the code"),
        (("--tenant", "a b"), "tenant"),
    ],
)
def test_what_would_switch_nothing_is_refused(
    path: Path, words: tuple[str, ...], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(path, "off", *words, "--reason", "r") == 2
    assert said in capsys.readouterr().err
    assert not path.exists()


def test_a_category_of_the_knowledge_is_taken(path: Path) -> None:
    assert run(path, "off", "--diagnosis", "I26", "--reason", "r") == 0


def test_a_broken_file_is_not_written_over(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path.write_text("switches: [{tenant: x}")
    assert run(path, "off", "--tenant", "y", "--reason", "r") == 2
    assert path.read_text() == "switches: [{tenant: x}"
    assert "no YAML" in capsys.readouterr().err


def test_without_a_file_it_says_which_variable(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("DXSPAN_SWITCHES_FILE", raising=False)
    assert main(["show"]) == 2
    assert "DXSPAN_SWITCHES_FILE" in capsys.readouterr().err


def test_the_example_in_the_documentation_is_a_switches_file(path: Path) -> None:
    path.write_text(PAGE.read_text("utf-8").partition("```yaml\n")[2].partition("```")[0], "utf-8")
    switches = read_switches(path)
    assert [(switch.mode, *switch.what) for switch in switches.switches] == [
        ("off", "hospital-a", None, None),
        ("off", "hospital-b", "pulmonary_embolism", None),
        ("off", None, None, "3+65b9a19f401a"),
        ("shadow", None, None, "4+0123456789ab"),
    ]
