"""What Prometheus may see of the web process: counts, times and fixed words, never a tenant, a patient or a text."""

from __future__ import annotations

from prometheus_client import Counter, Histogram

ANSWERS = Counter(
    "dxspan_answers_total",
    "Hook calls answered 200, by state (answered, silent, degraded) and reason.",
    ["state", "reason"],
)
ANSWER_SECONDS = Histogram(
    "dxspan_answer_seconds",
    "Time from a hook call's arrival to its answer.",
    buckets=(0.01, 0.03, 0.1, 0.3, 0.5, 1.0, 1.4, 1.5, 1.6, 3.0, 10.0),
)
RESPONSES = Counter("dxspan_responses_total", "HTTP answers, by route and status.", ["route", "status"])
AUDIT_ENTRIES = Counter(
    "dxspan_audit_entries_total", "Entries of the audit trail: kept on disk, delivered to the database.", ["stage"]
)
AUDIT_FAILURES = Counter("dxspan_audit_failures_total", "Times the audit trail's disk took no entry.")
SECURITY_EVENTS = Counter("dxspan_security_events_total", "Things that should not happen, by kind.", ["kind"])
