"""Writes docker/grafana/dxspan.json, a dashboard for Grafana: `python docs/draw_dashboard.py`.

The panels are the list below; every query names metrics of cds_hooks/watch.py and worker/watch.py (a test checks it).
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

DASHBOARD = Path(__file__).resolve().parents[1] / "docker" / "grafana" / "dxspan.json"
SOURCE = {"type": "prometheus", "uid": "${datasource}"}
ANSWERED = "sum(rate(dxspan_answers_total[5m]))"
PANELS = (
    ("Answers by state", "ops", (("sum by (state) (rate(dxspan_answers_total[5m]))", "{{state}}"),)),
    (
        "Silence rate",
        "percentunit",
        ((f'sum(rate(dxspan_answers_total{{state="silent"}}[5m])) / {ANSWERED}', "silent"),),
    ),
    (
        "Degraded answers by reason",
        "ops",
        (('sum by (reason) (rate(dxspan_answers_total{state="degraded"}[5m]))', "{{reason}}"),),
    ),
    (
        "Time to answer",
        "s",
        tuple(
            (f"histogram_quantile({q}, sum by (le) (rate(dxspan_answer_seconds_bucket[5m])))", f"p{100 * q:g}")
            for q in (0.5, 0.95, 0.99)
        ),
    ),
    (
        "Reading and waiting, p95",
        "s",
        (
            (
                "histogram_quantile(0.95, sum by (le) (rate(dxspan_worker_reading_seconds_bucket[5m])))",
                "reading a chart",
            ),
            (
                "histogram_quantile(0.95, sum by (le) (rate(dxspan_queue_wait_seconds_bucket[5m])))",
                "waiting in the queue",
            ),
        ),
    ),
    (
        "Queue",
        "ops",
        (
            ("sum by (outcome) (rate(dxspan_worker_tasks_total[5m]))", "tasks: {{outcome}}"),
            ("sum(rate(dxspan_queue_fallbacks_total[5m]))", "read in process instead"),
            ("sum(rate(dxspan_dead_letters_total[5m]))", "quarantined"),
        ),
    ),
    (
        "Health",
        "none",
        (
            ("max(dxspan_queue_breaker_open)", "queue left alone"),
            ("max(dxspan_switches_file_faulty)", "switches file faulty"),
            ("sum(dxspan_feedback_outbox_entries)", "feedback waiting for its database"),
        ),
    ),
    ("Canary through a worker", "s", (("max by (instance) (dxspan_canary_seconds)", "{{instance}}"),)),
    (
        "Accepted share by diagnosis, least first",
        "percentunit",
        (
            (
                'bottomk(15, max by (diagnosis) (dxspan_suggestions{outcome="accepted"}) / '
                'max by (diagnosis) (dxspan_suggestions{outcome="shown"} >= 20))',
                "{{diagnosis}}",
            ),
        ),
    ),
    (
        "Shown by diagnosis",
        "none",
        (('topk(15, max by (diagnosis) (dxspan_suggestions{outcome="shown"}))', "{{diagnosis}}"),),
    ),
    ("Muted diagnoses", "none", (("max by (diagnosis) (dxspan_muted_diagnoses)", "{{diagnosis}}"),)),
    (
        "Readings that fell short, device and model faults",
        "ops",
        (
            ("sum by (why) (rate(dxspan_partly_read_notes_total[5m]))", "notes read in part: {{why}}"),
            ("sum by (fault) (rate(dxspan_model_faults_total[5m]))", "model: {{fault}}"),
            ("sum by (fault) (dxspan_device_faults)", "device since start: {{fault}}"),
        ),
    ),
    (
        "Words not encoded twice",
        "percentunit",
        (
            (
                'sum(rate(dxspan_sentence_characters_total{found!="encoder"}[5m])) / '
                "sum(rate(dxspan_sentence_characters_total[5m]))",
                "of characters",
            ),
            (
                'sum(rate(dxspan_sentences_total{found!="encoder"}[5m])) / sum(rate(dxspan_sentences_total[5m]))',
                "of sentences",
            ),
        ),
    ),
    ("Memory of sentences", "bytes", (("max by (instance) (dxspan_sentence_memory_bytes)", "{{instance}}"),)),
    (
        "Charts read ahead",
        "ops",
        (
            ("sum by (outcome) (rate(dxspan_precompute_total[5m]))", "{{outcome}}"),
            ("sum(rate(dxspan_gave_way_total[5m]))", "gave way to an opened chart"),
        ),
    ),
    ("Calls refused over quota", "ops", (("sum by (kind) (rate(dxspan_quota_refused_total[5m]))", "{{kind}}"),)),
    ("Clock against Redis's", "s", (("max by (instance) (abs(dxspan_clock_skew_seconds))", "{{instance}}"),)),
    (
        "Drift (stability index; above 0.25 much has changed)",
        "none",
        (("max by (what) (dxspan_drift_stability_index)", "{{what}}"),),
    ),
    ("HTTP by status", "ops", (("sum by (status) (rate(dxspan_responses_total[5m]))", "{{status}}"),)),
    ("Security events", "ops", (("sum by (kind) (rate(dxspan_security_events_total[5m]))", "{{kind}}"),)),
    (
        "Audit trail",
        "ops",
        (
            ("sum by (stage) (rate(dxspan_audit_entries_total[5m]))", "{{stage}}"),
            ("sum(rate(dxspan_audit_failures_total[5m]))", "failures"),
        ),
    ),
)  # fmt: skip
WIDE, HIGH, ACROSS = 8, 8, 3


def dashboard() -> dict[str, Any]:
    """Grafana's JSON model."""
    panels = [_panel(number, *panel) for number, panel in enumerate(PANELS)]
    chosen = {"name": "datasource", "type": "datasource", "query": "prometheus", "label": "Prometheus"}
    return {
        "uid": "dxspan", "title": "dxspan", "tags": ["dxspan"], "schemaVersion": 39, "timezone": "browser",
        "refresh": "30s", "time": {"from": "now-6h", "to": "now"}, "templating": {"list": [chosen]}, "panels": panels,
    }  # fmt: skip


def _panel(number: int, title: str, unit: str, queries: tuple[tuple[str, str], ...]) -> dict[str, Any]:
    row, column = divmod(number, ACROSS)
    return {
        "id": number + 1, "type": "timeseries", "title": title, "datasource": SOURCE,
        "gridPos": {"x": column * WIDE, "y": row * HIGH, "w": WIDE, "h": HIGH},
        "fieldConfig": {"defaults": {"unit": unit, "min": 0}, "overrides": []},
        "targets": [
            {"refId": chr(ord("A") + place), "expr": expression, "legendFormat": legend, "datasource": SOURCE}
            for place, (expression, legend) in enumerate(queries)
        ],
    }  # fmt: skip


def written() -> str:
    """The file."""
    return json.dumps(dashboard(), indent=1) + "\n"


if __name__ == "__main__":
    DASHBOARD.write_text(written(), encoding="utf-8")
    sys.exit(0)
