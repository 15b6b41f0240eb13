"""The knowledge as people write it (YAML, one file per specialty) turned into one compiled Knowledge.

Knows files and their layout. Reports what does not parse with file and entry; whether entries agree with one another
is check_knowledge's question.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import ValidationError

from nlp_core.knowledge import Diagnosis, Finding, Knowledge

EntryT = TypeVar("EntryT", Finding, Diagnosis)

KNOWLEDGE_FOLDER = Path(__file__).parent / "knowledge_base"


class KnowledgeError(ValueError):
    """The knowledge files cannot be read; the message names file and entry for each fault."""


def knowledge_paths(folder: Path = KNOWLEDGE_FOLDER) -> list[Path]:
    """The YAML files in reading order."""
    return sorted((folder / "findings").glob("*.yaml")) + sorted((folder / "diagnoses").glob("*.yaml"))


def knowledge_digest(folder: Path = KNOWLEDGE_FOLDER) -> str:
    """Hex SHA-256 over names and contents of the knowledge files."""
    digest = hashlib.sha256()
    for path in knowledge_paths(folder):
        digest.update(path.relative_to(folder).as_posix().encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()


def read_knowledge(folder: Path = KNOWLEDGE_FOLDER) -> Knowledge:
    """Reads every file.

    Raises KnowledgeError listing all faults at once: files that are no YAML list, entries of the wrong shape, ids
    written twice.
    """
    faults: list[str] = []
    findings = _read_all(folder, "findings", Finding, faults)
    diagnoses = _read_all(folder, "diagnoses", Diagnosis, faults)
    if not findings and not diagnoses and not faults:
        faults.append(f"{folder}: there is no knowledge in this folder")
    if faults:
        raise KnowledgeError("\n".join(faults))
    return Knowledge(version=knowledge_digest(folder)[:12], findings=findings, diagnoses=diagnoses)


def compile_knowledge(target: Path, folder: Path = KNOWLEDGE_FOLDER) -> Knowledge:
    """Writes the compiled JSON that serving loads; returns what it wrote."""
    knowledge = read_knowledge(folder)
    target.write_text(knowledge.model_dump_json(exclude_defaults=True), encoding="utf-8")
    return knowledge


def _read_all(folder: Path, kind: str, model: type[EntryT], faults: list[str]) -> dict[str, EntryT]:
    entries: dict[str, EntryT] = {}
    for path in sorted((folder / kind).glob("*.yaml")):
        provenance: dict[str, Any] = {}
        for raw in _raw_entries(path, faults):
            if raw.keys() == {"provenance"}:  # holds for the entries below it that do not state their own
                provenance = raw["provenance"]
                continue
            if model is Diagnosis:
                raw = {**raw, "specialty": path.stem}
            entry = _entry({**provenance, **raw}, model, path, faults)
            if entry is None:
                continue
            if entry.id in entries:
                faults.append(f"{path.name}: {entry.id}: this id is written twice")
            entries[entry.id] = entry
    return entries


def _raw_entries(path: Path, faults: list[str]) -> Iterator[dict[str, Any]]:
    try:
        content = yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        faults.append(f"{path.name}: not YAML: {' '.join(str(error).split())}")
        return
    if not isinstance(content, list):
        faults.append(f"{path.name}: a list of entries is expected")
        return
    for position, raw in enumerate(content, start=1):
        if isinstance(raw, dict):
            yield raw
        else:
            faults.append(f"{path.name}: entry {position}: a mapping is expected")


def _entry(raw: dict[str, Any], model: type[EntryT], path: Path, faults: list[str]) -> EntryT | None:
    if isinstance(raw.get("measured"), dict):  # one threshold may be written without a list
        raw = {**raw, "measured": [raw["measured"]]}
    try:
        return model.model_validate(raw)
    except ValidationError as error:
        for fault in error.errors(include_url=False, include_context=False):
            where = ".".join(str(part) for part in fault["loc"])
            faults.append(f"{path.name}: {raw.get('id', '?')}: {where}: {fault['msg']} (got {fault['input']!r:.60})")
        return None
