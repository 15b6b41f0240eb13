"""A composed bundle opens when whole, and its place follows its contents."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

from nlp_core.bundle_errors import BundleDamaged, BundleError, BundleMissing
from nlp_core.compose_bundle import compose
from nlp_core.knowledge_files import knowledge_paths
from nlp_core.model_bundle import COMPILED_BY, Bundle, composed_bundle_path, shipped_files
from tests.nlp_core.tiny_bundle import edit_manifest


def test_a_composed_bundle_opens(composed: Path) -> None:
    bundle = Bundle.open(composed)
    assert bundle.graph == composed / "encoder.graph.onnx"
    assert bundle.manifest.width == 4


def test_the_version_names_the_bundle_and_its_contents(composed: Path, tmp_path: Path) -> None:
    version = Bundle.open(composed).model_version
    name, _, digest = version.partition("+")
    assert (name, len(digest)) == ("tiny-1", 12)
    other = compose(
        tmp_path / "other",
        shipped=tmp_path / "shipped",
        base=tmp_path / "base",
        extra=[lambda folder: (folder / "names.txt").write_text("fever") and None],
    )
    assert Bundle.open(other).model_version != version


def test_the_tokenizer_neither_cuts_nor_pads(bundle: Bundle) -> None:
    tokenizer = bundle.tokenizer()
    assert len(tokenizer.encode("pain " * 700).ids) == 702
    assert len(tokenizer.encode("pain").ids) == 3


def test_without_a_calibration_there_is_none(composed: Path) -> None:
    assert Bundle.open(composed).calibration() is None


def test_a_shipped_calibration_travels_with_the_bundle(tmp_path: Path, base: Path, shipped: Path) -> None:
    table = '{"fitted_on":"ten","patients":10,"expected_calibration_error":0,"leading_calibration_error":0,"raw":[0,1],"leading":[0,1],"following":[0,1],'
    (shipped / "calibration.json").write_text(table + '"silence_below":0.1}')
    calibration = Bundle.open(compose(tmp_path / "composed", shipped=shipped, base=base)).calibration()
    assert calibration is not None
    assert calibration.fitted_on == "ten"


@pytest.mark.parametrize("what", ["knowledge", "second_reader"])
def test_what_composing_did_not_write_is_said(composed: Path, what: str) -> None:
    with pytest.raises(BundleDamaged, match="compose it anew"):
        getattr(Bundle.open(composed), what)()


def test_nothing_composed_is_its_own_error(tmp_path: Path) -> None:
    with pytest.raises(BundleMissing):
        Bundle.open(tmp_path)


def test_a_shipped_bundle_is_not_opened_as_composed(shipped: Path) -> None:
    with pytest.raises(BundleDamaged, match="not composed"):
        Bundle.open(shipped)


def test_the_default_place_is_in_this_installation_and_holds_for_one_content(tmp_path: Path, shipped: Path) -> None:
    place = composed_bundle_path([], shipped=shipped)
    assert place.parent == Path(sys.prefix) / "share" / "dxspan"
    assert composed_bundle_path([], shipped=shipped) == place
    (tmp_path / "k.yaml").write_text("- id: fever")
    with_knowledge = composed_bundle_path([tmp_path / "k.yaml"], shipped=shipped)
    (tmp_path / "k.yaml").write_text("- id: high_fever")
    assert len({place, with_knowledge, composed_bundle_path([tmp_path / "k.yaml"], shipped=shipped)}) == 3
    edit_manifest(shipped, version="tiny-2")
    assert composed_bundle_path([], shipped=shipped) != place


def test_the_default_place_counts_the_packages_knowledge() -> None:
    assert composed_bundle_path() == composed_bundle_path(knowledge_paths())


def test_a_calibration_changes_the_place(shipped: Path) -> None:
    place = composed_bundle_path([], shipped=shipped)
    (shipped / "calibration.json").write_text("{}")
    assert composed_bundle_path([], shipped=shipped) != place


def test_a_shipped_bundle_without_its_graph_is_damaged(shipped: Path) -> None:
    (shipped / "encoder.graph.onnx").unlink()
    with pytest.raises(BundleDamaged, match="install dxspan anew"):
        shipped_files(shipped)


def test_every_fault_of_a_bundle_is_a_bundle_error(composed: Path) -> None:
    shutil.rmtree(composed)
    with pytest.raises(BundleError):
        Bundle.open(composed)


def test_make_composes_anew_for_whatever_the_compiled_files_depend_on() -> None:
    rule = next(
        line
        for line in (Path(__file__).parents[2] / "Makefile").read_text("utf-8").splitlines()
        if line.startswith("$(VENV)/.run-is-set-up:")
    )
    for path in COMPILED_BY:
        assert path.relative_to(Path(__file__).parents[2]).as_posix() in rule
