"""Composing gives the same whole folder every time, or nothing and a reason."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file

from nlp_core import compose_bundle
from nlp_core.batches import Batch
from nlp_core.bundle_errors import BaseMismatch, BaseMissing, BundleDamaged, ComposeError
from nlp_core.bundle_manifest import WEIGHTS, stored_file
from nlp_core.compose_bundle import compose
from nlp_core.model_bundle import Bundle
from nlp_core.onnx_encoder import OnnxEncoder
from tests.nlp_core.tiny_bundle import edit_manifest, tiny_shipped


def test_the_composed_graph_computes_with_the_base_weights(composed: Path, base: Path) -> None:
    tensors = load_file(base / "model.safetensors")
    ids = np.array([[2, 5, 3]])
    vectors = OnnxEncoder.open(Bundle.open(composed)).encode(Batch(ids, np.ones_like(ids), (0,)))
    assert vectors[0] == pytest.approx(tensors["words.weight"][ids[0]] @ tensors["up.weight"].T, abs=1e-6)


def test_the_shipped_bundle_composes_to_the_bytes_it_was_exported_with(bundle: Bundle) -> None:
    assert stored_file(bundle.file(WEIGHTS)) == bundle.manifest.weights


def test_composing_again_touches_nothing(composed: Path, shipped: Path, base: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in composed.iterdir()}
    assert compose(composed, shipped=shipped, base=base) == composed
    assert {path: path.stat().st_mtime_ns for path in composed.iterdir()} == before


def test_a_damaged_bundle_is_composed_anew(composed: Path, shipped: Path, base: Path) -> None:
    (composed / WEIGHTS).write_bytes(b"")
    Bundle.open(compose(composed, shipped=shipped, base=base))


def test_a_changed_shipped_bundle_is_composed_anew(composed: Path, shipped: Path, base: Path) -> None:
    edit_manifest(shipped, version="tiny-2")
    assert Bundle.open(compose(composed, shipped=shipped, base=base)).manifest.version == "tiny-2"


def test_progress_ends_at_the_total(tmp_path: Path, shipped: Path, base: Path) -> None:
    told: list[tuple[int, int]] = []
    compose(tmp_path / "composed", shipped=shipped, base=base, progress=lambda *now: told.append(now))
    assert told == sorted(told)
    assert told[-1][0] == told[-1][1] > 0


def test_extra_steps_see_a_bundle_that_opens_and_their_files_are_sealed(
    tmp_path: Path, shipped: Path, base: Path
) -> None:
    def embed_names(folder: Path) -> None:
        np.savez(folder / "names.npz", vectors=OnnxEncoder.open(Bundle.open(folder)).embed(["chest pain"]))

    def count_names(folder: Path) -> None:
        with np.load(Bundle.open(folder).file("names.npz")) as names:
            (folder / "count.txt").write_text(str(len(names["vectors"])))

    bundle = Bundle.open(compose(tmp_path / "c", shipped=shipped, base=base, extra=[embed_names, count_names]))
    assert bundle.file("count.txt").read_text() == "1"


def test_a_failing_step_leaves_nothing_behind(tmp_path: Path, shipped: Path, base: Path) -> None:
    def fail(_folder: Path) -> None:
        raise KeyError

    with pytest.raises(KeyError):
        compose(tmp_path / "share" / "composed", shipped=shipped, base=base, extra=[fail])
    assert list((tmp_path / "share").iterdir()) == []


def test_a_step_may_not_bring_a_pickle(tmp_path: Path, shipped: Path, base: Path) -> None:
    with pytest.raises(BundleDamaged):
        compose(
            tmp_path / "share" / "composed",
            shipped=shipped,
            base=base,
            extra=[lambda folder: np.save(folder / "x.npy", np.array([None]), allow_pickle=True)],
        )
    assert list((tmp_path / "share").iterdir()) == []


def test_processes_that_compose_at_once_end_with_one_whole_bundle(tmp_path: Path, shipped: Path, base: Path) -> None:
    together = threading.Barrier(4)
    failures: list[BaseException] = []

    def run() -> None:
        try:
            compose(tmp_path / "s" / "c", shipped=shipped, base=base, extra=[lambda _: together.wait(20) and None])
        except BaseException as error:  # carried to the test's own thread
            failures.append(error)

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert [path.name for path in (tmp_path / "s").iterdir()] == ["c"]
    Bundle.open(tmp_path / "s" / "c")


def test_a_folder_that_is_no_bundle_is_left_as_it_is(tmp_path: Path, shipped: Path, base: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("ten years")
    with pytest.raises(ComposeError, match="left as it is"):
        compose(tmp_path / "mine", shipped=shipped, base=base)
    assert (tmp_path / "mine" / "thesis.txt").read_text() == "ten years"


def test_a_changed_shipped_graph_is_refused(tmp_path: Path, shipped: Path, base: Path) -> None:
    with (shipped / "encoder.graph.onnx").open("ab") as stream:
        stream.write(b" ")
    with pytest.raises(BundleDamaged, match=r"shipped encoder\.graph\.onnx differs"):
        compose(tmp_path / "composed", shipped=shipped, base=base)


def test_weights_other_than_exported_are_refused(tmp_path: Path, shipped: Path, base: Path) -> None:
    edit_manifest(shipped, weights={"size": 4160, "sha256": "0" * 64})
    with pytest.raises(ComposeError, match="not the ones this bundle was exported with"):
        compose(tmp_path / "composed", shipped=shipped, base=base)


def test_another_base_is_refused(tmp_path: Path, shipped: Path, base: Path) -> None:
    content = bytearray((base / "model.safetensors").read_bytes())
    content[-1] ^= 1
    (base / "model.safetensors").write_bytes(bytes(content))
    with pytest.raises(BaseMismatch):
        compose(tmp_path / "composed", shipped=shipped, base=base)


def test_a_missing_package_is_refused(tmp_path: Path, base: Path) -> None:
    shipped = tiny_shipped(tmp_path / "other", base, package="no-such-encoder")
    with pytest.raises(BaseMissing, match="no-such-encoder"):
        compose(tmp_path / "composed", shipped=shipped)


def test_the_command_prints_where_and_why(
    tmp_path: Path,
    composed: Path,
    shipped: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(compose_bundle, "composed_bundle_path", lambda: composed)
    monkeypatch.setattr(compose_bundle.compose, "__kwdefaults__", {**compose.__kwdefaults__, "shipped": shipped})
    assert compose_bundle.main() == 0
    assert capsys.readouterr().out == f"{composed}\n"
    monkeypatch.setattr(compose_bundle, "composed_bundle_path", lambda: tmp_path)
    assert compose_bundle.main() == 1
    assert "ComposeError" in capsys.readouterr().err


def test_a_full_disk_is_said_and_leaves_nothing_behind(tmp_path: Path) -> None:
    """A file-size limit makes writing fail as a full disk does, in a process of its own."""
    program = (
        "import resource, signal, sys; from pathlib import Path;"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN); resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, 1 << 20));"
        "from nlp_core.bundle_errors import ComposeError; from nlp_core.compose_bundle import compose\n"
        "try: compose(Path(sys.argv[1]))\n"
        "except ComposeError as error: print(error)"
    )
    target = tmp_path / "share" / "composed"
    finished = subprocess.run(
        [sys.executable, "-c", program, os.fspath(target)], capture_output=True, text=True, check=True
    )
    assert "cannot compose the model bundle" in finished.stdout
    assert list(target.parent.iterdir()) == []
