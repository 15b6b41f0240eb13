"""The Helm chart: it renders, Kubernetes takes what comes of it, and F9's policy holds for every pod."""

from __future__ import annotations

import copy
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.containers.manifests import CHART, Manifest, NotRendered, pod_faults, render, schema_faults
from tests.containers.tools import KUBERNETES, helm, schemas
from worker.messages import FRESH_QUEUE, KEY_PREFIX

VALUES = ("least", "everything")


@pytest.fixture(scope="module")
def program() -> Path:
    found = helm()
    if found is None:
        pytest.skip("Helm is not installed: python -m tests.containers --ensure")
    return found


@pytest.fixture(scope="module", params=VALUES)
def rendered(program: Path, request: pytest.FixtureRequest) -> list[Manifest]:
    return render(program, "-f", str(CHART / "ci" / f"{request.param}.yaml"))


@pytest.fixture(scope="module")
def everything(program: Path) -> list[Manifest]:
    return render(program, "-f", str(CHART / "ci" / "everything.yaml"))


def of_kind(manifests: list[Manifest], kind: str, component: str) -> Manifest:
    (found,) = [one for one in manifests if one["kind"] == kind and one["metadata"]["name"].endswith(f"-{component}")]
    return found


def test_helm_itself_finds_no_fault(program: Path) -> None:
    command = [program, "lint", CHART, "--strict", "-f", CHART / "ci" / "everything.yaml"]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stdout


@pytest.mark.parametrize("version", KUBERNETES)
def test_kubernetes_takes_every_object(rendered: list[Manifest], version: str) -> None:
    folder = schemas(version)
    if folder is None:
        pytest.skip("Kubernetes's schemas are not installed: python -m tests.containers --ensure")
    assert [fault for one in rendered for fault in schema_faults(one, folder)] == []


def test_a_field_that_kubernetes_does_not_know_is_seen(everything: list[Manifest]) -> None:
    folder = schemas(KUBERNETES[-1])
    if folder is None:
        pytest.skip("Kubernetes's schemas are not installed: python -m tests.containers --ensure")
    worker = copy.deepcopy(of_kind(everything, "Deployment", "worker"))
    worker["spec"]["template"]["spec"]["containers"][0]["livenessprobe"] = {}
    assert schema_faults(worker, folder)


def test_f09_pods_run_closed(rendered: list[Manifest]) -> None:
    assert {one["metadata"]["name"]: pod_faults(one) for one in rendered if pod_faults(one)} == {}
    assert sum("template" in one.get("spec", {}) for one in rendered) >= 2


def _set(manifest: Manifest, path: str, value: Any) -> Manifest:
    changed = copy.deepcopy(manifest)
    *way, last = path.split(".")
    at: Any = changed["spec"]["template"]["spec"]
    for step in way:
        at = at[int(step) if step.isdigit() else step]
    at[last] = value
    return changed


@pytest.mark.parametrize(
    ("path", "value", "fault"),
    [
        ("securityContext.runAsNonRoot", False, "root"),
        ("securityContext.seccompProfile", {"type": "Unconfined"}, "seccomp"),
        ("automountServiceAccountToken", True, "token"),
        ("hostNetwork", True, "hostNetwork"),
        ("volumes", [{"name": "machine", "hostPath": {"path": "/"}}], "another kind"),
        ("containers.0.securityContext", {}, "readOnlyRootFilesystem"),
        ("containers.0.resources", {}, "memory"),
        ("containers.0.image", "dxspan-worker", "version"),
        ("containers.0.env", [{"name": "DXSPAN_QUEUE_KEY", "value": "c2VjcmV0"}], "secret"),
        ("containers.0.env", [{"name": "DXSPAN_REDIS_URL", "value": "redis://x"}], "secret"),
    ],
)
def test_f09_a_pod_that_breaks_the_policy_is_seen(
    everything: list[Manifest], path: str, value: Any, fault: str
) -> None:
    worker = of_kind(everything, "Deployment", "worker")
    assert any(fault in found for found in pod_faults(_set(worker, path, value)))


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ([], "existingSecret"),
        (["--set", "existingSecret=x"], "publicBaseUrl"),
        (["--set", "existingSecret=x,publicBaseUrl=https://cds.example.org"], "trustedIssuers"),
        (["-f", str(CHART / "ci" / "least.yaml"), "--set", "settings.DXSPAN_QUEUE_KEY=x"], "existingSecret"),
        (["-f", str(CHART / "ci" / "least.yaml"), "--set", "ingress.enabled=true,ingress.host=a.b"], "tlsSecret"),
        (["-f", str(CHART / "ci" / "least.yaml"), "--set", "worker.keda.enabled=true"], "redisSecret"),
        (
            ["-f", str(CHART / "ci" / "least.yaml"), "--set", "gpuWorker.enabled=true,gpuWorker.keda.enabled=true"],
            "redisSecret",
        ),
    ],
)
def test_what_nobody_can_guess_is_asked_for_by_name(program: Path, arguments: list[str], named: str) -> None:
    with pytest.raises(NotRendered, match=named):
        render(program, *arguments)


def test_f09_workers_reach_redis_a_collector_where_there_is_one_and_nothing_outside(rendered: list[Manifest]) -> None:
    policy = of_kind(rendered, "NetworkPolicy", "worker")["spec"]
    ports = {port["port"] for rule in policy["egress"] for port in rule["ports"]}
    (container,) = of_kind(rendered, "Deployment", "worker")["spec"]["template"]["spec"]["containers"]
    traced = any(variable["name"] == "DXSPAN_TRACING" for variable in container["env"])
    assert ports == {53, 6379} | ({4318} if traced else set())
    assert policy["policyTypes"] == ["Ingress", "Egress"]
    assert [port["port"] for rule in policy["ingress"] for port in rule["ports"]] == [9100]


def test_f07_metrics_and_health_are_not_behind_the_ingress(everything: list[Manifest]) -> None:
    (ingress,) = [one for one in everything if one["kind"] == "Ingress"]
    paths = {path["path"] for rule in ingress["spec"]["rules"] for path in rule["http"]["paths"]}
    assert not {path for path in paths if "/metrics".startswith(path) or "/readyz".startswith(path)}
    assert ingress["spec"]["tls"]


def test_g15_workers_are_scaled_by_the_queue_that_this_version_uses(everything: list[Manifest]) -> None:
    (authentication,) = [one for one in everything if one["kind"] == "TriggerAuthentication"]
    for component in ("worker", "worker-gpu"):
        scaled = of_kind(everything, "ScaledObject", component)["spec"]
        deployment = of_kind(everything, "Deployment", component)
        assert scaled["scaleTargetRef"]["name"] == deployment["metadata"]["name"]
        assert "replicas" not in deployment["spec"]  # or every upgrade would undo the scaling
        by_length, by_load = scaled["triggers"]
        assert by_length["metadata"]["listName"] == f"{KEY_PREFIX}{FRESH_QUEUE}"
        assert by_length["authenticationRef"]["name"] == authentication["metadata"]["name"]
        assert "dxspan_worker_reading_seconds_sum" in by_load["metadata"]["query"]
    assert not [
        one for one in everything if one["kind"] == "HorizontalPodAutoscaler" and "worker" in one["metadata"]["name"]
    ]


def test_each_kind_of_worker_is_scaled_by_its_own_load(everything: list[Manifest]) -> None:
    """Seconds that a GPU's worker reads call for no worker on a CPU."""
    for component, pods in (("worker", 'pod!~"release-dxspan-worker-gpu-.*"'), ("worker-gpu", 'pod=~"release-dxspan-')):
        _, by_load = of_kind(everything, "ScaledObject", component)["spec"]["triggers"]
        assert pods in by_load["metadata"]["query"]


def test_gpu_workers_alone_may_be_scaled(program: Path) -> None:
    chosen = "gpuWorker.enabled=true,gpuWorker.keda.enabled=true,worker.keda.redisSecret=dxspan-keda"
    rendered = render(program, "-f", str(CHART / "ci" / "least.yaml"), "--set", chosen)
    (scaled,) = [one for one in rendered if one["kind"] == "ScaledObject"]
    assert scaled["metadata"]["name"] == "release-dxspan-worker-gpu"
    assert [trigger["type"] for trigger in scaled["spec"]["triggers"]] == ["redis"]
    assert of_kind(rendered, "HorizontalPodAutoscaler", "worker")


def test_every_kind_of_pod_has_its_disruption_budget(everything: list[Manifest], program: Path) -> None:
    """Draining a machine takes one pod of a kind at a time."""
    with_gpu, without = everything, render(program, "-f", str(CHART / "ci" / "least.yaml"))
    for rendered, components in ((with_gpu, ("web", "worker", "worker-gpu")), (without, ("web", "worker"))):
        budgets = [one for one in rendered if one["kind"] == "PodDisruptionBudget"]
        assert len(budgets) == len(components)
        for component in components:
            budget = of_kind(budgets, "PodDisruptionBudget", component)["spec"]
            pods = of_kind(rendered, "StatefulSet" if component == "web" else "Deployment", component)["spec"]
            assert budget["selector"]["matchLabels"].items() <= pods["template"]["metadata"]["labels"].items()
            assert budget["maxUnavailable"] == 1


def test_gpu_pods_run_in_the_runtime_class_that_is_named_and_others_in_the_usual_one(
    everything: list[Manifest], program: Path
) -> None:
    def runtime(rendered: list[Manifest], component: str) -> str | None:
        pod = of_kind(rendered, "Deployment", component)["spec"]["template"]["spec"]
        return pod.get("runtimeClassName")  # type: ignore[no-any-return]

    assert (runtime(everything, "worker-gpu"), runtime(everything, "worker")) == ("nvidia", None)
    least = render(program, "-f", str(CHART / "ci" / "least.yaml"), "--set", "gpuWorker.enabled=true")
    assert runtime(least, "worker-gpu") is None
    assert of_kind(least, "Deployment", "worker-gpu")["spec"]["replicas"] == 1


def test_the_chart_s_version_is_the_project_s() -> None:
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text("utf-8"))
    project = (CHART.parents[2] / "pyproject.toml").read_text("utf-8")
    assert f'version = "{chart["appVersion"]}"' in project
