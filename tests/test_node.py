"""Which Node.js the tests of renderers take."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import node


@pytest.fixture(autouse=True)
def _forget() -> Iterator[None]:
    node.node_program.cache_clear()
    yield
    node.node_program.cache_clear()


def programs(folder: Path, version: str, *names: str) -> None:
    for name in names:
        program = folder / name
        program.write_text(f"#!/bin/sh\necho {version}\n")
        program.chmod(program.stat().st_mode | stat.S_IXUSR)


def only(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing but `folder` on PATH, and no wheel."""
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.setattr(node, "_in_wheel", lambda: (None, []))


def test_a_node_that_is_new_enough_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    programs(tmp_path, "v20.0.0", "node", "npm")
    only(tmp_path, monkeypatch)
    assert node.node_program() == tmp_path / "node"


@pytest.mark.parametrize(("version", "names"), [("v18.20.4", ("node", "npm")), ("v22.0.0", ("node",)), ("", ("npm",))])
def test_an_old_one_or_one_without_npm_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: str, names: tuple[str, ...]
) -> None:
    programs(tmp_path, version, *names)
    only(tmp_path, monkeypatch)
    assert node.node_program() is None


def test_what_is_missing_is_said_with_how_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    only(tmp_path, monkeypatch)
    monkeypatch.setattr("sys.argv", ["tests.node"])
    assert node.main() == 1
    assert node.WHEEL in capsys.readouterr().err
