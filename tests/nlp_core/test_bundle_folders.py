"""A folder is whole or not there, and a full disk has its own name."""

from __future__ import annotations

import errno
import os
import time
from pathlib import Path

import pytest

from nlp_core.bundle_errors import ComposeError, DiskFull
from nlp_core.bundle_folders import folder_aside, put_in_place, remove_older, require_space


def test_a_folder_aside_is_gone_after_a_failure(tmp_path: Path) -> None:
    def write_half() -> None:
        with folder_aside(tmp_path / "share" / "target") as folder:
            (folder / "half").write_text("")
            raise KeyError

    with pytest.raises(KeyError):
        write_half()
    assert list((tmp_path / "share").iterdir()) == []


def test_a_folder_aside_can_be_read_by_other_users(tmp_path: Path) -> None:
    with folder_aside(tmp_path / "target") as folder:
        assert folder.stat().st_mode & 0o777 == 0o755


@pytest.mark.parametrize(
    ("number", "kind"), [(errno.ENOSPC, DiskFull), (errno.EDQUOT, DiskFull), (errno.EACCES, ComposeError)]
)
def test_errors_of_the_disk_are_said_in_our_words(tmp_path: Path, number: int, kind: type[ComposeError]) -> None:
    with pytest.raises(kind) as caught, folder_aside(tmp_path / "target"):
        raise OSError(number, os.strerror(number))
    assert type(caught.value) is kind


def test_a_parent_that_is_a_file_is_said(tmp_path: Path) -> None:
    (tmp_path / "share").write_text("")
    with pytest.raises(ComposeError, match="cannot compose"), folder_aside(tmp_path / "share" / "target"):
        pass


def test_too_little_room_is_known_beforehand(tmp_path: Path) -> None:
    with pytest.raises(DiskFull, match="more than is free"):
        require_space(tmp_path, 1 << 60)


@pytest.mark.parametrize(("whole", "kept"), [(True, "theirs"), (False, "ours")])
def test_a_target_that_appeared_meanwhile_stays_only_if_whole(tmp_path: Path, whole: bool, kept: str) -> None:
    target = tmp_path / "target"
    for name, folder in (("theirs", target), ("ours", tmp_path / "new")):
        folder.mkdir()
        (folder / "who").write_text(name)
    put_in_place(tmp_path / "new", target, lambda: whole)
    assert (target / "who").read_text() == kept


def test_older_bundles_and_abandoned_folders_go_others_stay(tmp_path: Path) -> None:
    for name in ("current", "older"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "manifest.json").write_text("{}")
    for name in ("something-else", ".composing-now", ".composing-long-ago"):
        (tmp_path / name).mkdir()
    long_ago = time.time() - 7200
    os.utime(tmp_path / ".composing-long-ago", (long_ago, long_ago))
    remove_older(tmp_path / "current")
    assert {path.name for path in tmp_path.iterdir()} == {"current", "something-else", ".composing-now"}
