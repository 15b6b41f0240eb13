"""The worker's side of Redis: picks sealed charts up, and leaves sealed replies and answers.

Knows keys, seals and lifetimes. Does not read charts, and never logs one.
"""

from __future__ import annotations

from dataclasses import dataclass

import redis
from pydantic import ValidationError

from nlp_core.assessment import Assessment
from nlp_core.chart import Chart
from worker.kept_answers import answer_mark, opened_answer, sealed_answer
from worker.messages import (
    DEAD_LETTERS_NAME,
    FRESH_QUEUE,
    KEY_PREFIX,
    MODEL_VERSION_NAME,
    REPLY_SECONDS,
    ReadReply,
    ReadRequest,
    answer_name,
    attempts_name,
    chart_name,
    reply_name,
)
from worker.payloads import CannotOpen, Sealer
from worker.watch import DEAD_LETTERS

ATTEMPTS_SECONDS = 86_400
"""How long a chart whose reading failed is remembered, and so how long a quarantine lasts: a chart's mark changes with
the day, so there is no third try."""
MOST_DEAD_LETTERS = 1000
DEAD_LETTERS_SECONDS = 7 * 86_400
MODEL_VERSION_SECONDS = 86_400


@dataclass(frozen=True, slots=True)
class PickedUp:
    """A chart for reading, or the answer that another reading of the same chart has already given."""

    content: Chart | Assessment
    age_seconds: float
    """Since the chart was sealed, by Redis's clock."""
    attempts: int
    """Readings of this chart begun and not finished, this one included."""


class ChartStore:
    """Keys and seals around a blocking Redis client."""

    def __init__(self, client: redis.Redis, sealer: Sealer, *, cache_seconds: int) -> None:
        self._redis = client
        self._sealer = sealer
        self._cache_seconds = cache_seconds

    def announce(self, model_version: str) -> None:
        """Say which model answers from now on: cached answers of any other are no longer served."""
        self._redis.set(MODEL_VERSION_NAME, model_version, ex=MODEL_VERSION_SECONDS)

    def pick_up(self, request: ReadRequest, model_version: str) -> PickedUp | None:
        """Fetch the chart and count the attempt; None when it is gone (done by someone, or too old).

        Raises CannotOpen when it was sealed otherwise, and for anything under the seal that is no chart.
        """
        attempts = attempts_name(request.chart_mark)
        mark = answer_mark(self._sealer, request.chart_mark, model_version)
        with self._redis.pipeline(transaction=False) as pipe:
            pipe.get(chart_name(request.reading))
            pipe.pttl(chart_name(request.reading))
            pipe.get(answer_name(mark))
            pipe.incr(attempts)
            pipe.expire(attempts, ATTEMPTS_SECONDS)
            sealed, life_left, kept, count, _ = pipe.execute()
        if sealed is None:
            self.uncount(request)
            return None
        age = max(0, request.life_ms - life_left) / 1000
        answer = opened_answer(self._sealer, request.tenant, mark, kept)
        return PickedUp(answer or self._opened_chart(request, sealed), age, count)

    def uncount(self, request: ReadRequest) -> None:
        """Take back the attempt that `pick_up` counted: the chart was not read."""
        attempts = attempts_name(request.chart_mark)
        with self._redis.pipeline(transaction=False) as pipe:
            pipe.decr(attempts)
            pipe.expire(attempts, ATTEMPTS_SECONDS)
            pipe.execute()

    def answer(
        self,
        request: ReadRequest,
        assessment: Assessment,
        *,
        cached: bool = False,
        whole: bool = True,
        keep: bool = True,
    ) -> None:
        """Reply to the caller, if one waits. `whole` answers end the reading, its chart is deleted, and are kept if `keep`."""
        with self._redis.pipeline(transaction=False) as pipe:
            self._put_reply(pipe, request, ReadReply(assessment=assessment, cached=cached))
            done = [chart_name(request.reading)] if whole else []
            pipe.delete(attempts_name(request.chart_mark), *done)
            pipe.set(MODEL_VERSION_NAME, assessment.model_version, ex=MODEL_VERSION_SECONDS, nx=True)
            if whole and keep and self._cache_seconds and not cached:
                self._put_answer(pipe, request, assessment)
            pipe.execute()

    def refuse(self, request: ReadRequest) -> None:
        """Tell the caller that the reader failed, and delete the chart. The attempt stays counted."""
        with self._redis.pipeline(transaction=False) as pipe:
            self._put_reply(pipe, request, ReadReply(degraded="reader-failed"))
            pipe.delete(chart_name(request.reading))
            pipe.execute()

    def quarantine(self, request: ReadRequest) -> None:
        """As `refuse`, and note the chart's mark among the dead letters, once: whoever looks there learns how many."""
        with self._redis.pipeline(transaction=False) as pipe:
            pipe.lrem(DEAD_LETTERS_NAME, 0, request.chart_mark)
            pipe.lpush(DEAD_LETTERS_NAME, request.chart_mark)
            pipe.ltrim(DEAD_LETTERS_NAME, 0, MOST_DEAD_LETTERS - 1)
            pipe.expire(DEAD_LETTERS_NAME, DEAD_LETTERS_SECONDS)
            already_there, *_ = pipe.execute()
        if not already_there:
            DEAD_LETTERS.inc()
        self.refuse(request)

    def drop(self, request: ReadRequest) -> None:
        """Delete a chart that is not to be read at all."""
        self._redis.delete(chart_name(request.reading))
        self.uncount(request)

    def somebody_waits(self) -> bool:
        """Does a chart lie in the queue that somebody waits for? Raises Redis's errors."""
        return bool(self._redis.llen(f"{KEY_PREFIX}{FRESH_QUEUE}"))

    def show_life(self, reading: str) -> None:
        """Answer a canary."""
        with self._redis.pipeline(transaction=False) as pipe:
            pipe.rpush(reply_name(reading), b"alive")
            pipe.expire(reply_name(reading), REPLY_SECONDS)
            pipe.execute()

    def _put_reply(self, pipe: redis.client.Pipeline, request: ReadRequest, reply: ReadReply) -> None:
        if request.wait_ms:
            name = reply_name(request.reading)
            sealed = self._sealer.seal(reply.model_dump_json().encode(), "reply", request.tenant, request.reading)
            pipe.rpush(name, sealed)
            pipe.expire(name, REPLY_SECONDS)

    def _put_answer(self, pipe: redis.client.Pipeline, request: ReadRequest, assessment: Assessment) -> None:
        mark = answer_mark(self._sealer, request.chart_mark, assessment.model_version)
        sealed = sealed_answer(self._sealer, request.tenant, mark, assessment)
        pipe.set(answer_name(mark), sealed, ex=self._cache_seconds)

    def _opened_chart(self, request: ReadRequest, sealed: bytes) -> Chart:
        plain = self._sealer.open(sealed, "chart", request.tenant, request.reading, request.chart_mark)
        try:
            return Chart.model_validate_json(plain)
        except ValidationError:
            raise CannotOpen("what was sealed is no chart of this version") from None
