"""The feedback database goes away, the process is killed: nothing that was answered 200 is lost, cards are shown."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import httpx
import pytest
from prometheus_client import REGISTRY
from sqlalchemy import create_engine, text

from cds_hooks.memory.feedback_store import SqlFeedbackStore
from cds_hooks.settings import Settings
from tests.cds_hooks.audits import Audited
from tests.cds_hooks.charts import SERVICE
from tests.cds_hooks.databases import Database
from tests.cds_hooks.spelled_out import Ehr, eventually, hospital
from tests.postgresql import LocalPostgres
from worker.local_redis import free_port

FLU = "influenza: high fever, body aches"
NEXT = {"encounter": "e-2"}
KEY = "a2V5" * 10 + "a2U="
ROOT = Path(__file__).resolve().parents[2]


@contextmanager
def locked(file: Path) -> Iterator[None]:
    """Another process holds the database: nothing can be written."""
    holder = sqlite3.connect(file, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    yield
    holder.execute("ROLLBACK")
    holder.close()


@contextmanager
def gone(folder: Path) -> Iterator[None]:
    """A file stands where the database's folder should be: it can be neither opened nor made."""
    folder.write_text("")
    yield
    folder.unlink()


class Killable(Ehr):
    """The web process alone in a process of its own."""

    def __init__(self, **settings: str) -> None:
        port = free_port()
        environment = {name: value for name, value in os.environ.items() if not name.startswith("DXSPAN_")}
        environment |= {"PYTHONPATH": str(ROOT), "DXSPAN_DEVELOPMENT": "true"} | settings
        command = [sys.executable, "-m", "tests.cds_hooks.spelled_out", str(port)]
        self.process = subprocess.Popen(command, env=environment, cwd=ROOT, stdout=subprocess.DEVNULL)
        super().__init__(f"http://127.0.0.1:{port}")
        try:
            eventually(self.answers, 60)
        except AssertionError:
            self.kill()
            raise

    def answers(self) -> bool:
        try:
            return self.http.get("/readyz").status_code == 200
        except httpx.TransportError:
            return False

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()


def waiting(outbox: Path) -> list[Path]:
    return list(outbox.glob("*.rows"))


def count(file: Path, table: str) -> int:
    with closing(sqlite3.connect(file)) as connection:
        return int(connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0])


@pytest.fixture
def started() -> Iterator[Callable[..., Killable]]:
    """Starts processes; none outlives its test."""
    processes: list[Killable] = []

    def start(**settings: str) -> Killable:
        processes.append(Killable(**settings))
        return processes[-1]

    yield start
    for process in processes:
        process.kill()


def test_g07_what_was_answered_while_the_database_was_locked_outlives_a_kill(
    tmp_path: Path, started: Callable[..., Killable]
) -> None:
    file, outbox = tmp_path / "feedback.db", tmp_path / "feedback-outbox"
    settings = {"DXSPAN_FEEDBACK_DATABASE_URL": f"sqlite:///{file}", "DXSPAN_FEEDBACK_KEY": KEY}
    ehr = started(**settings)
    assert ehr.opens("gout: red toe", user="canary-user").names == ["gout"]
    eventually(lambda: not waiting(outbox))
    with locked(file):
        shown = ehr.opens(FLU)
        assert shown.names == ["influenza"]
        said = {"reason": "cds-not-applicable", "comment": "canary-comment", "at": "2026-11-20T10:05:31Z"}
        assert ehr.reports(shown, **said).status_code == 200
        assert ehr.reports(shown, **said).status_code == 200
        ehr.kill()
        assert count(file, "feedback") == 0
        left = [entry.read_bytes() for entry in waiting(outbox)]
    assert len(left) == 3, "a card, and a report that was sent twice"
    assert not any(word in entry for entry in left for word in (b"canary", b"pat-1", b"influenza"))
    again = started(**settings)
    assert again.opens(FLU, **NEXT).reason == "dismissed"
    eventually(lambda: count(file, "feedback") == 1 and not waiting(outbox))


def test_g07_a_card_is_remembered_though_the_process_is_killed_at_once(
    tmp_path: Path, started: Callable[..., Killable]
) -> None:
    settings = {"DXSPAN_FEEDBACK_DATABASE_URL": f"sqlite:///{tmp_path}/feedback.db", "DXSPAN_FEEDBACK_KEY": KEY}
    ehr = started(**settings)
    shown = ehr.opens(FLU)
    ehr.kill()
    with hospital(settings["DXSPAN_FEEDBACK_DATABASE_URL"], feedback_key=KEY) as again:
        assert again.reports(shown, reason="cds-not-applicable").status_code == 200
        assert again.opens(FLU, **NEXT).reason == "dismissed"


def test_g07_a_database_that_cannot_be_opened_costs_no_card_and_no_feedback(tmp_path: Path) -> None:
    folder, outbox = tmp_path / "database", tmp_path / "outbox"
    folder.write_text("")
    with hospital(f"sqlite:///{folder}/feedback.db", feedback_key=KEY, outbox_folder=outbox) as ehr:
        shown = ehr.opens(FLU)
        assert shown.names == ["influenza"]
        assert shown.status == {"state": "answered", "reason": "memory-unavailable"}
        assert ehr.reports(shown, reason="cds-not-applicable").status_code == 200
        assert ehr.http.get("/readyz").status_code == 200
        folder.unlink()
        eventually(lambda: not waiting(outbox))
        assert ehr.opens(FLU, **NEXT).status == {"state": "silent", "reason": "dismissed"}


def test_g07_postgresql_goes_away_and_comes_back_and_nothing_is_lost(tmp_path: Path, postgres: LocalPostgres) -> None:
    outbox = tmp_path / "outbox"
    with postgres.database() as url:
        database, trail = Database(url), Audited(tmp_path, url=url)
        with hospital(url, feedback_key=KEY, outbox_folder=outbox, deadline_ms=15_000, **trail.settings) as ehr:
            assert ehr.opens("gout: red toe").names == ["gout"]
            eventually(lambda: database.count("audit_entry") == 1)
            postgres.stop()
            try:
                shown = ehr.opens(FLU)
                assert shown.names == ["influenza"]
                assert shown.reason == "memory-unavailable"
                assert ehr.reports(shown, reason="cds-not-applicable").status_code == 200
                assert len(waiting(outbox)) == 2
                assert ehr.http.get("/readyz").status_code == 200
            finally:
                postgres.start()
            eventually(lambda: not waiting(outbox))
            assert ehr.opens(FLU, **NEXT).reason == "dismissed"
            eventually(lambda: database.count("audit_entry") == 4)
        assert database.count("feedback") == 1
        assert trail.run("verify") == 0


def test_g07_a_frozen_postgresql_costs_no_card_and_no_feedback(tmp_path: Path, postgres: LocalPostgres) -> None:
    outbox = tmp_path / "outbox"
    with postgres.database() as url:
        database, trail = Database(url), Audited(tmp_path, url=url)
        with hospital(url, feedback_key=KEY, outbox_folder=outbox, deadline_ms=3_000, **trail.settings) as ehr:
            assert ehr.opens("gout: red toe").names == ["gout"]
            eventually(lambda: database.count("audit_entry") == 1 and not waiting(outbox))
            with postgres.frozen():
                began = time.monotonic()
                shown = ehr.opens(FLU)
                assert time.monotonic() - began < 3.1
                assert (shown.names, shown.reason) == (["influenza"], "memory-unavailable")
                assert ehr.reports(shown, reason="cds-not-applicable").status_code == 200
                assert ehr.http.get("/readyz").status_code == 200
            eventually(lambda: not waiting(outbox))
            assert ehr.opens(FLU, **NEXT).reason == "dismissed"
            eventually(lambda: database.count("audit_entry") == 4)
        assert database.count("feedback") == 1
        assert trail.run("verify") == 0


def test_g07_postgresql_that_waits_for_a_lock_costs_no_card_and_no_feedback(
    tmp_path: Path, postgres: LocalPostgres
) -> None:
    outbox = tmp_path / "outbox"
    settings = {"feedback_key": KEY, "outbox_folder": outbox, "deadline_ms": 15_000}
    with postgres.database() as url, hospital(url, **settings) as ehr:
        assert ehr.opens("gout: red toe").names == ["gout"]
        eventually(lambda: not waiting(outbox))
        engine = create_engine(url)
        with engine.begin() as holder:
            holder.execute(text("LOCK TABLE feedback, suggested_diagnosis IN ACCESS EXCLUSIVE MODE"))
            shown = ehr.opens(FLU)
            assert (shown.names, shown.reason) == (["influenza"], "memory-unavailable")
            assert ehr.reports(shown, reason="cds-not-applicable").status_code == 200
        eventually(lambda: not waiting(outbox))
        assert ehr.opens(FLU, **NEXT).reason == "dismissed"
        engine.dispose()


def test_a_database_that_hangs_costs_no_card(monkeypatch: pytest.MonkeyPatch) -> None:
    def hangs(_: Settings) -> SqlFeedbackStore:
        time.sleep(2)
        raise OSError

    monkeypatch.setattr("cds_hooks.memory.feedback_store.open_store", hangs)
    with hospital("sqlite://", deadline_ms=800) as ehr:
        for _ in range(3):
            begun = time.monotonic()
            assert ehr.opens(FLU).reason == "memory-unavailable"
            assert time.monotonic() - begun < 1.5


def test_a_full_outbox_is_503_and_said(tmp_path: Path) -> None:
    folder = tmp_path / "database"
    before = REGISTRY.get_sample_value("dxspan_feedback_not_kept_total", {"reason": "outbox-full"}) or 0
    with (
        gone(folder),
        hospital(f"sqlite:///{folder}/x.db", feedback_key=KEY, outbox_folder=tmp_path / "o", outbox_mib=1) as ehr,
    ):
        shown = ehr.opens(FLU)
        item = {"card": shown.card["uuid"], "outcome": "overridden", "outcomeTimestamp": "2026-11-20T10:05:31Z"}
        many = {"feedback": [item] * 9_000}
        assert ehr.http.post(f"{SERVICE}/feedback", json=many).status_code == 503
        assert ehr.reports(shown).status_code == 200, "a small one has room"
        assert ehr.opens(FLU, **NEXT).names == ["influenza"]
    assert REGISTRY.get_sample_value("dxspan_feedback_not_kept_total", {"reason": "outbox-full"}) == before + 1


def test_without_database_and_outbox_feedback_is_503_and_the_card_says_that_it_is_not_remembered(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "database"
    with gone(folder), hospital(f"sqlite:///{folder}/feedback.db") as ehr:
        shown = ehr.opens(FLU)
        assert (shown.names, shown.reason) == (["influenza"], "memory-unavailable")
        assert ehr.reports(shown).status_code == 503


def test_what_cannot_be_read_is_set_aside_and_the_rest_is_delivered(tmp_path: Path) -> None:
    file, outbox = tmp_path / "feedback.db", tmp_path / "feedback-outbox"
    outbox.mkdir()
    (outbox / "00000000000000000001-x.rows").write_bytes(b"sealed\nno longer to be opened")
    (outbox / "00000000000000000002-x.rows").write_bytes(b"")
    with hospital(f"sqlite:///{file}", feedback_key=KEY) as ehr:
        shown = ehr.opens(FLU)
        eventually(lambda: not waiting(outbox))
        assert ehr.reports(shown, reason="cds-not-applicable").status_code == 200
        assert ehr.opens(FLU, **NEXT).reason == "dismissed"
    assert len(list(outbox.glob("*.unreadable"))) == 2
