"""The database is opened once, when needed, and tried again after a failure."""

from __future__ import annotations

import asyncio
import threading

import pytest

from cds_hooks.database import open_engine
from cds_hooks.memory.feedback_store import SqlFeedbackStore
from cds_hooks.memory.late_feedback_store import LateFeedbackStore
from cds_hooks.operation_outcome import Unavailable


class Opener:
    """Fails as often as it is told to, then opens; counts."""

    def __init__(self, failures: int = 0) -> None:
        self.asked = 0
        self._failures = failures

    def __call__(self) -> SqlFeedbackStore:
        self.asked += 1
        if self.asked <= self._failures:
            raise OSError("canary-url")
        return SqlFeedbackStore(open_engine("sqlite://"))


def test_it_is_opened_once_however_many_ask() -> None:
    opener = Opener()

    async def run() -> None:
        late = LateFeedbackStore(opener)
        assert opener.asked == 0
        stores = await asyncio.gather(*(late.opened() for _ in range(10)))
        assert len({*stores, await late.opened()}) == 1
        assert await stores[0].ready()
        await late.close()

    asyncio.run(run())
    assert opener.asked == 1


def test_a_database_that_cannot_be_opened_is_unavailable_and_tried_again() -> None:
    opener = Opener(failures=2)

    async def run() -> None:
        late = LateFeedbackStore(opener)
        for _ in range(2):
            with pytest.raises(Unavailable) as refused:
                await late.opened()
            assert "canary" not in str(refused.value)
        assert await late.opened()

    asyncio.run(run())


def test_who_waits_no_longer_starts_no_second_opening() -> None:
    opener, held = Opener(), threading.Event()

    def slowly() -> SqlFeedbackStore:
        held.wait(30)
        return opener()

    async def run() -> None:
        late = LateFeedbackStore(slowly)
        for _ in range(5):
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0):
                    await late.opened()
        held.set()
        assert await late.opened()

    asyncio.run(run())
    assert opener.asked == 1


def test_closing_what_was_never_opened_opens_nothing() -> None:
    opener = Opener()
    asyncio.run(LateFeedbackStore(opener).close())
    assert opener.asked == 0
