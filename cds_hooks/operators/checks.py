"""What is well, what needs attention, what is bad: one judgement for each thing that an operator can do something about.

Input: the state of the process. Output: checks with their numbers, in the order in which they should be looked at. What is not known is
said to be unknown, and never well. Thresholds stand here; words are page_words', what to do at length is in docs/operations.md.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from cds_hooks.drift import MUCH_DRIFT, SOME_DRIFT
from cds_hooks.operators.process_state import Queue, State
from nlp_core.assessment import Words

Level = Literal["bad", "attention", "unknown", "good"]
LEVELS: tuple[Level, ...] = ("bad", "attention", "unknown", "good")
"""Worst first."""
Runbook = Literal["worker-down", "redis-down", "slow", "drift", "silence", "breaker-open", ""]
"""Section of docs/operations.md; empty where there is none."""
SLOW_CANARY_SECONDS = 1.0
NEED_ANSWERS = ("latency", "degraded", "silence", "drift")
"""Checks that are not known before there are enough answers, which is no fault."""
FEW_ANSWERS = 20
"""With fewer in the hour, a share says nothing."""
FEW_FOR_SILENCE = 50
DEGRADED_GOAL, MANY_DEGRADED = 0.005, 0.05
"""99.5 % of calls shall get a real answer."""
MOSTLY_SILENT = 0.95
LONG_QUEUE, FULL_QUEUE = 0.25, 0.75
"""Shares of the limit."""
SKEW_SECONDS, MUCH_SKEW_SECONDS = 10.0, 120.0
MANY_WAITING_ROWS = 1000


@dataclass(frozen=True, slots=True)
class Check:
    """One thing and how it stands."""

    key: str
    level: Level
    value: Words
    runbook: Runbook = ""
    shared: bool = False
    """True where every web process would say the same; else it is this process's view."""


def checks_of(state: State) -> list[Check]:
    """All checks, worst first; those of one level in their own order."""
    found = list(_checks(state))
    return sorted(found, key=lambda check: LEVELS.index(check.level))


def worst(checks: list[Check]) -> Level:
    """Of all together, but for what there is nothing yet to judge by: a quiet night, or a site's first weeks."""
    judged = [one.level for one in checks if one.level != "unknown" or one.key not in NEED_ANSWERS]
    return min(judged, key=LEVELS.index, default="unknown")


def _checks(state: State) -> Iterator[Check]:
    yield _ready(state)
    if state.queue:
        yield from _of_queue(state.queue)
    elif state.loaded is not None:
        yield Check("model", "good" if state.loaded else "attention", _yes_or_no(state.loaded))
    yield _latency(state)
    yield _degraded(state)
    yield _silence(state)
    yield _drift(state)
    yield _feedback(state)
    yield _audit(state)
    yield _switches(state)
    yield _events(state, "quota", "quota_refused")
    yield _events(state, "security", "security_events")


def _ready(state: State) -> Check:
    return Check("ready", _level_of(state.ready), _yes_or_no(state.ready))


def _of_queue(queue: Queue) -> Iterator[Check]:
    if queue.state is None:
        yield Check("redis", "bad", Words(en="does not answer", zh="无响应"), "redis-down", shared=True)
    else:
        yield Check("redis", "good", Words(en="answers", zh="正常响应"), "redis-down", shared=True)
    said = (
        Words(en="open: the queue is left alone", zh="断开：暂不使用队列")
        if queue.left_alone
        else Words(en="closed", zh="闭合")
    )
    yield Check("breaker", "bad" if queue.left_alone else "good", said, "breaker-open")
    yield _workers(queue)
    yield _waiting(queue)
    skew = abs(queue.skew_seconds)
    yield Check("clock", _above(skew, SKEW_SECONDS, MUCH_SKEW_SECONDS), _seconds(skew))


def _workers(queue: Queue) -> Check:
    if queue.silent:
        return Check("workers", "bad", Words(en="no worker answers", zh="没有工作进程响应"), "worker-down", shared=True)
    took = queue.canary_seconds
    if took is None:
        return Check("workers", "unknown", Words(en="not asked yet", zh="尚未探测"), "worker-down", shared=True)
    level: Level = "attention" if took > SLOW_CANARY_SECONDS else "good"
    return Check("workers", level, _seconds(took), "slow" if level == "attention" else "worker-down", shared=True)


def _waiting(queue: Queue) -> Check:
    if queue.state is None:
        return Check("queue", "unknown", _NOT_KNOWN, "redis-down", shared=True)
    waiting, later = queue.state.waiting, queue.state.waiting_later
    value = Words(
        en=f"{waiting} of {queue.limit} charts, {later} more that nobody waits for",
        zh=f"{waiting}/{queue.limit} 份，另有 {later} 份无人等待",
    )
    return Check("queue", _above(waiting / queue.limit, LONG_QUEUE, FULL_QUEUE), value, "slow", shared=True)


def _latency(state: State) -> Check:
    quantiles = [state.hour.quantile(q) for q in (0.5, 0.95, 0.99)]
    if any(one is None for one in quantiles):
        return Check("latency", "unknown", _NO_ANSWERS, "slow")
    p50, p95, p99 = (one or 0.0 for one in quantiles)
    limit = state.deadline_seconds
    level = _above(p95, 0.8 * limit, limit) if state.hour.total >= FEW_ANSWERS else "unknown"
    value = f"p50 {seconds(p50)} · p95 {seconds(p95)} · p99 {seconds(p99)}"
    return Check("latency", level, Words(en=f"{value} of {limit:g} s", zh=f"{value}，时限 {limit:g} s"), "slow")


def _degraded(state: State) -> Check:
    return _of_share(state, "degraded", "degraded", (DEGRADED_GOAL, MANY_DEGRADED), FEW_ANSWERS, "slow")


def _silence(state: State) -> Check:
    return _of_share(state, "silence", "silent", (MOSTLY_SILENT, 1.0 - 1e-9), FEW_FOR_SILENCE, "silence")


def _of_share(state: State, key: str, outcome: str, bounds: tuple[float, float], few: int, runbook: Runbook) -> Check:
    share, total = state.hour.share(outcome), state.hour.total
    if share is None:
        return Check(key, "unknown", _NO_ANSWERS, runbook)
    value = f"{100 * share:.1f} % ({state.hour.of(outcome)} / {total})"
    level = _above(share, *bounds) if total >= few else "unknown"
    return Check(key, level, Words(en=value, zh=value), runbook)


def _drift(state: State) -> Check:
    indices = state.drift.indices if state.drift else {}
    if not indices:
        return Check("drift", "unknown", Words(en="too few readings yet", zh="读取数量尚不足"), "drift", shared=True)
    most = max(indices.values())
    value = Words(en=f"index up to {most:.2f}", zh=f"指数最高 {most:.2f}")
    return Check("drift", drift_level(most), value, "drift", shared=True)


def _feedback(state: State) -> Check:
    value = Words(en=f"{state.outbox} pieces wait for it", zh=f"{state.outbox} 条待写入")
    if state.feedback_ready:
        return Check("feedback", "attention" if state.outbox > MANY_WAITING_ROWS else "good", value, shared=True)
    away = Words(en=f"does not answer; {value.en}", zh=f"无响应；{value.zh}")
    return Check("feedback", "attention" if state.feedback_ready is None else "bad", away, shared=True)


def _audit(state: State) -> Check:
    failures = round(state.hour.events["audit_failures"])
    value = Words(en=f"{failures} failures in the last hour", zh=f"近一小时失败 {failures} 次")
    return Check("audit", "bad" if failures else "good", value)


def _switches(state: State) -> Check:
    if state.switches_faulty:
        return Check("switches", "bad", Words(en="the file cannot be followed", zh="开关文件无法读取"))
    count = len(state.switches)
    value = Words(en=f"{count} in force", zh=f"{count} 项生效")
    return Check("switches", "attention" if count else "good", value)


def _events(state: State, key: str, event: str) -> Check:
    count = round(state.hour.events[event])
    value = Words(en=f"{count} in the last hour", zh=f"近一小时 {count} 次")
    return Check(key, "attention" if count else "good", value)


def drift_level(index: float) -> Level:
    """Of one stability index."""
    return _above(index, SOME_DRIFT, MUCH_DRIFT)


def seconds(value: float) -> str:
    """`0.31 s`; beyond the last bucket `> 10 s`."""
    return "> 10 s" if math.isinf(value) else f"{value:.2f} s"


def _seconds(value: float) -> Words:
    return Words(en=seconds(value), zh=seconds(value))


def _above(value: float, attention: float, bad: float) -> Level:
    return "bad" if value > bad else "attention" if value > attention else "good"


def _level_of(fact: bool | None) -> Level:
    return "bad" if fact is False else "good" if fact else "attention"


def _yes_or_no(fact: bool | None) -> Words:
    return _NOT_KNOWN if fact is None else Words(en="yes", zh="是") if fact else Words(en="no", zh="否")


_NOT_KNOWN = Words(en="could not be learned", zh="无法获知")
_NO_ANSWERS = Words(en="no answers in the last hour", zh="近一小时无应答")
