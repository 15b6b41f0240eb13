"""The audit trail in each kind of database: append-only, whole whoever writes at once, pruned only as far as it is held."""

from __future__ import annotations

import signal
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import httpx
import orjson
import pytest
from sqlalchemy.exc import SQLAlchemyError

from cds_hooks.audit.chain import ChainKeys, Entry, audit_keys
from cds_hooks.audit.record import AuditRecord
from cds_hooks.audit.spool import open_spool, read_segment
from cds_hooks.audit.store import AuditStore
from cds_hooks.database import open_engine
from tests.cds_hooks.audits import KEY, Audited
from tests.cds_hooks.charts import SERVICE, call
from tests.cds_hooks.databases import Database
from tests.cds_hooks.test_audit_kill import start, wait_until

OLD, YOUNG = 6, 4
"""Entries of 2019, and of today."""
BEFORE = "2020-01-01"


def body(recorded: datetime) -> str:
    return AuditRecord(id=uuid4(), recorded=recorded, kind="hook-call", status=200).model_dump_json()


def written(path: Path, database: Database, key: str | None = KEY) -> Audited:
    """A trail of one chain in `database`."""
    trail = Audited(path, key=key, url=database.url)
    old = datetime(2019, 5, 1, tzinfo=UTC)
    deliver(trail, [body(old + timedelta(days=n)) for n in range(OLD)] + [body(datetime.now(UTC))] * YOUNG)
    return trail


def deliver(trail: Audited, bodies: list[str]) -> list[Entry]:
    spool = open_spool(trail.folder, ChainKeys(audit_keys(trail.key)))
    spool.append(bodies)
    segment = spool.to_deliver()
    assert segment
    entries = list(read_segment(segment))
    store = AuditStore.made(open_engine(str(trail.url)))
    store.add(entries)
    spool.delivered(segment, entries[-1].head)
    spool.close()
    store.close()
    return entries


def unguarded(database: Database, *statements: str) -> None:
    """What the tables' owner can do."""
    if database.postgresql:
        off = [f"ALTER TABLE {table} DISABLE TRIGGER ALL" for table in ("audit_entry", "audit_anchor")]
    else:
        names = [name for (name,) in database.sql("SELECT name FROM sqlite_master WHERE type = 'trigger'")]
        off = [f"DROP TRIGGER {name}" for name in names]
    database.sql(*off, *statements)


@pytest.fixture
def trail(tmp_path: Path, database: Database) -> Audited:
    return written(tmp_path, database)


@pytest.fixture
def exported(trail: Audited) -> Path:
    file = trail.path / "entries.ndjson"
    assert trail.run("export", "--form", "entries", "--out", str(file)) == 0
    return file


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_entry SET body = '{}' WHERE sequence = 3",
        "DELETE FROM audit_entry WHERE sequence = 1",
        "DELETE FROM audit_entry",
    ],
)
def test_the_database_refuses_to_change_or_remove_an_entry(trail: Audited, database: Database, statement: str) -> None:
    with pytest.raises(SQLAlchemyError, match="append-only"):
        database.sql(statement)
    if database.postgresql:
        with pytest.raises(SQLAlchemyError, match="append-only"):
            database.sql("TRUNCATE audit_entry")
    assert trail.run("verify") == 0


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("UPDATE audit_entry SET body = '{}' WHERE sequence = 3", "entry 3: was altered"),
        ("DELETE FROM audit_entry WHERE sequence = 1", "entry 1: is missing"),
        ("DELETE FROM audit_entry WHERE sequence > 4", "entry 5: the end is missing: the database saw 10 entries"),
    ],
)
def test_tampering_is_found_in_each_database(
    trail: Audited, database: Database, statement: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    unguarded(database, statement)
    assert trail.run("verify") == 1
    assert said in capsys.readouterr().err


def test_what_several_deliver_at_once_is_there_once(tmp_path: Path, database: Database) -> None:
    trail = written(tmp_path, database)
    (chain,) = (path.name for path in trail.folder.iterdir())
    kept = AuditStore.made(open_engine(database.url))
    head = kept.heads()[chain]
    keys, more = ChainKeys(audit_keys(KEY)), []
    for _ in range(200):
        more.append(keys.following(chain, head, body(datetime.now(UTC))))
        head = more[-1].head
    stores = [AuditStore.made(open_engine(database.url)) for _ in range(4)]

    def add(store: AuditStore) -> None:
        with suppress(SQLAlchemyError):  # the trail waits and tries again
            store.add(more)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(add, stores))
    kept.add(more)
    assert kept.count() == OLD + YOUNG + 200
    assert kept.heads()[chain] == head
    for store in (kept, *stores):
        store.close()


def test_two_processes_that_write_at_once_leave_a_whole_trail(tmp_path: Path, database: Database) -> None:
    trail = Audited(tmp_path, url=database.url)
    processes = [start(trail) for _ in range(2)]
    try:
        with ThreadPoolExecutor(4) as pool:
            urls = [url for _, url in processes] * 30
            answers = list(
                pool.map(lambda url: httpx.post(url + SERVICE, json=call(), trust_env=False, timeout=60), urls)
            )
        assert {answer.status_code for answer in answers} == {200}
        wait_until(lambda: database.count("audit_entry") >= len(answers))
    finally:
        for process, _ in processes:
            process.send_signal(signal.SIGTERM)
            process.wait(60)
    assert database.count("audit_entry") == len(answers)
    assert database.count("audit_head") == 2
    assert trail.run("verify") == 0


def test_what_an_export_holds_can_be_removed_and_the_rest_stays_verifiable(
    trail: Audited, exported: Path, database: Database, capsys: pytest.CaptureFixture[str]
) -> None:
    assert trail.run("prune", "--before", BEFORE, "--exported", str(exported)) == 0
    assert f"removed {OLD} entries, up to {OLD}" in capsys.readouterr().out
    assert database.count("audit_entry") == YOUNG
    assert trail.run("verify") == 0
    said = capsys.readouterr().out
    assert f"entries 1 to {OLD} were exported and removed" in said
    assert f"{YOUNG} entries in 1 chains are whole" in said
    deliver(trail, [body(datetime.now(UTC))])
    assert trail.run("verify") == 0
    assert len(trail.events()) == YOUNG + 1
    assert len(exported.read_bytes().splitlines()) == OLD + YOUNG


def test_a_whole_chain_can_go_and_go_on(trail: Audited, database: Database) -> None:
    later = Audited(trail.path / "later", url=database.url)
    deliver(later, [body(datetime(2019, 1, 1, tzinfo=UTC))] * 3)
    file = trail.path / "all.ndjson"
    assert later.run("export", "--form", "entries", "--out", str(file)) == 0
    assert later.run("prune", "--before", BEFORE, "--exported", str(file)) == 0
    assert database.count("audit_entry") == YOUNG
    deliver(later, [body(datetime(2019, 1, 1, tzinfo=UTC))])
    assert later.run("verify") == 0
    assert later.run("export", "--form", "entries", "--out", str(file)) == 0
    assert later.run("prune", "--before", BEFORE, "--exported", str(file)) == 0
    assert database.count("audit_entry") == YOUNG
    assert later.run("verify") == 0


def _shortened(file: Path) -> int:
    lines = file.read_bytes().splitlines(keepends=True)
    file.write_bytes(b"".join(lines[:2]))
    return 2


def _altered(file: Path) -> int:
    lines = file.read_bytes().splitlines(keepends=True)
    entry = orjson.loads(lines[1]) | {"body": body(datetime(2019, 1, 1, tzinfo=UTC))}
    file.write_bytes(b"".join([lines[0], orjson.dumps(entry) + b"\n", *lines[2:]]))
    return 0


def _with_a_gap(file: Path) -> int:
    lines = file.read_bytes().splitlines(keepends=True)
    file.write_bytes(b"".join(lines[:1] + lines[2:]))
    return 0


def _of_events(file: Path) -> int:
    file.write_bytes(b'{"resourceType":"AuditEvent"}\n')
    return 0


@pytest.mark.parametrize("change", [_shortened, _altered, _with_a_gap, _of_events])
def test_nothing_goes_that_the_file_does_not_hold(
    trail: Audited, exported: Path, database: Database, change: Callable[[Path], int]
) -> None:
    goes = change(exported)
    assert trail.run("prune", "--before", BEFORE, "--exported", str(exported)) == (0 if goes else 2)
    assert database.count("audit_entry") == OLD + YOUNG - goes
    assert trail.run("verify") == 0


def test_nothing_goes_before_its_time_and_nothing_of_a_broken_trail(
    trail: Audited, exported: Path, database: Database, capsys: pytest.CaptureFixture[str]
) -> None:
    assert trail.run("prune", "--exported", str(exported), "--before", datetime.now(UTC).isoformat()) == 2
    assert "DXSPAN_AUDIT_KEEP_DAYS" in capsys.readouterr().err
    unguarded(database, "UPDATE audit_entry SET body = '{}' WHERE sequence = 8")
    assert trail.run("prune", "--exported", str(exported)) == 1
    assert "nothing was removed" in capsys.readouterr().err
    assert database.count("audit_entry") == OLD + YOUNG


@pytest.mark.parametrize(
    ("statements", "said"),
    [
        (("DELETE FROM audit_anchor",), "entry 1: is missing"),
        (("UPDATE audit_anchor SET body = '{}'",), "was altered, or put here from elsewhere"),
        (
            (
                "UPDATE audit_anchor SET sequence = 7, hash = (SELECT hash FROM audit_entry WHERE sequence = 7)",
                "DELETE FROM audit_entry WHERE sequence = 7",
            ),
            "was altered, or put here from elsewhere",
        ),
        (("DELETE FROM audit_entry WHERE sequence = 7",), "entry 7: is missing"),
        (
            ("DELETE FROM audit_entry", "DELETE FROM audit_head"),
            "the database's note of how far this chain went is gone",
        ),
    ],
    ids=["anchor removed", "anchor altered", "anchor moved", "more removed", "all removed"],
)
def test_an_anchor_hides_nothing_else(
    trail: Audited,
    exported: Path,
    database: Database,
    statements: tuple[str, ...],
    said: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert trail.run("prune", "--before", BEFORE, "--exported", str(exported)) == 0
    unguarded(database, *statements)
    assert trail.run("verify") == 1
    assert said in capsys.readouterr().err


def test_an_anchor_is_as_append_only_as_an_entry(trail: Audited, exported: Path, database: Database) -> None:
    assert trail.run("prune", "--before", BEFORE, "--exported", str(exported)) == 0
    for statement in ("DELETE FROM audit_anchor", "UPDATE audit_anchor SET sequence = 9"):
        with pytest.raises(SQLAlchemyError, match="append-only"):
            database.sql(statement)
    with pytest.raises(SQLAlchemyError, match="append-only"):
        database.sql(f"DELETE FROM audit_entry WHERE sequence = {OLD + 1}")


def test_a_trail_from_before_there_were_anchors_is_read_and_can_be_pruned(
    trail: Audited, exported: Path, database: Database
) -> None:
    unguarded(database, "DROP TABLE audit_anchor")
    assert trail.run("verify") == 0
    if database.postgresql:
        for name in ("no_update", "no_delete", "no_truncate"):
            database.sql(f"DROP TRIGGER audit_entry_{name} ON audit_entry")
    else:
        refuse = "BEGIN SELECT RAISE(ABORT, 'the audit trail is append-only'); END"
        database.sql(f"CREATE TRIGGER audit_entry_no_delete BEFORE DELETE ON audit_entry {refuse}")
    assert trail.run("prune", "--before", BEFORE, "--exported", str(exported)) == 0
    assert database.count("audit_entry") == YOUNG
    assert trail.run("verify") == 0
