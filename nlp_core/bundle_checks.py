"""Whether a composed folder is what its manifest says, and holds nothing a bundle may not hold.

Knows files, checksums, pickles and where a graph points. Does not load any of it.
"""

from __future__ import annotations

import stat
import zipfile
from pathlib import Path

from nlp_core.bundle_errors import BundleDamaged
from nlp_core.bundle_manifest import GRAPH, MANIFEST, TOKENIZER, WEIGHTS, Manifest, stored_file
from nlp_core.external_data import NotOnnx, external_files

_ALLOWED = frozenset({".onnx", ".json", ".weights", ".npz", ".safetensors", ".txt", ".yaml"})
_PICKLE = b"\x80"
_PICKLED_ARRAY = b"|O"
_NPY_HEADER = 256


def check_folder(folder: Path, manifest: Manifest) -> None:
    """Raises BundleDamaged at the first fault."""
    for needed in (GRAPH, WEIGHTS, TOKENIZER):
        if needed not in manifest.files:
            raise BundleDamaged(f"the manifest at {folder} names no {needed}: this bundle is not composed")
    _check_names(folder, manifest)
    for name in manifest.files:
        _check_file(folder / name, manifest)
    _check_graph(folder / GRAPH, manifest)


def _check_names(folder: Path, manifest: Manifest) -> None:
    present = {path.name for path in folder.iterdir()} - {MANIFEST}
    for name in sorted(present ^ manifest.files.keys()):
        fault = "is not named by the manifest" if name in present else "is missing"
        raise BundleDamaged(f"{folder / name} {fault}")


def _check_file(path: Path, manifest: Manifest) -> None:
    if not stat.S_ISREG(path.lstat().st_mode):
        raise BundleDamaged(f"{path} is no plain file")
    if path.suffix not in _ALLOWED or _has_pickle(path):
        raise BundleDamaged(f"{path} is no kind of file that a bundle may hold")
    wanted = manifest.files[path.name]
    # Size first: it tells most damage without reading 90 MB.
    if path.lstat().st_size != wanted.size or stored_file(path) != wanted:
        raise BundleDamaged(f"{path} differs from its checksum; compose the bundle anew")


def _has_pickle(path: Path) -> bool:
    if path.suffix in (".weights", ".safetensors"):  # may begin with any byte, and are never unpickled
        return False
    if path.suffix != ".npz":
        with path.open("rb") as stream:
            return stream.read(1) == _PICKLE
    try:
        with zipfile.ZipFile(path) as arrays:
            return any(
                not name.endswith(".npy") or _PICKLED_ARRAY in arrays.open(name).read(_NPY_HEADER)
                for name in arrays.namelist()
            )
    except zipfile.BadZipFile as error:
        raise BundleDamaged(f"{path} is no archive of arrays") from error


def _check_graph(graph: Path, manifest: Manifest) -> None:
    try:
        outside = external_files(graph.read_bytes()) - manifest.files.keys()
    except NotOnnx as error:
        raise BundleDamaged(f"{graph} is {error}") from error
    if outside:
        raise BundleDamaged(f"{graph} points to weights that are no file of the bundle: {sorted(outside)}")
