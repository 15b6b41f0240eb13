"""`python -m tests.containers`: the set-up steps of each image, run in an empty environment, then its program started.

Takes minutes and downloads what the images hold; no part of the tests. `--ensure` installs the checkers of images and chart.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.containers.clean_install import ROOT, StepFailed, install
from tests.containers.tools import hadolint, helm
from tests.containers.tools import install as install_tools

PROGRAMS = {
    "web.Dockerfile": "dxspan-serve",
    "worker-cpu.Dockerfile": "dxspan-worker",
    "worker-gpu.Dockerfile": "dxspan-worker",
}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.containers", description=__doc__)
    parser.add_argument("--ensure", action="store_true", help="install hadolint, Helm and Kubernetes's schemas")
    parser.add_argument("--image", action="append", choices=sorted(PROGRAMS), help="this one alone; may be repeated")
    parser.add_argument("--python", default=sys.executable, help="stands for the image's Python (default: this one)")
    options = parser.parse_args()
    if options.ensure:
        return _ensure()
    return max(_check(name, options.python) for name in options.image or ("web.Dockerfile", "worker-cpu.Dockerfile"))


def _ensure() -> int:
    if not (hadolint() and helm()) and not install_tools():
        print("hadolint and Helm cannot be installed here: images and chart are checked in part", file=sys.stderr)
        return 0
    helm.cache_clear()
    print(f"{hadolint()}\n{helm()}")
    return 0


def _check(name: str, python: str) -> int:
    begun = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="dxspan-image-") as folder:
        try:
            installed = install(ROOT / "docker" / name, Path(folder), python)
        except StepFailed as fault:
            print(f"{name}: {fault}", file=sys.stderr)
            return 1
        started = subprocess.run(
            [installed.environment / "bin" / PROGRAMS[name], "--help"], capture_output=True, timeout=120, check=False
        )
    seconds = time.monotonic() - begun
    print(f"{name}: set up in {seconds:.0f} s, {installed.mebibytes} MiB beside the base image")
    if installed.found_though_absent:
        print(f"  holds what it should not: {', '.join(installed.found_though_absent)}", file=sys.stderr)
    if started.returncode:
        print(f"  {PROGRAMS[name]} does not start: {started.stderr.decode()[-500:]}", file=sys.stderr)
    return int(bool(installed.found_though_absent) or bool(started.returncode))


if __name__ == "__main__":
    sys.exit(main())
