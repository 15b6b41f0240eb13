"""The model card of a hospital's own bundle says what its files say, and what is missing where one is."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from nlp_core.bundle_manifest import CALIBRATION
from nlp_core.model_bundle import SHIPPED_BUNDLE
from tests.training.test_training_pages import MEASURED
from training.__main__ import main
from training.model.fit import HISTORY, RECIPE
from training.model.parity_report import PARITY, Difference, Parity
from training.model.recipe import Recipe, write_recipe
from training.model_card import CARD
from training.site.site_figures import Figures, Share
from training.site.site_report import Data, Side, SiteReport

SHARE = Share(value=0.613, low=0.5, high=0.7)
FIGURES = Figures(
    notes=40, patients=30, top1=SHARE, top3=SHARE, top5=SHARE, silent=SHARE, leading_calibration_error=0.041,
    calibration_error=0.022,
)  # fmt: skip
REPORT = SiteReport(
    date="2026-11-26",
    command="evaluate-site",
    data=Data(
        sites=("north",), split="test", seed=1, without_codes=0, beyond=0, bad_lines=0, fewest=5, variants=0
    ),
    ours=Side(model="own+1", knowledge="k", calibrated=True, figures=FIGURES),
    shipped=None,
    differences={},
    groups=(),
    gaps={"sex": 4.2},
    silences={},
    reliability=(),
    written=(),
    told=(),
)  # fmt: skip


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """bundle/ and run/ as export-model and fit leave them."""
    shutil.copytree(SHIPPED_BUNDLE, tmp_path / "bundle")
    (tmp_path / "run").mkdir()
    write_recipe(tmp_path / "run" / RECIPE, Recipe(steps=60))
    (tmp_path / "run" / HISTORY).write_text(MEASURED.model_dump_json() + "\n", encoding="utf-8")
    return tmp_path


def card(site: Path, *more: str) -> str:
    command = ["model-card", "--site", "--bundle", str(site / "bundle"), "--run", str(site / "run"), *more]
    assert main(command) == 0
    return (site / "bundle" / CARD).read_text(encoding="utf-8")


def test_it_holds_the_figures_of_evaluation_parity_and_calibration(site: Path) -> None:
    (site / "report.json").write_text(REPORT.model_dump_json(), encoding="utf-8")
    outputs = {"last_hidden_state": Difference(largest=0.00123, lowest_cosine=0.99987)}
    parity = Parity(precision="fp16", batches=3, tokens=77, outputs=outputs)
    (site / "bundle" / PARITY).write_text(parity.model_dump_json(), encoding="utf-8")
    written = card(site, "--evaluation", str(site / "report.json"))
    for said in (
        "61.3 (50–70)",
        "40 coded notes",
        "by sex: 4.2 points",
        "lowest cosine 0.99987",
        "60 steps",
        "error 0.",
    ):
        assert said in written
    assert "not measured" not in written.lower()


def test_what_was_not_made_is_said_to_be_missing(site: Path) -> None:
    for name in (PARITY, CALIBRATION):
        (site / "bundle" / name).unlink()
    written = card(site)
    for said in ("Parity with torch: not measured", "Not calibrated", "Not measured yet"):
        assert said in written


def test_an_evaluation_of_the_shipped_bundle_is_asked_for_elsewhere(
    site: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["model-card", "--bundle", str(site / "bundle"), "--evaluation", str(site / "report.json")]) != 0
    assert "--site" in capsys.readouterr().err
