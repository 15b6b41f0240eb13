"""Where each finding lies: the direction that tells its wordings from all other findings', learned where the encoder rests.

Input : names and phrases of findings, as the encoder embeds them     Output: nlp_core.finding_centres
A mean of wordings lies where they are; a learned centre also keeps away from what others are called. Held apart, phrases of authors
that it has not seen find their own finding oftener (docs/log.md), and serving does no more work than with means.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional
from tqdm import tqdm

from nlp_core.finding_centres import FindingCentres
from nlp_core.knowledge import Knowledge
from nlp_core.name_index import KINDS
from nlp_core.neutral_words import neutral
from training.phrases import Phrase

RATE = 2e-3
ROWS = 512
TEMPERATURE = 0.03
_RARE = 0.5
"""Power of a finding's wordings by which each counts less: one with many must not draw what belongs to one with few."""

Floats = NDArray[np.float32]
Embed = Callable[[Sequence[str]], Floats]


@dataclass(frozen=True, slots=True, eq=False)
class Wordings:
    """N wordings of findings."""

    findings: tuple[str, ...]
    vectors: Floats
    """[N, width], of unit length."""
    owners: NDArray[np.int64]
    """[N] places in `findings`."""
    named: NDArray[np.bool_]
    """[N]: a name, not a phrase."""
    apart: NDArray[np.bool_]
    """[N]: a phrase that nothing is learned from."""


def wordings(phrases: Iterable[Phrase], knowledge: Knowledge, embed: Embed, *, most: int | None = None) -> Wordings:
    """Those of the findings that are told in words, held-apart ones too, as serving would embed them.

    most: the first so many names, phrases and held-apart phrases of a finding in each language; None = all.
    """
    findings = tuple(one.id for one in knowledge.findings.values() if one.kind in KINDS)
    places = {finding: place for place, finding in enumerate(findings)}
    kept = list(_first([phrase for phrase in phrases if phrase.entry in places], most))
    return Wordings(
        findings,
        np.asarray(embed([neutral(phrase.text) for phrase in kept]), np.float32),
        np.array([places[phrase.entry] for phrase in kept], np.int64),
        np.array([phrase.source == "name" for phrase in kept], np.bool_),
        np.array([phrase.split == "held_apart" for phrase in kept], np.bool_),
    )


def _first(phrases: Sequence[Phrase], most: int | None) -> Iterator[Phrase]:
    met = Counter[tuple[str, str, str, str]]()
    for phrase in phrases:
        kind = (phrase.entry, phrase.language, phrase.source, phrase.split)
        met[kind] += 1
        if most is None or met[kind] <= most:
            yield phrase


def learned_centres(given: Wordings, *, seed: int, epochs: int) -> FindingCentres:
    """Equal seeds and threads learn equal centres. Minutes for a hundred thousand wordings."""
    start = plain_centres(given)
    learning = ~given.apart
    vectors, owners = torch.from_numpy(given.vectors[learning]), torch.from_numpy(given.owners[learning])
    counts = torch.bincount(owners, minlength=len(given.findings)).clamp(min=1)
    weights = counts[owners].float().pow(-_RARE)
    weights /= weights.mean()
    random = torch.Generator().manual_seed(seed)
    centres = torch.from_numpy(start.copy()).requires_grad_(True)
    optimizer = torch.optim.Adam([centres], lr=RATE)
    for _ in tqdm(range(epochs), desc="centres of findings", unit="epoch"):
        for rows in torch.split(torch.randperm(len(vectors), generator=random), ROWS):
            likeness = vectors[rows] @ functional.normalize(centres, dim=1).T / TEMPERATURE
            lost = functional.cross_entropy(likeness, owners[rows], reduction="none")
            optimizer.zero_grad()
            (lost * weights[rows]).mean().backward()  # type: ignore[no-untyped-call]
            optimizer.step()
    learned = functional.normalize(centres.detach(), dim=1).numpy()
    learned = learned * _length(given, start, learned)
    return FindingCentres.of(dict(zip(given.findings, learned, strict=True)))


def plain_centres(given: Wordings) -> Floats:
    """[findings, width], of unit length: the mean of a finding's names and the mean of its phrases together."""
    sums = _means(given, given.named) + _means(given, ~given.named & ~given.apart)
    unit: Floats = functional.normalize(torch.from_numpy(sums), dim=1).numpy()
    return unit


def _means(given: Wordings, chosen: NDArray[np.bool_]) -> Floats:
    sums = np.zeros((len(given.findings), given.vectors.shape[1]), np.float32)
    np.add.at(sums, given.owners[chosen], given.vectors[chosen])
    counts = np.bincount(given.owners[chosen], minlength=len(given.findings))
    return np.asarray(sums / np.maximum(counts, 1)[:, None], np.float32)


def _length(given: Wordings, plain: Floats, learned: Floats) -> np.float32:
    """With it, phrases are on the mean as like their learned centre as they were like the plain one.

    Thresholds and curves over likeness (concepts, reading_trust) then mean what they meant. By phrases held apart, where there are any.
    """
    asked = given.apart if given.apart.any() else ~given.named if not given.named.all() else given.named
    vectors, owners = given.vectors[asked], given.owners[asked]
    if not len(vectors):
        return np.float32(1)
    before, after = (float((vectors * centres[owners]).sum(axis=1).mean()) for centres in (plain, learned))
    return np.float32(before / max(after, 1e-3)) if before > 0 else np.float32(1)
