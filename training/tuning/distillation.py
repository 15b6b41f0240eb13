"""An ensemble distilled to one: several classifiers trained apart teach one what they think together.

Input : as `tuned` takes it, options with `ensemble` above 1
Output: one classifier of the size of each. Each teacher's answers lie in OUT/teacher-N, so that a run that was cut goes on
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from training.tuning.checkpoints import CHECKPOINTS
from training.tuning.examples import Shares, shares_of
from training.tuning.labelled_texts import LabelledText
from training.tuning.options import TuningOptions
from training.tuning.run import Start, Tuned, tuned

ANSWERS, DIGEST = "answers.npy", "learned-from.sha256"
TAUGHT_SHARE = 0.5
"""Of what a text is to be answered with, so much is the teachers' answer, the rest its label."""


def distilled(
    model: str | None,
    texts: Sequence[LabelledText],
    development: Sequence[LabelledText],
    labels: Sequence[str],
    options: TuningOptions,
    out: Path,
    *,
    shares: Shares | None = None,
    start: Start | None = None,
    resume: bool = False,
    report_to: str = "none",
) -> Tuned:
    """The pupil; with an ensemble of 1 simply the one classifier."""
    own = shares_of(texts, labels) if shares is None else shares
    if options.ensemble > 1:
        taught = [
            _teacher_answers(n, model, texts, development, labels, options, out, own, start)
            for n in range(options.ensemble)
        ]
        own = ((1 - TAUGHT_SHARE) * own + TAUGHT_SHARE * np.mean(taught, axis=0)).astype(np.float32)
    begun = resume and (options.ensemble == 1 or (out / CHECKPOINTS).is_dir())
    return tuned(
        model, texts, development, labels, options, out, shares=own, start=start, resume=begun, report_to=report_to
    )


def softened(logits: NDArray[np.float32], temperature: float) -> NDArray[np.float32]:
    """Shares of the classes, the more alike the higher the temperature."""
    powers = np.exp((logits - logits.max(axis=1, keepdims=True)) / temperature)
    shares: NDArray[np.float32] = powers / powers.sum(axis=1, keepdims=True)
    return shares


def _teacher_answers(
    number: int,
    model: str | None,
    texts: Sequence[LabelledText],
    development: Sequence[LabelledText],
    labels: Sequence[str],
    options: TuningOptions,
    out: Path,
    shares: Shares,
    start: Start | None,
) -> NDArray[np.float32]:
    """What a teacher says of the training texts, kept on disk. Its weights are not kept."""
    folder = out / f"teacher-{number}"
    own = options.model_copy(update={"seed": options.seed + 1000 * (number + 1), "ensemble": 1})
    stamp = repr((model, own.model_dump(), [(example.text, example.label) for example in texts]))
    if (folder / ANSWERS).is_file() and (folder / DIGEST).read_text("utf-8") == _digest(stamp):
        known: NDArray[np.float32] = np.load(folder / ANSWERS)
        return known
    folder.mkdir(parents=True, exist_ok=True)
    teacher = tuned(model, texts, development, labels, own, folder, shares=shares, start=start)
    answers = softened(teacher.logits([example.text for example in texts]), options.temperature)
    shutil.rmtree(folder / CHECKPOINTS, ignore_errors=True)
    (folder / DIGEST).write_text(_digest(stamp), encoding="utf-8")
    np.save(folder / ANSWERS, answers)
    return answers


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
