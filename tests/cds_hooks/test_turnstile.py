"""Calls begin one per turn of the event loop, so that it goes on serving others."""

from __future__ import annotations

import asyncio
import time

from cds_hooks.turnstile import Turnstile


def test_g15_a_hundred_calls_at_once_do_not_hold_up_the_loop() -> None:
    async def longest_pause() -> float:
        turnstile = Turnstile()

        async def call() -> None:
            await turnstile.turn()
            time.sleep(0.005)  # what a call costs before it first waits

        calls = [asyncio.ensure_future(call()) for _ in range(100)]
        longest, before = 0.0, time.monotonic()
        while not all(task.done() for task in calls):
            await asyncio.sleep(0)
            longest, before = max(longest, time.monotonic() - before), time.monotonic()
        return longest

    assert asyncio.run(longest_pause()) < 0.2, "half a second if they all began in one turn"


def test_they_keep_their_order_and_one_that_hangs_up_does_not_stop_the_rest() -> None:
    async def order() -> list[int]:
        turnstile, passed = Turnstile(), list[int]()

        async def call(number: int) -> None:
            await turnstile.turn()
            passed.append(number)

        calls = [asyncio.ensure_future(call(number)) for number in range(5)]
        await asyncio.sleep(0)
        calls[2].cancel()
        await asyncio.gather(*calls, return_exceptions=True)
        return passed

    assert asyncio.run(order()) == [0, 1, 3, 4]
