"""Rows reach the database once, without a word of a chart, and comments only sealed."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from cds_hooks.database import open_engine
from cds_hooks.memory.feedback import read_feedback
from cds_hooks.memory.feedback_rows import CommentKeys, Row, reported_row, shown_rows
from cds_hooks.memory.feedback_store import SqlFeedbackStore
from cds_hooks.memory.feedback_tables import ReportedOutcome, ShownCard, SuggestedDiagnosis
from cds_hooks.memory.patient_marks import PatientMarks
from cds_hooks.operation_outcome import Unavailable
from tests.cds_hooks.assessments import BUILDER, assessment, candidate, chart, evidence, occasion

CARD = "9f5b2a52-1f61-4f2c-8a70-0d5f7d8f2f01"
NOW = datetime(2026, 11, 23, tzinfo=UTC)
SERVICE = "dxspan-patient-view"
KEY = b"k" * 32


def reported(tenant: str = "hospital-a", comment: str = "canary-comment", *, key: bytes | None = None, **reason) -> Row:
    item = {
        "card": CARD,
        "outcome": "overridden",
        "outcomeTimestamp": "2026-11-23T10:00:00Z",
        "overrideReason": {"reason": {"code": "cds-not-applicable", "system": "s"} | reason, "userComment": comment},
    }
    (read,) = read_feedback({"feedback": [item]})
    return reported_row(tenant, SERVICE, read, NOW, CommentKeys(key) if key else None)


def shown(*candidates) -> list[Row]:
    cards = asyncio.run(BUILDER(assessment(*candidates), chart(), occasion())).cards
    return shown_rows("hospital-a", SERVICE, PatientMarks(KEY).of(occasion()), cards, NOW)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "deep" / "feedback.db"


def store(path: Path) -> SqlFeedbackStore:
    return SqlFeedbackStore(open_engine(f"sqlite:///{path}"))


def kept_rows(kept: SqlFeedbackStore, table: type = ReportedOutcome) -> list:
    with Session(kept._engine) as session:
        return list(session.scalars(select(table)))


def test_feedback_is_kept_once_however_often_it_is_sent(path: Path):
    kept = store(path)
    for _ in range(3):
        asyncio.run(kept.write([reported(), reported()]))
    asyncio.run(kept.write([reported("hospital-b"), reported()]))
    assert [(row.tenant, row.outcome, row.reason_code) for row in kept_rows(kept)] == [
        ("hospital-a", "overridden", "cds-not-applicable"),
        ("hospital-b", "overridden", "cds-not-applicable"),
    ]


def test_feedback_survives_a_restart(path: Path):
    asyncio.run(store(path).write([reported()]))
    assert len(kept_rows(store(path))) == 1


def test_a_comment_is_kept_only_encrypted(path: Path):
    kept = store(path)
    asyncio.run(kept.write([reported(comment="canary-comment 患者", key=KEY)]))
    asyncio.run(kept.close())
    assert all(b"canary-comment" not in file.read_bytes() for file in path.parent.iterdir())
    (row,) = kept_rows(store(path))
    assert CommentKeys(KEY).opened(row.tenant, row.digest, row.comment) == "canary-comment 患者"


def test_without_a_key_the_comment_is_left_out_and_the_row_says_so(path: Path):
    kept = store(path)
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


def test_shown_cards_are_remembered_without_chart_text(path: Path):
    kept = store(path)
    asyncio.run(kept.write(shown()))
    asyncio.run(kept.write(shown()))
    (row,) = kept_rows(kept, ShownCard)
    assert [diagnosis["code"] for diagnosis in row.content["diagnoses"]] == ["J11.1", "J00", "U07.1"]
    assert {one.diagnosis for one in kept_rows(kept, SuggestedDiagnosis)} == {"influenza", "common_cold", "covid-19"}
    asyncio.run(kept.close())
    assert all(b"body aches" not in file.read_bytes() for file in path.parent.iterdir())


def test_what_was_left_out_for_want_of_room_is_told_by_the_floor():
    full = candidate(evidence_for=[evidence("High fever", share=2 - n / 10) for n in range(6)])
    floors = [
        row.values["floor"] for row in shown(full, candidate("Common cold")) if row.table == "suggested_diagnosis"
    ]
    assert floors == [1.5, 0.0]


def test_what_no_database_keeps_is_left_out_of_a_code(path: Path):
    kept = store(path)
    asyncio.run(kept.write([reported(code="a\0b", system="\0")]))
    assert [(row.reason_code, row.reason_system) for row in kept_rows(kept)] == [("ab", "")]


def test_marks_tell_tenants_servers_and_kinds_apart_and_need_the_key():
    marks = PatientMarks(KEY).of(occasion())
    assert PatientMarks(KEY).of(occasion(hook_instance=CARD)) == marks
    others = [occasion(tenant="hospital-b"), occasion(fhir_server="https://fhir.example.org"), occasion(patient_id="p")]
    found = [marks, PatientMarks(b"q" * 32).of(occasion()), *(PatientMarks(KEY).of(other) for other in others)]
    assert len({one.patient for one in found} | {one.encounter for one in found}) == 2 * len(found)
    assert len({marks.patient, PatientMarks(KEY).of(occasion(user_id="p-1")).user}) == 2


def test_the_databases_own_key_is_made_once(path: Path):
    first = asyncio.run(store(path).marking_key())
    assert len(first) == 32
    assert asyncio.run(store(path).marking_key()) == first


def test_a_database_that_is_gone_is_said_without_the_content(path: Path):
    kept = store(path)
    with kept._engine.begin() as connection:
        connection.exec_driver_sql("DROP TABLE feedback")
    with pytest.raises(Unavailable) as refused:
        asyncio.run(kept.write([reported()]))
    assert "canary" not in str(refused.value)
    assert refused.value.__cause__ is None
