"""Rows reach the database once, without a word of a chart, and comments only sealed."""

import asyncio
import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from cds_hooks.database import open_engine
from cds_hooks.memory.feedback import read_feedback
from cds_hooks.memory.feedback_rows import CommentKeys, Row, listed_rows, reported_rows, shown_rows
from cds_hooks.memory.feedback_store import SqlFeedbackStore
from cds_hooks.memory.feedback_tables import OtherReason, ReportedOutcome, ShownCard, SuggestedDiagnosis
from cds_hooks.memory.patient_marks import PatientMarks
from cds_hooks.operation_outcome import Unavailable
from cds_hooks.override_reasons import SYSTEM
from tests.cds_hooks.assessments import BUILDER, assessment, candidate, chart, evidence, occasion
from tests.cds_hooks.databases import Database

CARD = "9f5b2a52-1f61-4f2c-8a70-0d5f7d8f2f01"
NOW = datetime(2026, 11, 23, tzinfo=UTC)
SERVICE = "dxspan-patient-view"
KEY = b"k" * 32


def all_reported(
    tenant: str = "hospital-a", comment: str = "canary-comment", *, key: bytes | None = None, accepted=(), **reason
) -> list[Row]:
    item = {
        "card": CARD,
        "outcome": "overridden",
        "outcomeTimestamp": "2026-11-23T10:00:00Z",
        "acceptedSuggestions": [{"id": one} for one in accepted],
        "overrideReason": {"reason": {"code": "cds-not-applicable", "system": SYSTEM} | reason, "userComment": comment},
    }
    (read,) = read_feedback({"feedback": [item]})
    return reported_rows(tenant, SERVICE, read, NOW, CommentKeys(key) if key else None)


def reported(*arguments, **more) -> Row:
    return all_reported(*arguments, **more)[0]


def shown(*candidates) -> list[Row]:
    cards = asyncio.run(BUILDER(assessment(*candidates), chart(), occasion())).cards
    return shown_rows("hospital-a", SERVICE, PatientMarks(KEY).of(occasion()), cards, NOW)


def store(database: Database) -> SqlFeedbackStore:
    return SqlFeedbackStore(open_engine(database.url))


def kept_rows(kept: SqlFeedbackStore, table: type = ReportedOutcome) -> list:
    with Session(kept._engine) as session:
        return list(session.scalars(select(table)))


def test_feedback_is_kept_once_however_often_it_is_sent(database: Database):
    kept = store(database)
    for _ in range(3):
        asyncio.run(kept.write([reported(), reported()]))
    asyncio.run(kept.write([reported("hospital-b"), reported()]))
    assert [(row.tenant, row.outcome, row.reason_code) for row in kept_rows(kept)] == [
        ("hospital-a", "overridden", "cds-not-applicable"),
        ("hospital-b", "overridden", "cds-not-applicable"),
    ]


def test_feedback_survives_a_restart(database: Database):
    asyncio.run(store(database).write([reported()]))
    assert len(kept_rows(store(database))) == 1


def test_a_comment_is_kept_only_encrypted(database: Database):
    kept = store(database)
    asyncio.run(kept.write([reported(comment="canary-comment 患者", key=KEY)]))
    asyncio.run(kept.close())
    assert b"canary-comment" not in database.content()
    (row,) = kept_rows(store(database))
    assert CommentKeys(KEY).opened(row.tenant, row.digest, row.comment) == "canary-comment 患者"


def test_without_a_key_the_comment_is_left_out_and_the_row_says_so(database: Database):
    kept = store(database)
    asyncio.run(kept.write([reported()]))
    row = kept_rows(kept)[0]
    assert row.comment is None
    assert row.comment_given


def test_e10_a_rows_mark_lets_nobody_guess_the_comment():
    """With a key the mark needs the key; without one it does not depend on the comment's words."""

    def mark(key: bytes | None, comment: str) -> str:
        digest = reported(comment=comment, key=key).values["digest"]
        assert isinstance(digest, str)
        return digest

    assert mark(b"k" * 32, "Erika") != mark(b"l" * 32, "Erika")
    assert mark(b"k" * 32, "Erika") != mark(b"k" * 32, "Max")
    assert mark(None, "Erika") == mark(None, "Max")
    assert mark(None, "Erika") != mark(None, "")


def test_shown_cards_are_remembered_without_chart_text(database: Database):
    kept = store(database)
    asyncio.run(kept.write(shown()))
    asyncio.run(kept.write(shown()))
    (row,) = kept_rows(kept, ShownCard)
    assert [diagnosis["code"] for diagnosis in row.content["diagnoses"]] == ["J11.1", "J00", "U07.1"]
    assert {one.diagnosis for one in kept_rows(kept, SuggestedDiagnosis)} == {"influenza", "common_cold", "covid-19"}
    asyncio.run(kept.close())
    assert b"body aches" not in database.content()


def test_what_was_left_out_for_want_of_room_is_told_by_the_floor():
    full = candidate(evidence_for=[evidence("High fever", share=2 - n / 10) for n in range(6)])
    floors = [
        row.values["floor"] for row in shown(full, candidate("Common cold")) if row.table == "suggested_diagnosis"
    ]
    assert floors == [1.5, 0.0]


@pytest.mark.parametrize(
    "reason",
    [{"code": "canary Erika", "display": "canary"}, {"system": "canary"}, {"code": "a\0canary", "system": "\0"}],
)
@pytest.mark.parametrize("key", [KEY, None])
def test_d11_a_reason_that_is_not_ours_is_kept_only_sealed(database: Database, reason: dict, key: bytes | None):
    kept = store(database)
    asyncio.run(kept.write(all_reported(comment="", key=key, accepted=["canary-7"], **reason)))
    (row,) = kept_rows(kept)
    assert row.reason_code == ("other" if "code" in reason else "cds-not-applicable")
    assert row.reason_system == ("other" if "system" in reason else SYSTEM)
    assert row.accepted_suggestions == ["other"]
    others = kept_rows(kept, OtherReason)
    said = [CommentKeys(KEY).opened(other.tenant, other.digest, other.coding) for other in others]
    coding = {"code": "cds-not-applicable", "system": SYSTEM, "display": ""} | reason
    assert said == ([f"{coding['system']}|{coding['code']}|{coding['display']}"] if key else [])
    asyncio.run(kept.close())
    assert b"canary" not in database.content()


def test_two_reports_that_differ_in_a_sealed_word_alone_are_two(database: Database):
    kept = store(database)
    for word in ("one", "other", "one"):
        asyncio.run(kept.write(all_reported(key=KEY, code=word)))
    assert len(kept_rows(kept)) == len(kept_rows(kept, OtherReason)) == 2


def test_what_is_old_is_forgotten_and_the_rest_stays(database: Database):
    kept = store(database)
    old = [Row(row.table, {name: _older(value) for name, value in row.values.items()}) for row in all_rows("a")]
    asyncio.run(kept.write([*old, *all_rows("b")]))
    asyncio.run(kept.forget(NOW - timedelta(days=365)))
    for table in {row.table for row in old}:
        assert database.sql(f"SELECT DISTINCT tenant FROM {table}") == [("b",)], table


def all_rows(tenant: str) -> list[Row]:
    """One at least of each table whose rows grow old."""
    marks = PatientMarks(KEY).of(occasion())
    cards = asyncio.run(BUILDER(assessment(candidate("Common cold")), chart(), occasion())).cards
    reported = all_reported(tenant, key=KEY, code="another")
    return [*reported, *shown_rows(tenant, SERVICE, marks, cards, NOW), *listed_rows(tenant, marks, ["gout"], NOW)]


def _older(value: object) -> object:
    return value.replace("2026-11-23", "2024-11-23") if isinstance(value, str) else value


def test_several_processes_may_open_an_empty_database_at_once(database: Database):
    with ThreadPoolExecutor(3) as pool:
        stores = list(pool.map(lambda _: store(database), range(3)))
    keys = {asyncio.run(one.marking_key()) for one in stores}
    assert len(keys) == 1
    for one in stores:
        asyncio.run(one.close())


def test_an_empty_file_that_another_process_writes_to_is_waited_for(tmp_path):
    path = tmp_path / "kept.db"
    other = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    released = threading.Timer(0.2, other.execute, ["COMMIT"])
    released.start()
    try:
        with open_engine(f"sqlite:///{path}").connect() as connection:
            assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
    finally:
        released.join()
        other.close()


def test_marks_tell_tenants_servers_and_kinds_apart_and_need_the_key():
    marks = PatientMarks(KEY).of(occasion())
    assert PatientMarks(KEY).of(occasion(hook_instance=CARD)) == marks
    others = [occasion(tenant="hospital-b"), occasion(fhir_server="https://fhir.example.org"), occasion(patient_id="p")]
    found = [marks, PatientMarks(b"q" * 32).of(occasion()), *(PatientMarks(KEY).of(other) for other in others)]
    assert len({one.patient for one in found} | {one.encounter for one in found}) == 2 * len(found)
    assert len({marks.patient, PatientMarks(KEY).of(occasion(user_id="p-1")).user}) == 2


def test_the_databases_own_key_is_made_once(database: Database):
    first = asyncio.run(store(database).marking_key())
    assert len(first) == 32
    assert asyncio.run(store(database).marking_key()) == first


def test_a_database_that_is_gone_is_said_without_the_content(database: Database):
    kept = store(database)
    with kept._engine.begin() as connection:
        connection.exec_driver_sql("DROP TABLE feedback")
    with pytest.raises(Unavailable) as refused:
        asyncio.run(kept.write([reported()]))
    assert "canary" not in str(refused.value)
    assert refused.value.__cause__ is None
