"""What a worker does with a question about a chart: both picked up sealed, the answer left sealed.

Knows the order of decisions: gone, too late, answered. A question is never begun twice: whoever asked sees that no answer
came, and asks again. Never logs a word of question, chart or answer.
"""

from __future__ import annotations

import logging
import time

import redis
from pydantic import ValidationError

from worker.loaded_model import ChartReader, LoadedModel
from worker.messages import REPLY_SECONDS, AskedChart, QuestionReply, QuestionRequest, question_name, reply_name
from worker.payloads import CannotOpen, Sealer
from worker.reading_budget import reading_seconds

log = logging.getLogger(__name__)


class QuestionDesk:
    """Answers questions that requests ask."""

    def __init__(self, client: redis.Redis, sealer: Sealer, model: LoadedModel) -> None:
        self._redis, self._sealer, self._model = client, sealer, model

    def handle(self, request: QuestionRequest) -> str:
        """Answer one question; returns the outcome in a word of `dxspan_worker_tasks_total`."""
        with self._redis.pipeline(transaction=True) as pipe:
            pipe.pttl(question_name(request.reading))
            pipe.getdel(question_name(request.reading))
            life_left, sealed = pipe.execute()
        if sealed is None:
            return "gone"
        try:
            plain = self._sealer.open(sealed, "question", request.tenant, request.reading)
            asked = AskedChart.model_validate_json(plain)
        except (CannotOpen, ValidationError):
            log.error("question %s: cannot be opened (queue key of web and worker equal?)", request.reading)
            self._reply(request, QuestionReply(degraded="reader-failed"))
            return "unreadable"
        seconds = reading_seconds((life_left or 0) / 1000)
        if seconds <= 0:
            return "stale"
        return self._answer(request, asked, self._model.reader, time.monotonic() + seconds)

    def _answer(self, request: QuestionRequest, asked: AskedChart, reader: ChartReader, deadline: float) -> str:
        try:
            answer = reader.answer(asked.question, asked.chart, deadline=deadline)
        except Exception as error:  # whatever a reader may raise; its text may quote the chart: only its type is told
            log.error("question %s: the reader failed (%s)", request.reading, type(error).__name__)
            self._reply(request, QuestionReply(degraded="reader-failed"))
            return "failed"
        self._reply(request, QuestionReply(answer=answer))
        return "asked"

    def _reply(self, request: QuestionRequest, reply: QuestionReply) -> None:
        sealed = self._sealer.seal(reply.model_dump_json().encode(), "answer", request.tenant, request.reading)
        with self._redis.pipeline(transaction=False) as pipe:
            pipe.rpush(reply_name(request.reading), sealed)
            pipe.expire(reply_name(request.reading), REPLY_SECONDS)
            pipe.execute()
