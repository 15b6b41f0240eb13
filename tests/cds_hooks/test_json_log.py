"""One line of ASCII JSON per record; nothing in a value can start another; exceptions keep their text to themselves."""

from __future__ import annotations

import io
import json
import logging

from hypothesis import given
from hypothesis import strategies as st

from cds_hooks.json_log import JsonLines, log_event, set_up_log


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


def test_libraries_that_log_urls_are_quiet() -> None:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    try:
        stream = io.StringIO()
        set_up_log(stream)
        logging.getLogger("httpx").info("HTTP Request: GET https://fhir/Patient/canary")
        logging.getLogger("uvicorn.access").info("GET /canary")
        logging.getLogger("dxspan").info("hello")
        assert "canary" not in stream.getvalue()
        assert "hello" in stream.getvalue()
    finally:
        logging.captureWarnings(False)
        root.handlers[:] = handlers
        root.setLevel(level)
