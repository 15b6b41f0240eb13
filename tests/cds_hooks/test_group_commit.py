import asyncio
from collections.abc import Sequence

import pytest

from cds_hooks.group_commit import GroupCommit


class Written:
    def __init__(self, *, fails: bool = False) -> None:
        self.groups: list[list[int]] = []
        self.fails = fails

    async def __call__(self, rows: Sequence[int]) -> None:
        await asyncio.sleep(0)
        if self.fails:
            raise OSError("disk full")
        self.groups.append(list(rows))


def test_rows_added_close_together_are_written_at_once_and_in_order():
    written = Written()

    async def add() -> None:
        group = GroupCommit(written, seconds=0.02)
        await asyncio.gather(*(group.add([number, -number]) for number in range(3)))

    asyncio.run(add())
    assert written.groups == [[0, 0, 1, -1, 2, -2]]


def test_whoever_adds_waits_until_the_rows_are_kept():
    written = Written()

    async def add() -> None:
        group = GroupCommit(written, seconds=0.0)
        for number in range(3):
            await group.add([number])
            assert written.groups[-1] == [number]

    asyncio.run(add())


def test_a_failure_reaches_every_caller_and_does_not_outlive_its_group():
    written = Written(fails=True)

    async def add() -> None:
        group = GroupCommit(written, seconds=0.0)
        failed = await asyncio.gather(*(group.add([number]) for number in range(3)), return_exceptions=True)
        assert [type(error) for error in failed] == [OSError] * 3
        written.fails = False
        await group.add([7])

    asyncio.run(add())
    assert written.groups == [[7]]


def test_a_cancelled_caller_takes_no_other_callers_rows_with_it():
    written = Written()

    async def add() -> None:
        group = GroupCommit(written, seconds=0.02)
        first = asyncio.create_task(group.add([1]))
        second = asyncio.create_task(group.add([2]))
        await asyncio.sleep(0)
        first.cancel()
        await second
        with pytest.raises(asyncio.CancelledError):
            await first

    asyncio.run(add())
    assert written.groups == [[1, 2]]


def test_it_works_again_after_its_event_loop_ended_in_the_middle():
    written = Written()
    group = GroupCommit(written, seconds=0.02)

    async def give_up() -> None:
        task = asyncio.create_task(group.add([1]))
        await asyncio.sleep(0)
        task.cancel()

    asyncio.run(give_up())
    asyncio.run(group.add([2]))
    assert written.groups == [[2]]


def test_what_comes_while_a_group_is_written_is_one_group_too():
    written = Written()
    go_on = asyncio.Event()

    async def slow(rows: Sequence[int]) -> None:
        await go_on.wait()
        await written(rows)

    async def add() -> None:
        group = GroupCommit(slow, seconds=0.0)
        adding = []
        for number in range(5):
            adding.append(asyncio.create_task(group.add([number])))
            await asyncio.sleep(0.001)
        go_on.set()
        await asyncio.gather(*adding)

    asyncio.run(add())
    assert written.groups == [[0], [1, 2, 3, 4]]
