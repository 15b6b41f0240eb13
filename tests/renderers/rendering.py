"""Markdown -> what each renderer makes of it, by one Node process for all texts.

Knows render.mjs and its JSON lines. Knows nothing of cards.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from tests.node import node_program

HERE = Path(__file__).parent
INSTALLED = HERE / "node_modules" / ".package-lock.json"
"""Written by npm at the end of an installation."""
PATIENCE_SECONDS = 120


@dataclass(frozen=True, slots=True)
class Rendering:
    """One text by one renderer."""

    html: str
    outline: str
    """The tree of elements with their attributes, comments among them: `p[strong[] a{href=/x}[]]`."""
    text: str
    """All text in it, as a reader would copy it."""


def missing() -> str | None:
    """Why the renderers cannot be asked here, or None."""
    if node_program() is None:
        return "no Node.js of version 20 or newer: `make setup-test` installs it"
    if not INSTALLED.exists():
        return "the Markdown renderers are not installed: `make setup-test` installs them"
    return None


def render(sources: Iterable[str]) -> list[dict[str, Rendering]]:
    """For each Markdown text: name of the renderer -> what it makes of it."""
    lines = "".join(json.dumps(source) + "\n" for source in sources)
    answers = _ask(lines).split("\n")[:-1]
    return [{name: Rendering(**found) for name, found in json.loads(answer).items()} for answer in answers]


def versions() -> dict[str, str]:
    """Name of the renderer -> its packages with their versions."""
    known: dict[str, str] = json.loads(_ask("", "--versions"))
    return known


def _ask(lines: str, *arguments: str) -> str:
    """What render.mjs prints; fails with its complaint when it fails."""
    done = subprocess.run(
        [str(node_program()), str(HERE / "render.mjs"), *arguments],
        input=lines.encode(),
        env=os.environ | {"NODE_ENV": "production"},
        capture_output=True,
        timeout=PATIENCE_SECONDS,
    )
    if done.returncode:
        raise RuntimeError(f"render.mjs failed: {done.stderr.decode(errors='replace')[-2000:]}")
    return done.stdout.decode()
