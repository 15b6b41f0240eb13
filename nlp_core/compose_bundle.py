"""Set-up's step that makes the model: the shipped bundle and the base package's files composed into one folder.

`python -m nlp_core.compose_bundle` composes to the default place and prints where. The weights take a second and need
numpy alone (no torch, no onnx). Does nothing where the folder is there and whole; never leaves half a folder behind.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from tqdm import tqdm

from nlp_core.adapters import ADAPTER, Adapter
from nlp_core.base_package import base_files
from nlp_core.bundle_errors import BundleDamaged, BundleError, BundleMissing, ComposeError
from nlp_core.bundle_folders import folder_aside, put_in_place, remove_older, require_space
from nlp_core.bundle_manifest import (
    BASE_WEIGHTS,
    MANIFEST,
    TABLE,
    WEIGHTS,
    Manifest,
    read_manifest,
    read_table,
    stored_file,
    write_manifest,
)
from nlp_core.compose_knowledge import add_knowledge, add_names, add_shares, add_spelling
from nlp_core.compose_weights import write_weights
from nlp_core.knowledge_files import KnowledgeError
from nlp_core.model_bundle import SHIPPED_BUNDLE, Bundle, composed_bundle_path, digest_of, shipped_files

Progress = Callable[[int, int], None]
"""Told bytes written and bytes in all."""
ExtraStep = Callable[[Path], None]
"""Adds files to a folder that `Bundle.open` already takes; afterwards the manifest names them too."""

EXTRA_STEPS: tuple[ExtraStep, ...] = (add_knowledge, add_spelling, add_names, add_shares)
"""What set-up adds to the default bundle."""


def _untold(_done: int, _total: int) -> None:
    """Progress that nobody asked for."""


def compose(
    target: Path,
    *,
    progress: Progress = _untold,
    extra: Sequence[ExtraStep] = (),
    shipped: Path = SHIPPED_BUNDLE,
    base: Path | None = None,
) -> Path:
    """Composes the bundle at `target` and returns it; a whole bundle of the same making is left as it is.

    base: folder with the base encoder's files; None = the installed package.
    Raises BaseMissing, BaseMismatch, DiskFull, ComposeError (target is something else, or may not be written), and
    BundleMissing or BundleDamaged for the shipped bundle.
    """
    made_from = digest_of(shipped_files(shipped))
    if _is_whole(target, made_from):
        return target
    with folder_aside(target) as folder:
        _fill(folder, shipped, base, made_from, progress)
        for step in extra:
            step(folder)
            _name_all_files(folder)
        Bundle.open(folder)
        put_in_place(folder, target, lambda: _is_whole(target, made_from))
    return target


def _is_whole(target: Path, made_from: str) -> bool:
    """Raises ComposeError where `target` is no bundle at all: set-up never deletes what it did not make."""
    try:
        return Bundle.open(target).manifest.shipped == made_from
    except BundleMissing:
        if target.exists() and (not target.is_dir() or any(target.iterdir())):
            raise ComposeError(f"{target} is there and is no model bundle; it is left as it is") from None
        return False
    except BundleDamaged:
        return False


def _fill(folder: Path, shipped: Path, base: Path | None, made_from: str, progress: Progress) -> None:
    """Everything but the extra steps: afterwards `Bundle.open(folder)` works."""
    manifest = read_manifest(shipped)
    sources = base_files(manifest.base, base)
    copied = [path for name, path in sources.items() if name != BASE_WEIGHTS]
    copied += [shipped / name for name in shipped_files(shipped) if name != MANIFEST]
    total = manifest.weights.size + sum(path.stat().st_size for path in copied)
    require_space(folder, total)
    for path in copied:
        shutil.copyfile(path, folder / path.name)
    _check_shipped(folder, manifest)
    before = total - manifest.weights.size
    table = read_table(folder / TABLE)
    adapter = Adapter.open(folder / ADAPTER) if ADAPTER in manifest.files else None

    def told(written: int) -> None:
        progress(before + written, total)

    write_weights(sources[BASE_WEIGHTS], table, folder / WEIGHTS, told, adapter=adapter)
    if stored_file(folder / WEIGHTS) != manifest.weights:
        raise ComposeError("the composed weights are not the ones this bundle was exported with")
    write_manifest(folder, manifest.model_copy(update={"shipped": made_from}))
    _name_all_files(folder)


def _check_shipped(folder: Path, manifest: Manifest) -> None:
    for name, wanted in manifest.files.items():
        if stored_file(folder / name) != wanted:
            raise BundleDamaged(f"the shipped {name} differs from its checksum; install dxspan anew")


def _name_all_files(folder: Path) -> None:
    files = {path.name: stored_file(path) for path in sorted(folder.iterdir()) if path.name != MANIFEST}
    write_manifest(folder, read_manifest(folder).model_copy(update={"files": files}))


def main() -> int:
    """Composes to the default place; prints where, or what is wrong, and returns the exit status."""
    try:
        target = composed_bundle_path()
        with tqdm(unit="B", unit_scale=True, desc="composing the model", leave=False, disable=None) as bar:

            def show(done: int, total: int) -> None:
                bar.total = total
                bar.update(done - bar.n)

            compose(target, progress=show, extra=EXTRA_STEPS)
    except (BundleError, KnowledgeError) as error:
        sys.stderr.write(f"{type(error).__name__}: {error}\n")
        return 1
    remove_older(target)
    sys.stdout.write(f"{target}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
