"""`dxspan-train` offers its commands at once and says what is wrong in one line."""

from __future__ import annotations

import subprocess
import sys

import pytest

from training.__main__ import COMMANDS, main


def test_help_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        main(["--help"])
    shown = capsys.readouterr().out
    assert left.value.code == 0
    assert all(command.name in shown and command.help.split(",")[0] in " ".join(shown.split()) for command in COMMANDS)


@pytest.mark.parametrize("name", [command.name for command in COMMANDS])
def test_every_command_has_help(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        main([name, "--help"])
    assert left.value.code == 0
    assert name in capsys.readouterr().out


def test_an_unknown_command_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        main(["no-such-command"])
    assert left.value.code == 2


def test_faults_of_the_input_are_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["export-model", "--model", "no-such-folder"]) == 1
    assert capsys.readouterr().err.startswith("dxspan-train: no-such-folder is no folder, and no hub id")


def test_the_commands_themselves_do_not_load_transformers() -> None:
    program = "import sys, training.__main__; sys.exit('transformers' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
