"""What a crashing process leaves behind: no image of its memory, and of an uncaught exception its type and place.

Knows core dumps and Python's last hooks. A core file would hold every chart that was being read, in clear, and a
traceback ends with the exception's text, which may quote one. Needs the log set up before: the formatters of both
processes keep an exception's text to themselves.
"""

from __future__ import annotations

import logging
import resource
import sys
import threading
from types import TracebackType

log = logging.getLogger("dxspan.crash")


def keep_crashes_quiet() -> None:
    """For the whole process, and for what it starts."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    sys.excepthook = _uncaught
    threading.excepthook = _uncaught_in_thread
    sys.unraisablehook = _unraisable


def _uncaught(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    if issubclass(kind, KeyboardInterrupt):  # says nothing but where it was
        sys.__excepthook__(kind, error, trace)
        return
    log.critical("uncaught exception", exc_info=(kind, error, trace))


def _uncaught_in_thread(failed: threading.ExceptHookArgs) -> None:
    error = failed.exc_value or failed.exc_type()
    if not isinstance(error, SystemExit):
        log.critical("uncaught exception in a thread", exc_info=(failed.exc_type, error, failed.exc_traceback))


def _unraisable(failed: sys.UnraisableHookArgs) -> None:
    error = failed.exc_value or failed.exc_type()
    log.error("exception that could not be raised", exc_info=(failed.exc_type, error, failed.exc_traceback))
