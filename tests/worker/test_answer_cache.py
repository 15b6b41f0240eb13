"""The cache in memory forgets by age and by number."""

from __future__ import annotations

from tests.worker.conftest import chart_of
from tests.worker.plain_reader import PlainReader
from worker.answer_cache import AnswerCache

ANSWER = PlainReader().assess(chart_of("a note"))


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_an_answer_is_kept_for_its_time() -> None:
    clock = Clock()
    cache = AnswerCache(2, 900, clock=clock)
    cache.put(("north", "1"), ANSWER)
    clock.now = 899
    assert cache.get(("north", "1")) is ANSWER
    clock.now = 900
    assert cache.get(("north", "1")) is None


def test_the_least_recently_used_goes_first() -> None:
    cache = AnswerCache(2, 900)
    cache.put(("1",), ANSWER)
    cache.put(("2",), ANSWER)
    cache.get(("1",))
    cache.put(("3",), ANSWER)
    assert [cache.get((key,)) is not None for key in "123"] == [True, False, True]
