"""Knowledge is read from files as people write it, and every fault is named with its file and entry."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from nlp_core.knowledge import Diagnosis, Finding, Knowledge
from nlp_core.knowledge_files import (
    KnowledgeError,
    compile_knowledge,
    knowledge_digest,
    knowledge_paths,
    read_knowledge,
)
from tests.nlp_core.small_knowledge import small_knowledge


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The small knowledge as a person would have written it: one specialty each."""
    knowledge = small_knowledge()
    write(tmp_path / "findings" / "general.yaml", [as_written(entry) for entry in knowledge.findings.values()])
    write(tmp_path / "diagnoses" / "ward.yaml", [as_written(entry) for entry in knowledge.diagnoses.values()])
    return tmp_path


def as_written(entry: Finding | Diagnosis) -> dict[str, Any]:
    written: dict[str, Any] = entry.model_dump(mode="json", exclude_defaults=True)
    return written


def write(path: Path, content: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump(content, allow_unicode=True), encoding="utf-8")


def faults_of(folder: Path) -> list[str]:
    with pytest.raises(KnowledgeError) as raised:
        read_knowledge(folder)
    return str(raised.value).splitlines()


def test_what_was_written_is_what_is_read(folder: Path) -> None:
    read = read_knowledge(folder)
    assert read.findings == small_knowledge().findings
    assert list(read.diagnoses) == list(small_knowledge().diagnoses)


def test_a_diagnosis_belongs_to_the_specialty_its_file_is_named_after(folder: Path) -> None:
    assert {entry.specialty for entry in read_knowledge(folder).diagnoses.values()} == {"ward"}


def test_a_single_threshold_may_be_written_without_a_list(folder: Path) -> None:
    entry = as_written(small_knowledge().findings["leukocytosis"])
    write(folder / "findings" / "general.yaml", [{**entry, "measured": entry["measured"][0]}])
    assert read_knowledge(folder).findings["leukocytosis"] == small_knowledge().findings["leukocytosis"]


def test_findings_come_before_diagnoses_in_the_order_of_their_names(folder: Path) -> None:
    write(folder / "findings" / "acute.yaml", [])
    assert [path.name for path in knowledge_paths(folder)] == ["acute.yaml", "general.yaml", "ward.yaml"]


def test_the_version_follows_the_contents(folder: Path) -> None:
    before = read_knowledge(folder).version
    assert read_knowledge(folder).version == before == knowledge_digest(folder)[:12]
    (folder / "findings" / "general.yaml").open("a").write("# looked at again\n")
    assert read_knowledge(folder).version != before


def test_compiled_knowledge_loads_as_it_was_read(folder: Path, tmp_path: Path) -> None:
    compiled = compile_knowledge(tmp_path / "knowledge.json", folder)
    assert Knowledge.load(tmp_path / "knowledge.json") == compiled == read_knowledge(folder)


def test_all_faults_are_told_at_once_with_file_and_entry(folder: Path) -> None:
    cough = as_written(small_knowledge().findings["cough"])
    write(
        folder / "findings" / "broken.yaml",
        [{**cough, "id": "itch", "background": 2}, {**cough, "id": "rash", "kind": "?"}],
    )
    first, second = faults_of(folder)
    assert first.startswith("broken.yaml: itch: background:")
    assert second.startswith("broken.yaml: rash: kind:")


def test_an_id_written_twice_is_a_fault(folder: Path) -> None:
    write(folder / "findings" / "more.yaml", [as_written(small_knowledge().findings["cough"])])
    assert faults_of(folder) == ["more.yaml: cough: this id is written twice"]


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        ("- id: [", "broken.yaml: not YAML"),
        ("id: cough", "broken.yaml: a list of entries is expected"),
        ("", "broken.yaml: a list of entries is expected"),
        ("- cough", "broken.yaml: entry 1: a mapping is expected"),
        ("- {kind: symptom}", "broken.yaml: ?: id:"),
    ],
)
def test_what_is_no_list_of_entries_is_a_fault(folder: Path, content: str, fault: str) -> None:
    (folder / "findings" / "broken.yaml").write_text(content)
    assert faults_of(folder)[0].startswith(fault)


def test_a_file_in_another_encoding_is_a_fault_with_its_name(folder: Path) -> None:
    (folder / "findings" / "broken.yaml").write_bytes("- 咳嗽".encode("gbk"))
    assert faults_of(folder)[0].startswith("broken.yaml:")


def test_a_folder_without_knowledge_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(KnowledgeError):
        read_knowledge(tmp_path)
