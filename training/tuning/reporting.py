"""Where the curves of a run go: TensorBoard beside the results, or a service that the site already has.

Knows the names that `--report-to` takes. W&B and MLflow are read from their own settings and installed by whoever wants them.
"""

from __future__ import annotations

from argparse import ArgumentParser
from importlib.util import find_spec
from pathlib import Path
from typing import Any

CURVES = "curves"
REPORTERS = ("tensorboard", "wandb", "mlflow", "none")


def add_report_argument(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--report-to", choices=REPORTERS, default="tensorboard",
        help="who draws the curves; wandb and mlflow are installed apart (default: %(default)s, in OUT/curves)",
    )  # fmt: skip


def check_reporter(name: str) -> None:
    """Raises ValueError where it is not installed."""
    if name in ("wandb", "mlflow") and find_spec(name) is None:
        raise ValueError(f"--report-to {name}: {name} is not installed; `pip install {name}`, or use tensorboard")


def reporters(name: str, out: Path) -> tuple[list[str], list[Any]]:
    """(what the Trainer reports to by itself, callbacks that it is given)."""
    check_reporter(name)
    if name != "tensorboard":
        return ([] if name == "none" else [name]), []
    from torch.utils.tensorboard import SummaryWriter
    from transformers.integrations.integration_utils import TensorBoardCallback

    writer: Any = TensorBoardCallback
    return [], [writer(SummaryWriter(str(out / CURVES)))]
