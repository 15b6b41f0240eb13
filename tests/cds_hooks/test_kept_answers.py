"""The same call is answered once, for a while, within bounds."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from cds_hooks import kept_answers
from cds_hooks.kept_answers import Answer, CallKey, KeptAnswers


def key(tenant: str = "a", instance: str = "1", body: bytes = b"x") -> CallKey:
    return CallKey(tenant, instance, body)


class Maker:
    """Counts how often it was asked; each answer is its own number."""

    def __init__(self, *, keep: bool = True, size: int = 1) -> None:
        self.made = 0
        self._keep = keep
        self._size = size

    async def __call__(self) -> Answer:
        self.made += 1
        number = self.made
        await asyncio.sleep(0.01)
        return Answer(str(number).encode() * self._size, self._keep)


def asked(keys: list[CallKey], make: Callable[[], Awaitable[Answer]], kept: KeptAnswers) -> list[bytes]:
    async def run() -> list[bytes]:
        return [(await kept.once(one, make)).body for one in keys]

    return asyncio.run(run())


def test_a_repeated_call_gets_the_kept_answer() -> None:
    make = Maker()
    assert asked([key(), key()], make, KeptAnswers(60)) == [b"1", b"1"]
    assert make.made == 1


def test_tenant_instance_and_body_each_make_another_call() -> None:
    keys = [key(), key(tenant="b"), key(instance="2"), key(body=b"y")]
    assert asked(keys, Maker(), KeptAnswers(60)) == [b"1", b"2", b"3", b"4"]


def test_answers_are_kept_for_their_time_only() -> None:
    now = 0.0
    kept = KeptAnswers(60, clock=lambda: now)
    make = Maker()
    asked([key()], make, kept)
    now = 59.0
    assert asked([key()], make, kept) == [b"1"]
    now = 61.0
    assert asked([key()], make, kept) == [b"2"]


def test_degraded_large_and_all_answers_of_a_store_of_zero_seconds_are_not_kept() -> None:
    assert asked([key(), key()], Maker(keep=False), KeptAnswers(60)) == [b"1", b"2"]
    assert asked([key(), key()], Maker(), KeptAnswers(0)) == [b"1", b"2"]
    large = Maker(size=kept_answers.MAX_ANSWER_BYTES + 1)
    asked([key(), key()], large, KeptAnswers(60))
    assert large.made == 2


def test_the_oldest_go_when_there_are_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept_answers, "MAX_ANSWERS", 2)
    keys = [key(instance=str(number)) for number in range(3)]
    make = Maker()
    kept = KeptAnswers(60)
    asked(keys, make, kept)
    assert asked([keys[2], keys[1], keys[0]], make, kept) == [b"3", b"2", b"4"]


def test_the_same_call_twice_at_once_is_made_once() -> None:
    make = Maker()

    async def run() -> list[bytes]:
        kept = KeptAnswers(60)
        return [answer.body for answer in await asyncio.gather(*(kept.once(key(), make) for _ in range(10)))]

    assert asyncio.run(run()) == [b"1"] * 10
    assert make.made == 1


def test_a_caller_that_hangs_up_does_not_cancel_the_other() -> None:
    make = Maker()

    async def run() -> bytes:
        kept = KeptAnswers(60)
        first = asyncio.create_task(kept.once(key(), make))
        second = asyncio.create_task(kept.once(key(), make))
        await asyncio.sleep(0)
        first.cancel()
        return (await second).body

    assert asyncio.run(run()) == b"1"


def test_errors_reach_every_caller_and_are_not_kept() -> None:
    calls = 0

    async def fails() -> Answer:
        nonlocal calls
        calls += 1
        await asyncio.sleep(0)
        raise ValueError("no")

    async def run() -> None:
        kept = KeptAnswers(60)
        both = await asyncio.gather(kept.once(key(), fails), kept.once(key(), fails), return_exceptions=True)
        assert [type(one) for one in both] == [ValueError, ValueError]
        with pytest.raises(ValueError, match="no"):
            await kept.once(key(), fails)

    asyncio.run(run())
    assert calls == 2
