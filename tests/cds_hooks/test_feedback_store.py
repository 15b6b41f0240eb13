import asyncio
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from cds_hooks.feedback import read_feedback
from cds_hooks.feedback_store import ReportedOutcome, ShownCard, SqlFeedbackStore, open_engine
from cds_hooks.operation_outcome import Unavailable
from tests.cds_hooks.assessments import BUILDER, assessment, chart, occasion

CARD = "9f5b2a52-1f61-4f2c-8a70-0d5f7d8f2f01"
NOW = datetime(2026, 11, 23, tzinfo=UTC)
SERVICE = "dxspan-patient-view"


def items(comment: str = "canary-comment"):
    return read_feedback(
        {
            "feedback": [
                {
                    "card": CARD,
                    "outcome": "overridden",
                    "outcomeTimestamp": "2026-11-23T10:00:00Z",
                    "overrideReason": {"reason": {"code": "cds-not-applicable", "system": "s"}, "userComment": comment},
                }
            ]
        }
    )


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "deep" / "feedback.db"


def store(path: Path, key: bytes | None = None) -> SqlFeedbackStore:
    return SqlFeedbackStore(open_engine(f"sqlite:///{path}"), key=key)


def rows(kept: SqlFeedbackStore, table: type = ReportedOutcome) -> list:
    with Session(kept._engine) as session:
        return list(session.scalars(select(table)))


def test_feedback_is_kept_once_however_often_it_is_sent(path: Path):
    kept = store(path)
    for _ in range(3):
        asyncio.run(kept.record("hospital-a", SERVICE, items(), NOW))
    asyncio.run(kept.record("hospital-b", SERVICE, items(), NOW))
    assert [(row.tenant, row.outcome, row.reason_code) for row in rows(kept)] == [
        ("hospital-a", "overridden", "cds-not-applicable"),
        ("hospital-b", "overridden", "cds-not-applicable"),
    ]


def test_feedback_survives_a_restart(path: Path):
    asyncio.run(store(path).record("hospital-a", SERVICE, items(), NOW))
    assert len(rows(store(path))) == 1


def test_a_comment_is_kept_only_encrypted(path: Path):
    kept = store(path, key=b"k" * 32)
    asyncio.run(kept.record("hospital-a", SERVICE, items("canary-comment 患者"), NOW))
    asyncio.run(kept.close())
    assert all(b"canary-comment" not in file.read_bytes() for file in path.parent.iterdir())
    again = store(path, key=b"k" * 32)
    assert again.comment_of(rows(again)[0]) == "canary-comment 患者"


def test_without_a_key_the_comment_is_left_out_and_the_row_says_so(path: Path):
    kept = store(path)
    asyncio.run(kept.record("hospital-a", SERVICE, items(), NOW))
    row = rows(kept)[0]
    assert row.comment is None
    assert row.comment_given


def test_e10_a_rows_mark_lets_nobody_guess_the_comment(path: Path):
    """With a key the mark needs the key; without one it does not depend on the comment's words."""

    def mark(key: bytes | None, comment: str, name: str) -> str:
        kept = store(path.with_name(name), key=key)
        asyncio.run(kept.record("hospital-a", SERVICE, items(comment), NOW))
        return rows(kept)[0].digest

    assert mark(b"k" * 32, "Erika", "1.db") != mark(b"l" * 32, "Erika", "2.db")
    assert mark(b"k" * 32, "Erika", "3.db") != mark(b"k" * 32, "Max", "4.db")
    assert mark(None, "Erika", "5.db") == mark(None, "Max", "6.db")
    assert mark(None, "Erika", "7.db") != mark(None, "", "8.db")


def test_shown_cards_are_remembered_without_chart_text(path: Path):
    kept = store(path)
    cards = asyncio.run(BUILDER(assessment(), chart(), occasion())).cards
    asyncio.run(kept.remember("hospital-a", SERVICE, cards, NOW))
    asyncio.run(kept.remember("hospital-a", SERVICE, cards, NOW))
    (row,) = rows(kept, ShownCard)
    assert [diagnosis["code"] for diagnosis in row.content["diagnoses"]] == ["J11.1", "J00", "U07.1"]
    asyncio.run(kept.close())
    assert all(b"body aches" not in file.read_bytes() for file in path.parent.iterdir())


def test_a_database_that_is_gone_is_said_without_the_content(path: Path):
    kept = store(path)
    with kept._engine.begin() as connection:
        connection.exec_driver_sql("DROP TABLE feedback")
    with pytest.raises(Unavailable) as refused:
        asyncio.run(kept.record("hospital-a", SERVICE, items(), NOW))
    assert "canary" not in str(refused.value)
    assert refused.value.__cause__ is None
