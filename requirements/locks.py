"""Reads the lock files: which distributions, which versions, which hashes.

Input : the text of a lock file
Output: one Locked for each requirement
Knows what our locks may say and refuses everything else: an address, an option, a version that is not exact.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
SHIPPED = ("run.lock", "base-encoder.lock", "web.lock", "gpu.lock")
"""What a running web process or worker consists of; web.lock is a part of run.lock, gpu.lock has another ONNX Runtime."""
TOOLS = (
    "test.lock",
    "torch.lock",
    "torch-cpu.lock",
    "torch-usual.lock",
    "fuzz.lock",
    "cluster.lock",
    "tensorrt.lock",
    "postgresql-server.lock",
    "containers.lock",
)
"""What tests, checks and training need besides; never in an image."""

_REQUIREMENT = re.compile(
    r"(?P<name>[a-z0-9]+(?:[._-][a-z0-9]+)*)(?:\[[a-z0-9,_-]+\])?==(?P<version>[0-9][A-Za-z0-9.+!]*)"
    r"(?P<marker> ; [^#@]+?)?(?P<hashes>(?: --hash=sha256:[0-9a-f]{64})+)",
)
_HASH = re.compile(r"sha256:[0-9a-f]{64}")


class NotLocked(ValueError):
    """A line of a lock file that is no exact version with hashes; the message names it."""


@dataclass(frozen=True, slots=True)
class Locked:
    """One distribution of a lock file."""

    name: str
    version: str
    hashes: frozenset[str]
    """`sha256:...` of every file that may be installed for it."""


def read_lock(text: str) -> list[Locked]:
    """Every requirement, in the file's order. Raises NotLocked at the first line that is none."""
    joined = re.sub(r"\s*\\\n\s*", " ", text)
    lines = [line.rstrip() for line in joined.splitlines() if line.strip() and not line.startswith("#")]
    return [_locked(line) for line in lines]


def _locked(line: str) -> Locked:
    match = _REQUIREMENT.fullmatch(line)
    if not match:
        raise NotLocked(f"neither exact nor hashed, or more than that: {line[:80]}")
    return Locked(match["name"], match["version"], frozenset(_HASH.findall(match["hashes"])))


def locked_in(name: str) -> list[Locked]:
    """The requirements of the lock file `name` in this folder."""
    return read_lock((FOLDER / name).read_text(encoding="utf-8"))
