"""What is on disk after crashes, restarts and several processes is one chain each, with nothing acknowledged lost."""

from __future__ import annotations

from pathlib import Path

import pytest

from cds_hooks.audit import spool as audit_spool
from cds_hooks.audit.chain import ChainKeys
from cds_hooks.audit.spool import Damaged, adopted, open_spool, read_segment, segments

KEYS = ChainKeys([b"k" * 32])


def bodies(folder: Path) -> list[str]:
    return [entry.body for path in sorted(folder.glob("*/*.ndjson")) for entry in read_segment(path)]


def test_processes_beside_each_other_write_chains_of_their_own_and_later_ones_go_on_with_them(tmp_path: Path) -> None:
    first, second = open_spool(tmp_path, KEYS), open_spool(tmp_path, KEYS)
    assert first.chain != second.chain
    first.append(["a"])
    second.append(["b"])
    first.close()
    third = open_spool(tmp_path, KEYS)
    assert third.chain == first.chain
    third.append(["c"])
    assert [entry.sequence for path in segments(tmp_path / first.chain) for entry in read_segment(path)] == [1, 2]


def test_a_line_that_a_crash_cut_short_is_dropped_and_the_chain_goes_on(tmp_path: Path) -> None:
    spool = open_spool(tmp_path, KEYS)
    spool.append(["a", "b"])
    spool.close()
    (path,) = segments(tmp_path / spool.chain)
    path.write_bytes(path.read_bytes() + b'{"chain":"torn')
    again = open_spool(tmp_path, KEYS)
    again.append(["c"])
    assert bodies(tmp_path) == ["a", "b", "c"]


def test_a_file_in_which_nothing_was_finished_is_gone(tmp_path: Path) -> None:
    spool = open_spool(tmp_path, KEYS)
    spool.append(["a"])
    spool.close()
    (tmp_path / spool.chain / "000000000002.ndjson").write_bytes(b'{"chain":"torn')
    again = open_spool(tmp_path, KEYS)
    again.append(["b"])
    assert bodies(tmp_path) == ["a", "b"]


def test_after_delivery_the_number_and_hash_are_still_known(tmp_path: Path) -> None:
    spool = open_spool(tmp_path, KEYS)
    spool.append(["a"])
    segment = spool.to_deliver()
    assert segment
    (first,) = read_segment(segment)
    spool.delivered(segment, first.head)
    assert spool.to_deliver() is None
    spool.close()
    again = open_spool(tmp_path, KEYS)
    again.append(["b"])
    (path,) = segments(tmp_path / again.chain)
    (second,) = read_segment(path)
    assert (second.sequence, second.previous) == (2, first.hash)


def test_a_damaged_chain_is_left_as_it_is_and_named(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    spool = open_spool(tmp_path, KEYS)
    spool.append(["a"])
    spool.close()
    (path,) = segments(tmp_path / spool.chain)
    path.write_bytes(b'{"canary":1}\n')
    assert adopted(tmp_path / spool.chain, KEYS) is None
    assert "an audit file cannot be read" in caplog.text
    assert open_spool(tmp_path, KEYS).chain != spool.chain
    assert path.read_bytes() == b'{"canary":1}\n'
    with pytest.raises(Damaged):
        list(read_segment(path))


def test_files_are_closed_when_they_have_grown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit_spool, "SEGMENT_BYTES", 1000)
    spool = open_spool(tmp_path, KEYS)
    for _ in range(10):
        spool.append(["x" * 500])
    assert len(segments(tmp_path / spool.chain)) == 5
    assert len(bodies(tmp_path)) == 10


def test_a_full_disk_adds_nothing_of_a_group_and_spoils_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spool = open_spool(tmp_path, KEYS)
    spool.append(["a"])
    with monkeypatch.context() as full:
        full.setattr(audit_spool.os, "fsync", _full)
        with pytest.raises(OSError, match="No space"):
            spool.append(["b"])
    spool.append(["c"])
    assert bodies(tmp_path) == ["a", "c"]


def _full(_: int) -> None:
    raise OSError("No space left on device")
