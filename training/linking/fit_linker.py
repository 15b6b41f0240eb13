"""What says which findings clauses mean, learned and measured: `dxspan-train fit-linker`.

Reads the judged clauses as the model reads them, measures three linkers, each on the notes that it has not seen, beside the curve over
likeness (reading_trust), and writes one learned on all to nlp_core/bundle/concept_linker.safetensors, with a page. Run again after
training: a linker is good for the heads it was learned behind alone. Then compose, and calibrate anew.
"""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from nlp_core.bundle_manifest import HEAD_WEIGHTS, LINKER
from nlp_core.concept_linker import ConceptLinker, probabilities
from nlp_core.model_bundle import NAMES, SHIPPED_BUNDLE, Bundle, composed_bundle_path
from nlp_core.name_index import NameIndex
from nlp_core.onnx_encoder import OnnxEncoder
from nlp_core.reading_trust import ConceptTrust
from nlp_core.sentence_readings import SentenceEncoder
from training.command import Command, deliver
from training.linking.judged_clauses import JUDGED, Example, examples, read_judged
from training.measures.plots import COLOURS, svg

SHIPPED = SHIPPED_BUNDLE / LINKER
PARTS = 3
_BANDS = 10

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Linked:
    """What a way of linking says of N clauses with K findings each."""

    chances: Floats
    """[N, K]: of each finding, the rest of 1 being "none"."""
    right: NDArray[np.bool_]
    """[N, K]"""
    chinese: NDArray[np.bool_]
    """[N]"""

    def of(self, chosen: NDArray[np.bool_]) -> Linked:
        """Some of the clauses."""
        return Linked(self.chances[chosen], self.right[chosen], self.chinese[chosen])

    @property
    def loss(self) -> float:
        """Mean natural-log loss of what was judged right."""
        some = self.right.any(axis=1)
        said = np.where(some, (self.chances * self.right).sum(axis=1), 1 - self.chances.sum(axis=1))
        return float(-np.log(np.maximum(said, 1e-6)).mean())

    @property
    def told(self) -> float:
        """Mean probability that a clause means any finding."""
        return float(self.chances.sum(axis=1).mean())

    @property
    def real(self) -> float:
        """Share of the clauses that do."""
        return float(self.right.any(axis=1).mean())

    @property
    def ranked(self) -> float:
        """Probability that a clause that means a finding is given more than one that means none."""
        some: NDArray[np.bool_] = np.any(self.right, axis=1)
        places = np.argsort(np.argsort(self.chances.sum(axis=1), kind="stable"))
        yes, no = int(some.sum()), int((~some).sum())
        return float((places[some].sum() - yes * (yes - 1) / 2) / max(yes * no, 1))

    @property
    def first(self) -> float:
        """Of the clauses that mean a finding, the share whose likeliest one was judged right."""
        some = np.flatnonzero(self.right.any(axis=1))
        return float(self.right[some, self.chances[some].argmax(axis=1)].mean())

    def bands(self) -> tuple[list[float], list[float]]:
        """(told, real) in ten bands of equally many clauses, by the probability told."""
        some: NDArray[np.bool_] = np.any(self.right, axis=1)
        chances: Floats = np.sum(self.chances, axis=1)
        parts = np.array_split(np.argsort(chances, kind="stable"), _BANDS)
        return [float(chances[part].mean()) for part in parts], [float(some[part].mean()) for part in parts]


def by_likeness(examples: Sequence[Example], curve: ConceptTrust, backgrounds: dict[str, float]) -> Floats:
    """[N, K]: what the curve over likeness says."""
    rows = []
    for one in examples:
        nearest = list(zip(one.near, one.likeness.tolist(), strict=True))
        rows.append([said.probability for said in curve.meanings(nearest, backgrounds, one.clause.language)])
    return np.array(rows, np.float32)


def by_linker(examples: Sequence[Example], linker: ConceptLinker) -> Floats:
    """[N, K]: what a linker says."""
    likeness, centres = np.stack([one.likeness for one in examples]), np.stack([one.centres for one in examples])
    return probabilities(linker.log_odds([one.clause for one in examples], likeness, centres))


def unseen(examples: Sequence[Example], *, seed: int) -> Floats:
    """[N, K]: what linkers say of the clauses of notes they were not learned on."""
    from training.linking.networks import learned  # torch

    notes = sorted({one.judged.case for one in examples})
    order = np.random.default_rng(seed).permutation(len(notes)).tolist()
    part_of = {notes[place]: at % PARTS for at, place in enumerate(order)}
    chances = np.zeros((len(examples), len(examples[0].likeness)), np.float32)
    for part in tqdm(range(PARTS), desc="linkers", unit="linker"):
        apart = [at for at, one in enumerate(examples) if part_of[one.judged.case] == part]
        rest = [one for one in examples if part_of[one.judged.case] != part]
        linker = learned(rest, seed=seed).linker("")
        chances[apart] = by_linker([examples[at] for at in apart], linker)
    return chances


def page(curve: Linked, linker: Linked, *, notes: int, clauses: int, model: str, plot: str) -> str:
    """docs/linking.md."""
    lines = [
        "# Which findings clauses mean",
        "",
        f"Written by `make linker` (`dxspan-train fit-linker`), on the heads of model {model}. {clauses:,} clauses of {notes}",
        "development notes of our own, in English and Chinese, were judged one by one: which of the eight findings near to the clause do",
        "its words say of the patient, or none (training/linking/README.md). The linker's rows are of notes that it had not seen, three",
        "linkers each on two thirds of the notes; the curve is the one over likeness that stands in where a bundle has no linker.",
        "",
        "| | clauses | mean a finding, % | told, % | log loss | told apart | right finding first, % |",
        "|---|---:|---:|---:|---:|---:|---:|",
    ]
    for name, chinese in (("English", False), ("Chinese", True)):
        for way, said in (("curve over likeness", curve), ("linker", linker)):
            own = said.of(said.chinese == chinese)
            lines.append(
                f"| {name}, {way} | {len(own.right)} | {100 * own.real:.1f} | {100 * own.told:.1f} | {own.loss:.3f} "
                f"| {own.ranked:.3f} | {100 * own.first:.1f} |"
            )
    lines += [
        "",
        "*Told*: the mean probability that a clause means any finding. *Told apart*: probability that a clause that means one is given",
        "more than a clause that means none; .5 is chance. *Right finding first*: of the clauses that mean a finding.",
        "",
        f"![Probability told and share that means a finding, in ten bands]({plot})",
        "",
    ]
    return "\n".join(lines)


def draw(target: Path, curve: Linked, linker: Linked) -> None:
    """What is told beside what is so, one panel a language."""
    with svg(target, 2) as axes:
        for axis, (name, chinese) in zip(axes, (("English", False), ("Chinese", True)), strict=True):
            axis.plot([0, 1], [0, 1], color=COLOURS[5], linewidth=0.8, linestyle="--")
            for colour, (way, said) in zip(COLOURS, (("curve over likeness", curve), ("linker", linker)), strict=False):
                told, real = said.of(said.chinese == chinese).bands()
                axis.plot(told, real, marker="o", markersize=3, color=colour, label=way)
            axis.set(
                title=name, xlabel="probability told", ylabel="share that means a finding", xlim=(0, 1), ylim=(0, 1)
            )
            axis.legend(frameon=False, loc="upper left")


def _arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--bundle", type=Path, help="composed bundle (default: the one set-up composes)")
    parser.add_argument("--judged", type=Path, default=JUDGED, help="judged clauses (default: %(default)s)")
    parser.add_argument("--out", type=Path, default=SHIPPED, help="where the linker goes (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--write", type=Path, help="Markdown page, with a plot beside it (default: print)")


def _run(options: Namespace) -> int:
    from training.linking.networks import learned  # torch

    bundle = Bundle.open(options.bundle or composed_bundle_path())
    if HEAD_WEIGHTS not in bundle.manifest.files:
        raise ValueError(f"the model at {bundle.path} has no heads: it reads no clauses in their sentences")
    judged = read_judged(options.judged)
    sentences = SentenceEncoder(OnnxEncoder.open(bundle, threads=0), bundle.tokenizer())
    seen = examples(judged, sentences, NameIndex.load(bundle.file(NAMES)))
    backgrounds = {finding.id: finding.background for finding in bundle.knowledge().findings.values()}
    right = np.stack([one.right for one in seen])
    chinese = np.array([one.clause.language == "zh" for one in seen])
    curve = Linked(by_likeness(seen, bundle.reading_trust().concept, backgrounds), right, chinese)
    linker = Linked(unseen(seen, seed=options.seed), right, chinese)
    heads = bundle.manifest.files[HEAD_WEIGHTS].sha256
    learned(seen, seed=options.seed).linker(heads).save(options.out)
    plot = Path("linking.svg") if options.write is None else options.write.with_suffix(".svg")
    notes = len({one.judged.case for one in seen})
    if options.write:
        draw(plot, curve, linker)
    told = page(curve, linker, notes=notes, clauses=len(seen), model=bundle.model_version, plot=plot.name)
    deliver(told, options.write)
    return 0


COMMAND = Command("fit-linker", "learn which findings clauses mean, on judged clauses", _arguments, _run)
