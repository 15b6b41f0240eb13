"""`dxspan-audit verify` names the first broken entry, however the trail was tampered with."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import orjson
import pytest
from fhir.resources.R4B.auditevent import AuditEvent

from cds_hooks.audit.chain import ChainKeys, Head, audit_keys
from cds_hooks.audit.notes import AuditNotes, Computed, Who
from cds_hooks.audit.record import AuditRecord, audit_record, opened_who
from cds_hooks.audit.spool import open_spool, read_segment
from cds_hooks.audit.store import AuditStore
from cds_hooks.database import open_engine
from tests.cds_hooks.audits import KEY, OTHER_KEY, Audited, details
from worker.payloads import Sealer

ENTRIES = 6


def written(path: Path, *, key: str | None = KEY, undelivered: int = 0) -> Audited:
    """A trail of one chain: `ENTRIES` in the database and `undelivered` on disk."""
    trail = Audited(path, key=key)
    spool = open_spool(trail.folder, ChainKeys(audit_keys(key)))
    store = AuditStore.made(open_engine(f"sqlite:///{trail.database}"))
    for number in range(ENTRIES):
        spool.append([f'{{"number":{number}}}'])
    segment = spool.to_deliver()
    assert segment
    entries = list(read_segment(segment))
    store.add(entries)
    spool.delivered(segment, entries[-1].head)
    for number in range(undelivered):
        spool.append([f'{{"number":{ENTRIES + number}}}'])
    spool.close()
    store.close()
    return trail


def tampered(trail: Audited, *statements: str) -> None:
    """What somebody with every right on the database can do."""
    with trail.sql() as sql:
        for change in ("update", "delete"):
            sql.execute(f"DROP TRIGGER IF EXISTS audit_entry_no_{change}")
        for statement in statements:
            sql.execute(statement)


SWAP = (
    "UPDATE audit_entry SET sequence = 99 WHERE sequence = 3",
    "UPDATE audit_entry SET sequence = 3 WHERE sequence = 4",
    "UPDATE audit_entry SET sequence = 4 WHERE sequence = 99",
)
SHIFT = tuple(f"UPDATE audit_entry SET sequence = {n + 1} WHERE sequence = {n}" for n in range(ENTRIES, 3, -1))
COPY = "INSERT INTO audit_entry SELECT chain, 4, previous, body, hash FROM audit_entry WHERE sequence = 2"
HEAD = "(SELECT {} FROM audit_entry WHERE sequence = 4)"
TAMPERING: dict[str, tuple[tuple[str, ...], int, str]] = {
    "altered": (("UPDATE audit_entry SET body = '{\"number\":7}' WHERE sequence = 3",), 3, "altered"),
    "altered first": (("UPDATE audit_entry SET body = '{}' WHERE sequence = 1",), 1, "altered"),
    "altered hash": (("UPDATE audit_entry SET hash = previous WHERE sequence = 6",), 6, "altered"),
    "removed": (("DELETE FROM audit_entry WHERE sequence = 3",), 3, "missing"),
    "removed first": (("DELETE FROM audit_entry WHERE sequence = 1",), 1, "missing"),
    "removed and renumbered": (
        (
            "DELETE FROM audit_entry WHERE sequence = 3",
            *(f"UPDATE audit_entry SET sequence = {n - 1} WHERE sequence = {n}" for n in range(4, ENTRIES + 1)),
        ),
        3,
        "altered, or put here from elsewhere",
    ),
    "inserted": ((*SHIFT, COPY), 4, "put here from elsewhere"),
    "reordered": (SWAP, 3, "put here from elsewhere"),
    "tail cut": (("DELETE FROM audit_entry WHERE sequence > 4",), 5, "the database saw 6 entries, 4 are left"),
    "tail cut and head moved": (
        (
            "DELETE FROM audit_entry WHERE sequence > 4",
            f"UPDATE audit_head SET sequence = 4, hash = {HEAD.format('hash')}",
        ),
        5,
        "this machine's disk saw 6 entries, 4 are left",
    ),
    "all removed": (("DELETE FROM audit_entry", "DELETE FROM audit_head"), 1, "this machine's disk saw 6 entries"),
    "head removed": (("DELETE FROM audit_head",), 0, "the database's note of how far this chain went is gone"),
    "head altered": (("UPDATE audit_head SET sequence = 3",), 3, "not the entry that the database saw here"),
}


@pytest.mark.parametrize(("statements", "entry", "words"), TAMPERING.values(), ids=TAMPERING)
def test_each_kind_of_tampering_is_found_and_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], statements: tuple[str, ...], entry: int, words: str
) -> None:
    trail = written(tmp_path)
    assert trail.run("verify") == 0
    tampered(trail, *statements)
    assert trail.run("verify") == 1
    said = capsys.readouterr().err
    assert f"entry {entry}: " in said
    assert words in said


def test_noted_heads_find_what_every_head_here_was_made_to_hide(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    trail = written(tmp_path)
    note = tmp_path / "elsewhere.json"
    assert trail.run("verify", "--note-heads", str(note)) == 0
    assert trail.run("verify", "--heads", str(note)) == 0
    tampered(trail, "DELETE FROM audit_entry", "DELETE FROM audit_head")
    (chain,) = trail.folder.iterdir()
    for file in chain.iterdir():
        file.unlink()
    assert trail.run("verify") == 0, "one place alone cannot know"
    assert trail.run("verify", "--heads", str(note)) == 1
    assert "the noted head saw 6 entries, 0 are left" in capsys.readouterr().err


def test_a_chain_rewritten_without_the_key_is_found(tmp_path: Path) -> None:
    trail = written(tmp_path)
    with trail.sql() as sql:
        chain, body = sql.execute("SELECT chain, body FROM audit_entry WHERE sequence = 1").fetchone()
    forger = ChainKeys(audit_keys(OTHER_KEY))
    forged = forger.following(chain, Head(), body)
    tampered(trail, f"UPDATE audit_entry SET hash = '{forged.hash}' WHERE sequence = 1")
    assert trail.run("verify") == 1


def test_what_waits_on_disk_is_part_of_the_chain(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    trail = written(tmp_path, undelivered=3)
    assert trail.run("verify") == 0
    assert "9 entries in 1 chains are whole" in capsys.readouterr().out
    (segment,) = trail.folder.glob("*/*.ndjson")
    lines = segment.read_bytes().splitlines(keepends=True)
    segment.write_bytes(b"".join(lines[1:]))
    assert trail.run("verify") == 1
    assert "entry 7: is missing" in capsys.readouterr().err
    segment.write_bytes(lines[0].replace(b"number", b"numbre") + b"".join(lines[1:]))
    assert trail.run("verify") == 1
    assert "entry 7: was altered" in capsys.readouterr().err
    segment.write_bytes(b"not an entry\n")
    assert trail.run("verify") == 1
    assert "000000000007.ndjson on this machine's disk cannot be read" in capsys.readouterr().err


def test_a_trail_without_a_key_is_checked_and_says_what_that_is_worth(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    trail = written(tmp_path, key=None)
    assert trail.run("verify") == 0
    assert "written without a key" in capsys.readouterr().out
    tampered(trail, TAMPERING["altered"][0][0])
    assert trail.run("verify") == 1


def test_after_a_change_of_key_older_chains_are_checked_under_the_older_key(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    written(tmp_path)
    changed = Audited(tmp_path, key=f"{OTHER_KEY},{KEY}")
    spool = open_spool(changed.folder, ChainKeys(audit_keys(changed.key)))
    spool.append(["{}"])
    spool.close()
    assert len(list(changed.folder.iterdir())) == 2
    assert changed.run("verify") == 0
    assert Audited(tmp_path, key=OTHER_KEY).run("verify") == 1
    assert "under a key that is not in DXSPAN_AUDIT_KEY" in capsys.readouterr().err


def test_no_trail_is_not_a_whole_trail(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for command in (["verify"], ["export", "--out", str(tmp_path / "out")]):
        assert Audited(tmp_path / "nothing").run(*command) == 2
    assert "there is no audit trail" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
    assert not (tmp_path / "nothing").exists()


@pytest.mark.parametrize(
    "wrong",
    [
        lambda trail: trail.run("verify", "--heads", str(trail.path / "nowhere")),
        lambda trail: trail.run("verify", "--heads", str(trail.database)),
        lambda trail: trail.run("export", "--out", str(trail.path / "no" / "folder")),
        lambda trail: Audited(trail.path, key="canary").run("verify"),
        lambda trail: (trail.database.write_bytes(b"canary" * 500), trail.run("verify"))[1],
    ],
    ids=["no heads", "not heads", "no folder", "key", "database"],
)
def test_what_is_wrong_is_said_without_a_value(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], wrong: Callable[[Audited], int]
) -> None:
    assert wrong(written(tmp_path)) == 2
    said = capsys.readouterr().err
    assert said.startswith("dxspan-audit: ")
    assert "canary" not in said


def test_an_export_is_its_owners_alone_and_says_what_it_could_not_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    trail, out = written(tmp_path), tmp_path / "out.ndjson"
    assert trail.run("export", "--out", str(out)) == 0
    assert out.stat().st_mode & 0o777 == 0o600
    assert "6 entries hold no record and were left out" in capsys.readouterr().err


def test_the_same_entries_taken_over_twice_are_there_once(tmp_path: Path) -> None:
    trail = written(tmp_path)
    store = AuditStore.made(open_engine(f"sqlite:///{trail.database}"))
    (chain,) = store.chains()
    entries = list(store.entries(chain))
    store.add(entries)
    store.add(entries[3:])
    assert store.count() == ENTRIES
    assert orjson.dumps(store.heads()[chain]) == orjson.dumps(entries[-1].head)
    store.close()


def test_repeats_of_an_answer_whose_own_record_is_lost_are_one_event_too(tmp_path: Path) -> None:
    trail = Audited(tmp_path)
    computed = Computed(event=uuid4(), state="answered", cards=("9f5b2a52-1f61-4f2c-8a70-0d5f7d8f2f01",))
    record = AuditRecord(id=uuid4(), recorded=datetime.now(UTC), kind="hook-call", status=200, computed=computed)
    spool = open_spool(trail.folder, ChainKeys(audit_keys(KEY)))
    spool.append([record.model_copy(update={"id": uuid4()}).model_dump_json() for _ in range(3)])
    spool.close()
    (event,) = trail.events()
    AuditEvent.model_validate(event)
    assert details(event)["repeats"] == ["2"]


def test_a_record_moved_to_another_event_does_not_open(tmp_path: Path) -> None:
    sealer = Sealer(audit_keys(KEY))
    record = audit_record(AuditNotes(who=Who(patient="Patient/1")), "hook-call", 200, sealer)
    assert opened_who(record, sealer) == Who(patient="Patient/1")
    assert opened_who(record.model_copy(update={"id": uuid4()}), sealer) is None
    assert opened_who(record, Sealer(audit_keys(OTHER_KEY))) is None
    assert opened_who(record, None) is None
