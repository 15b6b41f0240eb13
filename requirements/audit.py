"""`python -m requirements.audit`: asks pip-audit whether a locked version is known to be vulnerable.

Input : the lock files; anything after `--` goes to pip-audit
Output: exit status 1 where one is vulnerable; 0 where none is, or where nobody could be asked, which is said aloud
        (`--must-reach` makes that 3: for a CI that has a network)
Knows pip-audit's command line and its JSON. Installs and resolves nothing: the locks say everything.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parent
AUDITED = (
    "run.lock",
    "base-encoder.lock",
    "gpu.lock",
    "test.lock",
    "torch.lock",
    "torch-usual.lock",
    "cluster.lock",
    "postgresql-server.lock",
)
"""torch-cpu.lock is torch-usual.lock's torch built otherwise, under a version that no database lists."""
NOT_REACHED = 3


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Audit the locked versions with pip-audit.")
    parser.add_argument("--must-reach", action="store_true", help="fail where the service cannot be reached")
    parser.add_argument("--lock", action="append", default=[], metavar="FILE", help="audit this file (default: all)")
    parser.add_argument("rest", nargs="*", help="for pip-audit, after --")
    options = parser.parse_args(arguments)
    vulnerable = unknown = False
    for path in [Path(file) for file in options.lock] or [FOLDER / name for name in AUDITED]:
        answer = ask(path, options.rest)
        audited = [one for one in answer if "vulns" in one]
        unknown = unknown or not audited
        vulnerable = report(path.name, answer, audited) or vulnerable
    if vulnerable:
        return 1
    return NOT_REACHED if unknown and options.must_reach else 0


def ask(lock: Path, rest: Sequence[str]) -> list[dict[str, Any]]:
    """What pip-audit says of each distribution; empty where it could not ask."""
    command = [sys.executable, "-m", "pip_audit", "--disable-pip", "--require-hashes", "--progress-spinner", "off"]
    run = subprocess.run(  # noqa: S603  our own command over our own files
        [*command, "--format", "json", "--requirement", str(lock), *rest], capture_output=True, text=True, check=False
    )
    try:
        found: list[dict[str, Any]] = json.loads(run.stdout)["dependencies"]
    except (ValueError, KeyError, TypeError):
        return []
    return found


def report(name: str, answer: Sequence[dict[str, Any]], audited: Sequence[dict[str, Any]]) -> bool:
    """Prints what came of one lock file; True where something in it is vulnerable."""
    faulty = [one for one in audited if one["vulns"]]
    for one in faulty:
        for fault in one["vulns"]:
            fixed = ", ".join(fault.get("fix_versions", ())) or "no version yet"
            print(f"{name}: {one['name']} {one['version']}: {fault['id']}, fixed in {fixed}")
    if audited:
        left_out = f", {len(answer) - len(audited)} unknown to the service" if len(answer) > len(audited) else ""
        print(f"{name}: {len(audited)} audited, {len(faulty)} vulnerable{left_out}")
    else:
        print(f"{name}: NOT AUDITED, the vulnerability service could not be reached or knows none of it")
    return bool(faulty)


if __name__ == "__main__":
    sys.exit(main())
