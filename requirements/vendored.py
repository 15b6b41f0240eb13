"""`python -m requirements.vendored`: copies the script that the demo EHR renders Markdown with into its static files.

Input : markdown-it as tests/renderers/package-lock.json locks it, installed by `make setup-test` (npm checks its hash)
Output: the module for browsers, byte for byte, the licences, and vendored.json, which says what it is
"""

from __future__ import annotations

import hashlib
import json
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
RENDERERS = ROOT / "tests" / "renderers"
STATIC = ROOT / "cds_hooks" / "demo_ehr" / "static"
PACKAGE = "node_modules/markdown-it"
MODULE, LICENCE, RECORD = "markdown-it.esm.min.mjs", "markdown-it.LICENSE", "vendored.json"
HELD = ("entities", "linkify-it", "mdurl", "punycode.js", "uc.micro")


def main() -> int:
    """1 where the installed package is not the locked one."""
    locked = _package(RENDERERS / "package-lock.json")
    installed = _package(RENDERERS / "node_modules" / ".package-lock.json")
    if locked["integrity"] != installed["integrity"]:
        sys.stderr.write("the installed markdown-it is not the locked one: run `make setup-test`\n")
        return 1
    shutil.copyfile(RENDERERS / PACKAGE / "dist" / "browser" / MODULE, STATIC / MODULE)
    (STATIC / LICENCE).write_text("\n\n".join(_licences()), encoding="utf-8")
    record = {
        "name": "markdown-it",
        "version": locked["version"],
        "licence": locked["license"],
        "integrity": locked["integrity"],
        "file": MODULE,
        "sha256": hashlib.sha256((STATIC / MODULE).read_bytes()).hexdigest(),
    }
    (STATIC / RECORD).write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    return 0


def _licences() -> Iterator[str]:
    """Of the package and of those that its module for browsers holds."""
    for name in ("markdown-it", *HELD):
        inside = RENDERERS / PACKAGE / "node_modules" / name
        folder = inside if inside.exists() else RENDERERS / "node_modules" / name
        yield f"{name}\n\n" + next(folder.glob("LICENSE*")).read_text(encoding="utf-8").strip() + "\n"


def _package(lock: Path) -> dict[str, str]:
    found: dict[str, str] = json.loads(lock.read_text(encoding="utf-8"))["packages"][PACKAGE]
    return found


if __name__ == "__main__":
    sys.exit(main())
