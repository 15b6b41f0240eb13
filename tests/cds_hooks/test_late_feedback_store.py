"""The store is opened once, when needed, and tried again after a failure."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest

from cds_hooks.feedback import FeedbackStore
from cds_hooks.late_feedback_store import LateFeedbackStore
from cds_hooks.operation_outcome import Unavailable
from tests.cds_hooks.stand_ins import PlainFeedback

NOW = datetime(2026, 11, 23, tzinfo=UTC)


class Opener:
    """Fails as often as it is told to, then opens the same store; counts."""

    def __init__(self, failures: int = 0) -> None:
        self.asked = 0
        self.store = PlainFeedback()
        self._failures = failures

    def __call__(self) -> FeedbackStore:
        self.asked += 1
        if self.asked <= self._failures:
            raise OSError("canary-url")
        return self.store


def test_it_is_opened_once_however_many_ask() -> None:
    opener = Opener()

    async def run() -> None:
        late = LateFeedbackStore(opener)
        assert opener.asked == 0
        await asyncio.gather(*(late.remember("a", "s", [n], NOW) for n in range(10)))
        await late.record("a", "s", [], NOW)
        assert await late.ready()
        await late.close()

    asyncio.run(run())
    assert opener.asked == 1
    assert len(opener.store.shown) == 10


def test_a_store_that_cannot_be_opened_is_unavailable_and_tried_again() -> None:
    opener = Opener(failures=2)

    async def run() -> None:
        late = LateFeedbackStore(opener)
        with pytest.raises(Unavailable) as refused:
            await late.record("a", "s", [], NOW)
        assert "canary" not in str(refused.value)
        assert not await late.ready()
        assert await late.ready()

    asyncio.run(run())


def test_closing_what_was_never_opened_opens_nothing() -> None:
    opener = Opener()
    asyncio.run(LateFeedbackStore(opener).close())
    assert opener.asked == 0
