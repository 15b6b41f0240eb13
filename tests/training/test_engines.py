"""A step for many shards gives the same in one process, in several and on a Ray cluster; failures say no word of a chart."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.training.test_prepare import condition, note
from training.__main__ import main
from training.engines.choice import Engine
from training.engines.in_order import WorkerFailed, in_order
from training.engines.processes import in_processes

PATIENTS = 6
ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.timeout(600)  # Ray starts six processes; it may have to share the machine


@pytest.fixture
def export(tmp_path: Path) -> Path:
    """Six named patients, each with a note that names them and what was coded of it."""
    folder = tmp_path / "export"
    folder.mkdir()
    people = [
        {
            "resourceType": "Patient", "id": f"p{n}", "gender": "female", "birthDate": "1980-02-03",
            "name": [{"family": f"Okonkwo{'abcdef'[n]}", "given": ["Theodora"]}],
            "identifier": [{"system": "urn:mrn", "value": f"0048291{n}"}],
        }
        for n in range(PATIENTS)
    ]  # fmt: skip
    said = [f"anxious {n}. Mrs. Okonkwo{'abcdef'[n]} (MRN 0048291{n}) was told" for n in range(PATIENTS)]
    notes = [note(f"d{n}", who=f"p{n}", said=said[n], encounter=f"e{n}") for n in range(PATIENTS)]
    coded = [condition(f"c{n}", who=f"p{n}", encounter=f"e{n}") for n in range(PATIENTS)]
    rows = [*people, *notes, *coded]
    (folder / "all.ndjson").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (tmp_path / "key").write_text("one key for all these tests, long enough")
    return folder


def steps(export: Path, name: str, *engine: str) -> list[list[str]]:
    """The two commands, one after the other."""
    key, out = str(export.parent / "key"), export.parent / name
    deidentify = ["deidentify", "--in", str(export), "--out", str(out / "deidentified"), "--key-file", key]
    deidentify += ["--profile", "expert-shift", "--as-of", "2026-01-01", "--part-bytes", "900"]
    prepare = ["prepare", "--from", str(out / "deidentified"), "--out", str(out / "prepared"), "--split-key", key]
    return [[*deidentify, *engine], [*prepare, *engine]]


def written(out: Path) -> dict[str, bytes]:
    kept = [*(out / "deidentified").iterdir(), *(out / "prepared").glob("*.json*"), out / "prepared" / "data_card.md"]
    return {path.name: path.read_bytes() for path in kept}


def test_on_two_ray_workers_both_steps_write_what_one_process_writes_and_no_log_has_a_word_of_a_chart(
    export: Path,
) -> None:
    """The commands join the Ray that is running, as they would a cluster's."""
    with Engine("ray", workers=2).ready(str, "") as run:
        import ray
        from ray._common.usage import usage_lib

        with pytest.raises(WorkerFailed, match="ValueError") as failed:
            list(run(int, ["1", "Okonkwo"]))  # int's own message quotes what it was given
        assert "Okonkwo" not in str(failed.value)
        address = ray.get_runtime_context().gcs_address
        for step in steps(export, "on_ray", "--engine", "ray", "--address", address):
            done = subprocess.run([sys.executable, "-m", "training", *step], cwd=ROOT, capture_output=True, text=True)
            assert done.returncode == 0, done.stderr
        session = Path(ray._private.worker._global_node.get_session_dir_path())
        logs = b"".join(path.read_bytes() for path in session.rglob("*") if path.is_file())
        reports_use = usage_lib.usage_stats_enabled()
    assert not session.exists()
    assert logs
    assert not [word for word in (b"Okonkwo", b"Theodora", b"0048291", b"pleuritic", b"one key for") if word in logs]
    assert not reports_use
    for step in steps(export, "alone"):
        assert main(step) == 0
    assert written(export.parent / "on_ray") == written(export.parent / "alone")
    assert (export.parent / "alone" / "prepared" / "train.jsonl").read_bytes()
    assert not (export.parent / "on_ray" / "prepared" / "reading").exists()


def test_a_cluster_that_is_not_there_and_ray_that_is_not_installed_are_said(
    export: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["prepare", "--from", str(export), "--out", str(export.parent / "out"), "--allow-identified"]
    assert main([*command, "--address", "auto"]) == 1
    assert "--engine ray" in capsys.readouterr().err
    monkeypatch.setitem(sys.modules, "ray", None)
    assert main([*command, "--engine", "ray"]) == 1
    assert "requirements/cluster.lock" in capsys.readouterr().err


def test_processes_give_answers_in_order_and_a_killed_one_ends_the_run() -> None:
    with in_processes(2, str, "") as run:
        assert list(run(int, map(str, range(50)))) == list(range(50))
        with pytest.raises(WorkerFailed, match="ended from outside"):
            list(run(os._exit, [7]))


def test_few_shards_are_under_way_at_a_time_however_many_there_are() -> None:
    taken: list[int] = []
    handed = 0

    def hand_out(shard: int) -> int:
        nonlocal handed
        handed += 1
        assert handed - len(taken) <= 3
        return shard

    def take(ticket: int) -> int:
        taken.append(ticket)
        return ticket

    assert list(in_order(range(100), hand_out, take, most=3)) == list(range(100))
