"""What a way of running the encoder changes and costs: vectors against a reference, nearest-name decisions, speed.

Knows the project's own texts (the knowledge's explanations as notes, its names as phrases), never the evaluation sets.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from nlp_core.batches import Batch, same_length_batches
from nlp_core.encoder import Vectors, embed_texts
from nlp_core.knowledge import Knowledge
from nlp_core.model_bundle import Bundle
from nlp_core.windows import windows_over

LIKENESS = (0.6, 0.72)
"""Least cosine for a name to count; 0.72 is what reading uses (nlp_core.concepts)."""
_SECONDS = 0.6

Encode = Callable[[Batch], Vectors]


@dataclass(frozen=True, slots=True, eq=False)
class Texts:
    """What the variants read: windows of prose, and names with the finding each belongs to."""

    windows: list[Batch]
    names: list[str]
    findings: NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Outcome:
    """token vectors [tokens, width], sentence vectors [names, width]."""

    tokens: Vectors
    sentences: Vectors


def texts_of(knowledge: Knowledge, bundle: Bundle, *, names: int) -> Texts:
    prose = " ".join(d.patients.en for d in knowledge.diagnoses.values()) or " ".join(
        name for finding in knowledge.findings.values() for name in finding.names.en
    )
    windows = [window.ids for window in windows_over(prose, bundle.tokenizer())][:40]
    ids = {finding: place for place, finding in enumerate(knowledge.findings)}
    pairs = list(islice(((n, ids[f.id]) for f in knowledge.findings.values() for n in f.names.en), names))
    return Texts(
        same_length_batches(windows, most_tokens=1),
        [name for name, _ in pairs],
        np.array([place for _, place in pairs]),
    )


def outcome(encode: Encode, texts: Texts, bundle: Bundle) -> Outcome:
    tokens = np.concatenate([encode(batch).reshape(-1, bundle.manifest.width) for batch in texts.windows])
    tokenizer = bundle.tokenizer()
    return Outcome(tokens, embed_texts(texts.names, tokenizer=tokenizer, encode=encode, width=bundle.manifest.width))


def decisions(found: Outcome, texts: Texts, least: float) -> NDArray[np.int64]:
    """For each name the finding of the nearest other name, -1 below `least`."""
    likeness = found.sentences @ found.sentences.T
    np.fill_diagonal(likeness, -1)
    nearest = likeness.argmax(axis=1)
    return np.where(likeness.max(axis=1) >= least, texts.findings[nearest], -1)


def compare(wanted: Outcome, found: Outcome, texts: Texts) -> list[str]:
    """Cells: token cosine mean and worst, sentence cosine mean and worst, per least likeness the decisions
    changed and those right."""
    cells = []
    for one, other in ((wanted.tokens, found.tokens), (wanted.sentences, found.sentences)):
        cosine = (one * other).sum(axis=1) / (np.linalg.norm(one, axis=1) * np.linalg.norm(other, axis=1))
        cells += [f"{cosine.mean():.5f}", f"{cosine.min():.4f}"]
    for least in LIKENESS:
        before, after = decisions(wanted, texts, least), decisions(found, texts, least)
        either = (before >= 0) | (after >= 0)
        cells.append(f"{100 * (before != after)[either].mean():.2f} %")
        cells.append(f"{100 * (after == texts.findings).mean():.2f} %")
    return cells


def speed(encode: Encode, length: int, vocabulary: int) -> float:
    """Tokens per second, one row at a time; the upper quartile of runs, since other work shares the cores."""
    ids = np.random.default_rng(0).integers(0, vocabulary, (1, length))
    batch = Batch(ids, np.ones_like(ids), (0,))
    for _ in range(3):
        encode(batch)
    times = []
    end = time.perf_counter() + _SECONDS
    while time.perf_counter() < end:
        begin = time.perf_counter()
        encode(batch)
        times.append(time.perf_counter() - begin)
    return length / float(np.quantile(times, 0.25))
