"""`--report-to`: the service that is named is the one that the curves go to, and one that is not installed is said so."""

from __future__ import annotations

import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
from transformers.integrations import get_reporting_integration_callbacks

from training.__main__ import main
from training.tuning import reporting
from training.tuning.reporting import CURVES, check_reporter, reporters

SERVICES = {"wandb": "WandbCallback", "mlflow": "MLflowCallback"}


def absent(monkeypatch: pytest.MonkeyPatch, *names: str) -> None:
    """As if `names` were not installed, whatever this machine has."""
    monkeypatch.setattr(reporting, "find_spec", lambda name: None if name in names else find_spec(name))


def installed(monkeypatch: pytest.MonkeyPatch, folder: Path, name: str) -> None:
    """A package of that name where Python looks first."""
    (folder / name).mkdir()
    (folder / name / "__init__.py").write_text("run = None\n", encoding="utf-8")
    monkeypatch.syspath_prepend(folder)
    monkeypatch.delitem(sys.modules, name, raising=False)


@pytest.mark.parametrize("name", SERVICES)
def test_the_trainer_is_given_the_name_of_an_installed_service(
    name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    installed(monkeypatch, tmp_path, name)
    absent(monkeypatch, *(SERVICES.keys() - {name}))
    services, callbacks = reporters(name, tmp_path / "out")
    assert (services, callbacks) == ([name], [])
    assert [one.__name__ for one in get_reporting_integration_callbacks(services)] == [SERVICES[name]]
    assert not (tmp_path / "out" / CURVES).exists()


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_that_is_not_installed_is_said_so(name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    absent(monkeypatch, name)
    said = f"--report-to {name}: {name} is not installed; `pip install {name}`, or use tensorboard"
    with pytest.raises(ValueError, match=said):
        reporters(name, tmp_path)


@pytest.mark.parametrize("command", ["tune --texts", "pretrain --from"])
@pytest.mark.parametrize("name", SERVICES)
def test_the_command_says_so_before_it_reads_or_writes(
    name: str, command: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    absent(monkeypatch, *SERVICES)
    out = tmp_path / "out"
    assert main([*command.split(), str(tmp_path / "absent"), "--out", str(out), "--report-to", name]) == 1
    assert f"{name} is not installed" in capsys.readouterr().err
    assert not out.exists()


def test_what_needs_no_service_asks_for_none(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    absent(monkeypatch, *SERVICES)
    check_reporter("tensorboard")
    assert reporters("none", tmp_path) == ([], [])
    services, callbacks = reporters("tensorboard", tmp_path)
    assert services == []
    assert [type(one).__name__ for one in callbacks] == ["TensorBoardCallback"]
