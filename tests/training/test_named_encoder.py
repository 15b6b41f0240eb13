"""`--model`: an encoder by folder or by hub id."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.training.hub_server import hub
from tests.training.tiny_encoders import save_encoder
from training.model.named_encoder import encoder_folder

REPOSITORY = "hospital/bert"


def _export(model: str, out: Path, endpoint: str) -> subprocess.CompletedProcess[str]:
    """As a user does, in a process of its own: huggingface_hub reads where the hub is when it is imported."""
    environment = {**os.environ, "HF_ENDPOINT": endpoint, "HF_HOME": str(out / "cache"), "HF_HUB_OFFLINE": "0"}
    command = [sys.executable, "-m", "training", "export-model", "--model", model, "--out", str(out / "bundle")]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=110, check=False)


def test_an_encoder_comes_from_a_hub_by_its_id_and_revision(tmp_path: Path) -> None:
    folder = save_encoder("bert", tmp_path / "model")
    (folder / "pytorch_model.bin").write_bytes(b"a pickle nobody wants")
    with hub(REPOSITORY, folder) as (endpoint, asked):
        done = _export(f"{REPOSITORY}@main", tmp_path, endpoint)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "bundle" / "manifest.json").is_file()
    assert any("model.safetensors" in path for path in asked)
    assert not any("pytorch_model.bin" in path for path in asked)


def test_a_model_the_hub_does_not_have_is_a_clear_error(tmp_path: Path) -> None:
    with hub(REPOSITORY, save_encoder("bert", tmp_path / "model")) as (endpoint, _):
        done = _export("hospital/absent", tmp_path, endpoint)
    assert done.returncode == 1
    assert "hospital/absent is no folder, and the hub does not give it" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_folder_is_taken_as_it_is(tmp_path: Path) -> None:
    assert encoder_folder(str(tmp_path)) == tmp_path
    assert encoder_folder(None) is None


@pytest.mark.parametrize("name", ["no-such-folder", "a/b/c", "/no/such/folder", "http://hub/a/b"])
def test_what_is_neither_folder_nor_id_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="is no folder"):
        encoder_folder(name)
