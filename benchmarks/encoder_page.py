"""docs/encoders.md and its plot, from the figures of benchmarks.encoders; and what follows from them."""

from __future__ import annotations

import platform
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.encoder_batches import Batching
from benchmarks.encoder_cards import MARGIN_LIKENESS, MARGIN_PROBABILITY, Agreement
from benchmarks.encoder_variants import GEMM, HAS_OPENVINO, Variant
from nlp_core.note_groups import TOGETHER
from training.measures import plots

SENTENCES, MEASURED = "the notes' sentences", "1 × 128"
"""What serving asks for: sentences of notes, equal lengths together; and the shape that shares of the peak are given for."""
AIM_PEAK, AIM_RATIO, AIM_CARDS = 0.60, 2.0, 0.995
LEAST_COSINE = 0.99999


@dataclass(frozen=True)
class Figures:
    variant: Variant
    tokens: dict[str, float]
    """Shape -> tokens per second of processor time, one thread."""
    two_threads: float
    """Processor time of two threads over one's for the same work, at MEASURED; 1 = nothing lost."""
    share: float
    """Of the precision's own peak."""
    cosine: float
    """Least cosine of a token's vector to fp32's, on the notes' sentences."""
    cards: Agreement | None
    """None where nothing was read."""

    @property
    def same_cards(self) -> bool:
        """By the texts read; fp32 by another way, by its vectors."""
        exact = self.variant.precision == "fp32" and self.cosine > LEAST_COSINE
        return exact if self.cards is None else self.cards.whole >= AIM_CARDS

    def gain(self, first: Figures, shape: str = SENTENCES) -> float:
        return self.tokens[shape] / first.tokens[shape]


@dataclass(frozen=True)
class Measured:
    """One run: every way, and a cascade of two of them."""

    figures: Sequence[Figures]
    peaks: dict[str, float]
    """Precision -> FLOP per second of processor time."""
    cascade: tuple[str, Agreement] | None
    """The way that reads first, and what came of it."""
    texts: int
    sets: bool
    """Were the evaluation sets read too?"""
    batchings: Sequence[Batching]


def page(found: Measured, plot: str, command: str, model: str) -> Iterator[str]:
    """The page, line by line. model: version of the one that read."""
    first, texts = found.figures[0], "our own cases" + (" and the evaluation sets" if found.sets else "")
    peaks = ", ".join(f"{name} {rate / 1e9:,.0f}" for name, rate in found.peaks.items())
    yield "# Ways of running the encoder on a CPU"
    yield ""
    yield f"Written by `make encoders` (`{command}`), model {model}, {_processor()}, Python {platform.python_version()}."
    yield "Speed is tokens per second of processor time on one thread, all ways in turn within one run (ABAB), because the machine is"
    yield f"shared: read the ratios. *{SENTENCES}* are what a worker asks for, equal lengths together and none padded; the other columns"
    yield f"are rows × tokens. A peak is the product {GEMM[0]} × {GEMM[1]} × {GEMM[2]} in the same precision, measured in the same turns, in"
    yield f"thousand million operations per second: {peaks}. The share of it is at {MEASURED}. *Two threads* is their processor time over one"
    yield f"thread's: 1 = nothing lost, half the waiting on idle cores. The bf16 product is OpenVINO's, the others ONNX Runtime's. A card is the same when it is silent in both or names the same five diagnoses in the same order ({found.texts} texts,"
    yield f"{texts}, evenly chosen)."
    yield ""
    shapes = list(first.tokens)
    heads = ["way", *shapes, "to fp32, sentences", f"to fp32, {MEASURED}", "share of peak", "two threads"]
    heads += ["least cosine", "same card", "same first three"]
    yield f"| {' | '.join(heads)} |"
    yield "|---" * len(heads) + "|"
    for one in found.figures:
        speeds = [f"{one.tokens[shape]:,.0f}" for shape in shapes]
        gains = [f"{one.gain(first):.2f}", f"{one.gain(first, MEASURED):.2f}"]
        cards = (
            ["–", "–"]
            if one.cards is None
            else [f"{100 * share:.1f} %" for share in (one.cards.whole, one.cards.first)]
        )
        shares = [f"{100 * one.share:.0f} %", f"{one.two_threads:.2f}", f"{one.cosine:.5f}"]
        yield f"| {' | '.join([one.variant.name, *speeds, *gains, *shares, *cards])} |"
    yield ""
    yield f"![Speed and same cards]({plot})"
    yield ""
    yield "fp32 by another way is judged by its vectors; its cards were not counted."
    yield from _cascade(found)
    yield from _batchings(found.batchings)
    yield ""
    yield f"**Aims**: {100 * AIM_PEAK:.0f} % of the peak, {AIM_RATIO:.0f} times fp32, the same card on {100 * AIM_CARDS:.1f} % of texts."
    yield verdict(found.figures)
    if not HAS_OPENVINO:
        yield ""
        yield "OpenVINO was not measured: it is no dependency (`pip install --no-deps --target FOLDER openvino`, then with"
        yield "`PYTHONPATH=FOLDER`)."
    yield ""


def _cascade(found: Measured) -> Iterator[str]:
    if not found.cascade:
        return
    name, cards = found.cascade
    (way,) = (one for one in found.figures if one.variant.name == name)
    cost = 1 / way.gain(found.figures[0]) + cards.again
    yield ""
    yield f"**A cascade**: {name} reads every sentence, and fp32 reads again where a concept or another assertion is found or nearly"
    yield f"found (likeness within {MARGIN_LIKENESS}, probabilities within {MARGIN_PROBABILITY}). It reads {100 * cards.again:.0f} % of the tokens again, so that it"
    yield f"takes {cost:.2f} times as long as fp32 alone; the card is the same on {100 * cards.whole:.1f} % of texts, the first three on {100 * cards.first:.1f} %."


def _batchings(found: Sequence[Batching]) -> Iterator[str]:
    if not found:
        return
    single = next(one for one in found if one.name.startswith("note by note, equal"))
    yield ""
    yield "**How sentences share a run** (fp32, notes of our own cases, one thread). Serving reads the notes of a chart as the last row does, in"
    yield f"groups of at most {TOGETHER:,} characters ([0028](decisions/0028-notes-read-together.md)):"
    yield ""
    yield "| batches | runs | padding | tokens/s | to note by note |"
    yield "|---|---|---|---|---|"
    for one in found:
        yield f"| {one.name} | {one.runs} | {100 * one.padding:.0f} % | {one.rate:,.0f} | {one.rate / single.rate:.2f} |"


def verdict(found: Sequence[Figures]) -> str:
    """What follows from the figures, in a sentence."""
    first = found[0]
    kept = [one for one in found[1:] if one.same_cards]
    faster = [one for one in kept if one.gain(first) >= AIM_RATIO]
    if faster:
        return f"Fast enough with the same cards: {', '.join(one.variant.name for one in faster)}."
    best = max(kept, key=lambda one: one.gain(first), default=None)
    if best is None or best.gain(first) <= 1:
        return "Nothing measured here is faster than fp32 with the same cards: fp32 serves."
    return (
        f"The fastest with the same cards is {best.variant.name}, {best.gain(first):.2f} times fp32 on sentences, short of the aim: "
        "fp32 in ONNX Runtime serves."
    )


def draw(found: Measured, target: Path) -> None:
    """Speed on sentences against the share of same cards, with the aims as lines."""
    with plots.svg(target, 1) as (axes,):
        shown = [one for one in found.figures if one.cards]
        axes.axvline(AIM_RATIO, color=plots.COLOURS[5], linestyle=":")
        axes.axhline(100 * AIM_CARDS, color=plots.COLOURS[5], linestyle=":")
        for place, one in enumerate(shown):
            gain = one.gain(found.figures[0])
            label = f"{place + 1} {one.variant.name.removeprefix('ONNX Runtime ')}"
            colour = plots.COLOURS[place % len(plots.COLOURS)]
            assert one.cards
            axes.plot([gain], [100 * one.cards.whole], "o", color=colour, label=label)
            axes.annotate(str(place + 1), (gain, 100 * one.cards.whole), (4, 4), textcoords="offset points")
        axes.set(xlabel="speed on sentences, times fp32", ylabel="same card, % of texts")
        if shown:
            axes.legend(fontsize=7, loc="lower left")


def _processor() -> str:
    names = [
        line.split(":")[1].strip()
        for line in Path("/proc/cpuinfo").read_text().splitlines()
        if line.startswith("model name")
    ]
    flags = Path("/proc/cpuinfo").read_text()
    kinds = [flag for flag in ("avx512_vnni", "avx512_bf16", "avx512_fp16", "amx_bf16", "amx_int8") if flag in flags]
    return f"{len(names)} cores of {names[0] if names else platform.machine()} ({', '.join(kinds) or 'no 512-bit instructions'})"
