"""Making a hundred thousand objects that all stay: without looking through them again and again for what could go.

Knows Python's collector alone.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def lasting_objects() -> Iterator[None]:
    """The collector rests meanwhile, which halves the time, and goes on as before."""
    collects = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collects:
            gc.enable()
