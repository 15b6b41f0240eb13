"""Dashboard and alerts ask only for metrics, labels and values that exist, and every alert says what to do."""

from __future__ import annotations

import importlib.util
import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import get_args

import pytest
import yaml
from prometheus_client import Counter, Gauge, Histogram

from cds_hooks import watch as web
from cds_hooks.operators.checks import Runbook
from cds_hooks.outcome import State
from worker import watch as worker
from worker.client import Degraded

ROOT = Path(__file__).parents[2]
DASHBOARD = json.loads((ROOT / "docker/grafana/dxspan.json").read_text(encoding="utf-8"))
ALERTS = ROOT / "docker/prometheus/alerts.yaml"
RULES = [rule for group in yaml.safe_load(ALERTS.read_text(encoding="utf-8"))["groups"] for rule in group["rules"]]
DRAWN = [target["expr"] for panel in DASHBOARD["panels"] for target in panel["targets"]]
WORDS_OF_THE_LANGUAGE = set(
    "sum rate increase max min abs by or and histogram_quantile topk bottomk le m h d inf".split()
)
GIVEN_BY_PROMETHEUS = {"instance", "job"}
VALUES = {"state": set(get_args(State)), "way": {"queue", "process"}, "outcome": {"shown", "accepted", "overridden"} | set(get_args(Degraded)), "fault": {"memory", "numbers", "lost"}}  # fmt: skip


def known() -> dict[str, set[str]]:
    """Labels by name of the series, as Prometheus sees them."""
    found: dict[str, set[str]] = {}
    for room in (web, worker):
        for metric in vars(room).values():
            if isinstance(metric, Counter | Gauge | Histogram):
                name, labels = metric._name, set(metric._labelnames)
                series = {Counter: f"{name}_total", Histogram: f"{name}_bucket"}.get(type(metric), name)
                found[series] = labels | ({"le"} if isinstance(metric, Histogram) else set())
    return found


@pytest.mark.parametrize("query", [*DRAWN, *(rule["expr"] for rule in RULES)])
def test_every_query_names_metrics_labels_and_values_that_exist(query: str) -> None:
    series = re.findall(r"dxspan_\w+", query)
    assert series
    assert set(series) <= known().keys()
    labels = set().union(*(known()[name] for name in series)) | GIVEN_BY_PROMETHEUS
    words = set(re.findall(r"[a-z_]+", re.sub(r'"[^"]*"', "", query).lower()))
    assert words - set(series) - WORDS_OF_THE_LANGUAGE <= labels
    assert {value for label, value in re.findall(r'(\w+)="([^"]*)"', query) if value not in VALUES[label]} == set()
    for opening, closing in ("()", "[]", "{}"):
        assert query.count(opening) == query.count(closing)


def test_no_query_asks_for_a_counter_without_its_rate() -> None:
    for query in (*DRAWN, *(rule["expr"] for rule in RULES)):
        for name in re.findall(r"dxspan_\w+(?:_total|_bucket)", query):
            assert re.search(rf"(rate|increase)\({name}(\{{[^}}]*\}})?\[\d+[mhd]\]", query), query


def test_every_metric_is_drawn_or_alerted_or_left_out_on_purpose() -> None:
    """A metric that nobody looks at is a gap; those left out tell what another one tells."""
    asked = set(re.findall(r"dxspan_\w+", " ".join((*DRAWN, *(rule["expr"] for rule in RULES)))))
    left_out = {name for name in known() if name not in asked}
    assert left_out == {
        "dxspan_compared_answers_not_kept_total",
        "dxspan_drift_readings",
        "dxspan_feedback_unknown_cards",
        "dxspan_fhir_notifications_total",
        "dxspan_last_cards_total",
        "dxspan_own_canary_seconds",
        "dxspan_precompute_shed_total",
        "dxspan_queue_junk_total",
        "dxspan_shadow_answers_total",
        "dxspan_switches",
        "dxspan_switches_faults_total",
    }


def test_the_dashboard_is_what_its_list_says() -> None:
    spec = importlib.util.spec_from_file_location("draw_dashboard", ROOT / "docs/draw_dashboard.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    written = (ROOT / "docker/grafana/dxspan.json").read_text(encoding="utf-8")
    assert written == module.written(), "run `python docs/draw_dashboard.py`"


def test_panels_do_not_overlap() -> None:
    places = [(panel["gridPos"]["x"], panel["gridPos"]["y"]) for panel in DASHBOARD["panels"]]
    assert len(set(places)) == len(places)
    assert len({panel["id"] for panel in DASHBOARD["panels"]}) == len(places)


def test_every_alert_has_a_name_of_its_own_a_severity_a_summary_and_a_runbook() -> None:
    assert len({rule["alert"] for rule in RULES}) == len(RULES)
    for rule in RULES:
        assert set(rule) <= {"alert", "expr", "for", "labels", "annotations"}
        assert re.fullmatch(r"Dxspan[A-Za-z]+", rule["alert"])
        assert re.fullmatch(r"\d+[smhd]", rule.get("for", "0s"))
        assert rule["labels"]["severity"] in ("critical", "warning")
        assert rule["annotations"]["summary"].endswith(".")


def test_runbooks_are_sections_that_exist() -> None:
    pages = {name: (ROOT / f"docs/{name}.md").read_text(encoding="utf-8") for name in ("operators", "operations")}
    sections = {
        f"docs/{name}.md#{one.lower().replace(' ', '-')}"
        for name, page in pages.items()
        for one in re.findall(r"^#+ (.+)$", page, re.MULTILINE)
    }
    assert {f"docs/operations.md#{name}" for name in get_args(Runbook) if name} <= sections
    assert {rule["annotations"]["runbook"] for rule in RULES} <= sections
    named = {rule["annotations"]["runbook"].partition("#")[2] for rule in RULES}
    assert {name for name in get_args(Runbook) if name} <= named, "every section has an alert that leads to it"


def test_prometheus_itself_takes_the_rules() -> None:
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("no promtool (Debian's package prometheus)")
    said = subprocess.run(
        [promtool, "check", "rules", str(ALERTS)], capture_output=True, text=True, timeout=60, check=False
    )
    assert said.returncode == 0, said.stdout + said.stderr


def test_the_example_configuration_scrapes_each_process_by_itself() -> None:
    config = yaml.safe_load((ROOT / "docker/prometheus/prometheus.yaml").read_text(encoding="utf-8"))
    assert config["rule_files"] == [ALERTS.name]
    assert {job["job_name"] for job in config["scrape_configs"]} == {"dxspan-web", "dxspan-worker"}
