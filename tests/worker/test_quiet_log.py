"""The log keeps to one line a record and repeats no content."""

from __future__ import annotations

import io
import logging
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from worker.quiet_log import set_up_log


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    stream = io.StringIO()
    set_up_log(stream)
    yield stream
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.captureWarnings(False)
    for name in ("celery", "kombu", "amqp"):
        logging.getLogger(name).setLevel(logging.NOTSET)


def test_f06_a_record_is_one_line_whatever_is_in_it(log: io.StringIO) -> None:
    logging.getLogger("worker").warning("id %s", "1\r\nERROR forged \x1b[31m\u2028")
    assert log.getvalue().count("\n") == 1
    assert "\x1b" not in log.getvalue()
    assert "\u2028" not in log.getvalue()


def test_an_exception_is_told_by_type_and_place_without_its_text(log: io.StringIO) -> None:
    try:
        raise ValueError("Erika Mustermann")
    except ValueError:
        logging.getLogger("worker").exception("failed")
    assert "ValueError at" in log.getvalue()
    assert "test_quiet_log.py:" in log.getvalue()
    assert "Erika" not in log.getvalue()


@pytest.mark.parametrize("name", ["celery.worker.consumer.consumer", "kombu.transport"])
def test_errors_of_celery_lose_the_bodies_they_quote(log: io.StringIO, name: str) -> None:
    logging.getLogger(name).error("cannot decode %r\n\nThe full contents was:\n%s", "Erika", "Mustermann")
    assert "cannot decode" in log.getvalue()
    assert "Erika" not in log.getvalue()
    assert "Mustermann" not in log.getvalue()


def test_times_are_utc_and_say_so(log: io.StringIO) -> None:
    logging.getLogger("worker").warning("x")
    written = log.getvalue().partition(" ")[0]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", written)
    assert abs(datetime.fromisoformat(written) - datetime.now(UTC)) < timedelta(minutes=1)  # the tests' zone is another


@pytest.mark.parametrize("level", [logging.WARNING, logging.ERROR])
@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("celery.worker.consumer.consumer", "Received and deleted unknown message.\n\nThe full contents was: Erika"),
        ("asyncio", "Task exception was never retrieved\nfuture: <Task exception=ValueError('Erika')>"),
        ("asyncio", "Exception in callback say(Erika)"),
        ("py.warnings", "a.py:3: UserWarning: unexpected value Erika\n  warn(value)"),
    ],
)
def test_e10_of_a_librarys_record_its_own_words_are_kept(log: io.StringIO, name: str, message: str, level: int) -> None:
    logging.getLogger(name).log(level, message)
    assert name in log.getvalue()
    assert "Erika" not in log.getvalue()
