"""Tells whoever listens when a stage of an assessment begins and ends.

Knows names alone: the core measures nothing and sends nothing; without a listener a stage costs one look.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar

READ_SENTENCES = "read sentences"
REASON = "reason"

Listener = Callable[[str], AbstractContextManager[None]]
"""Given a stage's name, what is to be open for as long as the stage lasts."""

_listener: ContextVar[Listener | None] = ContextVar("dxspan_stages", default=None)
_NOTHING: AbstractContextManager[None] = nullcontext()


def stage(name: str) -> AbstractContextManager[None]:
    """The stage `name`, for as long as the context lasts."""
    listener = _listener.get()
    return listener(name) if listener else _NOTHING


@contextmanager
def stages_told_to(listener: Listener) -> Iterator[None]:
    """Whatever this thread assesses inside tells `listener` its stages."""
    token = _listener.set(listener)
    try:
        yield
    finally:
        _listener.reset(token)
