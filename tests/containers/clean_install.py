"""Runs the set-up steps of a Dockerfile where no engine is: each stage's `pip` and `python` lines, in an empty folder.

Input : a Dockerfile of ours; only its RUN lines with a virtual environment, and its COPY lines, are carried out
Output: a folder with the environment that its last stage would hold, and what was seen of it
Knows that our stages make a virtual environment under /opt, which here lies under a folder of its own.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.container_policy import Instruction, instructions

ROOT = Path(__file__).resolve().parents[2]
ABSENT = {
    "web.Dockerfile": ("torch", "onnxruntime", "spacy", "training", "pytest"),
    "worker-cpu.Dockerfile": ("torch", "training", "pytest"),
    "worker-gpu.Dockerfile": ("torch", "training", "pytest"),
}
"""What must not be importable in each image."""
STEP_SECONDS = 1800


class StepFailed(Exception):
    """A step of a Dockerfile ended with a fault; the message has its end."""


@dataclass(frozen=True, slots=True)
class Installed:
    """What a Dockerfile's steps left."""

    environment: Path
    mebibytes: int
    found_though_absent: tuple[str, ...]


def install(dockerfile: Path, folder: Path, python: str) -> Installed:
    """Carry the steps out under `folder`, with `python` for the image's. Raises StepFailed."""
    opt = folder / "opt"
    opt.mkdir(parents=True)
    for number, stage in enumerate(_stages(dockerfile)):
        build = folder / f"build-{number}"
        build.mkdir()
        for name, rest in stage:
            if name == "COPY" and not rest.startswith("--from"):
                _copy(rest.split(), build)
            elif name == "COPY" and "share" in rest:
                shutil.copytree(opt / "model/share/dxspan", opt / "dxspan/share/dxspan")
            elif (name == "RUN" and "/opt/" in rest) or (name == "RUN" and "-m venv" in rest):
                _run(_here(rest, opt, python), build)
    environment = opt / "dxspan"
    return Installed(environment, _mebibytes(environment), _found(environment, ABSENT[dockerfile.name]))


def _stages(dockerfile: Path) -> list[list[Instruction]]:
    stages: list[list[Instruction]] = []
    for instruction in instructions(dockerfile.read_text("utf-8")):
        if instruction[0] == "FROM":
            stages.append([])
        stages[-1].append(instruction)
    return stages


def _here(command: str, opt: Path, python: str) -> str:
    return re.sub(r"(?<!\S)python(?= -m venv)", lambda _: python, command).replace("/opt/", f"{opt}/")


def _copy(words: Sequence[str], build: Path) -> None:
    *sources, target = words
    for source in sources:
        into = build / target / Path(source).name if target.endswith("/") else build / target
        into.parent.mkdir(parents=True, exist_ok=True)
        if (ROOT / source).is_dir():
            shutil.copytree(ROOT / source, into, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / source, into)


def _run(command: str, build: Path) -> None:
    clean = {key: value for key, value in os.environ.items() if not key.startswith(("PYTHON", "VIRTUAL_ENV"))}
    ended = subprocess.run(
        command, shell=True, cwd=build, env=clean, capture_output=True, text=True, timeout=STEP_SECONDS, check=False
    )
    if ended.returncode:
        raise StepFailed(f"{command}\n{(ended.stdout + ended.stderr)[-2000:]}")


def _mebibytes(folder: Path) -> int:
    return sum(path.lstat().st_size for path in folder.rglob("*") if path.is_file()) // 2**20


def _found(environment: Path, modules: Sequence[str]) -> tuple[str, ...]:
    ask = f"import importlib.util as u; print(*[m for m in {list(modules)!r} if u.find_spec(m)])"
    said = subprocess.run(
        [environment / "bin/python", "-I", "-c", ask], capture_output=True, text=True, timeout=60, check=True
    )
    return tuple(said.stdout.split())
