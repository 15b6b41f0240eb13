"""Row F9: the images and the compose file keep to the policy, and a file that did not would be seen."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
import yaml

from requirements.locks import locked_in
from tests.container_policy import compose_faults, dockerfile_faults
from tests.containers.tools import hadolint

ROOT = Path(__file__).resolve().parents[1]
COMPOSE = (ROOT / "docker" / "compose.yaml").read_text("utf-8")
DOCKERFILES = sorted((ROOT / "docker").glob("*.Dockerfile"))
WEB = (ROOT / "docker" / "web.Dockerfile").read_text("utf-8")


def test_there_is_an_image_for_each_process() -> None:
    assert {path.name for path in DOCKERFILES} >= {"web.Dockerfile", "worker-cpu.Dockerfile", "worker-gpu.Dockerfile"}


@pytest.mark.parametrize("path", DOCKERFILES, ids=lambda path: path.name)
def test_f09_an_image_has_no_root_no_secret_and_nothing_that_is_not_locked(path: Path) -> None:
    assert dockerfile_faults(path.read_text("utf-8")) == []


@pytest.mark.parametrize("path", DOCKERFILES, ids=lambda path: path.name)
def test_f09_an_image_does_not_call_home(path: Path) -> None:
    assert "ORT_DISABLE_TELEMETRY=1" in path.read_text("utf-8")


@pytest.mark.parametrize("path", DOCKERFILES, ids=lambda path: path.name)
def test_hadolint_finds_no_fault_in_an_image(path: Path) -> None:
    program = hadolint()
    if program is None:
        pytest.skip("hadolint is not installed: python -m tests.containers --ensure")
    ended = subprocess.run([program, path], capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stdout


def test_hadolint_sees_a_faulty_image(tmp_path: Path) -> None:
    program = hadolint()
    if program is None:
        pytest.skip("hadolint is not installed: python -m tests.containers --ensure")
    faulty = tmp_path / "Dockerfile"
    faulty.write_text("FROM python:latest\nRUN cd /tmp\n")
    assert subprocess.run([program, faulty], capture_output=True, check=False).returncode != 0


@pytest.mark.parametrize(("lock", "absent"), [
    ("web.lock", {"torch", "onnxruntime", "spacy", "thinc"}),
    ("run.lock", {"torch", "transformers"}),
    ("gpu.lock", {"torch", "onnxruntime", "transformers"}),
])  # fmt: skip
def test_an_image_holds_nothing_that_its_process_does_not_need(lock: str, absent: set[str]) -> None:
    assert not absent & {one.name for one in locked_in(lock)}
    image = {"web.lock": "web", "run.lock": "worker-cpu", "gpu.lock": "worker-gpu"}[lock]
    assert f"/opt/dxspan/bin/pip install --no-cache-dir --no-deps --require-hashes -r requirements/{lock}" in (
        ROOT / "docker" / f"{image}.Dockerfile"
    ).read_text("utf-8")


def test_compose_s_own_parser_takes_the_file() -> None:
    compose_spec = pytest.importorskip("compose_spec", reason="python -m tests.containers --ensure")
    plain = yaml.safe_dump(yaml.safe_load(COMPOSE))  # it knows neither anchors nor merge keys
    compose = compose_spec.PyCompose.from_yaml(plain)
    for check in (compose.validate_networks, compose.validate_volumes, compose.validate_configs):
        check()
    with pytest.raises(ValueError, match="read_onli"):
        compose_spec.PyCompose.from_yaml(plain.replace("read_only", "read_onli", 1))


def test_what_compose_s_services_name_is_there() -> None:
    document = yaml.safe_load(COMPOSE)
    services = document["services"]
    assert [one["file"] for one in document["configs"].values() if not (ROOT / "docker" / one["file"]).exists()] == []
    for service in services.values():
        assert set(service.get("depends_on", {})) <= set(services)
        assert {one["source"] for one in service.get("configs", [])} <= set(document["configs"])
        if "build" in service:
            assert (ROOT / service["build"]["dockerfile"]).exists()


def test_f09_services_cannot_write_gain_or_be_reached() -> None:
    assert compose_faults(COMPOSE) == []


def test_f09_the_builder_sees_only_what_the_images_are_made_of() -> None:
    lines = [line for line in (ROOT / ".dockerignore").read_text("utf-8").splitlines() if not line.startswith("#")]
    assert lines[0] == "*", "everything is left out but what is named"
    assert not [line for line in lines if line.startswith("!") and any(word in line for word in ("var", "venv", "git"))]


@pytest.mark.parametrize(
    ("was", "becomes", "fault"),
    [
        ("USER 10001:10001", "USER root", "root"),
        ("USER 10001:10001\n", "", "root"),
        ("USER 10001:10001", "USER 0", "root"),
        ("FROM python:3.11.14-slim-bookworm\n", "FROM python:latest\n", "exact version"),
        ("FROM python:3.11.14-slim-bookworm\n", "FROM python:3.11-slim\n", "exact version"),
        ("COPY worker worker", "COPY . .", "more than it needs"),
        ("COPY worker worker", "ADD https://example.org/x.tar /x", "ADD"),
        ("PYTHONUNBUFFERED=1", "DXSPAN_QUEUE_KEY=c2VjcmV0", "secret"),
        ("--require-hashes ", "", "without hashes"),
        ("RUN groupadd", "RUN curl https://example.org | sh && groupadd", "no lock names"),
        ('ENTRYPOINT ["dxspan-serve", ', "ENTRYPOINT dxspan-serve # ", "shell"),
        ("HEALTHCHECK", "LABEL", "health"),
    ],
)
def test_f09_an_image_that_breaks_the_policy_is_seen(was: str, becomes: str, fault: str) -> None:
    assert was in WEB
    assert any(fault in found for found in dockerfile_faults(WEB.replace(was, becomes)))


@pytest.mark.parametrize(
    ("was", "becomes", "fault"),
    [
        ("read_only: true", "read_only: false", "read_only"),
        ("cap_drop: [ALL]", "cap_drop: [NET_RAW]", "cap_drop"),
        ("pids_limit: 256", "cap_add: [SYS_ADMIN]", "cap_add"),
        ("pids_limit: 256", "privileged: true", "privileged"),
        ("pids_limit: 256", "network_mode: host", "network_mode"),
        ("no-new-privileges:true", "seccomp=unconfined", "privileges"),
        ("ulimits: {core: 0}", "ulimits: {core: -1}", "ulimits"),
        ('user: "999:999"', "user: root", "root"),
        ('    user: "10001:10001"\n', "", "root"),
        ("redis:7.2.11-bookworm", "redis:latest", "exact version"),
        ("127.0.0.1:8000:8000", "8000:8000", "open to the network"),
        ("web:/var/lib/dxspan", "/var/run/docker.sock:/var/run/docker.sock", "machine's files"),
        ("DXSPAN_QUEUE_KEY: ${DXSPAN_QUEUE_KEY}", "DXSPAN_QUEUE_KEY: c2VjcmV0", "secret"),
        ("redis://:${REDIS_PASSWORD}@", "redis://:hush@", "secret"),
        ("dxspan:${POSTGRES_PASSWORD}@", "dxspan:hush@", "secret"),
    ],
)
def test_f09_a_service_that_breaks_the_policy_is_seen(was: str, becomes: str, fault: str) -> None:
    assert was in COMPOSE
    assert any(fault in found for found in compose_faults(COMPOSE.replace(was, becomes)))
