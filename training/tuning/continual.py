"""Going on from a finished tuning: new texts and labels learned beside replayed old ones, and a gate against forgetting.

Input : the folder of a run, new texts, old texts to replay, a test that holds both
Output: the classifier gone on, and what the gate says: macro F1 on the old labels before and after
Where more was forgotten than allowed nothing is written: the old run stays the one to use.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from training.tuning.classifier import TextClassifier, load_head, read_labels
from training.tuning.distillation import distilled
from training.tuning.encoders import base_encoder, longest_of
from training.tuning.few_shot import extended_head, few_of
from training.tuning.labelled_texts import LabelledText, labels_of, of_labels, split_apart
from training.tuning.measured import macro_f1
from training.tuning.methods import MERGEABLE, NO_MERGE
from training.tuning.options import TuningOptions
from training.tuning.run import ENCODER, Tuned

REPLAYED = 4
"""Old texts replayed for each new one, at most."""


class Gate(BaseModel):
    """What was forgotten."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    old_labels: tuple[str, ...]
    new_labels: tuple[str, ...]
    texts: int
    """Test texts of old labels."""
    before: float
    """Macro F1 of the old run on them."""
    after: float
    may_fall: float
    replayed: int

    @property
    def passed(self) -> bool:
        return self.after >= self.before - self.may_fall

    def __str__(self) -> str:
        verdict = "kept" if self.passed else "forgotten: nothing is written"
        return f"macro F1 on the {len(self.old_labels)} old labels {self.before:.3f} before, {self.after:.3f} after: {verdict}"


def finished(run: Path, options: TuningOptions) -> Tuned:
    """The classifier of a run. Raises ValueError where it has none that can go on."""
    labels, method = read_labels(run)
    if method not in MERGEABLE:
        raise ValueError(f"{run}: {NO_MERGE}")
    encoder, tokenizer = base_encoder(str(run / ENCODER))
    head = load_head(run)
    classifier = TextClassifier(encoder, len(labels), width=head.in_features)
    classifier.head = head
    longest = min(options.longest, longest_of(encoder))
    return Tuned(classifier, tokenizer, labels, options.model_copy(update={"longest": longest}))


def gone_on(
    run: Path,
    texts: Sequence[LabelledText],
    replay: Sequence[LabelledText],
    test: Sequence[LabelledText],
    options: TuningOptions,
    out: Path,
    *,
    shots: int | None = None,
    may_fall: float = 0.02,
    resume: bool = False,
    report_to: str = "none",
) -> tuple[Tuned, Gate]:
    """shots: at most so many texts of each new label. Raises ValueError where the test holds no text of an old label."""
    old = finished(run, options)
    own = [example for example in test if example.label in old.labels]
    if not own:
        raise ValueError("the test holds no text of the old labels: what is forgotten could not be told")
    new = tuple(label for label in labels_of(texts) if label not in old.labels)
    before = _score(old, own)
    learned = few_of(texts, new, shots, options.seed) if shots else list(texts)
    again = replayed(replay, old.labels, REPLAYED * len(learned), options.seed)
    together = [*learned, *again]
    start = partial(extended_head, old.classifier.head, new, together, longest=old.options.longest)
    found = distilled(
        str(run / ENCODER), together, [], (*old.labels, *new), options, out,
        start=lambda classifier, tokenizer: start(classifier=classifier, tokenizer=tokenizer),
        resume=resume, report_to=report_to,
    )  # fmt: skip
    gate = Gate(
        old_labels=old.labels, new_labels=new, texts=len(own), before=before, after=_score(found, own),
        may_fall=may_fall, replayed=len(again),
    )  # fmt: skip
    return found, gate


def replayed(texts: Sequence[LabelledText], labels: Sequence[str], most: int, seed: int) -> list[LabelledText]:
    """About `most` old texts, of each label the same share."""
    known, _ = of_labels(texts, labels)
    return known if len(known) <= most else split_apart(known, most / len(known), seed)[1]


def _score(classifier: Tuned, texts: Sequence[LabelledText]) -> float:
    right = [classifier.labels.index(example.label) for example in texts]
    return macro_f1(right, classifier.answers([example.text for example in texts]), len(classifier.labels))
