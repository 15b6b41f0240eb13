"""Entries wait whole, sealed, bounded, and in order."""

from __future__ import annotations

from pathlib import Path

import pytest

from cds_hooks.memory.feedback_rows import Row
from cds_hooks.memory.outbox import Outbox, OutboxFull, Unreadable
from worker.payloads import Sealer

ROWS = [Row("feedback", {"tenant": "a", "reason_code": "canary 患者", "accepted_suggestions": []})]


def outbox(folder: Path, key: bytes | None = b"k" * 32, most_bytes: int = 10_000) -> Outbox:
    return Outbox(folder, sealer=Sealer([key]) if key else None, most_bytes=most_bytes)


@pytest.mark.parametrize("key", [b"k" * 32, None])
@pytest.mark.parametrize("safe", [True, False])
def test_what_was_put_is_there_for_the_next_process(tmp_path: Path, key: bytes | None, safe: bool) -> None:
    name = outbox(tmp_path / "o", key).put(ROWS, safe=safe)
    again = outbox(tmp_path / "o", key)
    assert again.names() == [name]
    assert again.rows(name) == ROWS
    again.remove([name, name])
    assert again.names() == []
    assert again.rows(name) == [], "somebody else delivered it"


def test_entries_are_in_the_order_they_came_and_the_young_can_be_left_out(tmp_path: Path) -> None:
    box = outbox(tmp_path)
    names = [box.put(ROWS, safe=False) for _ in range(5)]
    assert box.names() == names
    assert box.names(older_than=60) == []


def test_nobody_else_reads_the_folder(tmp_path: Path) -> None:
    box = outbox(tmp_path / "o")
    name = box.put(ROWS, safe=True)
    assert (tmp_path / "o").stat().st_mode & 0o077 == 0
    assert (tmp_path / "o" / name).stat().st_mode & 0o077 == 0
    assert b"canary" not in (tmp_path / "o" / name).read_bytes()


def test_an_entry_opens_only_under_its_key_and_its_name(tmp_path: Path) -> None:
    name = outbox(tmp_path).put(ROWS, safe=False)
    for other in (outbox(tmp_path, b"q" * 32), outbox(tmp_path, None)):
        with pytest.raises(Unreadable):
            other.rows(name)
    (tmp_path / "00000000000000000001-x.rows").write_bytes((tmp_path / name).read_bytes())
    with pytest.raises(Unreadable):
        outbox(tmp_path).rows("00000000000000000001-x.rows")


def test_half_an_entry_is_none(tmp_path: Path) -> None:
    box = outbox(tmp_path)
    name = box.put(ROWS, safe=False)
    (tmp_path / name).rename(tmp_path / f"{name}.part")
    assert box.names() == []


def test_it_is_bounded_over_restarts_and_has_room_again_when_delivered(tmp_path: Path) -> None:
    size = len(next(iter(sized(tmp_path / "one"))))
    box = outbox(tmp_path / "o", most_bytes=3 * size)
    names = [box.put(ROWS, safe=False) for _ in range(3)]
    for full in (box, outbox(tmp_path / "o", most_bytes=3 * size)):
        with pytest.raises(OutboxFull):
            full.put(ROWS, safe=True)
    outbox(tmp_path / "o").remove(names[:1])  # another process delivers
    box.put(ROWS, safe=True)


def sized(folder: Path) -> list[bytes]:
    name = outbox(folder).put(ROWS, safe=False)
    return [(folder / name).read_bytes()]


def test_a_folder_that_cannot_be_written_is_an_error_and_empty(tmp_path: Path) -> None:
    (tmp_path / "o").write_text("")
    with pytest.raises(OSError, match=r".*"):
        outbox(tmp_path / "o").put(ROWS, safe=True)
    assert outbox(tmp_path / "o").names() == []
