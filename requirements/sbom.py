"""`python -m requirements.sbom`: writes docs/security/sbom.json, the bill of materials in CycloneDX's JSON.

Input : the lock files
Output: one component for each name and version; scope `required` where it is part of a running process, else `excluded`
Says no time and no random number: the same locks give the same bytes, so that a change of either shows in a diff.
"""

from __future__ import annotations

import hashlib
import json
import tomllib
import uuid
from typing import Any

from requirements.locks import FOLDER, SHIPPED, TOOLS, Locked, locked_in

WRITTEN = FOLDER.parent / "docs" / "security" / "sbom.json"


def bill() -> str:
    """The document's text."""
    project = tomllib.loads((FOLDER.parent / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    components = _components()
    digests = [{"name": f"dxspan:lock:{name}", "value": f"sha256:{_digest(name)}"} for name in (*SHIPPED, *TOOLS)]
    serial = uuid.uuid5(uuid.NAMESPACE_URL, json.dumps([project["version"], components, digests]))
    root = f"dxspan@{project['version']}"
    required = [one["bom-ref"] for one in components if one["scope"] == "required"]
    document = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{serial}",
        "version": 1,
        "metadata": {
            "component": {
                "type": "application",
                "bom-ref": root,
                "name": project["name"],
                "version": project["version"],
                "licenses": [{"license": {"id": project["license"]}}],
            },
            "properties": digests,
        },
        "components": components,
        "dependencies": [{"ref": root, "dependsOn": required}],
    }
    return json.dumps(document, indent=1) + "\n"


def _components() -> list[dict[str, Any]]:
    found: dict[Locked, list[str]] = {}
    for file in (*SHIPPED, *TOOLS):
        for one in locked_in(file):
            found.setdefault(Locked(one.name, one.version, frozenset()), []).append(file)
    return [
        _component(one, files) for one, files in sorted(found.items(), key=lambda item: (item[0].name, item[0].version))
    ]


def _component(one: Locked, files: list[str]) -> dict[str, Any]:
    url = f"pkg:pypi/{one.name}@{one.version.replace('+', '%2B')}"
    return {
        "type": "library",
        "bom-ref": url,
        "name": one.name,
        "version": one.version,
        "scope": "required" if set(files) & set(SHIPPED) else "excluded",
        "purl": url,
        "properties": [{"name": "dxspan:lock", "value": file} for file in files],
    }


def _digest(file: str) -> str:
    return hashlib.sha256((FOLDER / file).read_bytes()).hexdigest()


if __name__ == "__main__":
    WRITTEN.parent.mkdir(parents=True, exist_ok=True)
    WRITTEN.write_text(bill(), encoding="utf-8")
    print(f"wrote {WRITTEN.relative_to(FOLDER.parent)}")
