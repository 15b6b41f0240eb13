"""What Prometheus may see of the web process: counts, times and fixed words, never a tenant, a patient or a text."""

from __future__ import annotations

from prometheus_client import Counter, Histogram

ANSWERS = Counter(
    "dxspan_answers_total",
    "Hook calls answered 200, by state (answered, silent, degraded) and reason.",
    ["state", "reason"],
)
LAST_CARDS = Counter("dxspan_last_cards_total", "Degraded answers in which a patient's last card stood in.")
ANSWER_SECONDS = Histogram(
    "dxspan_answer_seconds",
    "Time from a hook call's arrival to its answer.",
    buckets=(0.01, 0.03, 0.1, 0.3, 0.5, 1.0, 1.4, 1.5, 1.6, 3.0, 10.0),
)
RESPONSES = Counter("dxspan_responses_total", "HTTP answers, by route and status.", ["route", "status"])
SECURITY_EVENTS = Counter("dxspan_security_events_total", "Things that should not happen, by kind.", ["kind"])
