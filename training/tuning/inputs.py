"""What a tuning learns from and is measured on, as the command line names it.

Knows the three parts and how they are made where only one is given; reading a file is labelled_texts' business.
"""

from __future__ import annotations

import sys
from argparse import Namespace
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path

from training.tuning.labelled_texts import (
    PREPARED,
    BadText,
    LabelledText,
    ReadTexts,
    labels_of,
    notes_of,
    of_labels,
    read_texts,
    split_apart,
)
from training.tuning.options import TuningOptions

BAD_ROWS = "bad-rows.tsv"
TEST_SHARE, DEVELOPMENT_SHARE = 0.2, 0.1
_TOLD = 5
"""Bad rows that are told on the console; all are in bad-rows.tsv."""


@dataclass(frozen=True, slots=True)
class Inputs:
    """development is empty where nothing asks for it."""

    train: tuple[LabelledText, ...]
    development: tuple[LabelledText, ...]
    test: tuple[LabelledText, ...]
    bad: tuple[BadText, ...]
    replay: tuple[LabelledText, ...] = ()
    """Texts of an earlier run, to be learned again."""

    def counts(self) -> dict[str, dict[str, int]]:
        """Texts of each label, part by part."""
        parts = {"train": self.train, "development": self.development, "test": self.test}
        if self.replay:
            parts["replay"] = self.replay
        return {name: dict(sorted(Counter(example.label for example in part).items())) for name, part in parts.items()}

    def tell_bad(self, out: Path | None) -> None:
        """Where the rows stand that were left out, on stderr and in OUT."""
        for one in self.bad[:_TOLD]:
            print(f"left out: {one}", file=sys.stderr)
        if len(self.bad) > _TOLD:
            place = f", see {out / BAD_ROWS}" if out else ""
            print(f"left out: {len(self.bad) - _TOLD} rows more{place}", file=sys.stderr)
        if out:
            rows = "".join(f"{one.file}\t{one.line}\t{one.reason}\n" for one in self.bad)
            (out / BAD_ROWS).write_text(rows, encoding="utf-8")

    def tell_plan(self, options: TuningOptions) -> None:
        """Texts and steps of a run."""
        from training.tuning.continual import REPLAYED
        from training.tuning.train import planned_steps

        for name, counts in self.counts().items():
            shown = ", ".join(f"{label} {count:,}" for label, count in counts.items())
            print(f"{name:12} {sum(counts.values()):>7,}  {shown or '-'}")
        most = len(self.train) * (1 + len(options.augment) * options.copies)
        most += min(len(self.replay), REPLAYED * len(self.train))
        steps = planned_steps(most, options)
        print(f"{'steps':12} {steps:>7,}  of {options.batch * options.accumulate} texts, at most")
        if options.ensemble > 1:
            print(f"{'trainings':12} {options.ensemble + 1:>7,}")


def read_inputs(given: Namespace, options: TuningOptions) -> Inputs:
    """Raises ValueError where there is too little to learn from or to measure on, FileNotFoundError."""
    columns = (given.text_column, given.label_column)
    train, development, test = _parts(given.texts, columns)
    if given.test:
        test = read_texts(_file(given.test, PREPARED[2]), *columns)
    if given.go_on_from and not test.texts:
        raise ValueError(
            "--go-on-from needs --test with texts of old and new labels, or --texts with such a test.jsonl: what is"
            " forgotten is to be told"
        )
    replay = _replay(given, columns) if given.replay else ReadTexts(())
    bad = train.bad + development.bad + test.bad + replay.bad
    learned, apart, measured = list(train.texts), list(development.texts), list(test.texts)
    if not measured:
        learned, measured = split_apart(learned, TEST_SHARE, options.seed)
    if options.patience and not apart:
        learned, apart = split_apart(learned, DEVELOPMENT_SHARE, options.seed + 1)
    if not given.go_on_from:
        apart, measured = _of_known_labels(given.texts, learned, apart, measured)
    if not measured:
        raise ValueError("there is no text left to measure on; give --test, or more texts of each label")
    return Inputs(tuple(learned), tuple(apart), tuple(measured), bad, replay.texts)


def _parts(source: Path, columns: tuple[str, str]) -> tuple[ReadTexts, ReadTexts, ReadTexts]:
    if not source.is_dir():
        return read_texts(source, *columns), ReadTexts(()), ReadTexts(())
    train = read_texts(_file(source, PREPARED[0]), *columns)
    development, test = (read_texts(source / name, *columns, needed=False) for name in PREPARED[1:])
    return train, development, test


def _replay(given: Namespace, columns: tuple[str, str]) -> ReadTexts:
    """Old texts. A note that --texts holds too is left to it: since the earlier run a person may have decided on its label."""
    path = _file(given.replay, PREPARED[0])
    newer = notes_of(given.texts / PREPARED[0]) if given.texts.is_dir() else frozenset[str]()
    found = read_texts(path, *columns, but=newer)
    if not found.texts:
        print(f"nothing to replay: every note of {path} stands in {given.texts} too", file=sys.stderr)
    return replace(found, bad=tuple(replace(one, file=f"--replay {one.file}") for one in found.bad))


def _file(source: Path, part: str) -> Path:
    """`source`, or that part of a folder of `prepare`. Raises FileNotFoundError."""
    if not source.is_dir():
        return source
    if not (source / part).is_file():
        raise FileNotFoundError(f"{source} holds no {part}; is it a folder of `dxspan-train prepare`?")
    return source / part


def _of_known_labels(
    source: Path, train: list[LabelledText], development: list[LabelledText], test: list[LabelledText]
) -> tuple[list[LabelledText], list[LabelledText]]:
    labels = labels_of(train)
    if len(labels) < 2:
        raise ValueError(f"{source} holds {len(labels)} label; two are the least that can be told apart")
    test, strange = of_labels(test, labels)
    if strange:
        count = sum(strange.values())
        print(f"left out: {count} test texts with labels that no training text has", file=sys.stderr)
    return of_labels(development, labels)[0], test
