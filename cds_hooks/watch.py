"""What Prometheus may see of the web process: counts, times and fixed words, never a tenant, a patient or a text."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

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
SUGGESTIONS = Gauge(
    "dxspan_suggestions",
    "Cards that showed a diagnosis within acceptance_days, and those accepted or overridden; all tenants together.",
    ["diagnosis", "outcome"],
)
MUTED = Gauge("dxspan_muted_diagnoses", "Tenants that a diagnosis is muted for, few having accepted it.", ["diagnosis"])
UNKNOWN_CARDS = Gauge(
    "dxspan_feedback_unknown_cards", "Reports within acceptance_days about cards that their tenant was never shown."
)
OUTBOX_ENTRIES = Gauge("dxspan_feedback_outbox_entries", "Pieces of feedback that wait for the feedback database.")
FEEDBACK_LOST = Counter(
    "dxspan_feedback_not_kept_total", "Feedback or shown cards that could not be kept, by why.", ["reason"]
)
