"""What Prometheus may see of the web process: counts, times and fixed words, never a tenant, a patient or a text."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

ANSWERS = Counter(
    "dxspan_answers_total",
    "Hook calls answered 200, by state (answered, silent, degraded) and reason.",
    ["state", "reason"],
)
LAST_CARDS = Counter("dxspan_last_cards_total", "Degraded answers in which a patient's last card stood in.")
ANSWER_SECONDS = Histogram(
    "dxspan_answer_seconds",
    "Time from a hook call's arrival to its answer.",
    buckets=(0.01, 0.02, 0.03, 0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 1.0, 1.2, 1.4, 1.5, 1.6, 2.0, 3.0, 5.0, 10.0),
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
SWITCHES_OFF = Gauge("dxspan_switches", "Things switched off or in shadow mode, by mode.", ["mode"])
SWITCHES_FAULTY = Gauge(
    "dxspan_switches_file_faulty", "1 while the switches file cannot be followed: the last good state stays."
)
SWITCHES_FAULTS = Counter("dxspan_switches_faults_total", "Looks at a switches file that could not be used.", ["kind"])
SHADOW_ANSWERS = Counter(
    "dxspan_shadow_answers_total", "Answers kept instead of shown, by what they would have been.", ["state", "reason"]
)
COMPARED_LOST = Counter("dxspan_compared_answers_not_kept_total", "Answers that could not be kept for comparison.")
PRECOMPUTED = Counter(
    "dxspan_precompute_total",
    "Calls to read a chart ahead, by what became of them: handed-over, shed, not-soon, switched-off, no-data, deadline, failed.",
    ["outcome"],
)
NOTIFICATIONS = Counter(
    "dxspan_fhir_notifications_total",
    "Notifications of FHIR servers, by kind; names-nobody: events that name neither a patient nor an encounter of that server.",
    ["kind"],
)
QUOTA_REFUSED = Counter("dxspan_quota_refused_total", "Calls refused with 429, over their tenant's quota.", ["kind"])
DRIFT = Gauge(
    "dxspan_drift_stability_index",
    "Population stability index of the last days' readings against the site's first ones, by what is compared; above 0.25 much "
    "has changed. All processes and tenants together.",
    ["what"],
)
DRIFT_READINGS = Gauge("dxspan_drift_readings", "Readings compared for drift, by part (reference, recent).", ["part"])
