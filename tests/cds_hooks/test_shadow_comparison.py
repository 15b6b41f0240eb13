"""G16: what a model in the shadow would have shown is laid beside what was shown, and kept for a bounded time."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from prometheus_client import REGISTRY

from cds_hooks import switches_file
from cds_hooks.database import open_engine
from cds_hooks.memory import feedback_store
from cds_hooks.memory.compared_answer import ComparedAnswer, compared_row
from cds_hooks.memory.feedback_store import SqlFeedbackStore
from cds_hooks.memory.patient_marks import PatientMarks
from cds_hooks.memory.shadow_comparison import Agreement, Answered, Model, compared
from cds_hooks.switch_command import main as switch
from tests.cds_hooks.assessments import occasion
from tests.cds_hooks.spelled_out import Ehr, SpelledOutClient, eventually, hospital

OLD, NEW = "3+aaaaaaaaaaaa", "4+cccccccccccc"
FLU, GOUT = "influenza: high fever, body aches", "gout: red toe, canary pain"
NOW = datetime.now(UTC)


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Of the feedback database."""
    path = tmp_path / "feedback.db"
    monkeypatch.setenv("DXSPAN_FEEDBACK_DATABASE_URL", f"sqlite:///{path}")
    monkeypatch.setattr(switches_file, "LOOK_SECONDS", 0.05)
    return path


@contextmanager
def both(path: Path) -> Iterator[tuple[Ehr, Ehr]]:
    """Two processes on one database and one switches file: the model shown, and the one in the shadow."""
    file = path.with_name("switches.yaml")
    switch(["--file", str(file), "shadow", "--model-version", NEW, "--reason", "compare first"])
    database = f"sqlite:///{path}"
    with (
        hospital(database, SpelledOutClient(OLD), switches_file=file, tenant="a") as old,
        hospital(database, SpelledOutClient(NEW, backwards=True), switches_file=file, tenant="a") as new,
    ):
        yield old, new


def test_g16_old_and_new_stand_side_by_side(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with both(path) as (old, new):
        for note in (FLU, f"{FLU}\n{GOUT}"):
            assert old.opens(note, user=f"shown-{len(note)}").cards
            answer = new.opens(note, user=f"shadow-{len(note)}")
            assert (answer.cards, answer.status) == ([], {"state": "silent", "reason": "shadow"})
        old.opens(FLU, problems=["influenza"])
        new.opens(FLU, problems=["influenza"])
    assert switch(["compare", "--tenant", "a"]) == 0
    told = [line.strip() for line in capsys.readouterr().out.splitlines()]
    assert f"shadow {NEW}: 3 answers, 2 named diagnoses" in told
    assert f"shown {OLD}: 3 answers, 2 named diagnoses" in told
    place = told.index(f"{NEW} in the shadow beside {OLD}")
    assert told[place + 1 :] == [
        "charts read by both: 3",
        "both silent: 1 of 3 (33.3%)",
        "silent in the shadow alone: 0 of 3 (0.0%)",
        "silent where shown alone: 0 of 3 (0.0%)",
        "both named diagnoses: 2 of 3 (66.7%)",
        "the same leading diagnosis: 1 of 2 (50.0%)",
        "the leading one shown is among the shadow's top three: 2 of 2 (100.0%)",
        "the same top three: 2 of 2 (100.0%)",
    ]
    assert switch(["compare", "--tenant", "nobody"]) == 0
    assert "no answers were kept" in capsys.readouterr().out


def test_e10_nothing_of_patient_chart_or_call_is_kept_in_clear(path: Path) -> None:
    with both(path) as (_, new):
        new.opens(GOUT, instance="b1b0f4d2-6f4e-4a0b-9d7e-1f7f0a5f7a11", user="canary-user")
    with closing(sqlite3.connect(path)) as connection:
        (row,) = connection.execute("SELECT * FROM compared_answer").fetchall()
        assert connection.execute("SELECT count(*) FROM shown_card").fetchone() == (0,), "it was not shown"
    for clear in ("canary", "pat-1", "b1b0f4d2", "red toe", "e-1"):
        assert clear not in str(row)
    assert "gout" in str(row)


def test_the_same_call_answered_again_is_one_row(path: Path) -> None:
    with both(path) as (_, new):
        for _ in range(3):
            new.opens(FLU, instance="b1b0f4d2-6f4e-4a0b-9d7e-1f7f0a5f7a11")
        eventually(lambda: rows(path) == 1)
    assert rows(path) == 1


def test_while_the_database_is_away_the_outbox_is_left_to_feedback_and_nothing_is_shown(path: Path) -> None:
    path.mkdir()  # no database can be opened there
    lost = "dxspan_compared_answers_not_kept_total"
    before = REGISTRY.get_sample_value(lost) or 0.0
    with both(path) as (_, new):
        answer = new.opens(FLU)
        assert (answer.cards, answer.reason) == ([], "shadow")
        eventually(lambda: REGISTRY.get_sample_value(lost) == before + 1)


def rows(path: Path) -> int:
    with closing(sqlite3.connect(path)) as connection:
        (count,) = connection.execute("SELECT count(*) FROM compared_answer").fetchone()
        return int(count)


def answered_days_ago(path: Path, *days: int) -> SqlFeedbackStore:
    store = SqlFeedbackStore(open_engine(f"sqlite:///{path}"))
    marks = PatientMarks(bytes(32))
    answer = ComparedAnswer("shadow", NEW, "0" * 64, ("gout",), "")
    kept = [
        compared_row("a", marks.of_compared(occasion(), "0" * 64, str(ago)), answer, NOW - timedelta(days=ago))
        for ago in days
    ]
    asyncio.run(store.write(kept))
    return store


def test_answers_are_kept_for_their_time_only(path: Path) -> None:
    store = answered_days_ago(path, 1, 50, 91, 400)
    asyncio.run(store.forget_compared(NOW - timedelta(days=90)))
    assert rows(path) == 2


def test_answers_are_kept_up_to_a_number_the_oldest_go(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feedback_store, "MOST_COMPARED", 2)
    store = answered_days_ago(path, 1, 2, 3, 4, 5)
    asyncio.run(store.forget_compared(NOW - timedelta(days=90)))
    assert rows(path) == 2
    asyncio.run(store.forget_compared(NOW - timedelta(days=90)))
    assert rows(path) == 2


def test_the_web_process_deletes_what_is_too_old_by_itself(path: Path) -> None:
    answered_days_ago(path, 1, 400)
    with hospital(f"sqlite:///{path}", shadow_days=30):
        eventually(lambda: rows(path) == 1)


def test_every_way_to_agree_or_not_is_counted() -> None:
    agreement = Agreement()
    for shown, shadow in (
        ((), ()),
        (("a",), ()),
        ((), ("a",)),
        (("a", "b", "c"), ("b", "c", "a")),
        (("a", "b"), ("a", "c")),
        (("a",), ("b",)),
    ):
        agreement.count(shown, shadow)
    assert agreement == Agreement(
        charts=6,
        both_silent=1,
        silent_in_shadow_alone=1,
        silent_where_shown_alone=1,
        same_leading=1,
        leading_among_top=2,
        same_top=1,
    )
    assert agreement.both_named == 3


def test_what_users_said_before_and_other_tenants_charts_count_for_no_agreement() -> None:
    old, new = Model("shown", OLD), Model("shadow", NEW)
    found = compared(
        [
            Answered("a", "1", old, "", ("gout",)),
            Answered("a", "1", old, "already-shown", ()),
            Answered("a", "1", new, "", ("gout",)),
            Answered("a", "2", old, "dismissed", ()),
            Answered("a", "2", new, "", ("gout",)),
            Answered("b", "3", old, "", ("gout",)),
            Answered("a", "3", new, "", ("gout",)),
        ]
    )
    agreement = found["a"].agreements[old, new]
    assert (agreement.charts, agreement.same_leading) == (1, 1)
    assert found["b"].agreements == {}


@pytest.mark.parametrize("wrong", ["sqlite:////proc/canary/x.db", "canary-no-url", "sqlite:///canary-is-not-there.db"])
def test_a_database_that_cannot_be_read_is_said_without_its_address(
    wrong: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DXSPAN_FEEDBACK_DATABASE_URL", wrong)
    assert switch(["compare"]) == 2
    said = capsys.readouterr().err
    assert "feedback database" in said
    assert "canary" not in said
