"""G2: a patient's last assessment stands in only while all it cites is still in the chart, and the card says so."""

from __future__ import annotations

import asyncio
import html
import os
import signal
import time
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any, Literal, TypeVar

import pytest

from cds_hooks.card_detail import DETAIL_LIMIT
from cds_hooks.last_answers import (
    FIND_SECONDS,
    LastAnswer,
    MemoryLastAnswers,
    RedisLastAnswers,
    kept_assessment,
    still_holds,
)
from cds_hooks.occasion import EarlierReading
from cds_hooks.safe_markdown import WORD_JOINER
from nlp_core.assessment import Assessment, Words
from nlp_core.chart import Chart, Fact, Problem
from nlp_core.note import Note
from tests.cds_hooks.assessments import BUILDER, NOTE, NOW, assessment, candidate, chart, occasion
from worker.local_redis import LocalRedis, ensure_server
from worker.messages import MODEL_VERSION_NAME
from worker.payloads import new_queue_key
from worker.redis_connection import async_redis
from worker.settings import QueueSettings

T = TypeVar("T")
NEWER = Note(reference="DocumentReference/2", text="Seen again, feels worse.", date=NOW)
FACT = Fact(kind="laboratory", reference="Observation/1", text="CRP", value=7.0, unit="mg/L")
MODEL = assessment().model_version


def found(now: Chart, then: Chart | None = None, read: Assessment | None = None) -> LastAnswer | None:
    return still_holds(kept_assessment(read or assessment(), then or chart(), NOW), now)


@pytest.mark.parametrize(
    ("changes", "newer"),
    [
        ({}, None),
        ({"as_of": NOW + timedelta(minutes=9)}, None),
        ({"notes": (NEWER, NOTE)}, "note"),
        ({"facts": (FACT,)}, "data"),
        ({"notes": (NEWER, NOTE), "facts": (FACT,)}, "note"),
    ],
)
def test_g02_it_stands_in_and_says_what_is_newer(changes: dict[str, Any], newer: str | None) -> None:
    last = found(chart(**changes))
    assert last is not None
    assert last.reading == EarlierReading(NOW, newer)  # type: ignore[arg-type]  # a parameter


@pytest.mark.parametrize(
    "changes",
    [
        {"notes": (NEWER,)},
        {"notes": (NOTE.model_copy(update={"text": NOTE.text + " Addendum: afebrile."}),)},
        {"problems": (Problem(reference="Condition/1", text="Influenza"),)},
        {"problems_available": False},
        {"sex": "male"},
        {"deceased": True},
    ],
    ids=["the note is gone", "the note is amended", "a new problem", "problems unreadable", "sex", "deceased"],
)
def test_g02_it_does_not_when_what_it_rests_on_has_changed(changes: dict[str, Any]) -> None:
    assert found(chart(**changes)) is None


def test_g02_a_cited_result_that_was_corrected_is_not_shown_any_more() -> None:
    cited = candidate().evidence_for[0].model_copy(update={"reference": FACT.reference, "span": None, "quote": "CRP 7"})
    read = assessment(candidate(evidence_for=(cited,)))
    corrected = FACT.model_copy(update={"value": 70.0})
    assert found(chart(facts=(FACT,)), chart(facts=(FACT,)), read) is not None
    assert found(chart(facts=(corrected,)), chart(facts=(FACT,)), read) is None


def test_g02_an_assessment_that_was_silent_has_nothing_to_show() -> None:
    assert found(chart(), read=assessment(silence="weak_evidence")) is None


@pytest.mark.parametrize(
    ("language", "newer", "marked"),
    [
        ("en", "note", "computed 2026-11-23 00:00 UTC, newer note not yet read"),
        ("en", "data", "computed 2026-11-23 00:00 UTC, newer data not yet read"),
        ("zh", "note", "计算于2026-11-23 00:00 UTC，有更新的病历尚未读取"),
        ("zh", None, "计算于2026-11-23 00:00 UTC"),
    ],
)
def test_g02_summary_and_detail_say_when_it_was_computed_and_nothing_is_proposed(
    language: str, newer: Literal["note", "data"] | None, marked: str
) -> None:
    names = [candidate("A name of a disease that goes on and on for a very long time indeed " * 2)] * 3
    read = assessment(*names, language=language)
    built = asyncio.run(BUILDER(read, chart(), occasion(earlier=EarlierReading(NOW, newer))))
    card = built.cards[0].model_dump(mode="json", by_alias=True, exclude_none=True)
    assert card["summary"].endswith(marked)
    assert len(card["summary"]) <= 139
    assert html.unescape(card["detail"]).replace(WORD_JOINER, "").startswith(f"**{marked}**")
    assert len(card["detail"]) <= DETAIL_LIMIT
    assert "suggestions" not in card


def with_redis(server: LocalRedis, work: Callable[[RedisLastAnswers], Awaitable[T]]) -> T:
    settings = QueueSettings.model_validate({"redis_url": server.url, "queue_key": new_queue_key()})

    async def run() -> T:
        store = RedisLastAnswers(async_redis(settings, connections=4), settings.sealer, 60)
        try:
            return await work(store)
        finally:
            await store.close()

    return asyncio.run(run())


KEPT = kept_assessment(assessment(candidate(names=Words(en="Canary disease", zh="金丝雀"))), chart(), NOW)


def test_g02_redis_keeps_it_sealed_for_its_time_for_tenant_patient_and_model(redis_server: LocalRedis) -> None:
    import redis

    async def keep_and_ask(store: RedisLastAnswers) -> list[LastAnswer | None]:
        await store.keep("hospital-a", "canary-patient", KEPT)
        with redis.Redis.from_url(redis_server.url) as client:
            client.set(MODEL_VERSION_NAME, MODEL)
            (key,) = client.keys("dxspan:last:*")
            sealed = client.get(key)
            assert isinstance(sealed, bytes)
            assert not any(word in key + sealed for word in (b"anary", b"hospital", b"High fever"))
            assert 0 < client.ttl(key) <= 60
            asked = [("hospital-a", "canary-patient"), ("hospital-b", "canary-patient"), ("hospital-a", "p-2")]
            answers = [await store.find(*who, chart()) for who in asked]
            client.set(MODEL_VERSION_NAME, "2+newer0000000")  # G16
            answers.append(await store.find("hospital-a", "canary-patient", chart()))
            client.flushall()  # G7
            answers.append(await store.find("hospital-a", "canary-patient", chart()))
        return answers

    first, *others = with_redis(redis_server, keep_and_ask)
    assert first is not None
    assert first.assessment == KEPT.assessment
    assert others == [None] * 4


@pytest.mark.parametrize("fault", [signal.SIGSTOP, signal.SIGKILL])
def test_g05_g06_a_redis_that_fails_costs_no_caller_any_time(fault: signal.Signals) -> None:
    with LocalRedis(ensure_server()) as server:

        async def find(store: RedisLastAnswers) -> tuple[LastAnswer | None, float]:
            await store.keep("hospital-a", "p-1", KEPT)
            os.kill(server.pid, fault)
            begun = time.monotonic()
            return await store.find("hospital-a", "p-1", chart()), time.monotonic() - begun

        answer, seconds = with_redis(server, find)
    assert answer is None
    assert seconds < FIND_SECONDS + 0.1


def test_g02_without_redis_memory_keeps_it() -> None:
    async def keep_and_ask() -> list[LastAnswer | None]:
        store = MemoryLastAnswers(60)
        await store.keep("hospital-a", "p-1", KEPT)
        return [await store.find(tenant, "p-1", chart()) for tenant in ("hospital-a", "hospital-b")]

    mine, another_s = asyncio.run(keep_and_ask())
    assert mine is not None
    assert another_s is None
