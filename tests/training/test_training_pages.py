"""The pages a training run leaves behind: its curves and its model card, from the run's own files."""

from __future__ import annotations

from pathlib import Path

import pytest
from torch.utils.tensorboard import SummaryWriter

from nlp_core.model_bundle import SHIPPED_BUNDLE
from training.model.fit import HISTORY, RECIPE
from training.model.measure_training import Measured
from training.model.plot_training import draw, read_curves, smoothed
from training.model.recipe import Recipe, write_recipe
from training.model_card import CARD, card

MEASURED = Measured(
    step=8,
    losses={"concept": 0.5},
    nearest_english=0.51,
    nearest_chinese=0.52,
    finding_f1=0.93,
    assertion_accuracy=0.94,
    salience_accuracy=0.95,
    evidence_agreement=0.96,
)


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A folder as `fit` leaves it, by hand."""
    curves = SummaryWriter(tmp_path / "curves")
    for step in range(60):
        curves.add_scalar("loss/concept", 1 / (1 + step), step)
    curves.add_scalar("held_apart/finding_f1", 0.9, 59)
    curves.close()
    write_recipe(tmp_path / RECIPE, Recipe(steps=60))
    (tmp_path / HISTORY).write_text(MEASURED.model_dump_json() + "\n", encoding="utf-8")
    return tmp_path


def test_the_curves_of_a_run_are_drawn_the_same_twice(run: Path) -> None:
    curves = read_curves(run)
    assert set(curves) == {"loss/concept", "held_apart/finding_f1"}
    for name in ("one.svg", "two.svg"):
        draw(curves, run / name)
    assert (run / "one.svg").read_bytes() == (run / "two.svg").read_bytes()
    assert ">steps<" in (run / "one.svg").read_text("utf-8")


def test_a_smoothed_curve_is_shorter_and_never_outside_its_values(run: Path) -> None:
    steps, values = smoothed(read_curves(run)["loss/concept"], window=10)
    assert len(steps) == len(values) == 51
    assert 0 < values.min() < values.max() < 1


def test_a_folder_without_curves_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="no curves"):
        read_curves(tmp_path)


def test_the_card_says_what_the_files_say(run: Path) -> None:
    written = "\n".join(card(SHIPPED_BUNDLE, run, run / "no-evaluations.jsonl"))
    assert "| finding f1 | 0.930 |" in written
    assert "60 steps" in written
    assert "no clinician has reviewed them" in written


def test_the_shipped_card_is_of_the_shipped_bundle() -> None:
    from nlp_core.bundle_manifest import read_manifest

    title = (SHIPPED_BUNDLE / CARD).read_text("utf-8").splitlines()[0]
    assert title == f"# Reading model, bundle {read_manifest(SHIPPED_BUNDLE).version}"


def test_where_the_run_is_gone_the_card_says_how_it_was_trained_as_before(tmp_path: Path) -> None:
    evaluations = Path(__file__).parents[2] / "docs" / "evaluation_history.jsonl"
    before = (SHIPPED_BUNDLE / CARD).read_text("utf-8")
    again = "\n".join(card(SHIPPED_BUNDLE, tmp_path / "gone", evaluations))
    trained = before[before.index("## How it was trained") : before.index("## How good it is")]
    assert "finding f1" in trained
    assert trained in again
