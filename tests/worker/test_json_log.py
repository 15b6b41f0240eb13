"""One line of ASCII JSON per record; nothing in a value can start another; exceptions keep their text to themselves."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.json_log import QUIET, JsonLines, log_event, set_up_log


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """The log of a whole process, as set_up_log makes it."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    stream = io.StringIO()
    set_up_log(stream)
    yield stream
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.captureWarnings(False)
    for name in QUIET:
        logging.getLogger(name).setLevel(logging.NOTSET)


def written(event: str, **fields: str | int | float | bool | None) -> str:
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonLines())
    logger = logging.Logger("test")
    logger.addHandler(handler)
    log_event(logger, event, **fields)
    return stream.getvalue()


@given(st.text(max_size=300))
def test_f6_a_value_never_leaves_its_line(text: str) -> None:
    line = written("event", value=text)
    assert line.endswith("\n")
    assert line.count("\n") == 1
    assert line.isascii()
    assert line[:-1].isprintable()
    assert json.loads(line)["value"] == text[:200]


def test_f6_known_attacks_are_only_text() -> None:
    for text in ("a\r\nfake: line", "\x1b[31mred", "${jndi:ldap://x}", "\u2028next", '"},{"event":"fake"'):
        assert json.loads(written("event", value=text))["value"] == text


def test_fields_without_value_are_left_out() -> None:
    assert "reason" not in json.loads(written("event", reason=None))


def test_of_an_exception_only_type_and_place_are_kept() -> None:
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonLines())
    logger = logging.Logger("test")
    logger.addHandler(handler)
    try:
        raise ValueError("canary-text")
    except ValueError:
        logger.exception("it failed")
    line = json.loads(stream.getvalue())
    assert (line["error"], line["event"]) == ("ValueError", "it failed")
    assert line["at"].startswith("test_json_log.py:")
    assert "canary" not in stream.getvalue()


def test_libraries_that_log_urls_are_quiet(log: io.StringIO) -> None:
    logging.getLogger("httpx").info("HTTP Request: GET https://fhir/Patient/canary")
    logging.getLogger("uvicorn.access").info("GET /canary")
    logging.getLogger("dxspan").info("hello")
    assert "canary" not in log.getvalue()
    assert "hello" in log.getvalue()


def test_f06_a_record_is_one_line_whatever_is_in_it(log: io.StringIO) -> None:
    logging.getLogger("worker").warning("id %s", "1\r\nERROR forged \x1b[31m\u2028")
    assert log.getvalue().count("\n") == 1
    assert json.loads(log.getvalue())["event"] == "id 1\r\nERROR forged \x1b[31m\u2028"


@pytest.mark.parametrize("name", ["celery.worker.consumer.consumer", "kombu.transport"])
def test_errors_of_celery_lose_the_bodies_they_quote(log: io.StringIO, name: str) -> None:
    logging.getLogger(name).error("cannot decode %r\n\nThe full contents was:\n%s", "Erika", "Mustermann")
    assert "cannot decode" in log.getvalue()
    assert "Erika" not in log.getvalue()
    assert "Mustermann" not in log.getvalue()


def test_times_are_utc_and_say_so(log: io.StringIO) -> None:
    logging.getLogger("worker").warning("x")
    time = json.loads(log.getvalue())["time"]
    assert time.endswith("+00:00")
    assert abs(datetime.fromisoformat(time) - datetime.now(UTC)) < timedelta(minutes=1)  # the tests' zone is another


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
