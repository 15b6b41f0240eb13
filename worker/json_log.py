"""The log of web process and worker: one line of JSON per record, with nothing in it that a caller wrote.

Knows logging. Text becomes ASCII with every control character escaped, so no value can start a line of its own; of an
exception only its type and place are kept, because its message may quote a note. Records of libraries quote what they choked
on (Celery and kombu message bodies, asyncio an exception's text, Python's warnings a value): they keep the words before the
first value. Libraries that log URLs are silenced.
"""

from __future__ import annotations

import json
import logging
import sys
import traceback
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TextIO

Value = str | int | float | bool | None

MAX_TEXT_CHARACTERS = 200
MAX_WORDS = 120
_OURS = ("cds_hooks", "dxspan", "nlp_core", "worker")
_FIELDS = "dxspan_fields"
QUIET = ("httpx", "httpcore", "uvicorn.access", "asyncio", "hpack", "celery", "kombu", "amqp")
"""Below WARNING: httpx writes each URL, patient id included, at INFO; others may write bodies."""


def log_event(logger: logging.Logger, event: str, *, level: int = logging.INFO, **fields: Value) -> None:
    """One line for `event`. Fields are fixed words, numbers and ids that are safe to keep; None is left out."""
    logger.log(level, event, extra={_FIELDS: fields})


class JsonLines(logging.Formatter):
    """Formats a record as one line of ASCII JSON."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Value] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "event": _event(record)[:MAX_TEXT_CHARACTERS],
        }
        fields: Mapping[str, Value] = getattr(record, _FIELDS, {})
        line.update({name: _short(value) for name, value in fields.items() if value is not None})
        if record.exc_info and record.exc_info[0]:
            line["error"] = record.exc_info[0].__name__
            line["at"] = _innermost(record.exc_info[2])
        return json.dumps(line, ensure_ascii=True)


def is_ours(record: logging.LogRecord) -> bool:
    """True for a record whose words we wrote; those of uvicorn about itself are as plain."""
    return record.name.partition(".")[0] in _OURS or record.name == "uvicorn.error"


def own_words(record: logging.LogRecord) -> str:
    """What a library's record says before any value: its template's first line, up to where something is shown."""
    line = str(record.msg).partition("\n")[0]
    if record.name == "py.warnings":  # `file:line: kind: text`
        return ": ".join(line.split(": ", 2)[:2])[:MAX_WORDS]
    return line.partition("(")[0].strip()[:MAX_WORDS]


def _event(record: logging.LogRecord) -> str:
    return record.getMessage() if is_ours(record) else own_words(record)


def _short(value: Value) -> Value:
    return value[:MAX_TEXT_CHARACTERS] if isinstance(value, str) else value


def _innermost(trace: object) -> str:
    frames = traceback.extract_tb(trace)  # type: ignore[arg-type]  # a traceback, or None: both are taken
    return f"{frames[-1].filename.rpartition('/')[2]}:{frames[-1].lineno}" if frames else ""


def set_up_log(stream: TextIO | None = None) -> None:
    """Send every record of this process to `stream` (standard output where None)."""
    handler = logging.StreamHandler(stream or sys.stdout)
    handler.setFormatter(JsonLines())
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    logging.captureWarnings(True)
    for name in QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
