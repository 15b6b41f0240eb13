"""Shards handed out a few at a time, their answers taken in order; and what a failure in another process may say of itself."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TypeVar

ShardT = TypeVar("ShardT")
TicketT = TypeVar("TicketT")
AnswerT = TypeVar("AnswerT")
UNDER_WAY = 2
"""Shards per process that are handed out and not yet taken back: enough that none waits, few enough for flat memory."""


class WorkerFailed(ValueError):
    """A step failed in another process; the message has no word of a chart in it."""


def in_order(
    shards: Iterable[ShardT], hand_out: Callable[[ShardT], TicketT], take: Callable[[TicketT], AnswerT], *, most: int
) -> Iterator[AnswerT]:
    """most: shards under way at a time."""
    tickets: deque[TicketT] = deque()
    for shard in shards:
        tickets.append(hand_out(shard))
        if len(tickets) >= most:
            yield take(tickets.popleft())
    while tickets:
        yield take(tickets.popleft())


def place_of(error: BaseException) -> str:
    """Kind, file and line of an error. Its message is left out: it may quote a chart."""
    trace = error.__traceback__
    while trace and trace.tb_next:
        trace = trace.tb_next
    where = f" at {Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}" if trace else ""
    return f"{type(error).__name__}{where}"
