"""Rows F4 and F5: what somebody puts into Redis or into the model's folder is refused, and no code in it is run."""

from __future__ import annotations

import io
import os
import pickle
import subprocess
import sys
import threading
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nlp_core.bundle_errors import BundleDamaged
from nlp_core.bundle_manifest import GRAPH, MANIFEST, WEIGHTS, read_manifest, stored_file, write_manifest
from nlp_core.compose_bundle import compose
from tests.nlp_core.tiny_bundle import graph_with_weights_at, tiny_base, tiny_shipped
from tests.worker.conftest import ROOT, Queue, chart_of, read, wait_for
from worker.client import Reading
from worker.loaded_model import bundle_reader
from worker.messages import answer_name, chart_name, reply_name


class Bomb:
    """Leaves a file behind when it is unpickled."""

    def __init__(self, mark: Path) -> None:
        self._mark = mark

    def __reduce__(self) -> tuple[Any, ...]:
        return (os.mkdir, (str(self._mark),))


@pytest.fixture
def mark(tmp_path: Path) -> Path:
    return tmp_path / "it was run"


FORMS: dict[str, Callable[[Path], bytes]] = {
    "pickle": lambda mark: pickle.dumps(Bomb(mark)),
    "old pickle": lambda mark: pickle.dumps(Bomb(mark), protocol=0),
    "YAML object": lambda mark: f"!!python/object/apply:os.mkdir ['{mark}']".encode(),
}


def test_the_bombs_go_off(mark: Path) -> None:
    pickle.loads(FORMS["old pickle"](mark))
    assert mark.exists()


@pytest.mark.parametrize("form", FORMS)
def test_f04_a_reply_that_no_worker_sealed_is_no_answer_and_is_not_run(own_queue: Queue, mark: Path, form: str) -> None:
    readings: list[Reading] = []
    waiting = threading.Thread(target=lambda: readings.append(read(own_queue.settings(), chart_of("a"), seconds=3)))
    waiting.start()
    with own_queue.redis() as client:
        wait_for(lambda: bool(client.keys(chart_name("*"))), seconds=3)
        (name,) = client.keys(chart_name("*"))
        client.rpush(reply_name(name.decode().removeprefix(chart_name(""))), FORMS[form](mark))
    waiting.join()
    assert readings[0].assessment is None
    assert readings[0].degraded
    assert not mark.exists()


@pytest.mark.parametrize("form", FORMS)
def test_f04_a_chart_or_kept_answer_that_nobody_sealed_is_not_run(queue: Queue, mark: Path, form: str) -> None:
    settings, chart = queue.settings(), chart_of(f"a chart for {form}")
    assert read(settings, chart).assessment is not None
    with queue.redis() as client:
        kept = list(client.scan_iter(f"{answer_name('')}*"))
        assert kept
        for name in kept:
            client.set(name, FORMS[form](mark), ex=60)
        again = read(settings, chart)
        assert again.assessment is not None, "read anew"
        client.set(chart_name("0" * 32), FORMS[form](mark), ex=60)
    assert queue.workers[0].process.poll() is None
    assert not mark.exists()


def pickled_torch(mark: Path) -> bytes:
    """As torch.save writes it: an archive whose data.pkl brings code."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("archive/data.pkl", pickle.dumps(Bomb(mark)))
    return content.getvalue()


def pickled_array(mark: Path) -> bytes:
    content = io.BytesIO()
    np.savez(content, entries=np.array([Bomb(mark)], dtype=object))
    return content.getvalue()


@pytest.fixture
def composed(tmp_path: Path) -> Path:
    base = tiny_base(tmp_path / "base")
    return compose(tmp_path / "composed", shipped=tiny_shipped(tmp_path / "shipped", base), base=base)


def seal(folder: Path) -> None:
    """Name every file in the manifest as it lies there: somebody who may write the folder can do that too."""
    files = {path.name: stored_file(path) for path in folder.iterdir() if path.name != MANIFEST}
    write_manifest(folder, read_manifest(folder).model_copy(update={"files": files}))


PLANTED: dict[str, Callable[[Path], tuple[str, bytes]]] = {
    "a pickle": lambda mark: ("model.pkl", pickle.dumps(Bomb(mark))),
    "a pickle that calls itself JSON": lambda mark: ("knowledge.json", pickle.dumps(Bomb(mark))),
    "torch with code": lambda mark: ("model.pt", pickled_torch(mark)),
    "torch with code that calls itself arrays": lambda mark: ("names.npz", pickled_torch(mark)),
    "pickled arrays": lambda mark: ("names.npz", pickled_array(mark)),
    "a program": lambda mark: ("sitecustomize.py", f"import os; os.mkdir({str(mark)!r})".encode()),
    "a graph whose weights lie elsewhere": lambda _: (GRAPH, graph_with_weights_at("../../outside.weights")),
    "a graph whose weights are the machine's": lambda _: (GRAPH, graph_with_weights_at("/etc/hostname")),
}


@pytest.mark.parametrize("name", PLANTED)
def test_f05_what_is_planted_in_the_bundle_is_refused_and_not_run(composed: Path, mark: Path, name: str) -> None:
    file, content = PLANTED[name](mark)
    (composed / file).write_bytes(content)
    seal(composed)
    with pytest.raises(BundleDamaged):
        bundle_reader(composed)()
    assert not mark.exists()


@pytest.mark.parametrize("name", [WEIGHTS, GRAPH, "tokenizer.json"])
def test_f05_a_changed_byte_is_refused(composed: Path, name: str) -> None:
    content = bytearray((composed / name).read_bytes())
    content[-1] ^= 1
    (composed / name).write_bytes(content)
    with pytest.raises(BundleDamaged, match="checksum"):
        bundle_reader(composed)()


def test_f05_a_worker_refuses_to_start_with_a_planted_model(own_queue: Queue, composed: Path, mark: Path) -> None:
    (composed / "names.npz").write_bytes(pickled_array(mark))
    seal(composed)
    environment = os.environ | own_queue.environment | {"DXSPAN_BUNDLE_PATH": str(composed)}
    begun = time.monotonic()
    ended = subprocess.run(
        [sys.executable, "-m", "worker"],
        env=environment,
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode == 1, time.monotonic() - begun
    assert "the model could not be loaded" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert not mark.exists()
