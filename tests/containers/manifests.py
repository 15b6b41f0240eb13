"""The Kubernetes objects that the chart renders, and what they may say: each function names faults, none where all is well.

Knows Kubernetes's schemas (tools) and the rules of its `restricted` profile, which our pods must keep and go beyond.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema_rs
import yaml

from tests.container_policy import SECRET_NAME

CHART = Path(__file__).resolve().parents[2] / "docker" / "helm" / "dxspan"
OF_OTHERS = ("keda.sh/", "monitoring.coreos.com/")
"""Kinds that an operator brings; Kubernetes has no schema for them."""

Manifest = dict[str, Any]


class NotRendered(Exception):
    """Helm refused; the message is its own."""


def render(helm: Path, *arguments: str) -> list[Manifest]:
    """What `helm template` makes of the chart. Raises NotRendered."""
    command = [str(helm), "template", "release", str(CHART), *arguments]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    if ended.returncode:
        raise NotRendered(ended.stderr)
    return [one for one in yaml.safe_load_all(ended.stdout) if one]


def schema_faults(manifest: Manifest, folder: Path) -> list[str]:
    """Where an object breaks Kubernetes's schema for its kind."""
    group, _, version = manifest["apiVersion"].rpartition("/")
    if manifest["apiVersion"].startswith(OF_OTHERS):
        return []
    name = "-".join(filter(None, (manifest["kind"].lower(), group.split(".")[0], version)))
    schema = json.loads((folder / f"{name}.json").read_text("utf-8"))
    validator = jsonschema_rs.validator_for(schema, registry=_definitions(folder))
    return [f"{manifest['kind']}: {error.message[:200]}" for error in validator.iter_errors(manifest)]


@cache
def _definitions(folder: Path) -> jsonschema_rs.Registry:
    """What the schemas of a folder share; they ask for it at an address, and nothing is fetched."""
    shared = json.loads((folder / "_definitions.json").read_text("utf-8"))
    return jsonschema_rs.Registry([("https://kubernetes.io/api/_definitions.json", shared)])


def pod_faults(manifest: Manifest) -> list[str]:
    """What is wrong with the pods that an object asks for; none for an object without pods."""
    template = manifest.get("spec", {}).get("template")
    if not template:
        return []
    pod = template["spec"]
    faults = [*_pod_level(pod)]
    for container in pod["containers"]:
        faults += [f"{container['name']}: {fault}" for fault in _container_level(container)]
    return faults


def _pod_level(pod: Mapping[str, Any]) -> Iterator[str]:
    security = pod.get("securityContext", {})
    if not security.get("runAsNonRoot") or not security.get("runAsUser"):
        yield "may run as root"
    if security.get("seccompProfile") != {"type": "RuntimeDefault"}:
        yield "seccompProfile is not RuntimeDefault"
    if pod.get("automountServiceAccountToken") is not False:
        yield "holds a token for Kubernetes's API"
    yield from (f"has {key}" for key in ("hostNetwork", "hostPID", "hostIPC") if pod.get(key))
    for volume in pod.get("volumes", []):
        if not {"emptyDir", "configMap", "secret", "persistentVolumeClaim"} & set(volume):
            yield f"volume of another kind: {volume['name']}"


def _container_level(container: Mapping[str, Any]) -> Iterator[str]:
    wanted = {"allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]}}
    security = container.get("securityContext", {})
    yield from (f"{key} is not {value}" for key, value in wanted.items() if security.get(key) != value)
    yield from (
        f"has no {probe}Probe" for probe in ("liveness", "readiness", "startup") if f"{probe}Probe" not in container
    )
    if "memory" not in container.get("resources", {}).get("limits", {}):
        yield "may take all memory"
    if container["image"].endswith(":latest") or not ({":", "@"} & set(container["image"].rpartition("/")[2])):
        yield "image without a version"
    for variable in container.get("env", []):
        secret = SECRET_NAME.search(variable["name"]) or variable["name"].endswith(("DATABASE_URL", "REDIS_URL"))
        if secret and "value" in variable:
            yield f"a secret in the manifest: {variable['name']}"
