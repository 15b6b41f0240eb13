"""The worker's log: one line per record, and no content of a message or an exception in it.

Knows that records of libraries quote what they choked on: Celery and kombu message bodies, asyncio an exception's text,
Python's warnings a value. They keep the words before the first value.
"""

from __future__ import annotations

import logging
import sys
import time
import traceback
from types import TracebackType
from typing import TextIO

MAX_WORDS = 120
_OURS = ("cds_hooks", "dxspan", "nlp_core", "worker")
ExcInfo = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]


class OneLine(logging.Formatter):
    """Time (UTC), level, logger and message in one line; of an exception its type and its innermost line, not its text."""

    converter = staticmethod(time.gmtime)
    default_time_format = "%Y-%m-%dT%H:%M:%S"
    default_msec_format = "%s.%03dZ"

    def format(self, record: logging.LogRecord) -> str:
        line = super().format(record)
        return "".join(letter if letter.isprintable() else f"\\x{ord(letter):02x}" for letter in line)

    def formatException(self, ei: ExcInfo) -> str:
        frames = traceback.extract_tb(ei[2])
        where = f" at {frames[-1].filename.rsplit('/', 2)[-1]}:{frames[-1].lineno}" if frames else ""
        return f"{ei[0].__name__ if ei[0] else 'unknown error'}{where}"


class NoContent(logging.Filter):
    """Leaves of a library's record only its own words."""

    def filter(self, record: logging.LogRecord) -> bool:
        if not is_ours(record):
            record.msg, record.args = own_words(record), None
        return True


def is_ours(record: logging.LogRecord) -> bool:
    """True for a record whose words we wrote; those of uvicorn about itself are as plain."""
    return record.name.partition(".")[0] in _OURS or record.name == "uvicorn.error"


def own_words(record: logging.LogRecord) -> str:
    """What a library's record says before any value: its template's first line, up to where something is shown."""
    line = str(record.msg).partition("\n")[0]
    if record.name == "py.warnings":  # `file:line: kind: text`
        return ": ".join(line.split(": ", 2)[:2])[:MAX_WORDS]
    return line.partition("(")[0].strip()[:MAX_WORDS]


def set_up_log(stream: TextIO | None = None) -> None:
    """Send this process's log to `stream` (standard error where None), Celery's own at WARNING."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(OneLine("%(asctime)s %(levelname)s %(name)s %(message)s"))
    handler.addFilter(NoContent())
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    logging.captureWarnings(True)
    for name in ("celery", "kombu", "amqp"):
        logging.getLogger(name).setLevel(logging.WARNING)
