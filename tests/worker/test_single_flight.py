"""Callers that ask for the same thing at the same time share one piece of work."""

from __future__ import annotations

import asyncio

from worker.single_flight import SingleFlight


def test_two_callers_share_one_task_and_the_next_begins_anew() -> None:
    async def run() -> tuple[tuple[int, ...], int]:
        flights: SingleFlight[str, int] = SingleFlight()
        begun = 0

        async def work() -> int:
            nonlocal begun
            begun += 1
            await asyncio.sleep(0.01)
            return begun

        together = tuple(
            await asyncio.gather(flights.join("a", work), flights.join("a", work), flights.join("b", work))
        )
        assert len(flights) == 0
        return together, await flights.join("a", work)

    assert asyncio.run(run()) == ((2, 2, 2), 3)


def test_work_goes_on_when_its_caller_has_gone() -> None:
    async def run() -> bool:
        flights: SingleFlight[str, None] = SingleFlight()
        ended = asyncio.Event()

        async def work() -> None:
            await asyncio.sleep(0.02)
            ended.set()

        async def caller() -> None:
            await asyncio.wait({flights.join("a", work)})

        task = asyncio.ensure_future(caller())
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait_for(ended.wait(), 1)
        return "a" in flights

    assert asyncio.run(run()) in (True, False)  # forgotten at once or in the next turn of the loop


def test_cancel_all_ends_the_work() -> None:
    async def run() -> bool:
        flights: SingleFlight[str, None] = SingleFlight()
        task = flights.join("a", lambda: asyncio.sleep(60))
        flights.cancel_all()
        await asyncio.wait({task}, timeout=1)
        return task.cancelled()

    assert asyncio.run(run())
