"""What a Dockerfile and a compose file of ours may say: each function names the faults it finds, none where all is well.

Knows the two formats as far as our files use them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import yaml

_PINNED = re.compile(
    r"([a-z0-9./-]+:v?\d+\.\d+\.\d+|postgres:\d+\.\d+)[a-z0-9.-]*(@sha256:[0-9a-f]{64})?|[a-z0-9./:-]+@sha256:[0-9a-f]{64}"
)
"""PostgreSQL's versions have two numbers."""
SECRET_NAME = re.compile(r"(KEY|TOKEN|SECRET|PASSWORD|PASSWD|CREDENTIAL)", re.IGNORECASE)
_FROM_OUTSIDE = re.compile(r"\$\{[A-Z_]+(:[?-][^}]*)?\}|[a-z+]+://[a-z]*:\$\{[A-Z_]+\}@[a-z]+(:\d+)?/[a-z0-9]+")
_LOGIN = re.compile(r"://[^/]*@")
_COPIED = re.compile(
    r"(pyproject\.toml|README\.md|LICENSE|cds_hooks|nlp_core|worker|training|requirements/[a-z-]+\.lock)$"
)

Instruction = tuple[str, str]


def dockerfile_faults(text: str) -> list[str]:
    """What is wrong with a Dockerfile."""
    every = instructions(text)
    stages = [index for index, (name, _) in enumerate(every) if name == "FROM"]
    last = every[stages[-1] :]
    users = [rest for name, rest in last if name == "USER"]
    return [
        *(fault for instruction in every for fault in _instruction_faults(*instruction)),
        *([] if users and re.fullmatch(r"[1-9]\d*(:[1-9]\d*)?", users[-1]) else ["runs as root, or as a user by name"]),
        *([] if any(name == "HEALTHCHECK" for name, _ in last) else ["has no health check"]),
        *([] if any(name == "ENTRYPOINT" and rest.startswith("[") for name, rest in last) else ["starts in a shell"]),
    ]


def instructions(text: str) -> list[Instruction]:
    """Name and rest of each instruction, its continued lines joined, without comments."""
    joined = re.sub(r"\\\n\s*", " ", text)
    lines = [line.strip() for line in joined.splitlines() if line.strip() and not line.startswith("#")]
    return [(line.split(None, 1)[0].upper(), line.split(None, 1)[1]) for line in lines]


def _instruction_faults(name: str, rest: str) -> Iterator[str]:
    if name == "FROM" and not _PINNED.fullmatch(rest.split()[0]):
        yield f"base without an exact version: {rest}"
    if name == "ADD":
        yield "ADD fetches and unpacks: use COPY"
    if name in ("ENV", "ARG") and SECRET_NAME.search(rest):
        yield f"a secret in the image: {name}"
    if name == "COPY" and not rest.startswith(("--from=build ", "--from=model ")):
        yield from (f"copies more than it needs: {word}" for word in rest.split()[:-1] if not _COPIED.fullmatch(word))
    if name == "RUN":
        yield from _run_faults(rest)


def _run_faults(command: str) -> Iterator[str]:
    if re.search(r"\b(curl|wget|git clone)\b", command):
        yield "downloads something that no lock names"
    if re.search(r"\b(chmod\s+(777|\+s|[ug]\+s)|sudo)\b", command):
        yield "gives rights away"
    for install in re.findall(r"pip install ([^&]*)", command):
        ours = install.split()[-1] == "." and "--no-deps" in install
        if not ours and ("--require-hashes" not in install or "--no-deps" not in install):
            yield "installs without hashes"


def compose_faults(text: str) -> list[str]:
    """What is wrong with a compose file."""
    services: dict[str, dict[str, Any]] = yaml.safe_load(text)["services"]
    return [f"{name}: {fault}" for name, service in services.items() for fault in _service_faults(service)]


def _service_faults(service: dict[str, Any]) -> Iterator[str]:
    wanted = {"read_only": True, "cap_drop": ["ALL"], "ulimits": {"core": 0}}
    yield from (f"{key} is not {value}" for key, value in wanted.items() if service.get(key) != value)
    if "no-new-privileges:true" not in service.get("security_opt", []):
        yield "may gain privileges"
    forbidden = ("privileged", "cap_add", "devices", "network_mode", "pid", "ipc", "userns_mode", "env_file")
    yield from (f"has {key}" for key in forbidden if key in service)
    if not re.fullmatch(r"[1-9]\d*(:[1-9]\d*)?", str(service.get("user", ""))):
        yield "user is root, or none is named"
    if "image" in service and not _PINNED.fullmatch(service["image"]):
        yield "image without an exact version"
    if any(not str(port).startswith("127.0.0.1:") for port in service.get("ports", [])):
        yield "a port is open to the network"
    if any(
        "docker.sock" in str(volume) or str(volume).startswith(("/", ".", "~")) for volume in service.get("volumes", [])
    ):
        yield "sees the machine's files"
    for name, value in service.get("environment", {}).items():
        if (SECRET_NAME.search(name) or _LOGIN.search(str(value))) and not _FROM_OUTSIDE.fullmatch(str(value)):
            yield f"a secret in the file: {name}"
