"""Writes docs/settings.md from the settings' own sources: `python docs/settings_page.py` (`make docs`).

Reads the classes as text (names, defaults, docstrings), so that the page can never say anything else than the code.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "settings.md"
SOURCES = (
    ("The web process (`dxspan-serve`)", "cds_hooks/settings.py", ("Settings",)),
    ("Queue and worker (`dxspan-worker`, and `dxspan-serve` where `DXSPAN_REDIS_URL` is set)", "worker/settings.py",
     ("QueueSettings", "WorkerSettings")),
)  # fmt: skip
INTRODUCTION = """# Settings

Written by `make docs` from the code. Every setting is an environment variable, read once at start and checked; a wrong
one stops the start with its name and never its value. Lists are written with commas, nested values as JSON.

With nothing set and a loopback address, `dxspan-serve` serves a developer: no tokens, http and local FHIR servers
allowed. Anywhere else it wants `DXSPAN_TRUSTED_ISSUERS` and an https `DXSPAN_PUBLIC_BASE_URL`.

An issuer, as `DXSPAN_TRUSTED_ISSUERS` has it:

```json
{"https://ehr.example.org": {"tenant": "hospital-a", "jku": "https://ehr.example.org/jwks.json",
  "fhir_servers": ["https://fhir.example.org/r4"], "private_network": false}}
```
"""


def settings_of(source: str, classes: tuple[str, ...]) -> Iterator[tuple[str, str, str]]:
    """(variable, default, description) of every field of the named classes."""
    for node in ast.parse(source).body:
        if isinstance(node, ast.ClassDef) and node.name in classes:
            for field, after in zip(node.body, [*node.body[1:], None], strict=True):
                if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name):
                    yield f"DXSPAN_{field.target.id.upper()}", _default(field.value), _docstring(after)


def _default(value: ast.expr | None) -> str:
    if value is None:
        return "required"
    if isinstance(value, ast.Call) and ast.unparse(value.func) == "Field":
        named = {keyword.arg: keyword.value for keyword in value.keywords}
        return (
            f"`{ast.unparse(named['default'])}`"
            if "default" in named
            else ("required" if not named.get("default_factory") else "empty")
        )
    if isinstance(value, ast.Call) and ast.unparse(value.func) == "SecretStr":
        return f"`{ast.unparse(value.args[0])}`"
    return f"`{ast.unparse(value)}`"


def _docstring(node: ast.stmt | None) -> str:
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
        return " ".join(node.value.value.split()).replace("|", "\\|")
    return ""


def page() -> str:
    """The whole page."""
    lines = [INTRODUCTION]
    for title, path, classes in SOURCES:
        lines += [f"## {title}", "", "| variable | default | what it is for |", "|---|---|---|"]
        for name, default, description in settings_of((ROOT / path).read_text(encoding="utf-8"), classes):
            lines.append(f"| `{name}` | {default} | {description} |")
        lines.append("")
    return "\n".join(lines)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    sys.stdout.write(f"{PAGE.relative_to(ROOT)}\n")
