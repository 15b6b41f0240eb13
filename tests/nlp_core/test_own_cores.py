"""A container's share of processor time bounds the threads, not the machine's cores."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from nlp_core.own_cores import own_cores

BOUND = len(os.sched_getaffinity(0))


@pytest.mark.parametrize(
    ("limit", "cores"),
    [
        ("100000 100000", 1),
        ("50000 100000", 1),
        ("150000 100000", min(BOUND, 2)),
        ("6400000 100000", BOUND),
        ("max 100000", BOUND),
        ("", BOUND),
        ("100000 0", BOUND),
    ],
)
def test_a_limit_of_time_bounds_the_cores(tmp_path: Path, limit: str, cores: int) -> None:
    (tmp_path / "cpu.max").write_text(f"{limit}\n")

    assert own_cores(tmp_path) == cores


@pytest.mark.parametrize(("quota", "cores"), [("100000", 1), ("-1", BOUND)])
def test_the_first_version_of_control_groups_is_read_too(tmp_path: Path, quota: str, cores: int) -> None:
    (tmp_path / "cpu").mkdir()
    (tmp_path / "cpu" / "cpu.cfs_quota_us").write_text(f"{quota}\n")
    (tmp_path / "cpu" / "cpu.cfs_period_us").write_text("100000\n")

    assert own_cores(tmp_path) == cores


def test_without_control_groups_the_bound_cores_count(tmp_path: Path) -> None:
    assert own_cores(tmp_path / "nowhere") == BOUND
