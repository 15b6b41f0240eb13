"""One look at the switches file is not believed, and a broken one switches nothing on again."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import REGISTRY

from cds_hooks import switches_file
from cds_hooks.switches import Switch, Switches
from cds_hooks.switches_file import BadSwitches, SwitchBoard, edit, read_switches
from tests.cds_hooks.test_main import run

NOTHING = "switches: []\n"
SINCE = "2026-11-25T08:00:00Z"


def entries(*tenants: str) -> str:
    return "switches:\n" + "".join(f"- {{mode: off, tenant: {t}, reason: r, since: {SINCE}}}\n" for t in tenants)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    found = tmp_path / "switches.yaml"
    found.write_text(entries("x", "y"))
    return found


def looks(board: SwitchBoard, times: int = 2) -> SwitchBoard:
    for _ in range(times):
        board.look()
    return board


def test_a_file_half_saved_is_waited_for(path: Path) -> None:
    board = SwitchBoard(path)
    path.write_text(entries("x"))  # as far as a slow editor has come
    assert looks(board, 1).now.all_off("y")
    path.write_text(entries("x", "z"))
    assert looks(board, 1).now.all_off("y")
    assert looks(board, 1).now.all_off("z")
    assert not board.now.all_off("y")
    assert board.changed == 2


def test_the_same_bytes_at_another_time_are_not_two_equal_looks(path: Path) -> None:
    board = SwitchBoard(path)
    path.write_text(entries("x"))
    board.look()
    os.utime(path, ns=(1, 1))
    assert looks(board, 1).now.all_off("y")
    assert not looks(board, 1).now.all_off("y")


BROKEN = {
    "empty": "", "blank": "\n \n", "a comment": "# switches: []\n", "cut off": "switches: [{tenant: canary", "no YAML": "{",
    "no list": "switches:\n", "a list": "- canary", "a number": "switches: 3", "NUL": "\x00", "other": "switch: []",
    "unknown key": "switches: [{tenent: canary}]", "no reason": f"switches: [{{tenant: a, since: {SINCE}}}]",
    "no time": "switches: [{tenant: canary, reason: r}]", "deep": "[" * 1000, "no mode": "switches: [{mode: canary}]",
    "a shadow": f"switches: [{{mode: shadow, diagnosis: canary, reason: r, since: {SINCE}}}]",
    "large": "#" * (switches_file.MAX_BYTES + 1),
}  # fmt: skip


@pytest.mark.parametrize("content", BROKEN.values(), ids=BROKEN)
def test_a_file_that_breaks_leaves_what_was_off_off_and_says_so_once(
    path: Path, content: str, log_lines: Callable[[], list[dict[str, Any]]]
) -> None:
    board = SwitchBoard(path)
    path.write_text(content)
    before = faults("invalid")
    looks(board, 4)
    assert board.now.all_off("x")
    assert board.faulty
    assert board.changed == 1
    assert faults("invalid") == before + 3, "counted at each look, the first aside"
    (error,) = [line for line in log_lines() if line["level"] == "error"]
    assert "canary" not in str(error)
    path.write_text(NOTHING)
    assert not looks(board).now.all_off("x")
    assert not board.faulty


def faults(kind: str) -> float:
    return REGISTRY.get_sample_value("dxspan_switches_faults_total", {"kind": kind}) or 0.0


def test_a_file_that_is_gone_or_unreadable_leaves_what_was_off_off(path: Path) -> None:
    board = SwitchBoard(path)
    path.unlink()
    assert not looks(board, 1).faulty, "it may be being replaced"
    assert looks(board, 1).faulty
    path.mkdir()
    assert looks(board).fault is not None
    assert board.fault.kind == "unreadable"
    assert board.now.all_off("x")


def test_a_file_that_never_rests_is_a_fault(path: Path) -> None:
    board = SwitchBoard(path)
    for number in range(switches_file.MOST_RESTLESS_LOOKS + 1):
        path.write_text(entries(f"t{number}"))
        board.look()
    assert board.fault is not None
    assert board.fault.kind == "restless"
    assert board.now.all_off("x")


def test_a_disk_that_hangs_is_seen(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    board = SwitchBoard(path)
    assert not board.faulty
    monkeypatch.setattr(switches_file, "MOST_BLIND_SECONDS", 0.0)
    assert board.faulty


@pytest.mark.parametrize("content", [None, "", "switches: 7", "switches: [{tenant: a, reason: x, since: yesterday}]"])
def test_a_process_does_not_start_on_a_file_it_cannot_use(path: Path, content: str | None) -> None:
    path.unlink()
    if content is not None:
        path.write_text(content)
    with pytest.raises(BadSwitches):
        SwitchBoard(path)


def test_the_refusal_to_start_names_the_variable_and_what_is_wrong(path: Path) -> None:
    path.write_text("switches: [{tenant: canary, reason: x, since: yesterday}]")
    done = run(DXSPAN_SWITCHES_FILE=str(path))
    assert done.returncode == 2
    assert "DXSPAN_SWITCHES_FILE: switches.0.since" in done.stderr
    assert "canary" not in done.stdout + done.stderr


def test_each_switch_is_told_at_start_and_when_it_ends_without_its_reason(
    path: Path, log_lines: Callable[[], list[dict[str, Any]]]
) -> None:
    path.write_text(entries("x").replace("reason: r", "reason: canary"))
    board = SwitchBoard(path)
    path.write_text(NOTHING)
    looks(board)
    told = [(line["event"], line["tenant"], line["mode"]) for line in log_lines() if "tenant" in line]
    assert told == [("switched", "x", "off"), ("switched no longer", "x", "off")]
    assert "canary" not in str(log_lines())


def test_a_file_written_by_hand_may_be_json_and_hold_dates_numbers_and_a_bare_off(path: Path) -> None:
    path.write_text(f"switches:\n  - mode: off\n    tenant: 4711\n    reason: by hand\n    since: {SINCE}\n")
    assert read_switches(path).all_off("4711")
    path.write_text('{\n "switches": []}')
    assert read_switches(path) == Switches()


def test_editors_at_the_same_time_lose_nothing_and_leave_nothing_behind(path: Path) -> None:
    path.write_text(NOTHING)
    path.chmod(0o640)

    def add(number: int) -> None:
        switch = Switch.model_validate({"tenant": f"t{number}", "reason": "r", "since": SINCE})
        edit(path, lambda now: Switches(switches=(*now.switches, switch)))
        read_switches(path)  # never a part of a file

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(add, range(24)))
    assert len(read_switches(path).switches) == 24
    assert os.listdir(path.parent) == [path.name]
    assert path.stat().st_mode & 0o777 == 0o640


def test_behind_a_link_the_file_is_changed_and_not_the_link(path: Path, tmp_path: Path) -> None:
    link = tmp_path / "link.yaml"
    link.symlink_to(path)
    edit(link, lambda _: Switches())
    assert link.is_symlink()
    assert read_switches(path) == Switches()
