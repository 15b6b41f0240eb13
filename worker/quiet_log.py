"""The worker's log: one line per record, and no content of a message or an exception in it.

Knows which of Celery's and kombu's records quote message bodies or exception texts. They keep their template and lose
their arguments.
"""

from __future__ import annotations

import logging
import sys
import time
import traceback
from types import TracebackType
from typing import TextIO

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
    """Takes the arguments out of records of Celery and kombu that are errors: they may hold bodies."""

    def filter(self, record: logging.LogRecord) -> bool:
        if record.name.partition(".")[0] in ("celery", "kombu") and record.levelno >= logging.ERROR:
            record.msg = str(record.msg).partition("\n")[0][:120]
            record.args = None
        return True


def set_up_log(stream: TextIO | None = None) -> None:
    """Send this process's log to `stream` (standard error where None), Celery's own at WARNING."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(OneLine("%(asctime)s %(levelname)s %(name)s %(message)s"))
    handler.addFilter(NoContent())
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    for name in ("celery", "kombu", "amqp"):
        logging.getLogger(name).setLevel(logging.WARNING)
