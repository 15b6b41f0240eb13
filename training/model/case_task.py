"""Learning from whole cases: what their sentences say together tells the diagnosis, so the encoder keeps in its vectors what does.

Input : cases cut into sentences (case_batches), the encoder that learns
Output: a loss for each step, and how many cases kept apart are told; nothing of it is exported
The way from sentences to diagnoses is the case matcher's (nlp_core.case_matcher), learned here from the start and left behind: the matcher
that serves is fitted after training. Knows tensors.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from nlp_core.case_matcher import VECTOR
from nlp_core.knowledge import Knowledge
from nlp_core.windows import frame_of
from training.matching.diagnosis_texts import diagnosis_vectors
from training.model.case_batches import CaseBatches, CutCase
from training.model.measure_training import Embed
from training.model.recipe import Recipe
from training.model.tuned_encoder import TunedEncoder

MEASURED = 300
"""Cases kept apart that are measured on, at most."""
_READ_TOGETHER = 24
_BEGINS_AT = 2.5
"""Natural log of the first scale."""


class CaseNetwork(torch.nn.Module):
    """Sentence vectors to diagnoses. D: diagnoses, W: width of the encoder."""

    def __init__(self, diagnoses: int, width: int) -> None:
        super().__init__()
        self.gate = torch.nn.Parameter(torch.zeros(width))
        self.shift = torch.nn.Parameter(torch.zeros(1))
        self.diagnosis = torch.nn.Parameter(torch.zeros(diagnoses, width))
        self.log_scale = torch.nn.Parameter(torch.tensor(_BEGINS_AT))

    def begin(self, vectors: NDArray[np.float32]) -> None:
        """Puts each diagnosis where texts about it lie. vectors: [D, several times W], unit vectors side by side (diagnosis_texts)."""
        means = torch.from_numpy(vectors).view(len(vectors), -1, self.diagnosis.shape[1]).mean(dim=1)
        with torch.no_grad():
            self.diagnosis.copy_(functional.normalize(means - means.mean(dim=0), dim=1))

    def forward(self, vectors: torch.Tensor, owners: torch.Tensor, cases: int) -> torch.Tensor:
        """[cases, D]: natural-log odds up to a constant of the case. vectors: [S, W], unit length. owners: int64 [S], whose it is."""
        gates = torch.sigmoid(vectors * VECTOR @ self.gate + self.shift)
        charts = torch.zeros(cases, vectors.shape[1]).to(vectors).index_add(0, owners, vectors * gates[:, None])
        placed = functional.normalize(self.diagnosis, dim=1)
        odds: torch.Tensor = functional.normalize(charts, dim=1) @ placed.T * self.log_scale.exp()
        return odds


class CaseTask:
    """One run's: the cases, and the network that learns from them beside the encoder."""

    def __init__(self, recipe: Recipe, knowledge: Knowledge, encoder: TunedEncoder, folder: Path) -> None:
        """folder: of the cases. Raises as CaseBatches does."""
        places = {diagnosis: place for place, diagnosis in enumerate(knowledge.diagnoses)}
        self._knowledge, self._encoder, self._size = knowledge, encoder, recipe.cases
        self.cases = CaseBatches(folder, places, encoder.tokenizer, longest=encoder.longest, seed=recipe.seed)
        self._measured = _spread(self.cases.apart, MEASURED)
        frame = frame_of(encoder.tokenizer)
        self._before, self._after = len(frame.before), len(frame.after)
        self.network = CaseNetwork(len(places), encoder.width).to(encoder.device)

    def begin(self, embed: Embed) -> None:
        """Places the diagnoses by what the knowledge says of them. embed: texts to unit vectors [texts, W]."""
        self.network.begin(diagnosis_vectors(self._knowledge, embed))

    def batches(self, steps: int) -> Iterator[list[CutCase]]:
        """A batch for each step."""
        return self.cases.batches(self._size, steps)

    def loss(self, cases: Sequence[CutCase]) -> torch.Tensor:
        """Mean cross-entropy over all diagnoses, all as likely beforehand (natural-log units)."""
        right = torch.tensor([case.diagnosis for case in cases], device=self._encoder.device)
        return functional.cross_entropy(self._odds(cases), right)

    def measured(self) -> dict[str, float]:
        """Shares of the cases kept apart whose diagnosis comes first, and within three; empty where none is kept apart."""
        self._encoder.eval()
        ranks: list[int] = []
        with torch.no_grad():
            for start in range(0, len(self._measured), _READ_TOGETHER):
                cases = self._measured[start : start + _READ_TOGETHER]
                odds = self._odds(cases)
                own = odds[torch.arange(len(cases)), torch.tensor([case.diagnosis for case in cases])]
                ranks += (odds > own[:, None]).sum(dim=1).tolist()
        if not ranks:
            return {}
        return {
            "case_first": float(np.mean([rank < 1 for rank in ranks])),
            "case_within_three": float(np.mean([rank < 3 for rank in ranks])),
        }

    def _odds(self, cases: Sequence[CutCase]) -> torch.Tensor:
        rows = [ids for case in cases for ids in case.sentences]
        owners = torch.tensor([at for at, case in enumerate(cases) for _ in case.sentences])
        return self.network(self._vectors(rows), owners.to(self._encoder.device), len(cases))  # type: ignore[no-any-return]  # torch's modules have no types

    def _vectors(self, rows: Sequence[Sequence[int]]) -> torch.Tensor:
        """[rows, W], unit length: mean over each row's tokens but for their frame, as serving tells sentences to the matcher."""
        groups = list(self._encoder.read_rows(rows))
        means = []
        for group in groups:
            inner = functional.pad(group.mask[:, self._after :], (0, self._after))
            inner[:, : self._before] = 0
            means.append(functional.normalize((group.vectors * inner[..., None]).sum(dim=1).float(), dim=1))
        order = np.argsort([place for group in groups for place in group.places])
        return torch.cat(means)[torch.from_numpy(order)]


def _spread(cases: Sequence[CutCase], most: int) -> list[CutCase]:
    """At most so many, from all over."""
    return [cases[at] for at in np.unique(np.linspace(0, len(cases) - 1, most).round().astype(int))] if cases else []
